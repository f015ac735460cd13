"""Questions that are kept: what they give the second time, over other data, is what a fresh spec gives."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import Column, Table
from fastframe.engines.base import get_engine
from fastframe.engines.cpu.requests import PROOF_ROWS
from fastframe.errors import ColumnNotFound, DTypeError, IntegerOverflow
from fastframe.frame.run import Question, is_kept, run
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.base import Spec
from fastframe.ops.expressions import Call, Col, Expression, Lit
from fastframe.ops.groups import GroupBy, Output, Reduce
from fastframe.ops.join import Join
from fastframe.ops.project import Project
from fastframe.options import option_context

NUMBERS = [pa.bool_(), pa.int8(), pa.int64(), pa.uint8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()]
OTHERS = [pa.date32(), pa.duration("s"), pa.decimal128(5, 2), pa.string(), pa.null()]
FUNCTIONS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq", "ne", "lt", "le", "gt", "ge"]
NULLS = ["none", "some", "all"]
# Rows, where the parent's slice begins, nulls of one column and of the other.
TABLES = [
    (70, 0, "none", "some"), (90, 3, "some", "none"), (90, 1, "some", "some"), (9, 5, "all", "some"), (7, 1, "none", "all"),
    (30, 0, "none", "none"), (1, 1, "none", "none"), (0, 0, "none", "none"),
]   # fmt: skip


def column(kind: pa.DataType, n_rows: int, nulls: str, seed: int, before: int = 0) -> Column:
    """Small values, of a slice that begins at row ``before`` of its parent."""
    rng = np.random.default_rng(seed)
    total = n_rows + before
    if pa.types.is_null(kind):
        return Column(pa.nulls(total).slice(before))
    missing = np.full(total, nulls == "all") if nulls != "some" else rng.random(total) < 0.3
    nan = pa.types.is_floating(kind) & (rng.random(total) < 0.2)
    drawn = [math.nan if lost else one for one, lost in zip(rng.integers(0, 4, total).tolist(), nan, strict=True)]
    make: Callable[[Any], Any] = bool if kind == pa.bool_() else Decimal if kind == pa.decimal128(5, 2) else str if kind == pa.string() else lambda one: one
    plain = pa.int32() if kind == pa.date32() else kind
    array = pa.array([None if gone else make(one) for one, gone in zip(drawn, missing, strict=True)], plain).cast(kind)
    return Column(array.slice(before))


def outcome(answer: Callable[[], Table]) -> Any:
    """The columns bit for bit, or what was raised."""
    try:
        found = answer()
    except Exception as error:
        return type(error), str(error)
    for one in found.columns.values():
        one.array.validate(full=True)
    return {name: (one.dtype, one.array.type, one.array.is_valid().to_pylist(), repr(one.array.to_pylist())) for name, one in found.columns.items()}


def check(question: Question, table: Table) -> None:
    """A kept question gives what its spec gives, also where it is asked again."""
    expected = outcome(lambda: run(question.spec, table))
    assert outcome(lambda: question.of(table)) == expected
    assert outcome(lambda: question.of(table)) == expected


def check_threads(question: Question, table: Table) -> None:
    """And for any number of threads."""
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            check(question, table)


def call_of(function: str, *args: Expression) -> Spec:
    return Project((("out", Call(function, args)),))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_of_two_columns(function: str) -> None:
    question = Question(call_of(function, Col("a"), Col("b")))
    for seed, (left, right) in enumerate((one, other) for one in NUMBERS for other in [*NUMBERS, *OTHERS]):
        for n_rows, before, nulls, more in TABLES:
            check(question, Table({"a": column(left, n_rows, nulls, seed, before), "b": column(right, n_rows, more, seed + 1000, before // 2)}))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", [0, 2, -1, 300, 2.5, -0.0, math.nan, math.inf, True, None, "x", 2**63])
def test_functions_of_a_column_and_a_value(function: str, value: Any) -> None:
    for args in ((Col("a"), Lit(value)), (Lit(value), Col("a"))):
        question = Question(call_of(function, *args))
        for seed, kind in enumerate([*NUMBERS, *OTHERS]):
            for nulls in NULLS:
                check(question, Table({"a": column(kind, 66, nulls, seed, before=seed)}))


def test_many_rows() -> None:
    rng = np.random.default_rng(5)
    table = Table({name: Column(pa.array(rng.random(300_000), mask=rng.random(300_000) < 0.1)) for name in "ab"})
    for function in ("add", "truediv", "lt"):
        check_threads(Question(call_of(function, Col("a"), Col("b"))), table)


@pytest.mark.parametrize("validate", [None, "m:1"])
def test_questions_of_two_tables(validate: str | None) -> None:
    question = Question(Join(("k",), ("k",), "left", validate=validate))
    keys = [pa.array([1, 2, None], pa.int32()), pa.array([2, 1], pa.int64()), pa.array([1.0, math.nan]), pa.array(["1", "2"]), pa.array([2, 2])]
    tables = [Table({"k": Column(one), name: Column(pa.array(range(len(one))))}) for one in keys for name in ("v", "w")]
    for _ in range(2):
        for left in tables:
            for right in [*tables, Table({"other": tables[0]["k"]})]:
                expected = outcome(lambda one=left, other=right: run(question.spec, one, other))   # type: ignore[misc]
                assert outcome(lambda one=left, other=right: question.of_two(one, other)) == expected   # type: ignore[misc]


def test_a_missing_column_is_missed_at_every_call() -> None:
    question = Question(call_of("add", Col("a"), Col("b")))
    full = Table({"a": column(pa.int64(), 3, "none", 1), "b": column(pa.int64(), 3, "none", 2)})
    assert question.of(full).n_rows == 3
    for _ in range(2):
        with pytest.raises(ColumnNotFound, match="'b'"):
            question.of(full.select(["a"]))
    assert question.of(full).n_rows == 3


def test_errors_name_the_column_of_this_call() -> None:
    for name in ("first", "second"):
        series = ff.Series([2**62], name=name)
        with pytest.raises(IntegerOverflow, match=name):
            series + series
        with pytest.raises(IntegerOverflow, match=name):
            series * 4
        with pytest.raises(IntegerOverflow, match=name):
            ff.Series([2**63 - 1, 1], name=name).sum()
        with pytest.raises(DTypeError, match=name):
            ff.Series(["x"], name=name).mean()


def test_values_that_compare_equal_are_different_questions() -> None:
    series = ff.Series([1.0, -1.0])
    assert (series / 0.0).tolist() == [math.inf, -math.inf]
    assert (series / -0.0).tolist() == [-math.inf, math.inf]
    assert (series / 0.0).tolist() == [math.inf, -math.inf]
    whole = ff.Series([1, 2])
    assert (whole * 2).dtype == "int64"
    assert (whole * 2.0).dtype == "float64"
    assert (whole * 1).dtype == "int64"
    assert (whole == True).tolist() == [True, False]   # noqa: E712
    assert ff.Series([None, 1.0]).fillna(1).tolist() == [1.0, 1.0]
    assert ff.Series([None, False]).fillna(True).tolist() == [True, False]
    assert ff.Series([None, 1.0]).fillna(0.0).tolist() == [0.0, 1.0]
    assert math.copysign(1, ff.Series([None, 1.0]).fillna(-0.0).tolist()[0]) == -1


def test_schemas_take_turns() -> None:
    question = Question(call_of("mul", Col("a"), Lit(2)))
    for _ in range(2):
        for seed, kind in enumerate([*NUMBERS, *OTHERS]):   # more than it remembers
            check(question, Table({"a": column(kind, 5, "some", seed)}))


def test_what_is_kept() -> None:
    assert all(is_kept(value) for value in (0, 1, True, 0.5, "x", math.nan))
    assert not any(is_kept(value) for value in (0.0, -0.0, None, "x" * 1000, np.int64(1), [1], b"x"))


CALLS = [AggregationCall(name, options) for name, options in [
    ("sum", {}), ("sum", {"min_count": 3}), ("sum", {"skipna": False}), ("mean", {}), ("prod", {}), ("var", {}), ("std", {"ddof": 0}),
    ("min", {}), ("max", {}), ("max", {"skipna": False}), ("count", {}), ("first", {}), ("median", {}), ("nunique", {}), ("any", {}), ("all", {}),
]]   # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.name}-{dict(call.options)}")
def test_aggregations(call: AggregationCall) -> None:
    grouped = Question(GroupBy(("k",), (Output("out", "v", call), Output("again", "v", AggregationCall("mean")))))
    whole = Question(Reduce((Output("out", "v", call),)))
    for seed, kind in enumerate([pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.duration("s"), pa.decimal128(5, 2)]):
        for n_rows, before, nulls, more in TABLES:
            table = Table({"k": column(pa.int64(), n_rows, more, seed + 500), "v": column(kind, n_rows, nulls, seed, before)})
            check(grouped, table)
            check(whole, table)


def totals(n_rows: int, n_groups: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    columns = {"k": rng.integers(0, n_groups, n_rows), "v": rng.random(n_rows), "w": rng.random(n_rows)}
    return Table({name: Column(pa.array(values)) for name, values in columns.items()})


SUMS = Question(GroupBy(("k",), (Output("v", "v", AggregationCall("sum")), Output("w", "w", AggregationCall("mean")))))


@pytest.mark.parametrize(("n_rows", "n_groups"), [(1000, 10), (60_000, 60_000), (60_000, 300), (PROOF_ROWS - 1, 7), (PROOF_ROWS, 7), (300_000, 7)])
def test_sizes(n_rows: int, n_groups: int) -> None:
    check_threads(SUMS, totals(n_rows, n_groups, n_groups))


def test_one_column_under_two_names() -> None:
    table = totals(1000, 10, 1)
    check(SUMS, table)
    check(SUMS, table.with_columns({"w": table["v"]}))
    check(SUMS, table)


def test_exact_totals_whose_partials_pass_64_bits() -> None:
    values = [2**62, 2**62, 2**62, -(2**62), -(2**62), -(2**62), 7, 8]
    frame = ff.DataFrame({"k": [0] * 7 + [1], "v": values})
    for _ in range(2):
        assert frame.groupby("k")["v"].sum().tolist() == [7, 8]
        with pytest.raises(IntegerOverflow, match="'v'"):
            frame.iloc[:3].groupby("k")["v"].sum()


def test_options_of_equal_value_and_other_type() -> None:
    groups = ff.DataFrame({"k": [1, 1], "v": [1.0, 2.0]}).groupby("k")["v"]
    assert groups.sum(min_count=1).tolist() == [3.0]
    with pytest.raises(ff.errors.ArgumentError, match="min_count"):
        groups.sum(min_count=True)
    with pytest.raises(ff.errors.ArgumentError, match="min_count"):
        groups.sum(min_count=[1])   # type: ignore[arg-type]


def test_what_is_kept_does_not_keep_the_data() -> None:
    table = totals(1000, 10, 3)
    question = Question(SUMS.spec)
    question.of(table)
    project = Question(call_of("add", Col("v"), Col("w")))
    project.of(table)
    facts = [weakref.ref(one.facts) for one in table.columns.values()]
    del table
    gc.collect()
    assert [one() for one in facts] == [None, None, None]


def test_profiles_see_repeated_questions() -> None:
    frame = ff.DataFrame({"k": [1, 2, 1], "v": [1.0, 2.0, 3.0]})
    frame.groupby("k")["v"].sum()
    with ff.profile() as found:
        frame.groupby("k")["v"].sum()
        frame["v"] + frame["v"]
    assert [one.operation.name for one in found.operations if one.operation.name in ("GroupBy", "Project")] == ["GroupBy", "Project"]


def test_the_engine_prepares_any_spec() -> None:
    table = Table({"a": column(pa.int64(), 5, "some", 1)})
    spec = Project((("b", Call("neg", (Col("a"),))),), keep=True)
    assert outcome(lambda: get_engine("cpu").prepare(spec, table.schema)(table)) == outcome(lambda: run(spec, table))


@pytest.mark.parametrize("value", [2, -1, 2.5, True, 0, -0.0, math.nan])
def test_all_columns_of_a_frame_beside_a_value(value: Any) -> None:
    signed = [pa.int8(), pa.int64(), pa.float16(), pa.float32(), pa.float64()]
    for seed, (nulls, n_rows, before) in enumerate(((one, n_rows, seed % 5) for one in NULLS for seed, n_rows in enumerate((0, 1, 70)))):
        df = ff.DataFrame({str(kind): ff.Series(column(kind, n_rows, nulls, seed, before).array) for kind in signed})
        for act in (lambda one: one * value, lambda one: value - one, lambda one: one > value, lambda one: one.add(value, fill_value=1)):
            expected = {name: act(df[name]) for name in df.columns}
            for _ in range(2):   # asked first, then asked again
                found = act(df)
                assert list(found.columns) == list(expected)
                for name, one in expected.items():
                    assert found[name].dtype == one.dtype and repr(found[name].tolist()) == repr(one.tolist())


def test_a_frame_beside_a_value_names_the_column_that_overflows() -> None:
    df = ff.DataFrame({"a": [1, 2], "b": [2**62, 1], "c": [2**62, 2**62]})
    for _ in range(2):
        with pytest.raises(IntegerOverflow, match="'b'"):
            df * 4


def test_outputs_that_read_a_column_together_are_not_prepared_apart() -> None:
    spec = Project((("x", Call("add", (Col("a"), Lit(1)))), ("y", Call("mul", (Col("a"), Lit(2))))))
    rng = np.random.default_rng(3)
    for n_rows in (100, 300_000):
        check_threads(Question(spec), Table({"a": Column(pa.array(rng.random(n_rows), mask=rng.random(n_rows) < 0.1))}))
