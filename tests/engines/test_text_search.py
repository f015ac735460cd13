"""Searches that ask only rows with a literal of the pattern: the same answers as without, and the same errors."""

from __future__ import annotations

import random
import re
from typing import Any

import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.engines.cpu.text_search import required_literal

LITERALS = {
    "7.7@": "7@", "abc": "abc", "a(bc)d": "abcd", "a(?:bc)+d": "bc", "a|b": "", "(a|b)cd": "cd", "^foo$": "foo", r"\d+-xyz": "-xyz", "(?i)abc": "",
    "a(?i:bc)def": "def", "x*yy?z": "y", r"\bfoo\b bar": "foo bar", "ab{2}c": "a", "[[:alpha:]]abc": "", "a{,2}bc": "bc", r"\Qab\E": "", "(": "", ".*": "",
    "é+日本": "日本", r"a\.b": "a.b", "": "", "[abc]": "", "(?P<year>20)(?P<month>12)": "2012", "(?s).x": "x", "(?x)a b": "", "[]x]yz": "yz", r"(a)\1": "a",
    "(((((abc)))))": "abc", "(ab)?cd": "cd", "a.b.cc.d": "cc", "a{0}bb": "bb", "(?:a{3}){2}": "a", r"\x41\x42": "AB", r"\t\n": "\t\n", "a++b": "b",
}  # fmt: skip


@pytest.mark.parametrize("pattern", LITERALS)
def test_required_literals(pattern: str) -> None:
    assert required_literal(pattern) == LITERALS[pattern]


def texts(n_rows: int, nulls: float) -> pa.Array:
    dice = random.Random(n_rows)
    pool = ["abc", "ab", "a.b", "x-77@", "777@", "é日本", "foo", "foo bar", "2012", "cd", "\n", "ABC", ""]
    one = lambda: "".join(dice.choices(pool, k=dice.randrange(4))) + str(dice.randrange(10**7))   # noqa: E731
    return pa.array([None if dice.random() < nulls else one() for _ in range(n_rows + 1)], pa.string()).slice(1)


PATTERNS = ["7.7@", "abc|ab", "a.b", r"foo( bar)?\d", r"^abc", r"\d$", "é+日本", "[[:alpha:]]bc", r"2012(?:cd)+", "(?i)ABC", "zzz.", r"c\nd", "7@.*7@"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("n_rows", "nulls"), [(1, 0), (300, 0.2), (SLICE_ROWS + 40, 0.05)])
@pytest.mark.parametrize("na", [False, True])
def test_the_same_answers(pattern: str, n_rows: int, nulls: float, na: bool) -> None:
    if n_rows > SLICE_ROWS and (na or pattern not in PATTERNS[:2]):
        pytest.skip("Python takes its time")
    array = texts(n_rows, nulls)
    python = re.compile(pattern.replace("[[:alpha:]]", "[A-Za-z]"))
    for name, asked in (("contains", python.search), ("match", python.match), ("fullmatch", python.fullmatch)):
        wanted = [na if text is None else asked(text) is not None for text in array.to_pylist()]
        if pattern.endswith("$"):   # Python's also matches before a last newline, of which there is none here
            assert not any(text is not None and text.endswith("\n") for text in array.to_pylist())
        for threads in (1, 2, 4) if n_rows > SLICE_ROWS else (2,):
            with ff.option_context(threads=threads):
                text = ff.from_arrow(pa.table({"s": array}))["s"].str
                found: Any = getattr(text, name)(pattern, na=na)
            assert found.to_list() == wanted, (name, threads)


@pytest.mark.parametrize("pattern", ["abc(", "abc(?=d)", r"(abc)\1", "abc[", "abc{1001}"])
def test_what_re2_refuses_is_refused_where_no_row_has_the_literal(pattern: str) -> None:
    frame = ff.DataFrame({"s": [f"user{number * 7919}@example" for number in range(1000)]})
    with pytest.raises(ff.errors.ArgumentError):
        frame["s"].str.contains(pattern)
