"""The five join questions of the database-like ops benchmark."""

from __future__ import annotations

from typing import Any

from asv_benchmarks.questions.base import EVERYBODY, Family, Question


def _question(name: str, text: str, right: str, key: str, how: str = "inner") -> Question:
    def ours_and_pandas(data: Any) -> Any:
        return data.x.merge(getattr(data, right), on=key, how=how)

    def polars(data: Any) -> Any:
        return data.x.join(getattr(data, right), on=key, how=how)

    def acero(data: Any) -> Any:
        kind = {"inner": "inner", "left": "left outer"}[how]
        return data.x.join(getattr(data, right), keys=key, join_type=kind, right_suffix="_right")

    return Question(name, text, {
        "fastframe": ours_and_pandas,
        "pandas": ours_and_pandas,
        "polars": polars,
        "duckdb": f"select x.*, {right}.* exclude ({key}) from x {how} join {right} using ({key})",
        "pyarrow": acero,
    })  # fmt: skip


FAMILY = Family(
    "join",
    "join",
    (
        _question("j1", "small inner on int", "small", "id1"),
        _question("j2", "medium inner on int", "medium", "id2"),
        _question("j3", "medium left on int", "medium", "id2", "left"),
        _question("j4", "medium inner on text", "medium", "id5"),
        _question("j5", "big inner on int", "big", "id3"),
    ),
    EVERYBODY,
)
