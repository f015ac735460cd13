"""Expressions in one pass: the bits, nulls and errors of `evaluate`, which is the oracle here."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.column import Column, Table
from fastframe.dtypes import STRING
from fastframe.dtypes import dtype as as_dtype
from fastframe.engines.cpu import evaluate as call_by_call
from fastframe.engines.cpu import fused as one_pass
from fastframe.engines.cpu import fused_program
from fastframe.engines.cpu.evaluate import evaluate, evaluate_all
from fastframe.engines.cpu.fused import Trees, fused
from fastframe.engines.cpu.handlers.rows import filter_rows, project
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, FastFrameError, IntegerOverflow, LossyCast
from fastframe.ops.expressions import Call, Cast, Col, Expression, Lit
from fastframe.ops.functions import FUNCTIONS
from fastframe.ops.project import Project
from fastframe.ops.rows import Filter
from fastframe.options import option_context

N_ROWS = 1500
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NUMBERS = (*INTEGERS, "float32", "float64")
TIMES = ("date32[day]", "timestamp[us]", "duration[us]", "timestamp[us, tz=UTC]", "time64[us]")


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows make several blocks here, and are fused."""
    monkeypatch.setattr(fused_program, "MOST_BLOCK_ROWS", 512)
    monkeypatch.setattr(call_by_call, "FUSED_ROWS", 1)


# ---- columns --------------------------------------------------------------------------------------------------------


def values_of(dtype: str, n_rows: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Small values, so that many trees do not overflow; floats with NaN, infinities and both zeros."""
    if dtype.startswith("float"):
        values = rng.normal(0, 5, n_rows).round(1).astype(dtype)
        values[rng.random(n_rows) < 0.1] = np.nan
        values[:4] = [np.inf, -np.inf, -0.0, 0.0][: len(values)]
        return values
    return rng.integers(0 if dtype.startswith("u") else -9, 10, n_rows)


def column(dtype: str, n_rows: int, *, nulls: float, offset: int, seed: int = 0) -> Column:
    """A column that is a slice from ``offset`` on, with this share of nulls (over which there is garbage)."""
    rng = np.random.default_rng([seed, n_rows, offset])
    total = n_rows + offset + 3
    mask = rng.random(total) < nulls if nulls else None
    if dtype == "bool":
        array = pa.array(rng.random(total) < 0.5, mask=mask)
    elif dtype in ("string", "category"):
        array = pa.array(rng.choice(["a", "b", "cc", ""], total), pa.string(), mask=mask).dictionary_encode()
    elif dtype == "plain":
        array = pa.array(rng.choice(["a", "b", "cc", ""], total), pa.string(), mask=mask)
    elif dtype in TIMES:
        width = pa.int32() if dtype.startswith("date") else pa.int64()
        array = pa.array(np.abs(values_of("int64", total, rng)), width, mask=mask).view(_arrow(dtype))
    else:
        values = values_of(dtype, total, rng).astype(dtype)
        if mask is None:
            array = pa.array(values)
        else:
            limits = np.finfo(dtype) if dtype.startswith("float") else np.iinfo(dtype)
            garbage = np.where(mask, np.array(limits.max, dtype), values)
            bits = pa.py_buffer(np.packbits(~mask, bitorder="little"))
            array = pa.Array.from_buffers(pa.from_numpy_dtype(np.dtype(dtype)), total, [bits, pa.py_buffer(garbage)])
    sliced = array.slice(offset, n_rows)
    return Column(sliced, STRING if dtype == "string" else None)


def _arrow(name: str) -> pa.DataType:
    return {
        "date32[day]": pa.date32(), "timestamp[us]": pa.timestamp("us"), "duration[us]": pa.duration("us"),
        "timestamp[us, tz=UTC]": pa.timestamp("us", "UTC"), "time64[us]": pa.time64("us"),
    }[name]  # fmt: skip


def table(dtypes: tuple[str, ...], n_rows: int = N_ROWS, *, nulls: float = 0.2, offset: int = 0) -> Table:
    return Table({f"c{place}": column(dtype, n_rows, nulls=nulls, offset=offset, seed=place) for place, dtype in enumerate(dtypes)})


# ---- comparison -----------------------------------------------------------------------------------------------------


def assert_same_bits(found: Column, expected: Column) -> None:
    found.array.validate(full=True)
    assert found.dtype == expected.dtype
    assert len(found) == len(expected)
    valid = np.asarray(expected.array.is_valid())
    assert np.array_equal(np.asarray(found.array.is_valid()), valid)
    if expected.is_encoded or expected.dtype.physical is None or expected.dtype.width not in (1, 2, 4, 8):
        assert found.array.equals(expected.array)
        return
    words = pa.uint64() if expected.dtype.width == 8 else {1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32()}[expected.dtype.width]
    one, other = (np.asarray(side.array.view(words).fill_null(0)) for side in (found, expected))
    assert np.array_equal(one, other)


def outcome(expression: Expression, rows: Table) -> Column | FastFrameError:
    try:
        return evaluate(expression, rows)
    except FastFrameError as error:
        return error


def check(expression: Expression, rows: Table) -> Column | None:
    """One pass gives what `evaluate` gives, or raises what it raises; the column, if any."""
    expected = outcome(expression, rows)
    if isinstance(expected, FastFrameError):
        assert fused([expression], rows) is None
        with pytest.raises(type(expected)) as caught:
            evaluate_all((("x", expression),), rows)
        assert str(caught.value) == str(expected)
        return None
    columns = fused([expression], rows)
    assert columns is not None
    assert_same_bits(columns[0], expected)
    return columns[0]


def n_steps(expression: Expression, rows: Table) -> int:
    trees = Trees(rows)
    trees.value(expression)
    return len(trees.program.steps)


def call(function: str, *args: Any, **options: Any) -> Call:
    return Call(function, tuple(arg if isinstance(arg, Expression) else Lit(arg) for arg in args), tuple(options.items()))


A, B, C, D = (Col(f"c{place}") for place in range(4))

# ---- every function, over dtypes, nulls, offsets --------------------------------------------------------------------

SHAPES = [(0.0, 0), (0.2, 0), (0.2, 3), (1.0, 8), (0.01, 67)]   # share of nulls, bit offset
TREES: dict[str, Expression] = {
    **{name: call("add", call(name, A, B), 1) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "fmod", "pow", "arctan2", "hypot")},
    **{name: call("mul", call(name, A), B) for name in ("neg", "abs", "sign", "floor", "ceil", "trunc", "round", "sqrt", "exp", "expm1", "log", "log1p")},
    **{name: call("and", call(name, A, B), call("not", call(name, A, 3))) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{f"{name} of a literal": call("or", call(name, 2.5, A), call(name, A, 2.5)) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "between": call("not", call("between", A, B, 5, inclusive="left")),
    "isin": call("xor", call("isin", A, values=(1, 2.0, 0, None, 300)), call("isin", call("add", B, B), values=(2,))),
    "missing": call("and", call("is_missing", A), call("not_missing", call("mul", A, B))),
    "finite": call("and", call("isfinite", A), call("not", call("isinf", call("truediv", A, B)))),
    "if_else": call("if_else", call("lt", A, B), A, call("add", B, 1)),
    "if_else null": call("if_else", call("lt", A, B), None, call("add", B, 1)),
    "coalesce": call("coalesce", A, call("mul", B, B), 7),
    "min": call("min", A, call("add", B, B), 3),
    "max": call("max", call("abs", A), B, None),
    "clip": call("clip", call("sub", A, B), -2, B),
    "clip open": call("clip", call("sub", A, B), None, 3),
    "to float": Cast(call("add", A, B), as_dtype("float32")),
    "to bool": call("not", Cast(call("sub", A, B), as_dtype("bool"))),
    "to int": call("add", Cast(call("floor", A), as_dtype("int64")), B),
    "wrapped": Cast(call("mul", A, B), as_dtype("int8"), safe=False),
    "shared": call("mul", call("add", A, B), call("add", A, B)),
    "zeros": call("add", call("truediv", 1, call("mul", A, 0.0)), call("truediv", 1, call("mul", A, -0.0))),
}
PAIRS = [(one, NUMBERS[(place + step) % len(NUMBERS)]) for step in (0, 3, 7) for place, one in enumerate(NUMBERS)]


@pytest.mark.parametrize("name", TREES)
def test_numbers(name: str) -> None:
    results = 0
    for (left, right), (nulls, offset) in zip(PAIRS, itertools.cycle(SHAPES), strict=False):
        rows = table((left, right), nulls=nulls, offset=offset)
        try:
            TREES[name].resolve(rows.schema)
        except FastFrameError:   # an unsigned column beside -2
            continue
        results += check(TREES[name], rows) is not None
    assert results >= 10 or name in ("pow", "wrapped", "neg", "sub", "clip")


@pytest.mark.parametrize("name", TREES)
def test_trees_are_steps_and_not_columns_that_were_computed_before(name: str) -> None:
    assert n_steps(TREES[name], table(("float64", "float64"))) >= 2


def test_equal_parts_are_computed_once() -> None:
    rows = table(("int64", "float64"))
    part = call("add", A, call("mul", B, 2.0))
    assert n_steps(part, rows) == 2
    again = call("add", Col("c0"), call("mul", Col("c1"), 2.0))   # equal, another object
    assert n_steps(call("sub", call("mul", part, again), part), rows) == 4
    trees = Trees(rows)
    assert trees.value(part) is trees.value(again)


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 511, 512, 513, 1024, 5000])
def test_rows(n_rows: int) -> None:
    for offset, nulls in ((0, 0.0), (5, 0.5), (3, 1.0)):
        rows = table(("int32", "float64", "bool"), n_rows, nulls=nulls, offset=offset)
        tree = call("if_else", call("xor", C, call("gt", A, B)), call("add", A, B), call("truediv", A, 2))
        check(tree, rows)
        check(call("not", call("and", C, call("lt", A, 3))), rows)


@pytest.mark.parametrize(("nulls", "offset"), SHAPES)
def test_bools(nulls: float, offset: int) -> None:
    rows = table(("bool", "bool", "int16", "float32"), nulls=nulls, offset=offset)
    negated = call("not", A)   # its bits start at 0, its validity at the column's offset
    for function, other in itertools.product(("and", "or", "xor"), (B, call("gt", C, D), True, False, None, call("not", B))):
        check(call(function, negated, other), rows)
        check(call("not", call(function, other, A)), rows)
    check(call("add", call("add", A, B), C), rows)
    check(call("if_else", negated, B, call("not", B)), rows)
    check(call("coalesce", negated, call("not", B)), rows)
    check(call("is_missing", negated), rows)
    check(call("max", call("add", A, B), C), rows)


# ---- times, text ----------------------------------------------------------------------------------------------------

DAY, NOON = datetime.date(1970, 1, 5), datetime.datetime(1970, 1, 1, 0, 0, 0, 5)
SPAN = datetime.timedelta(microseconds=3)


@pytest.mark.parametrize(("nulls", "offset"), SHAPES)
def test_times(nulls: float, offset: int) -> None:
    rows = table(TIMES, nulls=nulls, offset=offset)
    date, stamp, span, zoned, time = (Col(f"c{place}") for place in range(5))
    trees = [
        call("or", call("lt", date, DAY), call("gt", stamp, NOON)),
        call("and", call("between", stamp, NOON - SPAN, NOON), call("ge", span, SPAN)),
        call("gt", call("add", stamp, span), call("sub", stamp, SPAN)),
        call("sub", call("add", stamp, SPAN), stamp),
        call("add", call("neg", span), call("abs", span)),
        call("max", call("sub", stamp, NOON), span),
        call("if_else", call("eq", stamp, NOON), None, call("add", stamp, span)),
        call("coalesce", call("min", date, DAY), date),
        call("and", call("is_missing", zoned), call("not_missing", time)),
        call("add", call("sub", zoned, zoned), span),
        call("not", call("isin", stamp, values=(NOON, NOON + SPAN, None))),
        call("mul", Cast(call("sub", stamp, NOON), as_dtype("int64")), 2),
        Cast(call("add", Cast(stamp, as_dtype("int64")), 5), as_dtype("timestamp[us]")),
        call("lt", call("clip", stamp, NOON, None), call("add", stamp, span)),
        call("gt", call("add", date, SPAN), stamp),              # units differ: a column, computed before
        call("add", call("mul", span, 2), call("truediv", span, 2)),
    ]
    for tree in trees:
        check(tree, rows)


@pytest.mark.parametrize(("nulls", "offset"), SHAPES)
def test_text_and_categories(nulls: float, offset: int) -> None:
    rows = table(("string", "category", "plain", "float64"), nulls=nulls, offset=offset)
    trees = [
        call("and", call("eq", A, "b"), call("lt", "a", A)),
        call("or", call("ne", B, "zz"), call("isin", B, values=("a", None))),
        call("and", call("isin", A, values=("a", "cc")), call("isin", C, values=("a", "cc"))),
        call("and", call("eq", A, C), call("gt", call("text.len", A), call("mul", D, D))),
        call("mul", call("add", call("text.len", C), 1), call("if_else", call("is_missing", A), 1, D)),
        call("text.upper", call("if_else", call("gt", call("mul", D, 2), 1), A, C)),
        call("eq", call("text.upper", call("if_else", call("gt", call("mul", D, 2), 1), A, C)), "A"),
    ]
    for tree in trees:
        check(tree, rows)
    ordered = pa.DictionaryArray.from_arrays(rows["c1"].codes, rows["c1"].dictionary, ordered=True)
    rows = rows.with_columns({"c1": Column(ordered)})
    for function in ("eq", "ne", "lt", "le", "gt", "ge"):
        check(call("not", call(function, B, "b")), rows)
        check(call("or", call(function, "b", B), call(function, B, None)), rows)


def test_decimals_and_half_floats_are_columns_computed_before() -> None:
    halves = pa.array(np.arange(N_ROWS, dtype=np.float16))
    decimals = pa.array(range(N_ROWS), pa.decimal128(10, 2))
    rows = Table({"c0": Column(halves), "c1": Column(decimals), "c2": column("int8", N_ROWS, nulls=0.2, offset=3)})
    check(call("add", call("mul", A, 2), C), rows)
    check(call("gt", call("add", B, C), call("mul", C, 2)), rows)
    check(call("and", call("is_missing", A), call("not_missing", call("add", B, B))), rows)


# ---- errors ---------------------------------------------------------------------------------------------------------


def test_the_first_call_in_evaluation_order_that_fails_is_named() -> None:
    """Its row may lie behind those where later calls fail."""
    late, early = np.zeros(N_ROWS, np.int8), np.zeros(N_ROWS, np.int8)
    late[-1], early[0] = 127, 127
    rows = Table({"late": Column(pa.array(late)), "early": Column(pa.array(early))})
    one, other = call("add", Col("late"), Col("late")), call("mul", Col("early"), Col("early"))
    for tree, name in ((call("sub", one, other), "late"), (call("sub", other, one), "early")):
        check(tree, rows)
        with pytest.raises(IntegerOverflow, match=f"column '{name}'"):
            evaluate_all((("x", tree),), rows)
    outputs = (("x", call("add", one, 1)), ("y", call("add", other, 1)))
    with pytest.raises(IntegerOverflow, match="column 'late'"):
        evaluate_all(outputs, rows)
    with pytest.raises(IntegerOverflow, match="column 'early'"):
        evaluate_all(outputs[::-1], rows)


def test_lossy_casts_and_refused_arguments() -> None:
    rows = table(("float64", "int64", "plain"), nulls=0.0)
    lossy = call("add", Cast(call("mul", A, 0.5), as_dtype("int8")), 1)
    check(lossy, rows)
    with pytest.raises(LossyCast, match="for example"):
        evaluate_all((("x", lossy),), rows)
    negative = call("pow", 2, call("sub", B, 20))
    check(negative, rows)
    with pytest.raises(ArgumentError):
        evaluate_all((("x", negative),), rows)
    for tree, error in (
        (call("add", call("mul", A, 2), Col("d")), ColumnNotFound),
        (call("add", call("mul", A, 2), C), DTypeError),
        (call("between", call("mul", A, 2), 0, 1, inclusive="some"), ArgumentError),
        (call("add", Cast(call("text.upper", C), as_dtype("int64")), 1), LossyCast),
    ):
        check(tree, rows)
        with pytest.raises(error):
            evaluate_all((("x", tree),), rows)


def test_garbage_under_nulls_neither_overflows_nor_is_inexact() -> None:
    """`column` puts the largest value under every null."""
    for dtype in NUMBERS:
        rows = table((dtype, dtype), nulls=0.3, offset=3)
        tree = call("add", call("mul", A, A), call("abs", B))
        found = check(tree, rows)
        assert found is not None
        under = np.frombuffer(found.array.buffers()[1], dtype)[:N_ROWS][~np.asarray(found.array.is_valid())]
        assert len(under) and not under.any()   # and it does not come out
        assert check(Cast(call("add", call("floor", call("clip", A, 0, 5)), 0), as_dtype("float32")), rows) is not None


# ---- specs ----------------------------------------------------------------------------------------------------------


def test_project_shares_columns_and_parts_of_outputs() -> None:
    rows = table(("int64", "float64", "bool"), offset=3)
    part = call("mul", A, B)
    outputs = (
        ("same", B), ("one", call("add", part, 1)), ("again", call("add", part, 1)), ("literal", Lit(3)),
        ("null", Lit(None)), ("valid", call("neg", part)), ("part", part), ("bits", call("not", C)),
        ("mean", call("sub", A, Lit(Column(pa.array([2.5]))))),
    )  # fmt: skip
    made = project(Project(outputs, keep=True), rows)
    assert list(made.names) == [*rows.names, *[name for name, _ in outputs]]
    assert made["same"] is rows["c1"]
    for name, expression in outputs:
        assert_same_bits(made[name], evaluate(expression, rows))


@pytest.mark.parametrize(("nulls", "offset"), SHAPES)
def test_filter(nulls: float, offset: int) -> None:
    rows = table(("int64", "float64", "bool", "plain"), nulls=nulls, offset=offset)
    predicate = call("or", call("and", C, call("gt", call("add", A, B), 1)), call("lt", A, -5))
    kept = filter_rows(Filter(predicate), rows)
    mask = evaluate(predicate, rows).array.fill_null(False)
    for name in rows.names:
        assert kept[name].array.equals(rows[name].array.filter(mask)) or "c1" == name
    assert np.array_equal(*[np.asarray(one.to_numpy(zero_copy_only=False)) for one in (kept["c1"].array, rows["c1"].array.filter(mask))], equal_nan=True)


def test_only_what_saves_memory_traffic_is_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(one_pass, "fused", lambda expressions, rows: made.append(len(expressions)))
    rows = table(("int64", "float64", "bool"))
    alone = [
        (("x", call("add", A, A)),),
        (("x", call("add", A, 1)), ("y", A), ("z", Lit(1))),
        (("x", call("and", call("not", call("gt", A, 1)), call("lt", B, 2))),),   # bitmaps are small
    ]
    together = [
        (("x", call("add", call("mul", A, B), 1)),),
        (("x", call("gt", Cast(A, as_dtype("float64")), 1)),),
        (("x", call("and", call("gt", A, 1), call("lt", A, 2))),),
        (("x", call("add", A, 1)), ("y", call("gt", A, 1))),
    ]
    for outputs in alone:
        evaluate_all(outputs, rows)
        assert not made
    for number, outputs in enumerate(together):
        evaluate_all(outputs, rows)
        assert len(made) == number + 1
    monkeypatch.setattr(call_by_call, "FUSED_ROWS", N_ROWS + 1)
    evaluate_all(together[0], rows)
    assert len(made) == len(together)


def test_bits_do_not_depend_on_threads_blocks_or_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    n_rows = 300_001
    rows = table(("float64", "int32", "bool", "float64"), n_rows, nulls=0.05, offset=3)
    tree = call("if_else", C, call("truediv", call("add", call("mul", A, B), D), call("sub", B, 3)), call("exp", call("min", A, 2)))
    expected = evaluate(tree, rows)
    for threads, block in ((1, 4096), (2, 4096), (4, 512), (4, 1 << 17)):
        monkeypatch.setattr(fused_program, "MOST_BLOCK_ROWS", block)
        with option_context(threads=threads):
            columns = fused([tree], rows)
        assert columns is not None
        assert_same_bits(columns[0], expected)


# ---- random trees ---------------------------------------------------------------------------------------------------

COLUMNS = ("int8", "uint8", "int64", "uint64", "float32", "float64", "bool", "timestamp[us]", "duration[us]", "string")
ARITIES = {
    name: (row.least, row.least + 1 if row.most is None else row.most)
    for name, row in FUNCTIONS.items()
    if row.handler in ("arithmetic", "unary", "round", "compare", "between", "logic", "not", "is_missing", "if_else", "coalesce", "extreme", "clip")
}
LITERALS = st.sampled_from([0, 1, 2, -3, 100, 2.5, -0.0, 0.0, float("inf"), True, None, "b", NOON, SPAN])
LEAVES = st.one_of(st.integers(0, len(COLUMNS) - 1).map(lambda place: Col(f"c{place}")), LITERALS.map(Lit))
CASTS = st.sampled_from(["int8", "int64", "uint16", "float32", "float64", "bool"]).map(as_dtype)
RANDOM_ROWS = [table(COLUMNS, n_rows, nulls=nulls, offset=offset) for n_rows, nulls, offset in ((1100, 0.0, 0), (1100, 0.1, 3), (600, 0.6, 8), (0, 0.1, 0))]


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> Expression:
    """A tree whose calls have dtypes that they take: a call that does not is replaced by one of its arguments."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(LEAVES)
    if draw(st.integers(0, 6)) == 0:
        made: Expression = Cast(draw(trees(depth - 1)), draw(CASTS), safe=draw(st.booleans()))
    else:
        name = draw(st.sampled_from(sorted(ARITIES)))
        least, most = ARITIES[name]
        made = Call(name, tuple(draw(trees(depth - 1)) for _ in range(draw(st.integers(least, most)))))
    try:
        made.resolve(RANDOM_ROWS[0].schema)
    except FastFrameError:
        return made.children()[draw(st.integers(0, len(made.children()) - 1))]
    return made


@given(tree=trees(), rows=st.sampled_from(RANDOM_ROWS))
def test_random_trees(tree: Expression, rows: Table) -> None:
    check(tree, rows)
