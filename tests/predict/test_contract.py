"""Contracts: matching by name, lossless numbers, categories by dictionary, every difference at once."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.errors import ContractError, DTypeError, ModelError


def number(name: str, dtype: str, *, nullable: bool = True) -> Field:
    return Field(name, dtypes.dtype(dtype), None, "error", nullable)


def category(name: str, values: list[Any], unseen: Any = "error", *, nullable: bool = True) -> Field:
    categories = pa.array(values)
    return Field(name, dtypes.from_arrow(pa.dictionary(pa.int32(), categories.type)), categories, unseen, nullable)


def contract(*fields: Field, named: bool = True) -> FeatureContract:
    return FeatureContract(fields, named).validate()


def lists(columns: Any) -> list[list[Any]]:
    return [column.array.to_pylist() for column in columns]


# ---- names ----------------------------------------------------------------------------------------------------------


def test_columns_are_matched_by_name_and_others_ignored() -> None:
    two = contract(number("b", "float64"), number("a", "float64"))
    found = two.apply(ff.DataFrame({"a": [1.0, 2.0], "zz": ["x", "y"], "b": [3.0, 4.0]}))
    assert lists(found) == [[3.0, 4.0], [1.0, 2.0]]


def test_a_missing_column_is_suggested_from_all_columns() -> None:
    for data in every_kind({"sized": [1.0, 2.0], "other": [1.0, 2.0]}):
        with pytest.raises(ContractError, match="no column 'size'.*'sized'"):
            contract(number("size", "float64")).apply(data)


def test_labels_of_rows_are_no_columns() -> None:
    frame = ff.DataFrame({"k": [5, 6], "a": [1.0, 2.0]}).set_index("k")
    assert lists(contract(number("a", "float64"), named=False).apply(frame)) == [[1.0, 2.0]]
    with pytest.raises(ContractError, match="no column 'k'"):
        contract(number("k", "float64")).apply(frame)


def test_all_differences_come_in_one_error() -> None:
    fields = [number("age", "float64"), number("size", "int8"), category("city", ["Rome", "Oslo"]), number("full", "float64", nullable=False)]
    frame = ff.DataFrame({"Age": [1.0], "size": [300], "city": ["Rom"], "full": [None]}).astype({"full": "float64"})
    with pytest.raises(ContractError) as caught:
        contract(*fields).apply(frame)
    first, second, third, fourth = caught.value.differences
    assert "no column 'age'" in first and "'Age'" in first
    assert "int64" in second and "int8" in second and "300" in second
    assert "'Rom'" in third and "'Rome'" in third
    assert "1 missing value," in fourth
    assert all(one in str(caught.value) for one in caught.value.differences)


def test_without_names_columns_are_matched_by_position() -> None:
    two = contract(number("x0", "float64"), number("x1", "float32"), named=False)
    assert lists(two.apply(np.array([[1.0, 2.0], [3.0, 4.0]]))) == [[1.0, 3.0], [2.0, 4.0]]
    assert lists(two.apply({"p": [1.0], "q": [2.0]})) == [[1.0], [2.0]]
    for data in (np.zeros((2, 3)), np.zeros((2, 1)), {"p": [1.0]}):
        with pytest.raises(ContractError, match="takes 2"):
            two.apply(data)


def test_an_array_is_matched_by_position_also_where_the_model_has_names() -> None:
    two = contract(number("a", "float64"), number("b", "float64"))
    assert lists(two.apply(np.array([[1.0, 2.0]], order="F"))) == [[1.0], [2.0]]
    assert lists(two.apply([[1, 2], [3, 4]])) == [[1, 3], [2, 4]]
    with pytest.raises(ContractError, match="takes 2"):
        two.apply(np.zeros((2, 3)))


# ---- what comes in --------------------------------------------------------------------------------------------------


def every_kind(data: dict[str, Any]) -> list[Any]:
    import polars as pl

    table = pa.table(data)
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=2))
    return [
        ff.DataFrame(data), table, chunked, table.slice(0), pa.concat_tables([table.slice(0, 1), table.slice(1)]), pd.DataFrame(data),
        pl.DataFrame(data), data, table.combine_chunks().to_batches()[0],
    ]  # fmt: skip


def test_every_kind_of_frame_gives_the_same_columns() -> None:
    data = {"a": [1.5, math.nan, -0.0], "k": ["x", "y", "x"], "n": [1, 2, 3]}
    three = contract(category("k", ["y", "x"]), number("n", "float32"), number("a", "float64"))
    for given_data in every_kind(data):
        codes, n, a = lists(three.apply(given_data))
        assert codes == [1, 0, 1] and n == [1, 2, 3]
        assert a[0] == 1.5 and (a[1] is None or math.isnan(a[1])) and math.copysign(1, a[2]) == -1


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("n_rows", [0, 1, 3, 20_000])
def test_arrays_in_any_order(order: Any, dtype: str, n_rows: int) -> None:
    array = np.array(np.arange(n_rows * 3).reshape(n_rows, 3) % 2, dtype=dtype, order=order)
    fields = [number(f"x{one}", "float64") for one in range(3)]
    for view in (array, array[::2], array[:, ::-1]):
        found = contract(*fields, named=False).apply(view)
        for position, column in enumerate(found):
            assert np.array_equal(column.array.to_numpy(zero_copy_only=False), view[:, position])


def test_other_things_are_refused() -> None:
    one = contract(number("a", "float64"))
    for data in (3, "text", [1, 2], [[1, 2], [3]], None):
        with pytest.raises(ContractError, match="cannot be predicted from"):
            one.apply(data)
    with pytest.raises(ContractError, match="reshape"):
        one.apply(np.zeros(3))


# ---- numbers --------------------------------------------------------------------------------------------------------

CASES: list[tuple[str, Any, str, bool]] = [
    ("int64", [2**53], "float64", True),
    ("int64", [2**53 + 1], "float64", False),
    ("int64", [2**53 + 2, 2**62], "float64", True),
    ("int64", [2**63 - 1], "float64", False),
    ("int64", [-(2**63)], "float64", True),
    ("uint64", [2**64 - 1], "float64", False),
    ("uint64", [2**63], "float64", True),
    ("int32", [2**24 + 1], "float32", False),
    ("int32", [2**24 + 2], "float32", True),
    ("float64", [0.1], "float32", False),
    ("float64", [0.5, math.nan, math.inf, -0.0], "float32", True),
    ("float64", [1e300], "float32", False),
    ("float32", [float(np.float32(0.1))], "float64", True),
    ("float16", [0.5], "float32", True),
    ("bool", [True, False], "float32", True),
    ("bool", [True], "int8", True),
    ("int64", [0, 1], "bool", True),
    ("int64", [2], "bool", False),
    ("float64", [1.0, math.nan], "bool", True),
    ("float64", [3.0, -128.0, math.nan], "int8", True),
    ("float64", [128.0], "int8", False),
    ("float64", [1.5], "int64", False),
    ("float64", [float(2**63)], "int64", False),
    ("float64", [-float(2**63)], "int64", True),
    ("float64", [math.inf], "int64", False),
    ("float64", [-1.0], "uint8", False),
    ("uint64", [2**63], "int64", False),
    ("int64", [-1], "uint64", False),
]


@pytest.mark.parametrize(("given_dtype", "values", "dtype", "fits"), CASES)
@pytest.mark.parametrize("nulls", [False, True])
def test_numbers_are_taken_where_the_dtype_has_them(given_dtype: str, values: list[Any], dtype: str, fits: bool, nulls: bool) -> None:
    if given_dtype == "float16":
        values = [np.float16(one) for one in values]
    array = pa.array([*values, None] if nulls else values, getattr(pa, {"bool": "bool_"}.get(given_dtype, given_dtype))())
    one = contract(number("a", dtype))
    for data in (pa.table({"a": array}), pa.table({"a": pa.concat_arrays([array, array]).slice(len(array))})):
        if not fits:
            with pytest.raises(ContractError, match=dtype):
                one.apply(data)
            continue
        (found,) = one.apply(data)
        assert found.array.null_count == nulls and found.physical is not None
        ours = found.array.drop_null().to_numpy(zero_copy_only=False).astype(float)
        assert np.array_equal(ours, np.array(values, float), equal_nan=True)


@given(st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**30), 2**30)), min_size=1), st.sampled_from(["float64", "float32"]))
def test_integers_fit_a_float_where_python_says_so(values: list[int], dtype: str) -> None:
    fits = all(int(np.dtype(dtype).type(one)) == one for one in values)
    one, data = contract(number("a", dtype)), {"a": np.array(values, np.int64)}
    if fits:
        assert lists(one.apply(data)) == [values]
    else:
        with pytest.raises(ContractError, match="does not have"):
            one.apply(data)


def test_other_dtypes_are_refused_by_name() -> None:
    one = contract(number("a", "float64"))
    for values in (["1"], [b"1"], pa.array([1], pa.timestamp("s")), pa.array(["x"]).dictionary_encode(), pa.array([[1]])):
        with pytest.raises(ContractError, match="'a' is .* takes float64"):
            one.apply(pa.table({"a": values}))


def test_all_null_columns_are_missing() -> None:
    both = contract(number("a", "float32"), category("k", ["x"]))
    a, k = both.apply(pa.table({"a": pa.nulls(2), "k": pa.nulls(2)}))
    assert a.array.to_pylist() == k.array.to_pylist() == [None, None]
    assert a.dtype == "float32"
    with pytest.raises(ContractError, match="2 missing values"):
        contract(number("a", "float32", nullable=False)).apply(pa.table({"a": pa.nulls(2)}))


@pytest.mark.parametrize("values", [[1.0, None], [1.0, math.nan]])
def test_missing_values_are_refused_where_the_model_has_none(values: list[Any]) -> None:
    with pytest.raises(ContractError, match="1 missing value,"):
        contract(number("a", "float64", nullable=False)).apply(pa.table({"a": values}))
    with pytest.raises(ContractError, match="1 missing value,"):
        contract(category("a", ["1.0", "nan"], nullable=False)).apply(pa.table({"a": pa.array(["1.0", None])}))


# ---- categories -----------------------------------------------------------------------------------------------------

DICTIONARIES = {
    "equal": (["x", "y", "z"], [0, 1, 2, None]),
    "permuted": (["z", "x", "y"], [1, 2, 0, None]),
    "unused": (["unseen", "z", "x", "y"], [2, 3, 1, None]),
    "duplicated": (["x", "y", "x", "z"], [2, 1, 3, None]),
    "null in the dictionary": (["x", None, "y", "z"], [0, 2, 3, 1]),
    "subset": (["y"], [0, None]),
}


@pytest.mark.parametrize("kind", DICTIONARIES)
@pytest.mark.parametrize("index", [pa.int8(), pa.int32(), pa.uint16()])
@pytest.mark.parametrize("value", [pa.string(), pa.large_string()])
def test_codes_are_looked_up_through_any_dictionary(kind: str, index: Any, value: Any) -> None:
    values, codes = DICTIONARIES[kind]
    array = pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(values, value))
    wanted = [None if one is None else ["x", "y", "z"].index(one) for one in array.to_pylist()]
    one = contract(category("k", ["x", "y", "z"]))
    assert lists(one.apply(pa.table({"k": array}))) == [wanted]
    sliced = pa.concat_arrays([array, array]).slice(len(array) - 1)
    assert lists(one.apply(pa.table({"k": sliced}))) == [[wanted[-1], *wanted]]
    assert lists(one.apply(pa.table({"k": array.dictionary_decode()}))) == [wanted]
    (found,) = one.apply(pa.table({"k": array}))
    assert found.dtype == "int32" and not found.is_encoded


def test_a_dictionary_is_looked_up_once_and_another_again() -> None:
    one = contract(category("k", ["x", "y"]))
    first = pa.table({"k": pa.array(["y", "x", "y"]).dictionary_encode()})
    assert lists(one.apply(first)) == lists(one.apply(first)) == [[1, 0, 1]]
    assert lists(one.apply(pa.table({"k": pa.array(["x", "y", "y"]).dictionary_encode()}))) == [[0, 1, 1]]
    assert lists(pickle.loads(pickle.dumps(one)).apply(first)) == [[1, 0, 1]]


@pytest.mark.parametrize("encoded", [False, True])
def test_unseen_values_follow_the_policy(encoded: bool) -> None:
    values = pa.array(["y", "q", None, "x", "q", "p"])
    data = pa.table({"k": values.dictionary_encode() if encoded else values})
    assert lists(contract(category("k", ["x", "y"], "missing")).apply(data)) == [[1, None, None, 0, None, None]]
    assert lists(contract(category("k", ["x", "y"], "model")).apply(data)) == [[1, 2, None, 0, 2, 2]]
    with pytest.raises(ContractError, match="3 values are no categories of the model: 'q', 'p'"):
        contract(category("k", ["x", "y"])).apply(data)


@pytest.mark.parametrize("n", [31, 32, 33, 63, 64, 255, 256, 70_000])
def test_many_categories(n: int) -> None:
    names = [f"c{one}" for one in range(n)]
    values = [names[0], names[-1], names[n // 2], None]
    (codes,) = contract(category("k", names)).apply(pd.DataFrame({"k": pd.Categorical(values, categories=names[::-1])}))
    assert codes.array.to_pylist() == [0, n - 1, n // 2, None]


NUMBER_CATEGORIES: list[tuple[Any, Any, list[int | None]]] = [
    ([3, 1, 2], pa.array([1, 2, 3, 4, None], pa.int8()), [1, 2, 0, -1, None]),
    ([3, 1, 2], pa.array([1.0, 2.5, 3.0, math.nan, math.inf, -0.0]), [1, -1, 0, None, -1, -1]),
    ([1.5, -2.0, 0.1], pa.array([1.5, 0.1, 2.0, math.nan, None]), [0, 2, -1, None, None]),
    ([1.5, -2.0, 0.1], pa.array([0.1, 1.5], pa.float32()), [-1, 0]),
    ([1.5, -2.0], pa.array([-2, 1, None]), [1, -1, None]),
    ([2**53 + 1, 2**53], pa.array([float(2**53)]), [1]),
    ([2**53 + 1, 5], pa.array([2**53 + 1, 2**53], pa.uint64()), [0, -1]),
    ([2**64 - 1, 5], pa.array([2**64 - 1, 5, 6], pa.uint64()), [0, 1, -1]),
    ([2**64 - 1, 5], pa.array([-1, 5]), [-1, 1]),
    ([-(2**63), 2**63 - 1], pa.array([-(2**63), 0, 2**63 - 1]), [0, -1, 1]),
    ([-(2**63), 2**63 - 1], pa.array([float(2**63), -float(2**63)]), [-1, 0]),
    ([False, True], pa.array([True, False, None]), [1, 0, None]),
    ([False, True], pa.array([1, 0, 2]), [1, 0, -1]),
    ([0, 1], pa.array([True, False]), [1, 0]),
    ([10**6, 0, 3], pa.array([3, 0, 10**6, 4]), [2, 1, 0, -1]),
]


@pytest.mark.parametrize(("categories", "values", "wanted"), NUMBER_CATEGORIES)
def test_numbers_are_the_category_that_they_equal(categories: list[Any], values: pa.Array, wanted: list[int | None]) -> None:
    field = category("k", pa.array(categories, pa.uint64()) if max(categories) > 2**63 else categories, "model")  # type: ignore[arg-type]
    expected = [len(categories) if one == -1 else one for one in wanted]
    assert lists(contract(field).apply(pa.table({"k": values}))) == [expected]
    assert lists(contract(field).apply(pa.table({"k": values.dictionary_encode()}))) == [expected]


def test_text_and_number_categories_do_not_mix() -> None:
    for field, values in ((category("k", [1, 2]), ["1"]), (category("k", ["1"]), [1])):
        for column in (pa.array(values), pa.array(values).dictionary_encode()):
            with pytest.raises(ContractError, match="takes categories of"):
                contract(field).apply(pa.table({"k": column}))


# ---- making, keeping ------------------------------------------------------------------------------------------------


def test_the_contract_of_a_frame() -> None:
    frame = ff.DataFrame({"n": [1, 2], "f": [1.0, None], "t": ["b", "a"], "b": [True, False]})
    made = FeatureContract.of_frame(frame, unseen="missing")
    assert [one.dtype.name for one in made.fields] == ["int64", "float64", "category", "bool"]
    assert [one.nullable for one in made.fields] == [False, True, False, False]
    assert made.fields[2].categories.to_pylist() == ["a", "b"] and made.fields[2].unseen == "missing"
    assert "category of 2" in made.explain() and "no missing values" in made.explain()
    with pytest.raises(DTypeError, match="'t'"):
        FeatureContract.of_frame(pa.table({"t": pa.array([1], pa.timestamp("s"))}))


def test_a_contract_prints_one_line_per_feature() -> None:
    printed = str(contract(number("age", "int16", nullable=False), category("city", list("abcdefg"), "missing"), category("sort", [1], "model")))
    assert printed.splitlines() == [
        "3 features, matched by name",
        "  age: int16, never missing",
        "  city: category of 7 ('a', 'b', 'c', 'd', 'e' and 2 more), others are missing, may be missing",
        "  sort: category of 1 (1), others as the model has it, may be missing",
    ]
    assert str(contract(number("x0", "float32"), named=False)).splitlines() == ["1 feature, matched by position", "  x0: float32, may be missing"]


def test_a_row_of_another_width_says_what_was_given() -> None:
    message = "1 feature came in, but the model takes 2. Without names on both sides they are matched by position: give all, in the model's order."
    with pytest.raises(ContractError, match=re.escape(message)):
        contract(number("a", "float64"), number("b", "float64")).apply(np.zeros((3, 1)))


def test_a_contract_survives_json() -> None:
    import json

    fields = [
        number("a", "float32"), number("b", "bool", nullable=False), category("k", ["ä", "b\0"], "model"), category("n", [3, -1]),
        category("f", [0.1, 1e300]), category("t", [True, False]),
    ]  # fmt: skip
    made = contract(*fields)
    again = FeatureContract.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made


@pytest.mark.parametrize(
    "fields",
    [
        [number("a", "int8"), number("a", "int8")],
        [Field("a", dtypes.dtype("string"))],
        [Field("a", dtypes.dtype("int8"), pa.array(["x"]))],
        [Field("a", dtypes.dtype("category"), pa.array(["x", "x"]))],
        [Field("a", dtypes.dtype("category"), pa.array(["x", None]))],
        [Field("a", dtypes.dtype("category"), pa.array([b"x"]))],
        [Field("a", dtypes.dtype("int8"), unseen="other")],  # type: ignore[arg-type]
    ],
)
def test_fields_that_cannot_be(fields: list[Field]) -> None:
    with pytest.raises(ModelError):
        contract(*fields)


def test_the_policy_can_be_changed() -> None:
    made = contract(category("k", ["x"], "model"), number("a", "int8"))
    assert [one.unseen for one in made.with_unseen("missing").fields] == ["missing", "error"]
    with pytest.raises(ContractError, match="no answer"):
        contract(category("k", ["x"])).with_unseen("model")
    with pytest.raises(ContractError, match="no policy"):
        made.with_unseen("ignore")  # type: ignore[arg-type]
