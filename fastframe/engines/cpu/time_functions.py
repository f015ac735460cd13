"""Date and time functions: by our calendar, clocks and integer kernels where they can, else by pyarrow's calendar."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.dtypes import BOOL, INT64, Kind
from fastframe.engines.cpu.calendar import calendar_field, days_of
from fastframe.engines.cpu.clocks import PER_SECOND, Policy, instants, local_times, zone_of
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.operands import Invocation, Operand
from fastframe.engines.cpu.results import all_bits
from fastframe.engines.cpu.sliced import by_slices
from fastframe.engines.cpu.time_text import text_of_times
from fastframe.errors import ArgumentError
from fastframe.ops.expressions import Call, Col, Expression, Lit

Options = Mapping[str, Any]
_FIXED_NS = {"D": 86_400 * 10**9, "h": 3_600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_FREQ_WORDS = {"d": "D", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"}
# Of durations, and what knows time zones: functions of counts of units, which our own kernels take by all threads.
_COUNTED = frozenset(
    ("total_seconds", "days", "seconds", "microseconds", "nanoseconds", "floor", "ceil", "round", "normalize", "tz_localize", "tz_convert")
)
_DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def evaluate_time(call: Invocation) -> Column:
    """A date or time function of one operand; a bool result is False where the time is missing."""
    column = call.operands[0].column
    if column.dtype.kind is Kind.NULL:
        return all_bits(False, call.n_rows, call.operation) if call.result == BOOL else nulls(call.result, call.n_rows)
    name = call.operation.removeprefix("time.")
    if name in _COUNTED:
        return _by_arrow(call)
    if name in TEXTS:
        form = TEXTS[name] or call.options["format"]
        found = text_of_times(column, form, lambda days: _strftime(days, {"format": form}))
        return found if found is not None else _BY_SLICES(call)
    column = local_times(column)
    found = days_of(column) if name == "date" else calendar_field(name, column)
    return found if found is not None else _BY_SLICES(replace(call, operands=(Operand(column),)))


def _by_arrow(call: Invocation) -> Column:
    """The function of some rows, on one thread."""
    column = call.operands[0].column
    try:
        values = TIME[call.operation.removeprefix("time.")](column.array, call.options)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ArgumentError.of_function(call.operation, str(error)) from error
    if call.result == BOOL and values.null_count:
        values = values.fill_null(False)
    return Column(values if values.type == call.result.arrow else values.cast(call.result.arrow), call.result)


_BY_SLICES = by_slices(_by_arrow)


# ---- fields ---------------------------------------------------------------------------------------------------------


def _arrow(name: str, **settings: Any) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(times: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        return getattr(pc, name)(times, **settings)

    return compute


def _microsecond(times: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    return pc.add(pc.multiply(pc.millisecond(times), 1000), pc.microsecond(times))


def _days_in_month(times: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    month = pc.month(times)
    leap_day = pc.and_(pc.is_leap_year(times), pc.equal(month, 2))
    return pc.add(pa.array(_DAYS_IN_MONTH).take(pc.subtract(month, 1)), leap_day.cast(pa.int64()))


def _edge(period: str, end: bool) -> Callable[[pa.Array, Options], pa.Array]:
    """Whether a day is the first (``end``: the last) of its month, quarter or year."""
    n_months = {"month": 1, "quarter": 3, "year": 12}[period]

    def compute(times: pa.Array, options: Options) -> pa.Array:
        import pyarrow.compute as pc

        on_day = pc.equal(pc.day(times), _days_in_month(times, options) if end else 1)
        place = pc.subtract(pc.month(times), 0 if end else 1)
        return pc.and_(on_day, pc.equal(pc.multiply(pc.divide(place, n_months), n_months), place))

    return compute


# ---- integers behind times ------------------------------------------------------------------------------------------


def _computed(expression: Expression, x: pa.Array, **others: pa.Array) -> pa.Array:
    """An expression over ``col("x")`` and others, as the int64 counts of their units."""
    from fastframe.engines.cpu.evaluate import evaluate

    return evaluate(expression, Table({name: Column(array.view(pa.int64())) for name, array in {"x": x, **others}.items()})).array


def _call(name: str, *args: Any) -> Call:
    return Call(name, tuple(arg if isinstance(arg, Expression) else Lit(arg, INT64) for arg in args))


_X = Col("x")


def _like(local: Column, times: Column) -> pa.Array:
    """Wall clock times as instants, where ``times`` are. Of a time that occurs twice it is the second where the original
    is a second one, else the first; one that does not occur is the next that does."""
    zone = zone_of(times)
    if zone is None:
        return local.array
    first, second = (instants(local, zone, Policy(which, "latest")).array for which in ("earliest", "latest"))
    if first.equals(second):
        return first
    at_second = instants(local_times(times), zone, Policy("latest", "latest")).array
    was_second = Call("eq", (Col("at_second"), Col("x")))
    return _computed(Call("if_else", (was_second, Col("second"), Col("first"))), times.array, at_second=at_second, second=second, first=first).view(first.type)


def parse_freq(text: str) -> int:
    """Nanoseconds of a fixed frequency such as '15min', 'h' or '2D'; `ArgumentError` for others."""
    match = re.fullmatch(r"([0-9]{0,18})\s*([A-Za-z]{1,20})", str(text))
    unit = _FREQ_WORDS.get(match[2], match[2]) if match else None
    times = int(match[1] or 1) if match else 0
    if times == 0 or unit not in _FIXED_NS:
        raise ArgumentError.of("floor, ceil and round of times", "freq", text, [*_FIXED_NS, "15min", "2h"])
    return times * _FIXED_NS[unit]


def _multiples(way: str) -> Callable[[pa.Array, Options], pa.Array]:
    def compute(times: pa.Array, options: Options) -> pa.Array:
        per_unit = 10**9 // PER_SECOND[times.type.unit]
        step_ns = parse_freq(options["freq"])
        if step_ns <= per_unit and per_unit % step_ns == 0:
            return times
        if step_ns % per_unit:
            raise ArgumentError.of("floor, ceil and round of times", "freq", options["freq"], ["a multiple of the unit " + times.type.unit])
        column = Column(times)
        local = local_times(column).array
        counts = _computed(_ROUNDINGS[way](step_ns // per_unit), local)
        return _like(Column(counts.view(local.type)), column)

    return compute


def _floor(step: int) -> Expression:
    return _call("sub", _X, _call("mod", _X, step))


def _ceil(step: int) -> Expression:
    up = _call("mod", _call("sub", step, _call("mod", _X, step)), step)   # to the next multiple; 0 at one
    return _call("add", _X, up)


def _round(step: int) -> Expression:
    """Half to even multiples."""
    rest = _call("mod", _X, step)
    twice = _call("mul", rest, 2)
    odd = _call("eq", _call("mod", _call("floordiv", _X, step), 2), 1)
    up = _call("or", _call("gt", twice, step), _call("and", _call("eq", twice, step), odd))
    return _call("add", _floor(step), Call("if_else", (up, Lit(step, INT64), Lit(0, INT64))))


_ROUNDINGS: dict[str, Callable[[int], Expression]] = {"floor": _floor, "ceil": _ceil, "round": _round}


def _midnight(times: pa.Array, options: Options) -> pa.Array:
    return _multiples("floor")(times, {"freq": "D"})


def _date(times: pa.Array, options: Options) -> pa.Array:
    return times.cast(pa.date32(), safe=False)


def _time(times: pa.Array, options: Options) -> pa.Array:
    unit = times.type.unit
    counts = _computed(_call("mod", _X, 86_400 * PER_SECOND[unit]), times)
    return counts.cast(pa.int32()).view(pa.time32(unit)) if unit in ("s", "ms") else counts.view(pa.time64(unit))


def _span(divide: Callable[[int], Expression]) -> Callable[[pa.Array, Options], pa.Array]:
    """A field of durations from their counts, for a number of units per second."""

    def compute(spans: pa.Array, options: Options) -> pa.Array:
        return _computed(divide(PER_SECOND[spans.type.unit]), spans)

    return compute


def _below_second(first: int, count: int) -> Callable[[int], Expression]:
    """``count`` values per ``1 / first`` second: the part of a second beyond ``first`` and down to ``first * count``."""

    def expression(per_second: int) -> Expression:
        ns = _call("mul", _call("mod", _X, per_second), 10**9 // per_second)
        return _call("mod", _call("floordiv", ns, 10**9 // (first * count)), count)

    return expression


# ---- text, zones ----------------------------------------------------------------------------------------------------


def _strftime(times: pa.Array, options: Options) -> pa.Array:
    """``%S`` is whole seconds and ``%f`` microseconds, as in Python (pyarrow's ``%S`` has a fraction, and no ``%f``)."""
    import pyarrow.compute as pc

    if pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("s"))
    seconds = _multiples("floor")(times, {"freq": "s"}).cast(pa.timestamp("s", tz=times.type.tz))
    directives = re.findall(r"%.|[^%]+|%", options["format"], re.DOTALL)
    parts = [list(part) for _, part in groupby(directives, key=lambda one: one == "%f")] or [[""]]
    texts = [
        pc.utf8_lpad(_microsecond(times, options).cast(pa.string()), 6, "0") if one == "%f" else pc.strftime(seconds, format=one, locale="C")
        for part in parts
        for one in (part if part[0] == "%f" else ["".join(part)])
    ]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "")


_AT_CHANGES = ("raise", "earliest", "latest")   # of clocks: what a time becomes that there is twice, or not
TEXTS: dict[str, str | None] = {"strftime": None, "day_name": "%A", "month_name": "%B"}   # the format; None: it is given


def _named(form: str) -> Callable[[pa.Array, Options], pa.Array]:
    return lambda times, options: _strftime(times, {"format": form})


def _tz_localize(times: pa.Array, options: Options) -> pa.Array:
    if options["zone"] is None:
        return local_times(Column(times)).array
    for name in ("ambiguous", "nonexistent"):
        if options[name] not in _AT_CHANGES:
            raise ArgumentError.of("dt.tz_localize", name, options[name], _AT_CHANGES)
    return instants(Column(times), options["zone"], Policy(options["ambiguous"], options["nonexistent"])).array


def _tz_convert(times: pa.Array, options: Options) -> pa.Array:
    import pyarrow.compute as pc

    target = pa.timestamp(times.type.unit, tz=options["zone"])
    pc.year(pa.array([0], target))   # raises where there is no such zone
    return times.view(target)


# Of fields, local times are given.
TIME: dict[str, Callable[[pa.Array, Options], pa.Array]] = {
    **{name: _arrow(name) for name in ("year", "month", "day", "hour", "minute", "second", "nanosecond", "quarter", "is_leap_year")},
    "microsecond": _microsecond,
    **{name: _arrow("day_of_week", count_from_zero=True, week_start=1) for name in ("dayofweek", "weekday")},
    "dayofyear": _arrow("day_of_year"),
    "week": _arrow("iso_week"),
    "isoyear": _arrow("iso_year"),
    "days_in_month": _days_in_month,
    **{f"is_{period}_{end}": _edge(period, end == "end") for period in ("month", "quarter", "year") for end in ("start", "end")},
    "date": _date,
    "time": _time,
    "normalize": _midnight,
    "floor": _multiples("floor"),
    "ceil": _multiples("ceil"),
    "round": _multiples("round"),
    "strftime": _strftime,
    **{name: _named(form) for name, form in TEXTS.items() if form is not None},
    "tz_localize": _tz_localize,
    "tz_convert": _tz_convert,
    "total_seconds": _span(lambda per_second: Call("truediv", (_X, Lit(float(per_second))))),
    "days": _span(lambda per_second: _call("floordiv", _X, 86_400 * per_second)),
    "seconds": _span(lambda per_second: _call("floordiv", _call("mod", _X, 86_400 * per_second), per_second)),
    "microseconds": _span(_below_second(1, 10**6)),
    "nanoseconds": _span(_below_second(10**6, 1000)),
}
