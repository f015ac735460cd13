"""Texts compared, joined, looked up, written as digits and read from them: beside Python, on slices, by 1, 2 and 4 threads."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.errors import LossyCast

COMPARISONS = {"eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}
KINDS: dict[str, Callable[[random.Random], str]] = {
    "ids": lambda dice: f"id{dice.randrange(400):03d}",
    "words": lambda dice: "ab"[dice.randrange(2)] * dice.randrange(9),
    "pairs": lambda dice: f"key{dice.randrange(300):07d}",
    "long": lambda dice: "the same first words " * dice.randrange(3) + str(dice.randrange(50)),
    "mixed": lambda dice: dice.choice(["", "a", "é", "ée", "\0", "a\0", "x" * 16, "x" * 17, "y" * 100, "0123456789abcde", "id007"]),
}


@lru_cache
def texts(kind: str, n_rows: int, nulls: float, *, large: bool = False, seed: int = 0) -> pa.Array:
    """Of one kind, sliced so that neither offsets nor validity start at 0."""
    dice = random.Random(f"{kind} {n_rows} {seed}")
    values = [None if dice.random() < nulls else KINDS[kind](dice) for _ in range(n_rows + 3)]
    return pa.array(values, pa.large_string() if large else pa.string()).slice(3)


def series(array: pa.Array) -> ff.Series:
    return ff.from_arrow(pa.table({"s": array}))["s"]


def values_of(compute: Callable[[], ff.Series]) -> list[Any]:
    """What 1, 2 and 4 threads compute alike."""
    found = []
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            found.append(compute().to_arrow())
    assert found[0].equals(found[1]) and found[0].equals(found[2])
    result: list[Any] = found[0].to_pylist()
    return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_rows", "nulls", "large"), [
    (0, 0, False), (1, 0, False), (1, 1, False), (700, 0.2, True), (SLICE_ROWS + 70, 0.1, False), (64, 1, False),
])  # fmt: skip
def test_comparisons(kind: str, n_rows: int, nulls: float, large: bool) -> None:
    left, right = texts(kind, n_rows, nulls, large=large), texts(kind, n_rows, nulls, seed=1)
    frame = ff.DataFrame({"left": series(left), "right": series(right)})
    rows = list(zip(left.to_pylist(), right.to_pylist(), strict=True))
    values = ["id007", KINDS[kind](random.Random(5)), "the same first words 7"] + ["", "aaaa", "x" * 16] * (n_rows < 1000)
    for name, compare in COMPARISONS.items():
        missing = name == "ne"
        found = values_of(partial(compare, frame["left"], frame["right"]))
        assert found == [missing if None in row else compare(*row) for row in rows]
        for value in values:
            assert values_of(partial(compare, frame["left"], value)) == [missing if one is None else compare(one, value) for one, _ in rows]
            assert values_of(partial(compare, value, frame["right"])) == [missing if one is None else compare(value, one) for _, one in rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_rows", "nulls", "large"), [(0, 0, False), (1, 1, True), (700, 0.2, True), (SLICE_ROWS + 70, 0.1, False)])
def test_joined(kind: str, n_rows: int, nulls: float, large: bool) -> None:
    left, right = texts(kind, n_rows, nulls, large=large), texts(kind, n_rows, nulls, seed=1)
    frame = ff.DataFrame({"left": series(left), "right": series(right)})
    rows = list(zip(left.to_pylist(), right.to_pylist(), strict=True))
    assert values_of(lambda: frame["left"] + frame["right"]) == [None if None in row else row[0] + row[1] for row in rows]
    assert ("<é " + frame["left"]).to_list() == [None if one is None else "<é " + one for one, _ in rows]
    assert (frame["left"] + "").to_list() == [one for one, _ in rows]
    joined = values_of(lambda: frame["left"].str.cat(frame["right"], sep=", ", na_rep="nothing"))
    assert joined == [f"{'nothing' if one is None else one}, {'nothing' if other is None else other}" for one, other in rows]
    assert frame["left"].str.cat(frame["right"]).to_list() == [None if None in row else row[0] + row[1] for row in rows]


def test_a_sum_with_a_missing_text_is_missing() -> None:
    assert (ff.Series(["a", None, ""]) + None).to_list() == [None, None, None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_rows", "nulls", "large"), [(0, 0, False), (1, 1, False), (700, 0.2, True), (SLICE_ROWS + 70, 0.1, False)])
def test_members(kind: str, n_rows: int, nulls: float, large: bool) -> None:
    array = texts(kind, n_rows, nulls, large=large)
    dice = random.Random(9)
    few, many = ["", "id007", "x" * 17, "not there"], [KINDS[kind](dice) for _ in range(5000)] + [f"other {number}" for number in range(5000)]
    for wanted in (few, many, ["x" * 16], ["y" * 100, "\0"]):
        among = set(wanted)
        assert values_of(partial(series(array).isin, wanted)) == [one in among for one in array.to_pylist()]
    assert series(array).isin([*few, None]).to_list() == [one is None or one in few for one in array.to_pylist()]


def test_known_codes_answer_the_same() -> None:
    array = texts("ids", 70_000, 0.1)
    plain, encoded = series(array), series(array)
    ff.DataFrame({"s": encoded, "v": 1}).groupby("s").size()   # which keeps the codes on the column
    for one, other in ((plain == "id007", encoded == "id007"), (plain < "id1", encoded < "id1"), (plain.isin(["id007"]), encoded.isin(["id007"]))):
        assert one.to_arrow().equals(other.to_arrow())


def _integers(dtype: str) -> list[int]:
    bits = int(dtype.lstrip("uint"))
    least, most = (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    dice = random.Random(dtype)
    edges = {sign * (10**digits + one) for digits in range(20) for one in (-1, 0, 1) for sign in (1, -1)} | {least, most, least + 1, most - 1}
    spread = [dice.randint(least, most) >> dice.randrange(bits) for _ in range(2000)]
    return [one for one in [*sorted(edges), *spread] if least <= one <= most]


@pytest.mark.parametrize("dtype", [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)])
@pytest.mark.parametrize("repeat", [1, 40])
def test_digits(dtype: str, repeat: int) -> None:
    values: list[int | None] = [one for value in _integers(dtype) for one in (value, None)] * repeat
    array = pa.array(values, getattr(pa, dtype)()).slice(1)
    written = values_of(lambda: series(array).astype("string"))
    assert written == [None if one is None else str(one) for one in values[1:]]
    for kind in (pa.string(), pa.large_string()):
        text = pa.array([None if one is None else str(one) for one in values], kind).slice(1)
        assert series(text).astype(dtype).to_arrow().equals(array)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64"])
@pytest.mark.parametrize("text", [
    "", "-", " 1", "1 ", "+1", "0x1F", "1.0", "1e3", "12a", "9" * 21, "-0", "007", "\u0661", "300", "-129", "--1", "0" * 19 + "1", "12345678:", "1234567/",
])  # fmt: skip
def test_what_is_no_plain_number_is_left_to_pyarrow(text: str, dtype: str) -> None:
    try:
        expected = pa.array([text]).cast(getattr(pa, dtype)()).to_pylist()
    except pa.ArrowInvalid:
        expected = None
    for others in ([], ["1"] * 40):
        given = ff.Series([*others, text])
        if expected is None:
            with pytest.raises(LossyCast, match=r"(?s).*"):
                given.astype(dtype)
        else:
            assert given.astype(dtype).to_list() == [1] * len(others) + expected
