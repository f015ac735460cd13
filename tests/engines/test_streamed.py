"""Results written past the caches are those written to their place, for any length, width, nulls, slices and threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.column import memory

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x["a"] + x["b"],
    "add nulls": lambda x: x["a"] + x["n"],
    "add integers": lambda x: x["i"] + x["j"],
    "narrow": lambda x: x["tiny"] + x["tiny"],
    "floor divide": lambda x: x["a"] // x["b"],
    "power": lambda x: x["a"] ** 3,
    "abs": lambda x: x["n"].abs(),
    "sqrt": lambda x: np.sqrt(x["a"]),
    "clip": lambda x: x["a"].clip(lower=0.5),
    "clip nulls": lambda x: x["n"].clip(-1, 1),
    "to float32": lambda x: x["a"].astype("float32"),
    "to int8": lambda x: x["tiny"].astype("int8"),
    "float to int": lambda x: x["whole"].astype("int64"),
    "where": lambda x: x["a"].where(x["a"] > 0, 0.0),
    "where columns": lambda x: x["n"].where(x["a"] > 0, x["b"]),
    "fillna": lambda x: x["n"].fillna(7.0),
    "fillna integers": lambda x: x["j"].fillna(7),
    "expression": lambda x: x.assign(z=(ff.col("a") + ff.col("b")) * ff.col("n") - ff.col("i"))["z"],
    "expression of a cast": lambda x: x.assign(z=ff.col("i") + 1, y=(ff.col("i") + 1) * 2)["y"],
}


def frame(n_rows: int, offset: int) -> ff.DataFrame:
    rng = np.random.default_rng(n_rows)
    size = n_rows + offset
    missing = rng.random(size) < 0.1
    table = pa.table({
        "a": np.abs(rng.normal(size=size)), "b": rng.normal(size=size), "n": pa.array(rng.normal(size=size), mask=missing),
        "i": rng.integers(-1000, 1000, size).astype(np.int32), "j": pa.array(rng.integers(0, 1000, size), mask=missing),
        "tiny": rng.integers(-60, 60, size).astype(np.int8), "whole": rng.integers(-1000, 1000, size).astype(np.float64),
    })  # fmt: skip
    return ff.from_arrow(table.slice(offset))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("n_rows", "offset"), [(0, 0), (1, 0), (63, 5), (64, 0), (1000, 3), (SLICE_ROWS + 1029, 7)])
def test_the_same_bits(name: str, n_rows: int, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = frame(n_rows, offset)
    wanted = FUNCTIONS[name](given).to_arrow()
    monkeypatch.setattr(memory, "STREAMED_BYTES", -1)
    for n_threads in (1, 2, 4):
        with ff.option_context(threads=n_threads):
            found = FUNCTIONS[name](given).to_arrow()
        found.validate(full=True)
        assert found.type == wanted.type
        assert found.is_null().equals(wanted.is_null())
        width = found.type.bit_width // 8
        there = np.asarray(found.is_valid())
        left, right = (np.frombuffer(one.buffers()[1], np.uint8)[one.offset * width :][: len(one) * width].reshape(-1, width) for one in (found, wanted))
        np.testing.assert_array_equal(left[there], right[there])
