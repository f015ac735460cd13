"""``.str``, ``.dt`` and ``.cat`` of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastframe import dtypes
from fastframe.column import Table
from fastframe.column.arrow import column_from
from fastframe.dtypes import Kind
from fastframe.errors import ArgumentError, DTypeError, MissingAttribute, UnsupportedOperation
from fastframe.frame.arguments import explained
from fastframe.frame.core import Frame
from fastframe.frame.getitem import row_values
from fastframe.frame.run import run
from fastframe.ops.expressions import Call, Col
from fastframe.ops.functions import FUNCTIONS
from fastframe.ops.project import Project

if TYPE_CHECKING:
    from fastframe.frame.series import Series


class Accessor:
    """Functions of one family, each a row of the function table under ``prefix``."""

    _prefix = ""
    _kinds: tuple[Kind, ...] = ()
    _what = ""

    def __init__(self, series: Series) -> None:
        if series.dtype.kind not in (*self._kinds, Kind.NULL):
            raise DTypeError.of_operation(f".{self._name}", series.dtype, series.name, self._what)
        self._series = series

    _name = ""

    def _call(self, function: str, *others: Any, **options: Any) -> Series:
        columns = {"value": self._series._column}
        for position, other in enumerate(others):
            columns[f"other{position}"] = row_values(self._series._table, "others", other)
        call = Call(f"{self._prefix}.{function}", tuple(Col(name) for name in columns), tuple(options.items()))
        return self._series._like(run(Project((("value", call),)), Table(columns))["value"])

    def __getattr__(self, name: str) -> Any:
        known = [key.removeprefix(f"{self._prefix}.") for key in FUNCTIONS if key.startswith(f"{self._prefix}.")]
        raise MissingAttribute.of(f"Series.{self._name}", name, known)


class TextAccessor(Accessor):
    """Functions of strings; a missing string gives a missing result. Patterns are RE2 (no look-around, no back-references).

    >>> import fastframe as ff
    >>> ff.Series(["Ab", None]).str.upper().tolist()
    ['AB', None]
    """

    _prefix, _name, _kinds, _what = "text", "str", (Kind.STRING, Kind.CATEGORY), "strings"

    def lower(self) -> Series:
        """Lower case."""
        return self._call("lower")

    def upper(self) -> Series:
        """Upper case."""
        return self._call("upper")

    def title(self) -> Series:
        """First letter of each word in upper case."""
        return self._call("title")

    def capitalize(self) -> Series:
        """First letter in upper case, the others in lower case."""
        return self._call("capitalize")

    def swapcase(self) -> Series:
        """Upper and lower case exchanged."""
        return self._call("swapcase")

    def len(self) -> Series:
        """Number of characters."""
        return self._call("len")

    def strip(self, to_strip: str | None = None) -> Series:
        """Without white space (or the given characters) at both ends."""
        return self._call("strip", chars=to_strip)

    def lstrip(self, to_strip: str | None = None) -> Series:
        """Without white space (or the given characters) at the start."""
        return self._call("lstrip", chars=to_strip)

    def rstrip(self, to_strip: str | None = None) -> Series:
        """Without white space (or the given characters) at the end."""
        return self._call("rstrip", chars=to_strip)

    def removeprefix(self, prefix: str) -> Series:
        """Without ``prefix`` where it starts with it."""
        return self._call("removeprefix", prefix=prefix)

    def removesuffix(self, suffix: str) -> Series:
        """Without ``suffix`` where it ends with it."""
        return self._call("removesuffix", suffix=suffix)

    def contains(self, pat: str, case: bool = True, *, regex: bool = True, na: Any = None) -> Series:
        """Whether a pattern (or with ``regex=False`` a text) occurs; ``na`` stands for the result of a missing string."""
        return self._call("contains", pat=pat, case=case, regex=regex, na=_flag(na))

    def match(self, pat: str, case: bool = True, *, na: Any = None) -> Series:
        """Whether the start matches a pattern."""
        return self._call("match", pat=pat, case=case, na=_flag(na))

    def fullmatch(self, pat: str, case: bool = True, *, na: Any = None) -> Series:
        """Whether the whole string matches a pattern."""
        return self._call("fullmatch", pat=pat, case=case, na=_flag(na))

    def startswith(self, pat: str, *, na: Any = None) -> Series:
        """Whether it starts with a text."""
        return self._call("startswith", pat=pat, na=_flag(na))

    def endswith(self, pat: str, *, na: Any = None) -> Series:
        """Whether it ends with a text."""
        return self._call("endswith", pat=pat, na=_flag(na))

    def count(self, pat: str, *, regex: bool = True) -> Series:
        """How often a pattern occurs."""
        return self._call("count", pat=pat, regex=regex)

    def find(self, sub: str) -> Series:
        """First position of a text, -1 where it does not occur."""
        return self._call("find", sub=sub)

    def replace(self, pat: str, repl: str, n: int = -1, *, case: bool = True, regex: bool = False) -> Series:
        """A text (or with ``regex=True`` a pattern) replaced, ``n`` times (-1: everywhere)."""
        if not isinstance(pat, str) or not isinstance(repl, str):
            raise UnsupportedOperation.of_argument("str.replace", "repl", repl, "Texts are supported; use several calls for a dict.")
        return self._call("replace", pat=pat, repl=repl, n=n, case=case, regex=regex)

    def slice(self, start: int | None = None, stop: int | None = None, step: int | None = None) -> Series:
        """Characters ``start`` to ``stop``."""
        return self._call("slice", start=start, stop=stop, step=step)

    def __getitem__(self, key: Any) -> Series:
        """``s.str[2]`` or ``s.str[1:3]``."""
        return self.slice(key.start, key.stop, key.step) if isinstance(key, slice) else self.get(key)

    def get(self, index: int) -> Series:
        """The character at a position; missing where there is none."""
        return self._call("get", index=index)

    def split(self, pat: str | None = None, *, n: int = -1, regex: bool = False) -> Split:
        """Parts between white space or ``pat``; ``.get(i)`` or ``[i]`` takes one part, ``.to_series()`` the lists."""
        return Split(self, pat, n, regex=regex)

    def extract(self, pat: str, group: int = 0) -> Series:
        """One group of the first match of a pattern; missing without a match."""
        return self._call("extract", pat=pat, group=group)

    def cat(self, *others: Any, sep: str = "", na_rep: str | None = None) -> Series:
        """Joined with other series or arrays, row by row."""
        listed = [one for given in others for one in (given if isinstance(given, list) and _all_columns(given) else [given])]
        return self._call("cat", *listed, sep=sep, na_rep=na_rep)

    def zfill(self, width: int) -> Series:
        """Padded with zeros on the left."""
        return self._call("zfill", width=width)

    def pad(self, width: int, side: str = "left", fillchar: str = " ") -> Series:
        """Padded to a width on one side or both."""
        return self._call("pad", width=width, side=side, fillchar=fillchar)

    def ljust(self, width: int, fillchar: str = " ") -> Series:
        """Padded on the right."""
        return self.pad(width, "right", fillchar)

    def rjust(self, width: int, fillchar: str = " ") -> Series:
        """Padded on the left."""
        return self.pad(width, "left", fillchar)

    def center(self, width: int, fillchar: str = " ") -> Series:
        """Padded on both sides."""
        return self.pad(width, "both", fillchar)

    def repeat(self, repeats: int) -> Series:
        """Repeated."""
        return self._call("repeat", repeats=repeats)

    def isalnum(self) -> Series:
        """Whether all characters are letters or digits."""
        return self._call("isalnum")

    def isalpha(self) -> Series:
        """Whether all characters are letters."""
        return self._call("isalpha")

    def isdigit(self) -> Series:
        """Whether all characters are digits."""
        return self._call("isdigit")

    def isnumeric(self) -> Series:
        """Whether all characters are numeric."""
        return self._call("isnumeric")

    def isdecimal(self) -> Series:
        """Whether all characters are decimal digits."""
        return self._call("isdecimal")

    def isspace(self) -> Series:
        """Whether all characters are white space."""
        return self._call("isspace")

    def islower(self) -> Series:
        """Whether all letters are in lower case."""
        return self._call("islower")

    def isupper(self) -> Series:
        """Whether all letters are in upper case."""
        return self._call("isupper")

    def istitle(self) -> Series:
        """Whether each word starts with an upper case letter."""
        return self._call("istitle")


def _flag(na: Any) -> bool:
    """The result for a missing string; False where none was given, as in pandas."""
    if na is not None and not isinstance(na, bool):
        raise ArgumentError.of("str", "na", na, (True, False, None))
    return bool(na)


def _all_columns(given: list[Any]) -> bool:
    return all(isinstance(one, Frame) for one in given)


class Split:
    """Parts of strings, before one of them is chosen."""

    def __init__(self, text: TextAccessor, pat: str | None, n: int, *, regex: bool) -> None:
        self._text, self._options = text, {"pat": pat, "n": n, "regex": regex}

    def get(self, index: int) -> Series:
        """Part ``index`` (from the end where negative); missing where there is none."""
        return self._text._call("split_get", index=index, **self._options)

    __getitem__ = get

    @property
    def str(self) -> Split:
        """For pandas' way to write it: ``s.str.split("-").str[0]``."""
        return self

    def to_series(self) -> Series:
        """Lists of parts."""
        return self._text._call("split", **self._options)

    def __repr__(self) -> str:  # type: ignore[valid-type]
        return f"Split({self._options}): take a part with [i], or all with .to_series()"


class TimeAccessor(Accessor):
    """Fields and functions of dates, timestamps, times and durations; local time where there is a zone.

    >>> import fastframe as ff, datetime
    >>> ff.Series([datetime.date(2013, 1, 31)]).dt.dayofweek.tolist()
    [3]
    """

    _prefix, _name, _kinds = "time", "dt", (Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.DURATION)
    _what = "dates, timestamps, times and durations"
    _FIELDS = frozenset(
        {
            "year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "dayofweek", "weekday", "day_of_week",
            "dayofyear", "day_of_year", "quarter", "week", "isoyear", "days_in_month", "daysinmonth", "is_month_start", "is_month_end",
            "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end", "is_leap_year", "date", "time", "days", "seconds",
            "microseconds", "nanoseconds",
        }
    )  # fmt: skip
    _OTHER_NAMES = {"day_of_week": "dayofweek", "day_of_year": "dayofyear", "daysinmonth": "days_in_month"}

    def __getattr__(self, name: str) -> Any:
        if name in self._FIELDS:
            return self._call(self._OTHER_NAMES.get(name, name))
        return super().__getattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._FIELDS})

    @property
    def tz(self) -> str | None:
        """The zone, None for local times."""
        return getattr(self._series.dtype.arrow, "tz", None)

    def floor(self, freq: str) -> Series:
        """Down to a multiple of ``freq``: '15min', 'h', 'D' ..."""
        return self._call("floor", freq=freq)

    def ceil(self, freq: str) -> Series:
        """Up to a multiple of ``freq``."""
        return self._call("ceil", freq=freq)

    def round(self, freq: str) -> Series:
        """To the nearest multiple of ``freq``."""
        return self._call("round", freq=freq)

    def normalize(self) -> Series:
        """Midnight of the day."""
        return self._call("normalize")

    def strftime(self, date_format: str) -> Series:
        """Text by a format."""
        return self._call("strftime", format=date_format)

    def day_name(self) -> Series:
        """Name of the day in English."""
        return self._call("day_name")

    def month_name(self) -> Series:
        """Name of the month in English."""
        return self._call("month_name")

    def tz_localize(self, tz: str | None, ambiguous: str = "raise", nonexistent: str = "raise") -> Series:
        """Local times as instants of a zone; None: instants as local times."""
        return self._call("tz_localize", zone=tz, ambiguous=ambiguous, nonexistent=nonexistent)

    def tz_convert(self, tz: str | None) -> Series:
        """The same instants in another zone."""
        return self._call("tz_convert", zone=tz)

    def total_seconds(self) -> Series:
        """Durations in seconds with their fraction."""
        return self._call("total_seconds")


class CategoryAccessor(Accessor):
    """The categories of a series and its codes.

    >>> import fastframe as ff
    >>> ff.Series(["b", "a"], dtype="category").cat.codes.tolist()
    [1, 0]
    """

    _prefix, _name, _kinds, _what = "category", "cat", (Kind.CATEGORY,), "category columns; use .astype('category') first"

    @property
    def categories(self) -> list[Any]:
        """The categories, in order."""
        return self._series._column.dictionary.to_pylist()

    @property
    def ordered(self) -> bool:
        """Whether the categories have an order."""
        return self._series.dtype.ordered

    @property
    def codes(self) -> Series:
        """Positions among the categories as int32, without a name; -1 where missing."""
        return self._series._like(column_from(self._series._column.codes)).fillna(-1).astype(dtypes.INT32).rename(None)

    def set_categories(self, categories: Any, *, ordered: bool | None = None) -> Series:
        """The same values over another list of categories; values that are not in it become missing."""
        import pyarrow as pa

        listed = list(categories)
        if len(set(listed)) != len(listed):
            raise ArgumentError.because("set_categories", "a category was given twice", "Pass each category once.")
        wanted = column_from(listed)
        places = {value: code for code, value in enumerate(listed)}
        moved = pa.array([places.get(value) for value in self.categories], pa.int32())
        codes = moved.take(self._series._column.codes)
        keep = self.ordered if ordered is None else ordered
        return self._series._like(column_from(pa.DictionaryArray.from_arrays(codes, wanted.array, ordered=keep)))

    def as_ordered(self) -> Series:
        """The same categories, with their order meant."""
        return self.set_categories(self.categories, ordered=True)

    def as_unordered(self) -> Series:
        """The same categories, without an order."""
        return self.set_categories(self.categories, ordered=False)


for _kind in (TextAccessor, TimeAccessor, CategoryAccessor):
    explained(_kind, f"Series.{_kind._name}")
