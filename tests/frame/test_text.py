"""``.str`` against pandas (whose strings are Arrow's too), for plain, sliced, encoded and category columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.errors import ArgumentError, DTypeError, FastFrameError, MissingAttribute, UnsupportedOperation
from tests.frame.grouped_cases import assert_same, outcome, pair

Verb = Callable[[Any], Any]
TEXTS = [
    "", "a", "Ab cD", "éTÉ straße", "日本 語", "a-b-c", "--", "  pad ", "x1", "123", "½", "²", "Ⅷ", "ǅungla", "a.b", "aXbXc", "\t\n", "🎉e\u0301", "ß",
    "ŉ",
    "Hello World Foo", "it's o'clock", "A1B2", "٣", "a\x00b", "__a__", "ΑΣ", "-1.5", "a long one, of more than twelve bytes", None,
]  # fmt: skip
HELD = ("plain", "sliced", "encoded", "category", "large")


def series(held: str, texts: list[str | None] = TEXTS) -> tuple[Any, Any]:
    array = pa.array(texts, pa.string())
    made = {
        "plain": lambda: Column(array), "sliced": lambda: Column(pa.array(["zz", None, "é", *texts, "q"]).slice(3, len(texts))),
        "encoded": lambda: Column(array.dictionary_encode(), dtypes.dtype("string")), "category": lambda: Column(array.dictionary_encode()),
        "large": lambda: Column(array.cast(pa.large_string())),
    }[held]()  # fmt: skip
    return pair({"v": made})[0]["v"], pd.Series(texts, dtype="str", name="v")


def method(name: str) -> Verb:
    return lambda s: getattr(s.str, name)()


VERBS: dict[str, Verb] = {
    "lower": lambda s: s.str.lower(), "upper": lambda s: s.str.upper(), "title": lambda s: s.str.title(), "capitalize": lambda s: s.str.capitalize(),
    "swapcase": lambda s: s.str.swapcase(), "len": lambda s: s.str.len(), "strip": lambda s: s.str.strip(), "lstrip": lambda s: s.str.lstrip(),
    "rstrip": lambda s: s.str.rstrip(), "strip of": lambda s: s.str.strip("a_-"), "lstrip of": lambda s: s.str.lstrip("aA"),
    "rstrip of": lambda s: s.str.rstrip("cß"), "removeprefix": lambda s: s.str.removeprefix("a"), "removesuffix": lambda s: s.str.removesuffix("c"),
    "contains": lambda s: s.str.contains("a"), "contains pattern": lambda s: s.str.contains("[0-9]+"),
    "contains any case": lambda s: s.str.contains("a", case=False),
    "contains text": lambda s: s.str.contains(".", regex=False), "contains na": lambda s: s.str.contains("a", na=True),
    "contains nothing": lambda s: s.str.contains(""),
    "contains text of any case": lambda s: s.str.contains("É", case=False, regex=False), "match": lambda s: s.str.match("b|a"),
    "match any case": lambda s: s.str.match("A", case=False), "fullmatch": lambda s: s.str.fullmatch("a.*c"),
    "fullmatch or": lambda s: s.str.fullmatch("a|a-b-c"),
    "startswith": lambda s: s.str.startswith("a"), "startswith na": lambda s: s.str.startswith("a", na=True),
    "endswith": lambda s: s.str.endswith("c"),
    "count": lambda s: s.str.count("a"), "count pattern": lambda s: s.str.count("[a-c]"), "count dot": lambda s: s.str.count("."),
    "count nothing": lambda s: s.str.count(""),
    "find": lambda s: s.str.find("b"), "find wide": lambda s: s.str.find("語"), "find nothing": lambda s: s.str.find(""),
    "replace": lambda s: s.str.replace("a", "Z"),
    "replace once": lambda s: s.str.replace("X", "_", n=1), "replace pattern": lambda s: s.str.replace("[ab]", "<>", regex=True),
    "replace group": lambda s: s.str.replace(r"([a-z])", r"<\1>", regex=True), "replace any case": lambda s: s.str.replace("A",
    "q", case=False, regex=True),
    "replace dot": lambda s: s.str.replace(".", "-"), "slice": lambda s: s.str.slice(1, 3), "slice end": lambda s: s.str[-2:],
    "slice step": lambda s: s.str[::2],
    "slice but last": lambda s: s.str[:-1], "get": lambda s: s.str.get(1), "get last": lambda s: s.str[-1], "get far": lambda s: s.str[99],
    "split": lambda s: s.str.split("-").str[0], "split 1": lambda s: s.str.split("-").str[1], "split space": lambda s: s.str.split().str[0],
    "split space 1": lambda s: s.str.split().str[1], "split last": lambda s: s.str.split("-").str[-1],
    "split once": lambda s: s.str.split("-", n=1).str[1],
    "split pattern": lambda s: s.str.split("[0-9X]", regex=True).str[1], "zfill": lambda s: s.str.zfill(5), "pad": lambda s: s.str.pad(6),
    "ljust": lambda s: s.str.ljust(5, "*"), "rjust": lambda s: s.str.rjust(5, "é"), "center": lambda s: s.str.center(6, "-"),
    "center odd": lambda s: s.str.center(5, "-"),
    "pad both": lambda s: s.str.pad(7, side="both"), "repeat": lambda s: s.str.repeat(2), "repeat none": lambda s: s.str.repeat(0),
    "cat": lambda s: s.str.cat(s, sep="+"), "cat na_rep": lambda s: s.str.cat(s, sep="+", na_rep="?"),
    "cat of several": lambda s: s.str.cat([s, s], sep=","),
    "extract": lambda s: s.str.extract("([a-z][A-Z0-9])", expand=False) if isinstance(s, pd.Series) else s.str.extract("([a-z][A-Z0-9])"),
    **{f"is{what}": method(f"is{what}")
       for what in ("alnum", "alpha", "digit", "numeric", "decimal", "space", "lower", "upper", "title")},
}  # fmt: skip


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("name", VERBS)
def test_against_pandas(name: str, held: str) -> None:
    ours, theirs = series(held)
    found = VERBS[name](ours)
    assert_same(found, VERBS[name](theirs), numbers=True)
    assert found.dtype.kind.value in ("string", "bool", "int")   # never floats, which pandas makes of ints where some are missing


@pytest.mark.parametrize("held", HELD)
def test_none_and_all_missing(held: str) -> None:
    for texts in ([], [None, None, None]):
        ours, theirs = series(held, texts)
        for name, verb in VERBS.items():
            expected = outcome(verb, theirs)
            if not isinstance(expected, Exception):
                assert_same(verb(ours), expected, numbers=True), name


def test_an_empty_text_is_replaced_between_all_characters() -> None:
    for regex in (False, True):
        assert ff.Series(["ab", "", None]).str.replace("", "-", regex=regex).tolist() == ["-a-b-", "-", None]


@pytest.mark.parametrize("width", range(8))
def test_center_is_pythons(width: int) -> None:
    assert ff.Series(["", "a", "ab", "日本 語"]).str.center(width, "*").tolist() == [one.center(width, "*") for one in ("", "a", "ab", "日本 語")]


@given(st.lists(st.one_of(st.none(), st.text(alphabet="aB-é 語1", max_size=6)), max_size=12), st.sampled_from(HELD))
def test_texts_of_any_kind(texts: list[str | None], held: str) -> None:
    ours, _ = series(held, texts)
    for function in (str.upper, str.lower, str.strip, len):
        found = getattr(ours.str, function.__name__)().tolist()
        assert found == [None if one is None else function(one) for one in texts]
    assert ours.str.contains("B", regex=False).tolist() == [one is not None and "B" in one for one in texts]
    assert ours.str.replace("a", "xy").tolist() == [None if one is None else one.replace("a", "xy") for one in texts]
    assert ours.str.split("-").str[0].tolist() == [None if one is None else one.split("-")[0] for one in texts]


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda: ff.Series([1], name="n").str, DTypeError,
        ".str is not defined for dtype int64 of column 'n'. It works on strings. Use .astype(...) to convert first."),
        (lambda: ff.Series(["a"]).str.uper(), MissingAttribute, "'Series.str' has no attribute 'uper'. Did you mean 'upper' or 'isupper'?"),
        (lambda: ff.Series(["a"]).str.contains("("), ArgumentError, None),
        (lambda: ff.Series(["a"]).str.contains("a", na=3), ArgumentError, "str was given na=3. Allowed are: True, False, None."),
        (lambda: ff.Series(["a"]).str.replace({"a": "b"}, "c"), UnsupportedOperation, None),
        (lambda: ff.Series(["a"]).str.pad(3, side="up"), ArgumentError, "text.pad was given side='up'. Allowed are: 'left', 'right', 'both'."),
        (lambda: ff.Series(["a"]).str.extract("(a)(b)", 2), ArgumentError, None),
    ],
)  # fmt: skip
def test_errors(verb: Callable[[], Any], error: type[FastFrameError], message: str | None) -> None:
    with pytest.raises(error) as raised:
        verb()
    assert message is None or str(raised.value) == message
