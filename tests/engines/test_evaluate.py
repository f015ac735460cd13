"""`evaluate` against pandas: text, times, categories, decimals, choices, membership."""

from __future__ import annotations

import datetime
from decimal import Context, Decimal, localcontext
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fastframe.column import Column, Table
from fastframe.dtypes import STRING, dtype
from fastframe.engines.cpu.evaluate import evaluate
from fastframe.errors import ArgumentError, DTypeError, IntegerOverflow, LossyCast
from fastframe.ops.expressions import Call, Cast, Col, Expression, Lit

WORDS = ["Hello World", "abc", "ABC", "", " padded\t", "äöü é", "123", "a.b.c", "x-y", None, "Title Case", "-42", "日本語", "a1", "²", "aaa"]


def run(function: str, *columns: Column, literals: tuple[Any, ...] = (), **options: Any) -> Column:
    """The function of columns, then literals."""
    table = Table({f"c{place}": column for place, column in enumerate(columns)})
    args = (*[Col(name) for name in table.names], *[Lit(value) for value in literals])
    expression = Call(function, args, tuple(options.items()))
    result = evaluate(expression, table)
    result.array.validate(full=True)
    assert result.dtype == expression.resolve(table.schema)
    return result


def values(column: Column) -> list[Any]:
    return [None if value is None or value is pd.NaT or value != value else value for value in column.array.to_pylist()]


def texts(encoded: bool) -> Column:
    array = pa.array([None, "pad", *WORDS])
    return Column((array.dictionary_encode() if encoded else array).slice(2), STRING)


def from_pandas(series: pd.Series) -> list[Any]:
    return [None if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value) else value for value in series.tolist()]


TEXT_CASES: list[tuple[str, dict[str, Any], Any]] = [
    *[(name, {}, (name,)) for name in ("lower", "upper", "title", "capitalize", "swapcase", "len", "strip", "lstrip", "rstrip")],
    *[(f"is{what}", {}, (f"is{what}",)) for what in ("alnum", "alpha", "decimal", "digit", "lower", "numeric", "space", "upper")],
    ("strip", {"chars": "ac"}, ("strip", "ac")),
    ("contains", {"pat": "b.c"}, ("contains", "b.c")),
    ("contains", {"pat": "b.c", "regex": False}, ("contains", "b.c", True, 0, False, False)),
    ("contains", {"pat": "abc", "case": False}, ("contains", "abc", False)),
    ("match", {"pat": "a.c"}, ("match", "a.c")),
    ("match", {"pat": "a|H"}, ("match", "a|H")),
    ("fullmatch", {"pat": "a|abc"}, ("fullmatch", "a|abc")),
    ("startswith", {"pat": "a"}, ("startswith", "a")),
    ("endswith", {"pat": ("c", "d")}, ("endswith", ("c", "d"))),
    ("count", {"pat": "a|b"}, ("count", "a|b")),
    ("find", {"sub": "b"}, ("find", "b")),
    ("find", {"sub": "ü"}, ("find", "ü")),
    ("find", {"sub": ""}, ("find", "")),
    ("replace", {"pat": ".", "repl": "!"}, ("replace", ".", "!")),
    ("replace", {"pat": "a", "repl": "z", "n": 1}, ("replace", "a", "z", 1)),
    ("replace", {"pat": "(a)(b)", "repl": r"\2\1", "regex": True}, ("replace", "(a)(b)", r"\2\1", -1, None, 0, True)),
    ("replace", {"pat": "AB", "repl": "\\1", "case": False}, None),
    ("slice", {"start": 1, "stop": 3}, ("slice", 1, 3)),
    ("slice", {"start": -2}, ("slice", -2)),
    ("slice", {"step": -1}, ("slice", None, None, -1)),
    ("slice", {"stop": 4, "step": 2}, ("slice", None, 4, 2)),
    ("slice_replace", {"start": 1, "stop": 2, "repl": "XX"}, ("slice_replace", 1, 2, "XX")),
    ("get", {"index": 1}, ("get", 1)),
    ("get", {"index": -1}, ("get", -1)),
    ("get", {"index": -3}, ("get", -3)),
    ("zfill", {"width": 5}, ("zfill", 5)),
    ("pad", {"width": 6}, ("pad", 6)),
    ("pad", {"width": 6, "side": "right", "fillchar": "*"}, ("pad", 6, "right", "*")),
    ("pad", {"width": 6, "side": "both", "fillchar": "*"}, ("pad", 6, "both", "*")),
    ("repeat", {"repeats": 2}, ("repeat", 2)),
    ("removeprefix", {"prefix": "a"}, ("removeprefix", "a")),
    ("removesuffix", {"suffix": "c"}, ("removesuffix", "c")),
    ("normalize", {"form": "NFKD"}, ("normalize", "NFKD")),
]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("name", "options", "call"), [case for case in TEXT_CASES if case[2] is not None])
def test_text_functions_match_pandas(name: str, options: dict[str, Any], call: tuple[Any, ...], encoded: bool) -> None:
    series = pd.Series(WORDS, dtype=object).str
    method, *args = call
    expected = from_pandas(getattr(series, method)(*args))
    result = run(f"text.{name}", texts(encoded), **options)
    if result.dtype == "bool":   # pandas' str dtype: False where missing
        expected = [bool(value) for value in expected]
    assert values(result) == expected
    if "pat" in options and result.dtype == "bool":
        filled = run(f"text.{name}", texts(encoded), **options, na=True)
        assert values(filled) == [word is None or value for word, value in zip(WORDS, expected, strict=True)]
    assert not encoded or result.dtype != STRING or len(set(result.dictionary.to_pylist())) == len(result.dictionary)


@pytest.mark.parametrize("encoded", [False, True])
def test_split_extract_and_case_insensitive_replacement(encoded: bool) -> None:
    words = texts(encoded)
    series = pd.Series(WORDS, dtype=object).str
    assert values(run("text.split", words, pat=".")) == from_pandas(series.split("."))
    assert values(run("text.split", words)) == from_pandas(series.split())
    assert values(run("text.split", words, pat="a", n=1)) == from_pandas(series.split("a", n=1))
    for index in (0, 1, -1, -2):
        assert values(run("text.split_get", words, pat=".", index=index)) == from_pandas(series.split(".").str.get(index)), index
    for pattern in (r"([a-z])(\d)", r"(?:x)-([y])", r"[(](a)", r"(?P<first>[A-Z])\w"):
        assert values(run("text.extract", words, pat=pattern)) == from_pandas(series.extract(pattern)[0 if "P<" not in pattern else "first"]), pattern
    assert values(run("text.extract", words, pat=r"([a-z])(\d)", group=1))[13] == "1"
    replaced = values(run("text.replace", words, pat="aB", repl=r"\1", case=False))
    assert replaced[1:3] == [r"\1c", r"\1C"]
    with pytest.raises(ArgumentError, match="groups"):
        run("text.extract", words, pat="abc")
    with pytest.raises(ArgumentError, match=r"str\.contains"):
        run("text.contains", words, pat="(")


def test_text_joins() -> None:
    left, right = Column(pa.array(["a", None, "c"])), Column(pa.array(["x", "y", None]).dictionary_encode(), STRING)
    assert values(run("text.cat", left, right, sep="-")) == ["a-x", None, None]
    assert values(run("text.cat", left, right, sep="-", na_rep="?")) == ["a-x", "?-y", "c-?"]
    assert values(run("add", left, right)) == ["ax", None, None]
    assert values(run("add", left, literals=("!",))) == ["a!", None, "c!"]


def test_two_text_columns_are_compared_plain_encoded_and_mixed() -> None:
    one, other = ["b", "a", None, "c", "B"], ["b", "b", "x", None, "b"]
    for left in (Column(pa.array(one)), Column(pa.array(one).dictionary_encode(), STRING), Column(pa.array(one, pa.large_string()))):
        for right in (Column(pa.array(other)), Column(pa.array(other).dictionary_encode(), STRING)):
            assert values(run("eq", left, right)) == [True, False, False, False, False]
            assert values(run("ne", left, right)) == [False, True, True, True, True]
            assert values(run("lt", left, right)) == [False, True, False, False, True]
            assert values(run("ge", right, left)) == [True, True, False, False, True]


def test_categories() -> None:
    plain = Column(pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 2], pa.int32()), ["low", "mid", "high"]))
    assert values(run("eq", plain, literals=("low",))) == [False, True, False, False]
    assert values(run("ne", plain, literals=("absent",))) == [True] * 4
    assert values(run("eq", plain, plain)) == [True, True, False, True]
    ordered = Column(pa.DictionaryArray.from_arrays(plain.codes, plain.dictionary, ordered=True))
    assert values(run("lt", ordered, literals=("high",))) == [True, True, False, False]
    assert values(run("ge", ordered, literals=("mid",))) == [True, False, False, True]
    assert values(run("le", ordered, ordered)) == [True, True, False, True]
    with pytest.raises(LossyCast, match="absent"):
        run("lt", ordered, literals=("absent",))
    with pytest.raises(DTypeError, match="order"):
        run("lt", plain, literals=("low",))
    with pytest.raises(DTypeError, match="different categories"):
        run("eq", plain, Column(pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, 0], pa.int32()), ["mid"])))
    filled = run("coalesce", plain, literals=("low",))
    assert filled.dtype == "category" and values(filled) == ["mid", "low", "low", "high"]


MOMENTS = ("2020-02-29 23:59:59.123456789", "1969-12-31", None, "2000-01-01 12:34:56.5", "2021-03-31 07:30", "2023-12-31")
STAMPS = pd.Series([pd.Timestamp(text) for text in MOMENTS], dtype="datetime64[ns]")


def stamps(unit: str, zone: str | None) -> tuple[Column, pd.Series]:
    series = STAMPS.astype(f"datetime64[{unit}]")
    if zone is not None:
        series = series.dt.tz_localize("UTC").dt.tz_convert(zone)
    return Column(pa.array(series, pa.timestamp(unit, tz=zone))), series


FIELDS = (
    "year month day hour minute second microsecond nanosecond quarter days_in_month is_month_start is_month_end "
    "is_quarter_start is_quarter_end is_year_start is_year_end is_leap_year"
).split()


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_fields_match_pandas(unit: str, zone: str | None) -> None:
    column, series = stamps(unit, zone)
    for name in FIELDS:
        assert values(run(f"time.{name}", column)) == from_pandas(getattr(series.dt, name)), name
    assert values(run("time.isoyear", column)) == from_pandas(series.dt.isocalendar().year)
    assert values(run("time.dayofweek", column)) == values(run("time.weekday", column)) == from_pandas(series.dt.day_of_week)
    assert values(run("time.dayofyear", column)) == from_pandas(series.dt.day_of_year)
    assert values(run("time.week", column)) == from_pandas(series.dt.isocalendar().week)
    assert values(run("time.date", column)) == from_pandas(series.dt.date)
    assert run("time.normalize", column).array.equals(pa.array(series.dt.normalize(), column.array.type))
    for form in ("%Y-%m-%d %H:%M:%S", "%j %A %b", "%H%%f=%f%f", "%f"):
        assert values(run("time.strftime", column, format=form)) == from_pandas(series.dt.strftime(form)), form
    assert values(run("time.day_name", column)) == from_pandas(series.dt.day_name())
    assert values(run("time.month_name", column)) == from_pandas(series.dt.month_name())


@pytest.mark.parametrize("freq", ["D", "h", "15min", "2s", "3h"])
@pytest.mark.parametrize(("unit", "zone"), [("s", None), ("ns", None), ("us", "America/New_York")])
def test_rounding_of_times_matches_pandas(freq: str, unit: str, zone: str | None) -> None:
    column, series = stamps(unit, zone)
    for name in ("floor", "ceil", "round"):
        expected = pa.array(getattr(series.dt, name)(freq), column.array.type)
        assert run(f"time.{name}", column, freq=freq).array.equals(expected), name
    with pytest.raises(ArgumentError, match="freq"):
        run("time.floor", column, freq="M")


def test_zones() -> None:
    column, series = stamps("us", None)
    local = run("time.tz_localize", column, zone="Europe/Berlin")
    expected = series.dt.tz_localize("Europe/Berlin")
    assert local.array.equals(pa.array(expected, local.array.type))
    tokyo = run("time.tz_convert", local, zone="Asia/Tokyo")
    assert values(run("time.hour", tokyo)) == from_pandas(expected.dt.tz_convert("Asia/Tokyo").dt.hour)
    assert run("time.tz_localize", local, zone=None).array.equals(column.array)
    with pytest.raises(ArgumentError, match=r"dt\.tz_localize"):
        run("time.tz_localize", Column(pa.array([datetime.datetime(2021, 3, 28, 2, 30)])), zone="Europe/Berlin")
    for name in ("tz_localize", "tz_convert"):
        with pytest.raises(ArgumentError, match="Atlantis"):
            run(f"time.{name}", column if name == "tz_localize" else local, zone="Atlantis")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_duration_fields_match_pandas(unit: str) -> None:
    counts = np.array([0, 1, -1, 123_456_789_012, -987_654_321])
    series = pd.Series(counts.astype(f"timedelta64[{unit}]"))
    column = Column(pa.array([*counts.tolist(), None], pa.duration(unit)))
    for name in ("days", "seconds", "microseconds", "nanoseconds"):
        assert values(run(f"time.{name}", column)) == [*from_pandas(getattr(series.dt, name)), None], name
    np.testing.assert_allclose(run("time.total_seconds", column).array.to_numpy(zero_copy_only=False)[:-1], series.dt.total_seconds(), rtol=1e-15, atol=1e-15)


def test_time_arithmetic_matches_pandas() -> None:
    left, pandas_left = stamps("ms", None)
    right, pandas_right = stamps("us", None)
    right, pandas_right = Column(right.array.take(pa.array([5, 4, 3, 2, 1, 0]))), pandas_right[::-1].reset_index(drop=True)
    span = run("sub", left, right)
    pandas_span = pandas_left - pandas_right
    assert span.dtype == "duration[us]" and span.array.equals(pa.array(pandas_span, pa.duration("us")))
    assert run("add", right, span).array.equals(pa.array(pandas_right + pandas_span, pa.timestamp("us")))
    assert values(run("truediv", span, literals=(datetime.timedelta(hours=1),))) == from_pandas(pandas_span / pd.Timedelta(hours=1))
    assert values(run("floordiv", span, literals=(datetime.timedelta(hours=1),))) == from_pandas(pandas_span // pd.Timedelta(hours=1))
    assert run("mod", span, literals=(datetime.timedelta(hours=1),)).array.equals(pa.array(pandas_span % pd.Timedelta(hours=1), pa.duration("us")))
    assert run("mul", span, literals=(3,)).array.equals(pa.array(pandas_span * 3, pa.duration("us")))
    assert run("mul", span, literals=(0.5,)).array.equals(pa.array(pandas_span * 0.5, pa.duration("us")))
    assert run("truediv", span, literals=(7,)).array.equals(pa.array(pandas_span / 7, pa.duration("us")))
    days = Column(pa.array([datetime.date(2020, 1, 3), None]))
    assert values(run("sub", days, literals=(datetime.date(2020, 1, 1),))) == [datetime.timedelta(2), None]
    assert values(run("add", days, literals=(datetime.timedelta(hours=1),))) == [datetime.datetime(2020, 1, 3, 1), None]
    with pytest.raises(IntegerOverflow):
        run("mul", Column(pa.array([2**62], pa.duration("ns"))), literals=(2,))
    with pytest.raises(IntegerOverflow):
        run("sub", Column(pa.array([2**40], pa.timestamp("s"))), Column(pa.array([0], pa.timestamp("ns"))))


@pytest.mark.parametrize("value", ["2020-02-29 12:00", "2020-02-29T23:59:59.123456789", datetime.datetime(2000, 1, 1), datetime.date(2000, 1, 1),
                                   np.datetime64("2000-01-01T12"), pd.Timestamp("2020-02-29 23:59:59.123456789"), "2020-03"])  # fmt: skip
def test_timestamps_are_compared_with_literals(value: Any) -> None:
    for unit in ("s", "ns"):
        column, series = stamps(unit, None)
        wanted = pd.Timestamp(value)
        for operation in ("lt", "ge", "eq", "ne"):
            expected = [bool(getattr(one, f"__{operation}__")(wanted)) if one is not pd.NaT else operation == "ne" for one in series]
            assert values(run(operation, column, literals=(value,))) == expected, (unit, operation)


def test_literals_beyond_what_a_unit_can_hold_are_compared_as_infinitely_far() -> None:
    column, _ = stamps("ns", None)
    late, early = datetime.datetime(9999, 12, 31), datetime.datetime(1, 1, 1)
    there = column.array.is_valid().to_pylist()
    assert values(run("lt", column, literals=(late,))) == there
    assert values(run("gt", column, literals=(early,))) == there
    assert not any(values(run("eq", column, literals=(late,))))


def test_zoned_timestamps_compare_as_instants_and_text_as_local_time() -> None:
    berlin, _ = stamps("us", "Europe/Berlin")
    utc = Column(berlin.array.view(pa.timestamp("us", tz="UTC")))
    assert values(run("eq", berlin, utc)) == [True, True, False, True, True, True]
    assert values(run("lt", berlin, literals=("2020-03-01 00:59:59",))) == [False, True, False, True, False, False]
    assert values(run("lt", berlin, literals=("2020-02-29T23:59:59Z",))) == [False, True, False, True, False, False]
    with pytest.raises(DTypeError, match="zone"):
        run("lt", berlin, literals=(datetime.datetime(2020, 1, 1),))


def test_dates_times_and_durations_are_compared_with_text() -> None:
    days = Column(pa.array([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), None]))
    assert values(run("le", days, literals=("2020-01-01",))) == [True, False, False]
    assert values(run("lt", days, literals=("2020-01-01 12:00",))) == [True, False, False]
    assert values(run("eq", days, Column(days.array.cast(pa.timestamp("ns"))))) == [True, True, False]
    spans = Column(pa.array([10, 3_600_000, None], pa.duration("ms")))
    assert values(run("ge", spans, literals=("1h",))) == [False, True, False]
    clock = Column(pa.array([datetime.time(1), datetime.time(2), None]))
    assert values(run("gt", clock, literals=("01:30:00",))) == [False, True, False]


def test_decimals_are_exact() -> None:
    left = Column(pa.array([Decimal("1.10"), None, Decimal("-99999999.99")], pa.decimal128(10, 2)))
    right = Column(pa.array([Decimal("0.005"), Decimal(1), Decimal("99999999.995")], pa.decimal128(12, 3)))
    assert values(run("add", left, right)) == [Decimal("1.105"), None, Decimal("0.005")]
    assert values(run("mul", left, right)) == [Decimal("0.00550"), None, Decimal("-99999999.99") * Decimal("99999999.995")]
    assert values(run("sub", left, literals=(1,))) == [Decimal("0.10"), None, Decimal("-100000000.99")]
    assert values(run("truediv", left, literals=(2,))) == [0.55, None, -49999999.995]
    assert values(run("lt", left, right)) == [False, False, True]
    assert values(run("eq", left, literals=(Decimal("1.1"),))) == [True, False, False]
    assert values(run("gt", left, Column(pa.array([1, 1, 1])))) == [True, False, False]
    assert values(run("neg", left)) == [Decimal("-1.10"), None, Decimal("99999999.99")]
    huge = Column(pa.array([Decimal(10**37)], pa.decimal128(38, 0)))
    assert values(run("add", huge, huge)) == [Decimal(2 * 10**37)]
    with pytest.raises(IntegerOverflow, match="mul"):
        run("mul", huge, huge)


WIDTHS = [(1, 0), (5, 2), (18, 4), (19, 19), (37, 2), (38, 0), (38, 38), (20, -3)]


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "lt", "le", "eq", "ne", "gt", "ge"])
@pytest.mark.parametrize("other", [*WIDTHS, "int64", "uint64", "int8", "bool", "scalar"])
def test_decimals_of_all_widths_are_exact(operation: str, other: Any) -> None:
    """Beside Python's own decimals, in 128 and 256 bits; the largest values of each width, sliced, with nulls."""
    exact = {"add": add, "sub": sub, "mul": mul, "lt": lt, "le": le, "eq": eq, "ne": ne, "gt": gt, "ge": ge}[operation]
    for digits, scale in WIDTHS:
        if operation in ("add", "sub", "mul") and (scale < 0 or other == (20, -3)):   # pyarrow has no such arithmetic
            continue
        left = decimals(digits, scale)
        right = {"int64": [None, -(2**63), 2**63 - 1, 0, 7], "uint64": [None, 2**64 - 1, 0, 1, 7], "int8": [None, -128, 127, 0, 1],
                 "bool": [None, True, False, True, True], "scalar": [5]}.get(other)   # fmt: skip
        kind = {"scalar": "int64", "bool": "bool_"}.get(other, other)
        theirs = pa.array([None, *right], getattr(pa, kind)()).slice(1) if right else decimals(*other)
        try:
            if other == "scalar":
                found = values(run(operation, Column(left), literals=(5,)))
            else:
                found = values(run(operation, Column(left), Column(theirs)))
        except (IntegerOverflow, DTypeError):
            assert operation in ("add", "sub", "mul")
            continue
        with localcontext() as context:
            context.prec = 200
            pairs = zip(left.to_pylist(), theirs.to_pylist() * (5 if other == "scalar" else 1), strict=True)
            missing = None if operation in ("add", "sub", "mul") else operation == "ne"
            assert found == [missing if one is None or two is None else exact(one, Decimal(two)) for one, two in pairs]


def decimals(digits: int, scale: int) -> pa.Array:
    most = 10**digits - 1
    made = [Decimal(number).scaleb(-scale, Context(prec=100)) for number in (3, most, -most, 0, 1)]
    return pa.array([made[0], None, *made[1:]], pa.decimal128(digits, scale)).slice(1)


def test_choices() -> None:
    mask = Column(pa.array([True, False, None]))
    number, other = Column(pa.array([1, 2, 3])), Column(pa.array([0.5, None, float("nan")]))
    assert values(run("if_else", mask, number, other)) == [1.0, None, None]
    assert values(run("if_else", mask, number, literals=(0,))) == [1, 0, 0]
    text = Column(pa.array(["a", None, "c"]).dictionary_encode(), STRING)
    assert values(run("if_else", mask, text, literals=("z",))) == ["a", "z", "z"]
    assert values(run("if_else", mask, text, literals=(None,))) == ["a", None, None]
    assert values(run("coalesce", other, number)) == [0.5, 2.0, 3.0]
    assert values(run("coalesce", text, literals=("!",))) == ["a", "!", "c"]
    assert values(run("coalesce", number, literals=(9,))) == [1, 2, 3]
    table = Table({"x": number})
    assert evaluate(Call("if_else", (Lit(True), Col("x"), Lit(0))), table).array.to_pylist() == [1, 2, 3]
    assert evaluate(Call("if_else", (Lit(None), Col("x"), Lit(0))), table).array.to_pylist() == [0, 0, 0]


def test_between() -> None:
    number = Column(pa.array([1, 2, 3, None]))
    expected = {
        "both": [True, True, True, False], "neither": [False, True, False, False], "left": [True, True, False, False],
        "right": [False, True, True, False],
    }  # fmt: skip
    for inclusive, wanted in expected.items():
        assert values(run("between", number, literals=(1, 3), inclusive=inclusive)) == wanted
    with pytest.raises(ArgumentError, match="inclusive"):
        run("between", number, literals=(1, 3), inclusive="no")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_isin_of_many_integers_as_of_each(dtype: str) -> None:
    """Integers alone become one array; a text among them, which matches nothing, has them looked at one by one."""
    rows = [0, 1, 5, None, 127]
    column = Column(pa.array(rows, dtype))
    for given in ((1, 5, -1, 300, 2**64, -(2**70)), (-1,), (2**64 - 1, 0), tuple(range(-300, 300))):
        found = values(run("isin", column, values=given))
        assert found == values(run("isin", column, values=(*given, "x"))) == [one in given for one in rows]


def test_isin_matches_only_equal_values() -> None:
    integers = Column(pa.array([1, 2, None, 2**53 + 1], pa.int64()))
    assert values(run("isin", integers, values=(1, 2.0, 2.5, "1", True, 2**70))) == [True, True, False, False]
    assert values(run("isin", integers, values=(float(2**53),))) == [False] * 4
    assert values(run("isin", integers, values=(None,))) == [False, False, True, False]
    assert values(run("isin", integers, values=())) == [False] * 4
    floats = Column(pa.array([1.0, float("nan"), None, -0.0]))
    assert values(run("isin", floats, values=(float("nan"), 0))) == [False, True, True, True]
    for encoded in (False, True):
        assert values(run("isin", texts(encoded), values=("abc", "", 5)))[:5] == [False, True, False, True, False]
    large = Column(pa.array(["a", None, "b"], pa.large_string()))
    assert values(run("isin", large, values=("b",))) == [False, False, True]
    column, _ = stamps("us", None)
    assert values(run("isin", column, values=("2023-12-31", pd.Timestamp("1969-12-31")))) == [False, True, False, False, False, True]
    assert values(run("isin", Column(pa.array([0.5, 1.5], pa.float32())), values=(0.5, 0.1))) == [True, False]


def test_nested_expressions_keep_literals_weak_and_share_plain_columns() -> None:
    table = Table({"a": Column(pa.array([1, 2, None], pa.int32())), "b": Column(pa.array([0.5, 1.5, 2.5]))})
    assert evaluate(Col("a"), table) is table["a"]
    expression: Expression = Call("add", (Call("mul", (Col("a"), Lit(2))), Lit(1)))
    assert evaluate(expression, table).dtype == "int32"
    mean = Lit(Column(pa.array([1.5])))
    assert evaluate(Call("sub", (Col("b"), mean)), table).array.to_pylist() == [-1.0, 0.0, 1.0]
    assert evaluate(Cast(Call("gt", (Col("b"), Lit(1))), dtype("int8")), table).array.to_pylist() == [0, 1, 1]


@pytest.mark.parametrize(("value", "name"), [(3, "int64"), ("w", "string"), (None, "null"), (datetime.date(2020, 1, 1), "date32"), (True, "bool")])
def test_a_literal_alone_fills_all_rows(value: Any, name: str) -> None:
    result = evaluate(Lit(value), Table({}, n_rows=3))
    assert result.dtype == name and result.array.to_pylist() == [value] * 3
    assert len(evaluate(Lit(value), Table({}, n_rows=0))) == 0


def test_empty_columns() -> None:
    empty = Table({"x": Column(pa.array([], pa.float64())), "s": Column(pa.array([], pa.string())), "t": Column(pa.array([], pa.timestamp("us")))})
    for expression in (
        Call("add", (Col("x"), Lit(1))), Call("lt", (Col("x"), Lit(1))), Call("text.upper", (Col("s"),)), Call("eq", (Col("s"), Lit("a"))),
        Call("time.floor", (Col("t"),), (("freq", "D"),)), Call("coalesce", (Col("x"), Lit(0.0))), Call("is_missing", (Col("x"),)),
    ):  # fmt: skip
        result = evaluate(expression, empty)
        assert len(result) == 0 and result.dtype == expression.resolve(empty.schema)


def test_the_lesser_and_the_greater_of_bools() -> None:
    one, other = Column(pa.array([True, False, None, None, True])), Column(pa.array([False, False, True, None, None]))
    assert values(run("max", one, other)) == [True, False, True, None, True]
    assert values(run("min", one, other)) == [False, False, True, None, True]
    assert values(run("clip", one, literals=(True, None))) == [True, True, None, None, True]
