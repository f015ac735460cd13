"""`merge` and `join` against pandas: keys of every dtype, missing and repeated keys, labels as keys, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.errors import ArgumentError, ColumnNotFound, DuplicateColumn, MergeError, ShapeError, UnsupportedOperation
from fastframe.options import option_context
from fastframe.testing import DTYPES, NULLS, covering
from tests.frame.grouped_cases import assert_same, content, made

Verb = Callable[[Any, Any], Any]
HOW = ("inner", "left", "right", "outer")
LEFT: dict[str, list[Any]] = {"a": [1, 2, 2, 3, 5], "s": ["x", "y", "y", "z", None], "v": [1.0, 2, 3, 4, 5]}
RIGHT: dict[str, list[Any]] = {"a": [2, 2, 3, 4, 1], "s": ["y", "q", None, "z", "x"], "w": [9, 8, 7, 6, 5]}


def sides() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    left, right = (LEFT, [10, 20, 30, 40, 50]), (RIGHT, [20, 30, 40, 60, 10])
    return tuple((ff.DataFrame(data, index=labels), pd.DataFrame(data, index=labels)) for data, labels in (left, right))   # type: ignore[return-value]


def check(verb: Verb, left: tuple[Any, Any], right: tuple[Any, Any]) -> None:
    assert_same(verb(left[0], right[0]), verb(left[1], right[1]), rtol=1e-12, numbers=True)


CASES = covering({
    "key": [name for name in DTYPES if name != "binary" and not name.startswith("time")] + ["timestamp[us]", "timestamp[ns, UTC]"],
    "left": NULLS, "right": NULLS, "how": HOW, "rows": [(30, 25), (1, 30), (30, 0), (0, 5), (200, 3)], "sliced": (False, True),
})  # fmt: skip


def missing_first(key: str, how: str) -> bool:
    """Whether pandas sorts missing keys of an outer join first (row `outer-merge-missing-last` of coming_from_pandas.md)."""
    return how == "outer" and (key in ("category",) or key.startswith(("timestamp", "duration")))


@pytest.mark.parametrize("how", HOW)
def test_keys_of_every_dtype(how: str) -> None:
    for case in (one for one in CASES if one["how"] == how):
        n_left, n_right = case["rows"]
        key = {"dtype": case["key"], "sliced": case["sliced"]}
        left = made(n_left, k={**key, "nulls": case["left"]}, a="int64", c={"dtype": "string", "nulls": "some"})
        right = made(n_right, k={**key, "nulls": case["right"], "seed": 9}, b="float64", c="date32")
        mine, theirs = left[0].merge(right[0], how=how, on="k"), left[1].merge(right[1], how=how, on="k")
        if missing_first(case["key"], how):
            theirs = pd.concat([theirs[theirs["k"].notna()], theirs[theirs["k"].isna()]], ignore_index=True)
        try:
            assert_same(mine, theirs, numbers=True)
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error


@pytest.mark.parametrize("how", HOW)
def test_ways_to_name_keys(how: str) -> None:
    verbs: list[Verb] = [
        lambda l, r: l.merge(r, how=how, on="a"), lambda l, r: l.merge(r, how=how, on=["a", "s"]), lambda l, r: l.merge(r, how=how),
        lambda l, r: l.merge(r, how=how, on="a", suffixes=("_l", "_r")), lambda l, r: l.merge(r, how=how, on="a", suffixes=(None, "_r")),
        lambda l, r: l.merge(r, how=how, left_on="a", right_on="w"), lambda l, r: l.merge(r, how=how, left_on="a", right_on="a"),
        lambda l, r: l.merge(r, how=how, left_on=["a", "s"], right_on=["w", "s"]), lambda l, r: l.merge(r["a"], how=how, on="a"),
        lambda l, r: l.merge(r.iloc[:0], how=how, on="a"), lambda l, r: l.iloc[:0].merge(r, how=how, on="a"),
        lambda l, r: l.iloc[:0].merge(r.iloc[:0], how=how, on="a"), lambda l, r: l[l["s"].isna()].merge(r[r["s"].isna()], how=how, on="s"),
        lambda l, r: l.merge(r.drop_duplicates("a"), how=how, on="a", validate="m:1"),
        lambda l, r: (ff if isinstance(l, ff.DataFrame) else pd).merge(l, r, how=how, on="a"),
    ]  # fmt: skip
    for verb in verbs:
        check(verb, *sides())


@pytest.mark.parametrize("how", HOW)
def test_labels_as_keys(how: str) -> None:
    """The result has the labels of the side whose labels are no keys, or of both."""
    verbs: list[Verb] = [
        lambda l, r: l.merge(r, how=how, left_index=True, right_index=True),
        lambda l, r: l.merge(r.set_index("a"), how=how, left_on="a", right_index=True),
        lambda l, r: l.set_index("a").merge(r, how=how, left_index=True, right_on="a"),
        lambda l, r: l.merge(r[["s", "w"]].set_index("w"), how=how, left_on="a", right_index=True),
        lambda l, r: l.set_index(["a", "s"]).merge(r.set_index(["a", "s"]), how=how, left_index=True, right_index=True),
        lambda l, r: l.join(r, how=how, suffixes=("_l", "_r")), lambda l, r: l[["v"]].join(r[["w"]], how=how), lambda l, r: l.join(r["w"], how=how),
        lambda l, r: l[["v", "a"]].join(r.set_index("a"), on="a", how=how), lambda l, r: l[["v"]].join(r[["w"]].iloc[:0], how=how),
    ]  # fmt: skip
    for verb in verbs:
        check(verb, *sides())


def test_cross() -> None:
    check(lambda l, r: l.merge(r, how="cross"), *sides())
    check(lambda l, r: l.merge(r.iloc[:0], how="cross"), *sides())
    with pytest.raises(ArgumentError, match=r"merge: how='cross' was given with keys\. Pass keys or how='cross', not both\."):
        ff.DataFrame(LEFT).merge(ff.DataFrame(RIGHT), how="cross", on="a")


@pytest.mark.filterwarnings("ignore:You are merging on int and float columns")
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("left", "right"), [("int8", "int64"), ("int32", "uint32"), ("uint64", "int64"), ("bool", "int64"), ("float32", "float64"), ("int64", "float64")]
)
def test_keys_of_two_dtypes(how: str, left: str, right: str) -> None:
    check(lambda l, r: l.merge(r, how=how, on="k"), made(20, k=left, a="int8"), made(15, k={"dtype": right, "seed": 5}, b="int8"))


@pytest.mark.parametrize("how", HOW)
def test_categories(how: str) -> None:
    """Equal categories stay a category; others are compared by their values."""
    def pair(values: list[str], name: str, dtype: str) -> tuple[Any, Any]:
        theirs = pd.DataFrame({"c": pd.Series(values, dtype=dtype), name: range(len(values))})
        return ff.DataFrame(theirs), theirs

    one = pair(["a", "c", "b", "c"], "v", "category")
    check(lambda l, r: l.merge(r, on="c", how=how), one, pair(["c", "b", "z"], "w", "category"))
    check(lambda l, r: l.merge(r, on="c", how=how), one, pair(["c", "b", "z"], "w", "str"))
    check(lambda l, r: l.merge(r, on="c", how=how), one, pair(["b", "a", "c"], "w", "category"))
    same = one[0].merge(pair(["c", "a", "b"], "w", "category")[0], on="c", how=how)["c"]
    assert same.dtype.kind.value == "category"


@pytest.mark.parametrize("whole", [2**53 + 1, -(2**53) - 1, 2**62])
def test_integers_that_floats_cannot_tell_apart_are_refused(whole: int) -> None:
    ints, floats = ff.DataFrame({"k": [1, whole]}), ff.DataFrame({"f": [1.0, float(whole)]})
    message = (
        "merge cannot compare key 'k' of dtype int64 with key 'f' of dtype float64: it has integers beyond 2**53, which float64 cannot tell apart. "
        "Use .astype('int64') on the float key."
    )
    for verb in (lambda: ints.merge(floats, left_on="k", right_on="f"), lambda: floats.merge(ints, left_on="f", right_on="k")):
        with pytest.raises(MergeError) as raised:
            verb()
        assert str(raised.value) == message
    assert len(ff.DataFrame({"k": [1, 2**53]}).merge(floats, left_on="k", right_on="f")) == 1 + (float(whole) == 2**53)


@pytest.mark.parametrize(
    ("validate", "side", "left", "right"),
    [
        ("one_to_one", "left", [1, 2, 2], [1, 2]), ("one_to_one", "right", [1, 2], [2, 2]), ("1:1", "right", [1, 2], [2, 2]),
        ("one_to_many", "left", [2, 2], [1, 1]), ("1:m", "left", [2, 2], [1]), ("many_to_one", "right", [1, 1], [2, 3, 2]), ("m:1", "right", [1], [2,
        2]),
    ],
)  # fmt: skip
def test_validate(validate: str, side: str, left: list[int], right: list[int]) -> None:
    one, other = ff.DataFrame({"k": left, "a": left}), ff.DataFrame({"k": right, "b": right})
    with pytest.raises(MergeError) as raised:
        one.merge(other, on="k", validate=validate)
    assert str(raised.value) == f"merge(validate={validate!r}) failed: the keys 'k' are not unique on the {side} side, for example 2 occurs more than once."
    assert len(one.merge(other, on="k", validate="many_to_many")) == sum(left.count(key) * right.count(key) for key in set(left))


@pytest.mark.parametrize(("how", "validate", "side"), [("left", "m:1", "right"), ("inner", "1:1", "right"), ("right", "1:m", "left")])
def test_keys_without_a_partner_are_validated_too(how: str, validate: str, side: str) -> None:
    many = {"k": [*range(1 << 15), 7, 7]}   # so many that a join would first drop those without partner
    few = {"k": [1, 2]}
    one, other = (ff.DataFrame(few), ff.DataFrame(many)) if side == "right" else (ff.DataFrame(many), ff.DataFrame(few))
    with pytest.raises(MergeError) as raised:
        one.merge(other, how, on="k", validate=validate)
    assert f"not unique on the {side} side, for example 7 " in str(raised.value)


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda l, r: l.merge(r, on="z"), ColumnNotFound, "there is no column 'z'. The columns are: 'a', 's', 'v'."),
        (lambda l, r: l.merge(r, on="v"), ColumnNotFound, "there is no column 'v'. The columns are: 'a', 's', 'w'."),
        (lambda l, r: l.merge(r, left_on="a", right_on="s"), MergeError,
         "merge cannot compare key 'a' of dtype int64 with key 's' of dtype string. Use .astype(...) to give both one dtype."),
        (lambda l, r: l[["v"]].merge(r[["w"]]), MergeError,
         "merge found no common columns. Left has 'v'; right has 'w'. Pass on=, or left_on= and right_on=."),
        (lambda l, r: l.merge(r, left_on="a"), ArgumentError, "merge: 1 left keys and 0 right keys were given. Give as many of each."),
        (lambda l, r: l.merge(r, left_on=["a", "s"], right_on="a"), ArgumentError,
         "merge: 2 left keys and 1 right keys were given. Give as many of each."),
        (lambda l, r: l.merge(r, on="a", left_on="a"), ArgumentError,
         "merge: on= was given with other keys. Pass on=, or left_on= and right_on=."),
        (lambda l, r: l.merge(r, left_on="a", left_index=True, right_on="a"), ArgumentError,
         "merge: columns and the index of one side were given as its keys. Give one of both."),
        (lambda l, r: l.merge(r, on="a", how="x"), ArgumentError,
         "merge was given how='x'. Allowed are: 'inner', 'left', 'right', 'outer'."),
        (lambda l, r: l.merge(r, on="a", validate="x"), ArgumentError, None),
        (lambda l, r: l.merge(r, on="a", suffixes=("", "")), DuplicateColumn,
         "column names must be unique, but 's' would occur more than once. Pass other suffixes=."),
        (lambda l, r: l.assign(s_x=1).merge(r, on="a"), DuplicateColumn,
         "column names must be unique, but 's_x' would occur more than once. Pass other suffixes=."),
        (lambda l, r: l.join(r), DuplicateColumn,
         "column names must be unique, but 'a', 's' would occur more than once. Pass suffixes=."),
        (lambda l, r: l.merge(r, how="right", left_on="a", right_index=True), DuplicateColumn,
         "column names must be unique, but 'a' would occur more than once. A key column is matched with labels, but the other side has a column of its name: "
         "rename that."),
        (lambda l, r: l.merge(r, on="a", indicator=True), UnsupportedOperation, None),
    ],
)  # fmt: skip
def test_errors(verb: Verb, error: type[Exception], message: str | None) -> None:
    with pytest.raises(error) as raised:
        verb(ff.DataFrame(LEFT), ff.DataFrame(RIGHT))
    assert message is None or str(raised.value) == message
    assert "\1" not in str(raised.value)


def test_result_that_is_too_large_is_refused_before_it_is_made() -> None:
    same = ff.DataFrame({"k": [1] * 50_000})
    with pytest.raises(ShapeError, match="the join would make 2500000000 rows, more than the 2147483647"):
        same.merge(same, on="k")


KEYS = st.lists(st.one_of(st.none(), st.integers(-2, 2)), max_size=12)


@given(KEYS, KEYS, st.sampled_from(HOW))
def test_pairs_are_those_of_the_loop(left: list[int | None], right: list[int | None], how: str) -> None:
    ours = ff.DataFrame({"k": ff.Series(left, dtype="int64"), "l": list(range(len(left)))}), ff.DataFrame({"k": ff.Series(right, dtype="int64"),
    "r": list(range(len(right)))})
    found = ours[0].astype({"l": "int64"}).merge(ours[1].astype({"r": "int64"}), on="k", how=how)
    pairs = [(key, row, other) for row, key in enumerate(left) for other, right_key in enumerate(right) if key == right_key]
    if how in ("left", "outer"):
        pairs += [(key, row, None) for row, key in enumerate(left) if key not in right]
    if how in ("right", "outer"):
        pairs += [(key, None, row) for row, key in enumerate(right) if key not in left]
    last = 1 << 40
    first = {"inner": (1, 2), "left": (1, 2), "right": (2, 1), "outer": (0, 1, 2)}[how]
    expected = sorted(pairs, key=lambda row: tuple(last if row[place] is None else row[place] for place in first))
    assert list(zip(*(found[name].tolist() for name in ("k", "l", "r")), strict=True)) == expected


@pytest.mark.parametrize("how", HOW)
def test_threads_do_not_change_rows(how: str) -> None:
    left, right = made(60_000, k={"dtype": "int64"}, j={"dtype": "string", "nulls": "some"}, a="int64")[0].drop_duplicates("k"), made(3_000,
    k={"dtype": "int64", "seed": 4}, b="float64")[0]
    with option_context(threads=4):
        expected = content(left.merge(right, on="k", how=how))
    for threads in (1, 2):
        with option_context(threads=threads):
            assert content(left.merge(right, on="k", how=how)) == expected
