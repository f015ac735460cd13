"""Expressions: types before work, names, errors, hashing, pickling; the function table is complete."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column
from fastframe.dtypes import dtype
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, LossyCast, ShapeError
from fastframe.ops.expressions import Call, Cast, Col, Expression, Lit
from fastframe.ops.functions import FUNCTIONS
from fastframe.ops.literals import parse_duration

SCHEMA = {
    "i": dtype("int32"), "f": dtype("float64"), "s": dtype("string"), "b": dtype("bool"), "t": dtype("timestamp[ms]"),
    "z": dtype("timestamp[ms, UTC]"), "d": dtype("date32"), "span": dtype("duration[us]"), "c": dtype("category"), "n": dtype("null"),
    "money": dtype("decimal128(10, 2)"),
}  # fmt: skip


def typed(name: str, *args: Any, **options: Any) -> str:
    given = tuple(Col(arg) if isinstance(arg, str) and arg in SCHEMA else arg if isinstance(arg, Expression) else Lit(arg) for arg in args)
    return Call(name, given, tuple(options.items())).resolve(SCHEMA).name


def test_names_are_in_order_of_first_use() -> None:
    expression = Call("add", (Call("mul", (Col("b"), Lit(2))), Call("sub", (Col("a"), Col("b")))))
    assert expression.names() == ("b", "a")
    assert Lit(1).names() == ()
    assert Cast(Col("a"), dtype("int8")).names() == ("a",)


def test_frozen_hashable_picklable_and_readable() -> None:
    expression = Call("add", (Cast(Col("a"), dtype("int8"), safe=False), Lit(2)), ())
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert len({expression, pickle.loads(pickle.dumps(expression))}) == 1
    assert repr(expression) == "(cast(col('a'), int8, safe=False) add 2)"
    assert repr(Call("isin", (Col("a"),), (("values", (1, 2)),))) == "isin(col('a'), values=(1, 2))"
    with pytest.raises(AttributeError):
        expression.function = "sub"   # type: ignore[misc]


def test_literals_of_different_types_differ() -> None:
    assert Lit(1) != Lit(True) and Lit(1) != Lit(1.0) and Lit(1) == Lit(1)
    assert Lit(1, dtype("int8")) != Lit(1)
    assert len({Lit(1), Lit(True), Lit(1.0), Lit("1")}) == 4


def test_a_missing_column_is_named_with_a_suggestion() -> None:
    with pytest.raises(ColumnNotFound, match="Did you mean 'span'"):
        Call("neg", (Col("spam"),)).resolve(SCHEMA)
    with pytest.raises(ColumnNotFound):
        Call("add", (Lit(1), Col("x"))).resolve(SCHEMA)


@pytest.mark.parametrize(("name", "args", "result"), [
    ("add", ("i", 1), "int32"), ("add", ("i", 2**40), "int64"), ("add", ("i", 1.5), "float64"), ("add", (1, 2), "int64"),
    ("truediv", ("i", "i"), "float64"), ("floordiv", ("i", 2), "int32"), ("add", ("i", None), "int32"), ("add", ("n", "n"), "null"),
    ("add", ("s", "x"), "string"), ("sub", ("t", "t"), "duration[ms]"), ("add", ("t", "span"), "timestamp[us]"),
    ("add", ("span", "z"), "timestamp[us, UTC]"), ("sub", ("d", "d"), "duration[s]"), ("add", ("d", "span"), "timestamp[us]"),
    ("sub", ("t", datetime.datetime(2020, 1, 1)), "duration[ms]"), ("mul", ("span", 2), "duration[us]"), ("mul", (2.5, "span"), "duration[us]"),
    ("truediv", ("span", "span"), "float64"), ("floordiv", ("span", "span"), "int64"), ("mod", ("span", "span"), "duration[us]"),
    ("add", ("money", 1), "decimal128(11, 2)"), ("mul", ("money", "money"), "decimal128(20, 4)"), ("add", ("money", 1.5), "float64"),
    ("lt", ("t", "2020-01-01"), "bool"), ("eq", ("c", "x"), "bool"), ("eq", ("i", 2**80), "bool"), ("lt", ("i", "n"), "bool"),
    ("and", ("b", True), "bool"), ("and", ("i", 1), "int32"), ("sqrt", ("i",), "float64"), ("abs", ("span",), "duration[us]"),
    ("if_else", ("b", "i", 0), "int32"), ("if_else", ("b", "i", 0.5), "float64"), ("if_else", ("b", 1, 2.0), "float64"),
    ("coalesce", ("i", "f"), "float64"), ("coalesce", ("c", "x"), "category"), ("min", ("i", "f", 3), "float64"),
    ("text.len", ("s",), "int64"), ("time.year", ("d",), "int32"), ("time.date", ("z",), "date32"),
])  # fmt: skip
def test_result_types(name: str, args: tuple[Any, ...], result: str) -> None:
    assert typed(name, *args) == result


@pytest.mark.parametrize(("name", "args"), [
    ("add", ("i", "s")), ("sub", ("s", "s")), ("add", ("t", "t")), ("add", ("t", 1)), ("sub", ("t", "z")), ("lt", ("t", "z")),
    ("lt", ("c", "x")), ("eq", ("i", "s")), ("eq", ("s", 1)), ("and", ("b", "s")), ("and", ("i", "f")), ("neg", ("b",)), ("neg", ("s",)),
    ("sqrt", ("s",)), ("if_else", ("i", 1, 2)), ("coalesce", ("i", "s")), ("text.len", ("i",)), ("time.hour", ("d",)), ("pow", ("money", "money")),
    ("floor", ("t",)), ("mul", ("t", 2)),
])  # fmt: skip
def test_undefined_operations_raise_before_any_work(name: str, args: tuple[Any, ...]) -> None:
    operation = "mask" if name == "if_else" else name
    with pytest.raises(DTypeError, match=operation):
        typed(name, *args)


def test_zone_functions_name_the_other() -> None:
    assert typed("time.tz_localize", "t", zone="UTC") == "timestamp[ms, UTC]"
    assert typed("time.tz_localize", "z", zone=None) == "timestamp[ms]"
    assert typed("time.tz_convert", "z", zone="Asia/Tokyo") == "timestamp[ms, Asia/Tokyo]"
    with pytest.raises(DTypeError, match="tz_convert"):
        typed("time.tz_localize", "z", zone="UTC")
    with pytest.raises(DTypeError, match="tz_localize"):
        typed("time.tz_convert", "t", zone="UTC")


def test_literals_that_fit_nothing_raise() -> None:
    with pytest.raises(LossyCast, match="300"):
        Lit(300, dtype("int8")).resolve({})
    with pytest.raises(LossyCast, match="not a date"):
        typed("lt", "t", "not a date")
    with pytest.raises(DTypeError, match="not one value"):
        Lit({1: 2}).resolve({})
    with pytest.raises(LossyCast):
        Call("add", (Col("u"), Lit(-1))).resolve({"u": dtype("uint64")})


def test_a_literal_may_be_a_column_of_one_row() -> None:
    assert Lit(Column(pa.array([1.5]))).resolve({}) == "float64"
    with pytest.raises(ShapeError):
        Lit(Column(pa.array([1, 2]))).resolve({})


@pytest.mark.parametrize(("value", "result"), [
    (1, "int64"), (2**63, "uint64"), (True, "bool"), (1.0, "float64"), ("a", "string"), (b"a", "binary"), (None, "null"),
    (np.float32(1), "float32"), (np.int8(1), "int8"), (np.datetime64("2020-01-01"), "date32"), (np.datetime64("2020-01-01T00", "ns"), "timestamp[ns]"),
    (datetime.date(2020, 1, 1), "date32"), (datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), "timestamp[us, UTC]"),
    (datetime.timedelta(1), "duration[us]"), (np.timedelta64(1, "ms"), "duration[ms]"), (pa.scalar(1, pa.int16()), "int16"),
])  # fmt: skip
def test_dtypes_of_literals(value: Any, result: str) -> None:
    assert Lit(value).resolve({}).name == result


def test_pandas_times_keep_their_unit() -> None:
    pd = pytest.importorskip("pandas")
    assert Lit(pd.Timestamp("2020-01-01 00:00:00.000000001")).resolve({}).name == "timestamp[ns]"
    assert Lit(pd.Timestamp("2020-01-01 00:00:00.000000001")).scalar().value == 1_577_836_800_000_000_001
    assert Lit(pd.NaT).resolve({}).name == "null" and Lit(pd.NA).resolve({}).name == "null"


def test_options_and_arity_are_checked() -> None:
    with pytest.raises(ArgumentError, match="Did you mean 'sqrt'"):
        typed("sqr", "f")
    with pytest.raises(ArgumentError, match="3 arguments"):
        typed("add", "i", "i", "i")
    with pytest.raises(ArgumentError, match="'pattern'"):
        typed("text.contains", "s", pattern="x")
    with pytest.raises(ArgumentError, match="'pat' was not given"):
        typed("text.contains", "s")


@pytest.mark.parametrize(("text", "seconds"), [
    ("1 day", 86400), ("2h 30min", 9000), ("-90s", -90), ("1 days 02:03:04", 93784), ("500ms", 0.5), ("00:00:01.5", 1.5), ("1.5 hours", 5400),
])  # fmt: skip
def test_durations_are_parsed(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * 1e9


@pytest.mark.parametrize("text", ["", "1", "abc", "1 fortnight", "1 day x"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_every_row_has_a_handler_and_a_doc() -> None:
    from fastframe.engines.cpu.evaluate import HANDLERS
    from fastframe.engines.cpu.text_functions import TEXT
    from fastframe.engines.cpu.time_functions import TIME

    assert {row.handler for row in FUNCTIONS.values()} == set(HANDLERS)
    assert all(row.doc.endswith(".") for row in FUNCTIONS.values())
    assert {name.removeprefix("text.") for name, row in FUNCTIONS.items() if row.handler == "text"} == set(TEXT)
    assert {name.removeprefix("time.") for name, row in FUNCTIONS.items() if row.handler == "time"} == set(TIME)


def test_a_call_is_typed_anew_where_a_column_has_another_dtype() -> None:
    call = Call("add", (Col("a"), Call("mul", (Col("b"), Lit(2)))))
    small = {"a": dtype("int8"), "b": dtype("int8"), "c": dtype("string")}
    wide = {**small, "b": dtype("float64")}
    for schema, expected in ((small, "int8"), (wide, "float64"), (small, "int8"), (dict(small), "int8")):
        assert call.resolve(schema) == expected
    with pytest.raises(ColumnNotFound, match="'b'"):
        call.resolve({"a": dtype("int8")})
    assert call.resolve(wide) == "float64"
    assert call == Call("add", (Col("a"), Call("mul", (Col("b"), Lit(2)))))   # what it remembers is no part of it
