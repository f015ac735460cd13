"""Functions of plain text by kernels, beside Python's: with nulls, beyond ASCII, on slices, by 1, 2 and 4 threads."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.column import Column
from fastframe.engines.cpu import plain_text

ASCII = ["", "a", "ab", "rain", "train", "rai", "nrain", "RAIN", "the rain in", "x" * 15, "x" * 16, "x" * 40 + "rain", "rainrain", " rain", "a.b"]
BEYOND = ["é", "érain", "日本rain", "İ", "é" * 40, "rain日本rain日本rain", "🌧", "a🌧b🌧" * 20]
SIZES = [(1, 0), (2, 1), (64, 0.1), (700, 0.1), (SLICE_ROWS + 70, 0.05)]
LITERALS = ["rain", "a", "ai", "x", "n1", "é", "日", "raint", "zz", "x" * 16, "."]
REPLACED = [("rain", "snow"), ("a", ""), ("ai", "<->"), ("x", "yy"), ("é", "e"), ("rain", "rainrain"), (".", "|" * 20)]
SLICES = [(0, 3), (2, None), (-3, None), (1, -1), (-5, -2), (3, 1), (None, 2), (40, 50), (None, None)]


@lru_cache
def texts(n_rows: int, nulls: float, beyond: bool, large: bool) -> pa.Array:
    """A slice, whose offsets and validity do not start at 0, of texts of which many end as the next one's pattern begins."""
    dice, pool = random.Random(n_rows), ASCII + BEYOND * beyond
    values = [
        None if dice.random() < nulls else dice.choice(pool) + (str(dice.randrange(10**6)) if dice.random() < 0.5 else "") for _ in range(n_rows + 3)
    ]
    return pa.array(values, pa.large_string() if large else pa.string()).slice(3)


def check(array: pa.Array, ours: Callable[[Any], ff.Series], python: Callable[[str], Any], *, missing: Any = None) -> None:
    """By any threads what Python gives text by text."""
    expected = [missing if one is None else python(one) for one in array.to_pylist()]
    for threads in (1, 2, 4) if len(array) > SLICE_ROWS else (2,):
        with ff.option_context(threads=threads):
            found = ours(ff.from_arrow(pa.table({"s": array}))["s"].str).to_arrow()
            found.validate(full=True)
            assert found.to_pylist() == expected


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_search(n_rows: int, nulls: float, beyond: bool, large: bool) -> None:
    array = texts(n_rows, nulls, beyond, large)
    for literal in LITERALS:
        check(array, lambda s, one=literal: s.contains(one, regex=False), lambda text, one=literal: one in text, missing=False)
    check(array, lambda s: s.contains("rain"), lambda text: "rain" in text, missing=False)
    check(array, lambda s: s.contains("a.b"), lambda text: any(text[at] == "a" and text[at + 2] == "b" for at in range(len(text) - 2)), missing=False)
    check(array, lambda s: s.contains("rain", na=True), lambda text: "rain" in text, missing=True)
    check(array, lambda s: s.contains("rain", case=False), lambda text: "rain" in text.lower(), missing=False)
    check(array, lambda s: s.contains(""), lambda text: True, missing=False)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_replacement_and_pieces(n_rows: int, nulls: float, beyond: bool, large: bool) -> None:
    array = texts(n_rows, nulls, beyond, large)
    for literal, given in REPLACED:
        check(array, lambda s, one=literal, other=given: s.replace(one, other, regex=False), lambda text, one=literal, other=given: text.replace(one, other))
        for number in (0, 1, 2, 5):
            check(
                array,
                lambda s, one=literal, at=number: s.split(one, regex=False).str.get(at),
                lambda text, one=literal, at=number: (text.split(one) + [None] * 6)[at],
            )
    check(array, lambda s: s.replace("a", "b", n=1, regex=False), lambda text: text.replace("a", "b", 1))
    check(array, lambda s: s.split("a", regex=False).str.get(-1), lambda text: text.split("a")[-1])


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_lengths_case_and_slices(n_rows: int, nulls: float, beyond: bool, large: bool) -> None:
    array = texts(n_rows, nulls, beyond, large)
    check(array, lambda s: s.len(), len)
    dotted = [one for one in array.to_pylist() if one is not None and "İ" in one]   # two characters in Python's lower case, one in Arrow's
    if not dotted:
        check(array, lambda s: s.lower(), str.lower)
    check(array, lambda s: s.upper(), str.upper)
    for start, stop in SLICES:
        check(array, lambda s, first=start, last=stop: s.slice(first, last), lambda text, first=start, last=stop: text[first:last])
    check(array, lambda s: s.slice(0, 9, 2), lambda text: text[0:9:2])


AFFIXES = ["", "rain", "a", "x" * 16, "é", "日本", "0", "n1"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_affixes_and_counts(n_rows: int, nulls: float, beyond: bool, large: bool) -> None:
    array = texts(n_rows, nulls, beyond, large)
    for one in AFFIXES if n_rows <= SLICE_ROWS else AFFIXES[1:3]:
        check(array, lambda s, it=one: s.startswith(it), lambda text, it=one: text.startswith(it), missing=False)
        check(array, lambda s, it=one: s.endswith(it, na=True), lambda text, it=one: text.endswith(it), missing=True)
        check(array, lambda s, it=one: s.removeprefix(it), lambda text, it=one: text.removeprefix(it))
        check(array, lambda s, it=one: s.removesuffix(it), lambda text, it=one: text.removesuffix(it))
        if one:
            check(array, lambda s, it=one: s.count(it), lambda text, it=one: text.count(it))
    check(array, lambda s: s.startswith(("rain", "x")), lambda text: text.startswith(("rain", "x")), missing=False)
    check(array, lambda s: s.count("[ax]"), lambda text: text.count("a") + text.count("x"))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_shapes(n_rows: int, nulls: float, beyond: bool, large: bool) -> None:
    array, is_long = texts(n_rows, nulls, beyond, large), n_rows > SLICE_ROWS   # then by few options, for Python takes its time
    for index in (-2,) if is_long else (0, 1, 5, 39, -1, -2, -40, 10**6):
        check(array, lambda s, at=index: s.get(at), lambda text, at=index: text[at] if -len(text) <= at < len(text) else None)
    for chars in ("ra",) if is_long else ("ra", "x", "rain0123456789", "é日", ""):
        check(array, lambda s, it=chars: s.strip(it), lambda text, it=chars: text.strip(it))
        check(array, lambda s, it=chars: s.lstrip(it), lambda text, it=chars: text.lstrip(it))
        check(array, lambda s, it=chars: s.rstrip(it), lambda text, it=chars: text.rstrip(it))
    for width in (7,) if is_long else (-1, 0, 1, 6, 7, 50):
        check(array, lambda s, to=width: s.zfill(to), lambda text, to=width: text.zfill(to))
        for char in ("é",) if is_long else (" ", "*", "é", "日"):
            check(array, lambda s, to=width, it=char: s.pad(to, fillchar=it), lambda text, to=width, it=char: text.rjust(to, it))
            check(array, lambda s, to=width, it=char: s.ljust(to, it), lambda text, to=width, it=char: text.ljust(to, it))
            check(array, lambda s, to=width, it=char: s.center(to, it), lambda text, to=width, it=char: text.center(to, it))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(("n_rows", "nulls"), SIZES)
def test_white_space_signs_and_cases(n_rows: int, nulls: float, large: bool) -> None:
    """All of ASCII, at both ends and within."""
    dice = random.Random(n_rows)
    pool = [chr(code) for code in range(128)] * 2 + list(" \t\n\x1f+-'aZ9") * 20
    values = [None if dice.random() < nulls else "".join(dice.choices(pool, k=dice.randrange(12))) for _ in range(n_rows + 1)]
    array = pa.array(values, pa.large_string() if large else pa.string()).slice(1)
    check(array, lambda s: s.strip(), str.strip)
    check(array, lambda s: s.lstrip(), str.lstrip)
    check(array, lambda s: s.rstrip(), str.rstrip)
    check(array, lambda s: s.zfill(9), lambda text: text.zfill(9))
    for name in ("upper", "lower", "swapcase", "title", "capitalize"):
        check(array, lambda s, it=name: getattr(s, it)(), lambda text, it=name: getattr(text, it)())


def test_fillings_that_are_no_character() -> None:
    names = ff.DataFrame({"s": [f"{number}-{number * 7919}" for number in range(40)]})["s"].str
    for fillchar in ("", "ab"):
        with pytest.raises(ff.errors.ArgumentError):
            names.pad(20, fillchar=fillchar)
    with pytest.raises(ff.errors.ArgumentError, match="side"):
        names.pad(20, side="top")


@pytest.mark.parametrize(("name", "options", "taken"), [
    ("len", {}, True), ("upper", {}, True), ("title", {}, True), ("normalize", {"form": "NFC"}, False), ("slice", {"start": 1, "stop": None, "step": 2}, False),
    ("contains", {"pat": "r.in", "regex": True, "case": True}, False), ("contains", {"pat": "r.in", "regex": False, "case": True}, True),
    ("replace", {"pat": "a", "repl": r"\1", "n": -1, "regex": True, "case": True}, False),
    ("replace", {"pat": "a", "repl": r"\1", "n": -1, "regex": False, "case": True}, True),
    ("split_get", {"pat": None, "n": -1, "regex": False, "index": 0}, False), ("split_get", {"pat": ",", "n": -1, "regex": False, "index": 0}, True),
])  # fmt: skip
def test_what_kernels_take(name: str, options: dict[str, Any], taken: bool) -> None:
    assert (plain_text.by_kernel(name, Column(pa.array(["rain", None])), options) is not None) == taken
    if name == "upper":
        assert plain_text.by_kernel(name, Column(pa.array(["é"])), options) is None
