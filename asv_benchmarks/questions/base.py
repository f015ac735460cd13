"""What a question is: a text, who answers it how, and how answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name, text : str
    answers : mapping of api to callable or SQL
        ``api`` is fastframe, pandas, polars, pyarrow (a function of the loaded tables) or duckdb (a query). Functions for
        polars work on eager and on lazy frames.
    keys : int, optional
        The first ``keys`` columns of an answer identify a row, the others are compared within the tolerance. None: rows are
        copied, so all columns must be equal. 0: answers have the rows of ``x`` in its order.
    order : tuple of int
        Columns that must be equal row by row in the order of the answer, as after a sort.
    base : str
        Name of the question whose peers this one is compared with; empty for its own.
    compared : bool
        False where answers are not data (a repr).
    relative, absolute : float
        Two floats agree where they differ by at most ``absolute`` and this share of the larger magnitude together.
    """

    name: str
    text: str
    answers: Mapping[str, Callable[..., Any] | str]
    keys: int | None = None
    order: tuple[int, ...] = ()
    base: str = ""
    compared: bool = True
    relative: float = 1e-9
    absolute: float = 1e-9


EVERYBODY = (
    "fastframe", "fastframe-cat", "pandas", "pandas-cat", "fireducks", "polars", "polars-cat", "polars-streaming", "polars-cat-streaming", "duckdb",
    "pyarrow",
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """Questions about the same tables; ``data`` names the generator, ``contenders`` who is asked by default."""

    name: str
    data: str
    questions: tuple[Question, ...]
    contenders: tuple[str, ...]
    rows: int = 10**7
    groups: int = 100
    per_call: bool = False
    "Short calls: timed in loops, printed in microseconds."
    by_name: dict[str, Question] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {question.name: question for question in self.questions})
