"""Texts that hardly repeat: their first rows, where others have them, their codes, and joins on them, by 1, 2 and 4 threads."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.column import Column
from fastframe.engines.cpu import keys_text, text_index
from fastframe.engines.cpu.text_index import NOWHERE, TextIndex

KINDS: dict[str, Callable[[int], str]] = {
    "words": str,
    "pairs": "id{:010d}".format,
    "long": "a long text that all begin with {}".format,
    "lengths": lambda key: "x" * (key % 40) + str(key % 7),
    "bytes": "é{}\0".format,
}


def texts(kind: str, n_rows: int, n_values: int, nulls: float, *, large: bool = False, seed: int = 0) -> pa.Array:
    """A slice whose offsets and validity do not start at 0."""
    dice = random.Random(f"{kind} {n_rows} {seed}")
    values = [None if dice.random() < nulls else KINDS[kind](dice.randrange(n_values)) for _ in range(n_rows + 3)]
    return pa.array(values, pa.large_string() if large else pa.string()).slice(3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_rows", "n_values", "nulls", "large"), [
    (0, 1, 0, False), (1, 1, 0, False), (1, 1, 1, True), (65, 9, 1, False), (1000, 300, 0.1, True), (20_000, 60_000, 0, False),
    (SLICE_ROWS + 70, 20_000, 0.05, False),
])  # fmt: skip
def test_first_rows_places_and_codes(kind: str, n_rows: int, n_values: int, nulls: float, large: bool) -> None:
    array, other = texts(kind, n_rows, n_values, nulls, large=large), texts(kind, 3000, 2 * n_values, 0.05, seed=1)
    first: dict[str | None, int] = {}
    expected = [first.setdefault(one, row) for row, one in enumerate(array.to_pylist())]
    places = [77 if one is None else first.get(one, NOWHERE) for one in other.to_pylist()]
    numbers = {one: code for code, one in enumerate(one for one in first if one is not None)}
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            index = TextIndex(array)
            assert index.first_rows.tolist() == expected
            assert index.missing == first.get(None, NOWHERE)
            assert index.find(other, 77).tolist() == places
            codes = np.empty(n_rows, np.uint32)
            assert index.number(codes).tolist() == [first[one] for one in numbers]
            assert codes.tolist() == [numbers.get(one, NOWHERE) if one is not None else NOWHERE for one in array.to_pylist()]


def test_a_part_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four parts of tables that are made for a 64th of the texts: some get more."""
    monkeypatch.setattr(text_index, "thread_count", lambda: 64)
    monkeypatch.setattr(text_index, "_SHARED_ROWS", 1)
    array = pa.array([str(number) for number in range(700)])
    assert TextIndex(array).first_rows.tolist() == list(range(700))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long columns, whose repetition is looked at, begin at 100 rows."""
    monkeypatch.setattr(keys_text, "_SHORT_ROWS", 100)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("kind", ["words", "pairs", "long", "bytes"])
@pytest.mark.parametrize("nulls", [0, 0.1, 1])
def test_encoding_is_the_same(kind: str, nulls: float) -> None:
    array = texts(kind, 2000, 5000, nulls)
    encoded = keys_text.encode_text(Column(array))
    assert not keys_text.repeats(array) or nulls == 1
    plain = array.dictionary_encode()
    assert encoded.codes.equals(plain.indices) and encoded.dictionary.equals(plain.dictionary)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
@pytest.mark.parametrize("right_rows", [0, 3, 150, 1500])
@pytest.mark.parametrize(("left_values", "right_values"), [(4000, 4000), (12, 4000), (4000, 12)])
@pytest.mark.parametrize("nulls", [0, 0.03])
def test_joins(how: str, right_rows: int, left_values: int, right_values: int, nulls: float) -> None:
    """Plain beside plain, codes beside plain, plain beside codes: which side repeats decides."""
    left = pa.table({"k": texts("long", 1200, left_values, nulls), "n": pa.array(range(1200)), "a": np.arange(1200.0)})
    right = pa.table({
        "k": texts("long", right_rows, right_values, nulls, large=True, seed=1),
        "n": pa.array([row % 5 for row in range(right_rows)], pa.int64()),
        "b": np.arange(float(right_rows)),
    })  # fmt: skip
    for keys in (["k"], ["k", "n"]):
        expected = left.to_pandas().merge(right.to_pandas(), on=keys, how=how)   # type: ignore[call-overload]
        found = [ff.from_arrow(left).merge(ff.from_arrow(right), on=keys, how=how).to_pandas() for _ in range(2)]
        for one in found:
            pd.testing.assert_frame_equal(one.astype({"k": object}), expected.astype({"k": object}), check_dtype=False)


@pytest.mark.usefixtures("soon")
def test_a_category_joins_by_its_own_values() -> None:
    keys = [f"key {number}" for number in range(300)]
    left = ff.DataFrame({"k": keys[::2], "a": range(150)}).astype({"k": "category"})
    right = ff.DataFrame({"k": keys[::3], "b": range(100)}).astype({"k": "category"})
    found = left.astype({"k": "string"}).merge(right.astype({"k": "string"}), on="k")
    assert left.merge(right, on="k")["k"].astype("string").to_list() == found["k"].to_list() == keys[::6]
