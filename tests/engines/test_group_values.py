"""Arithmetic with the values of groups, read by the codes of the groups: the bits of arithmetic with written columns."""

from __future__ import annotations

import operator

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import memory
from fastframe.column.later import LaterColumn
from fastframe.errors import IntegerOverflow
from fastframe.options import option_context

N_ROWS = 300_001   # three slices, the last one of a block that is not whole
OPERATIONS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STREAMED_BYTES", 0)


def table(n_groups: int, dtype: str, *, missing: bool = False) -> pa.Table:
    rng = np.random.default_rng(n_groups)
    numbers = rng.integers(-50, 50, N_ROWS).astype(dtype)
    if dtype.startswith("float"):
        numbers[::7], numbers[::1001], numbers[::1003] = 0.1, -0.0, np.inf
    hidden = rng.random(N_ROWS) < 0.1 if missing else np.zeros(N_ROWS, bool)
    keys = 3 + rng.permutation(np.arange(N_ROWS) % n_groups).astype("int32")   # every group has rows: 4-byte codes are the column less 3
    return pa.table({"k": keys, "v": pa.array(numbers), "w": pa.array(numbers[::-1], mask=hidden)})


def column_of(series: ff.Series) -> LaterColumn:
    column = series._column
    assert isinstance(column, LaterColumn)
    return column


def written(series: ff.Series) -> ff.Series:
    return ff.Series(series.to_arrow())


def same(one: ff.Series, other: ff.Series) -> bool:
    left, right = one.to_arrow(), other.to_arrow()
    assert left.type == right.type
    if not left.null_count and not right.null_count:
        return left.to_numpy().tobytes() == right.to_numpy().tobytes()   # NaN and -0.0, too
    return left.is_valid().equals(right.is_valid()) and left.drop_null().to_numpy().tobytes() == right.drop_null().to_numpy().tobytes()


@pytest.mark.parametrize("n_groups", [1, 200, 3_000, 100_000])   # codes of 1, 1, 2 and 4 bytes
@pytest.mark.parametrize(("dtype", "how"), [("float64", "mean"), ("float32", "max"), ("int64", "max"), ("int32", "min"), ("int64", "count")])
@pytest.mark.parametrize("missing", [False, True])
def test_bits_are_those_of_written_values(n_groups: int, dtype: str, how: str, missing: bool) -> None:
    frame = ff.from_arrow(table(n_groups, dtype, missing=missing))
    for operation in OPERATIONS:
        later = frame.groupby("k")["v"].transform(how)
        eager = written(frame.groupby("k")["v"].transform(how))
        expected = operation(frame["w"], eager), operation(eager, frame["w"]), operation(eager, eager)
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                found = operation(frame["w"], later), operation(later, frame["w"]), operation(later, later)
            assert all(map(same, found, expected)), (operation, threads)


@pytest.mark.parametrize("n_groups", [200, 3_000, 100_000])
def test_values_are_not_written_for_arithmetic(n_groups: int) -> None:
    frame = ff.from_arrow(table(n_groups, "float64"))
    later = frame.groupby("k", dropna=False)["v"].transform("mean")
    difference = frame["v"] - later
    assert column_of(later).recipe is not None
    assert same(difference, frame["v"] - written(later))
    assert column_of(later).recipe is None   # `written` looked at them


def test_other_uses_write_them_once() -> None:
    frame = ff.from_arrow(table(3_000, "float64"))
    uses = [lambda s: s > 0, lambda s: s.sum(), lambda s: s[frame["v"] > 0], lambda s: s.astype("float32"), lambda s: s.sort_values(), lambda s: s.abs(),
            lambda s: s.head(3), lambda s: s.isna(), lambda s: s.clip(0, 1), lambda s: s.to_pandas()]  # fmt: skip
    for use in uses:
        later = frame.groupby("k")["v"].transform("mean")
        eager = written(frame.groupby("k")["v"].transform("mean"))
        found, expected = use(later), use(eager)
        if isinstance(found, ff.Series):
            found, expected = found.to_arrow(), expected.to_arrow()
        assert found == expected if isinstance(found, float) else found.equals(expected)


def test_a_column_of_a_frame_in_an_expression() -> None:
    frame = ff.from_arrow(table(3_000, "float64"))
    frame["m"] = frame.groupby("k")["v"].transform("mean")
    eager = ff.from_arrow(frame.to_arrow())
    text = "v * 2 - m / 3 + w"
    assert same(frame.eval(text), eager.eval(text))


def test_overflow_is_found() -> None:
    frame = ff.DataFrame({"k": np.arange(N_ROWS, dtype="int32") % 500, "v": np.full(N_ROWS, 2**62)})
    later = frame.groupby("k")["v"].transform("max")
    with pytest.raises(IntegerOverflow):
        frame["v"] + later


@pytest.mark.parametrize("dropna", [False, True])
@pytest.mark.parametrize("kind", ["int32", "float64", "string"])
def test_rows_in_no_group(kind: str, dropna: bool) -> None:
    """Missing keys: without them in any group, values are written at once."""
    keys = pa.array(np.arange(N_ROWS) % 700, mask=np.arange(N_ROWS) % 1001 == 0).cast(kind)
    frame = ff.from_arrow(pa.table({"k": keys, "v": np.arange(N_ROWS, dtype=float)}))
    later = frame.groupby("k", dropna=dropna)["v"].transform("max")
    assert isinstance(later._column, LaterColumn) != dropna
    found = frame["v"] - later
    pandas = frame.to_pandas()
    expected = pandas["v"] - pandas.groupby("k", dropna=dropna)["v"].transform("max")
    np.testing.assert_array_equal(found.to_pandas().to_numpy(float, na_value=np.nan), expected.to_numpy(float, na_value=np.nan))


def test_nan_keys_and_groups_without_a_value() -> None:
    keys, values = np.arange(N_ROWS) % 700.0, np.arange(N_ROWS, dtype=float)
    values[keys == 3], keys[::1001] = np.nan, np.nan
    frame = ff.DataFrame({"k": keys, "v": values, "j": np.arange(N_ROWS) % 700})
    for by in ("k", "j"):
        transformed = frame.groupby(by)["v"].transform("mean")
        assert not isinstance(transformed._column, LaterColumn)
        assert transformed.isna().any()


def test_memory_that_may_change_is_not_read_later() -> None:
    """With ``copy=False`` somebody may still write to the keys."""
    keys = np.arange(N_ROWS, dtype=np.int32) // 3   # 100,001 groups: codes of four bytes
    frame = ff.DataFrame({"k": keys, "v": np.arange(N_ROWS, dtype=float)}, copy=False)
    later = frame.groupby("k")["v"].transform("max")
    expected = np.minimum(np.arange(N_ROWS) // 3 * 3 + 2, N_ROWS - 1)
    keys[:] = 0
    np.testing.assert_array_equal(later.to_numpy(), expected)


def test_a_profile_does_not_look_at_them() -> None:
    frame = ff.from_arrow(table(3_000, "float64"))
    with ff.profile() as profile:
        later = frame.groupby("k")["v"].transform("mean")
    assert column_of(later).recipe is not None
    assert [one.operation.bytes_written for one in profile.operations] == [0]
