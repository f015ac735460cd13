"""Aggregations of expressions in one pass: the bits of the same aggregations of a column that was computed first."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe import col
from fastframe.engines.cpu import deferred, evaluate, folded, fused_program
from fastframe.engines.cpu.handlers import rows
from fastframe.errors import FastFrameError, IntegerOverflow
from fastframe.options import option_context

N_ROWS = 150_000   # two slices, many blocks
AGGREGATIONS = ("sum", "mean", "min", "max", "std", "var", "sem", "count", "prod", "any", "all", "first", "last", "median", "nunique")
FOLDED = {"sum", "mean", "min", "max", "std", "var", "sem", "count", "prod", "any", "all"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of rows is folded, in several blocks."""
    for module in (evaluate, rows):
        monkeypatch.setattr(module, "FUSED_ROWS", 1)
    monkeypatch.setattr(fused_program, "MOST_BLOCK_ROWS", 4096)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each pass that could be folded was."""
    found: list[bool] = []
    plain = folded.folded

    def noted(*args: Any, **named: Any) -> Any:
        result = plain(*args, **named)
        found.append(result is not None)
        return result

    monkeypatch.setattr(folded, "folded", noted)
    return found


def frame(n_rows: int = N_ROWS, *, nulls: float = 0.0, offset: int = 0) -> ff.DataFrame:
    """Floats with NaN, both zeros and infinities, integers, bools, dates; a slice from ``offset`` on."""
    rng = np.random.default_rng([n_rows, offset])
    total = n_rows + offset

    def hidden(values: Any, dtype: pa.DataType) -> pa.Array:
        return pa.array(values, dtype, mask=rng.random(total) < nulls if nulls else None)

    x = rng.normal(0, 3, total).round(2)
    x[rng.random(total) < 0.02] = np.nan
    x[offset : offset + 4] = np.array([0.0, -0.0, np.inf, -np.inf])[: n_rows]
    table = pa.table({
        "x": hidden(x, pa.float64()),
        "y": hidden(rng.normal(size=total), pa.float64()),
        "f": hidden(rng.normal(size=total).astype("f4"), pa.float32()),
        "i": hidden(rng.integers(-50, 50, total), pa.int64()),
        "h": hidden(rng.integers(-50, 50, total), pa.int32()),
        "u": hidden(rng.integers(0, 200, total), pa.uint8()),
        "b": hidden(rng.random(total) < 0.4, pa.bool_()),
        "t": hidden(rng.integers(0, 10**15, total), pa.int64()).view(pa.timestamp("us")),
        "s": hidden(rng.choice(["a", "bb", "ccc"], total), pa.string()),
        "k": pa.array(rng.integers(0, 7, total), pa.int32()),
        "g": pa.array(rng.integers(0, 300, total), pa.int64(), mask=rng.random(total) < 0.05),
    })  # fmt: skip
    return ff.from_arrow(table.slice(offset))


EXPRESSIONS = {
    "product": col("x") * col("y"),
    "float32": col("f") * 2 - col("f"),
    "mixed": col("x") * 2 + col("i") / 3 - col("h"),
    "integers": col("i") * 2 + col("u"),
    "int32": col("h") * 3,
    "comparison": col("x") > col("y"),
    "logic": (col("x") > 0) & col("b") | (col("i") < 3),
    "choice": ff.when(col("b")).then(col("x")).otherwise(col("y")),
    "cast": col("h").cast("float64") * 0.1,
    "nan to null": (col("h") / col("u")).abs(),
    "moved": col("t") - datetime.datetime(1970, 2, 3),
}


def bits(value: Any) -> Any:
    """Equal for equal bits, NaN included."""
    if isinstance(value, ff.DataFrame):
        return {name: bits(value[name]) for name in value.columns}
    array = value.to_arrow()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    plain = array.to_pylist()
    return str(array.type), [one.hex() if isinstance(one, float) else one for one in plain]


def outcome(given: Any, aggregation: Any) -> Any:
    """The bits of an aggregation of a frame or of its groups, or what it raises."""
    try:
        return bits(given.agg(z=aggregation))
    except FastFrameError as error:
        return type(error)


def aggregated(expression: Any, function: str) -> Any:
    return getattr(expression, function)()


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize(("nulls", "offset"), [(0.0, 0), (0.1, 3)])
def test_bits_are_those_of_a_column(name: str, nulls: float, offset: int) -> None:
    df = frame(nulls=nulls, offset=offset)
    expression = EXPRESSIONS[name]
    made = df.assign(z=expression)
    for function in AGGREGATIONS:
        for one, other in ((df, made), (df.groupby("k"), made.groupby("k")), (df.groupby("g"), made.groupby("g"))):
            assert outcome(one, aggregated(expression, function)) == outcome(other, aggregated(col("z"), function)), function


@pytest.mark.parametrize("function", sorted(FOLDED))
def test_floats_are_folded(function: str, passes: list[bool]) -> None:
    df = frame(nulls=0.1)
    df.agg(z=aggregated(EXPRESSIONS["product"], function))
    df.groupby("k").agg(z=aggregated(EXPRESSIONS["product"], function))
    assert passes == [True, True]


def test_several_share_a_pass_with_columns(passes: list[bool]) -> None:
    df = frame(nulls=0.05, offset=1)
    asked = {"s": (col("x") * col("y")).sum(), "m": (col("x") - col("y")).max(), "p": col("y").mean(), "n": (col("x") > 0).sum()}
    made = df.assign(xy=col("x") * col("y"), d=col("x") - col("y"), c=col("x") > 0)
    apart = {"s": col("xy").sum(), "m": col("d").max(), "p": col("y").mean(), "n": col("c").sum()}
    assert bits(df.agg(**asked)) == bits(made.agg(**apart))
    assert bits(df.groupby("g").agg(**asked)) == bits(made.groupby("g").agg(**apart))
    assert passes == [True, True]


def test_threads() -> None:
    df = frame(400_000, nulls=0.1, offset=5)
    asked = {"s": (col("x") * col("y")).sum(), "v": (col("x") - col("y")).var(), "m": (col("i") * 2).mean()}
    found = []
    for n_threads in (1, 2, 4):
        with option_context(threads=n_threads):
            found.append((bits(df.agg(**asked)), bits(df.groupby("g").agg(**asked))))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("n_rows", [0, 1, 2, 2047, 2049, 131_072, 131_073])
def test_numbers_of_rows(n_rows: int) -> None:
    df = frame(n_rows, nulls=0.3)
    made = df.assign(z=col("x") * col("y"))
    for function in ("sum", "mean", "max", "std", "count"):
        assert bits(df.agg(z=aggregated(col("x") * col("y"), function))) == bits(made.agg(z=aggregated(col("z"), function)))


def test_all_null() -> None:
    df = ff.from_arrow(pa.table({"x": pa.nulls(5000, pa.float64()), "y": pa.array(np.ones(5000))}))
    found = df.agg(s=(col("x") * col("y")).sum(), m=(col("x") * col("y")).mean(), n=(col("x") * col("y")).count())
    assert found.to_dict("list") == {"s": [0.0], "m": [None], "n": [0]}


def test_overflow_inside_is_that_of_the_expression(passes: list[bool]) -> None:
    df = frame()
    df["i"] = df["i"] + 2**62
    with pytest.raises(IntegerOverflow) as wanted:
        df.assign(z=col("i") * 4)
    with pytest.raises(IntegerOverflow) as found:
        df.agg(z=(col("i") * 4).max())
    assert str(found.value) == str(wanted.value)
    assert passes == [False]


def test_totals_that_pass_64_bits() -> None:
    df = ff.DataFrame({"i": np.full(N_ROWS, 2**61), "k": np.arange(N_ROWS) % 2})
    alternating = ff.when(col("k") == 0).then(col("i")).otherwise(-col("i"))
    assert df.agg(z=alternating.sum()).to_dict("list") == {"z": [0]}
    with pytest.raises(IntegerOverflow):
        df.agg(z=(col("i") + 1).sum())
    with pytest.raises(IntegerOverflow):
        df.groupby("k").agg(z=(col("i") + 1).sum())


def test_many_groups_need_columns(passes: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    df = frame()
    df["g"] = np.random.default_rng(0).integers(0, 100_000, N_ROWS)
    made = df.assign(z=col("x") * col("y"))
    asked = {"s": col("z").sum(), "m": col("z").max()}
    expressions = {"s": (col("x") * col("y")).sum(), "m": (col("x") * col("y")).max()}
    assert bits(df.groupby("g").agg(**expressions)) == bits(made.groupby("g").agg(**asked))


def test_constants_and_text() -> None:
    df = frame(5000, nulls=0.1)
    assert df.agg(z=(ff.lit(2) * 3).sum()).to_dict("list") == df.assign(c=6).agg(z=col("c").sum()).to_dict("list")
    made = df.assign(n=col("s").str.len())
    assert bits(df.agg(z=(col("s").str.len() * 2).sum())) == bits(made.agg(z=(col("n") * 2).sum()))
    assert bits(df.agg(z=col("s").str.upper().max())) == bits(made.agg(z=col("s").max()).assign(z=col("z").str.upper()))


def test_aggregations_inside_aggregations() -> None:
    df = frame(nulls=0.05)
    centred = df.assign(d=(col("y") - df["y"].mean()) ** 2)
    assert bits(df.agg(z=((col("y") - col("y").mean()) ** 2).sum())) == bits(centred.agg(z=col("d").sum()))
    by_key = df.groupby("k").agg(z=((col("y") - col("y").mean()) ** 2).sum())
    apart = df.assign(d=(df["y"] - df.groupby("k")["y"].transform("mean")) ** 2).groupby("k").agg(z=col("d").sum())
    assert bits(by_key) == bits(apart)


def test_nothing_as_long_as_a_column_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    df = frame()
    made: list[Any] = []
    monkeypatch.setattr(deferred, "evaluate_all", lambda outputs, table: made.extend(outputs) or {})
    df.agg(z=(col("x") * col("y")).sum())
    df.groupby("k").agg(z=(col("x") * col("y")).std())
    assert not made


def test_profile_counts_what_is_read() -> None:
    df = frame()
    df.agg(z=(col("x") * col("y")).sum())
    with ff.profile() as p:
        df.agg(z=(col("x") * col("y")).sum())
    reduce = next(one for one in p.operations if one.operation.name == "Reduce")
    assert reduce.operation.bytes_read == df["x"]._column.nbytes + df["y"]._column.nbytes
    assert sum(one.operation.bytes_written for one in p.operations if one.operation.name == "Project" and one.operation.n_rows > 1) == 0


def test_blocks_fit_the_lanes() -> None:
    """Blocks begin at multiples of the rows that extremes take at once (reduce.hpp)."""
    sizes = {fused_program.block_rows(bits) for bits in range(1, 20_000, 7)}
    assert all(size % 2048 == 0 for size in sizes)


def test_zeros_of_extremes() -> None:
    """0.0 and -0.0 are equal; which of them is the largest depends on the lanes, which are the same."""
    rng = np.random.default_rng(1)
    for seed, n_rows in itertools.product(range(5), (5000, 140_000)):
        x = np.where(rng.random(n_rows) < 0.5, 0.0, -0.0)
        df = ff.DataFrame({"x": x, "y": np.ones(n_rows) * (seed + 1)})
        made = df.assign(z=col("x") * col("y"))
        assert bits(df.agg(a=(col("x") * col("y")).max(), b=(col("x") * col("y")).min())) == bits(made.agg(a=col("z").max(), b=col("z").min()))
