"""The table of aggregations and its calls; no data."""

from __future__ import annotations

import pickle

import pytest

from fastframe.dtypes import dtype
from fastframe.engines.cpu.combines import COMBINES
from fastframe.engines.cpu.finish import FINISHERS
from fastframe.engines.cpu.updates import ASKS, UPDATES
from fastframe.errors import ArgumentError, DTypeError
from fastframe.ops.aggregations import AGGREGATIONS, AggregationCall
from tests.engines.aggregation_cases import make_column


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_every_row_is_complete(name: str) -> None:
    row = AGGREGATIONS[name]
    assert row.name == name
    assert row.doc.endswith(".")
    assert (row.update in ({**ASKS, **UPDATES}), row.combine in COMBINES, row.finalize in FINISHERS, len(row.state) > 0) == (True,) * 4
    assert row.needs_all_values == (row.combine == "concatenate")


def test_every_kernel_name_is_used() -> None:
    rows = AGGREGATIONS.values()
    assert {row.update for row in rows} == {*ASKS, *UPDATES}
    assert {row.combine for row in rows} == set(COMBINES)
    assert {row.finalize for row in rows} == set(FINISHERS)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("sum", "int8", "int64"), ("sum", "bool", "int64"), ("sum", "uint16", "uint64"), ("sum", "float32", "float32"),
        ("sum", "decimal128(10, 2)", "decimal128(38, 2)"), ("sum", "duration[us]", "duration[us]"), ("mean", "int32", "float64"),
        ("mean", "date32", "timestamp[ms]"), ("mean", "timestamp[ns, UTC]", "timestamp[ns, UTC]"),
        ("mean", "decimal128(10, 2)", "decimal128(10, 2)"),
        ("median", "float32", "float32"), ("median", "bool", "float64"), ("var", "int64", "float64"), ("min", "string", "string"),
        ("first", "category", "category"), ("nunique", "string", "int64"), ("any", "string", "bool"),
        ("idxmax", "float64", "int64"), ("count", "null", "int64"),
    ],
)  # fmt: skip
def test_result_dtypes(name: str, given: str, expected: str) -> None:
    assert AggregationCall(name).resolve(dtype(given)) == dtype(expected)


def test_quantiles_between_values_are_floats_and_others_are_values() -> None:
    for interpolation, expected in {"linear": "float64", "midpoint": "float64", "lower": "int32", "higher": "int32", "nearest": "int32"}.items():
        assert AggregationCall("quantile", {"interpolation": interpolation}).resolve(dtype("int32")) == expected


REFUSED = {"mean": "string", "sum": "timestamp[us]", "var": "date32", "min": "category", "median": "decimal128(5, 1)", "prod": "duration[s]",
           "any": "date32", "std": "float16"}  # fmt: skip
WRONG = [("var", {"ddof": "1"}), ("sum", {"ddof": 1}), ("quantile", {"q": 1.5}), ("quantile", {"interpolation": "cubic"}),
         ("sum", {"min_count": True}), ("sum", {"skipna": 1})]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), REFUSED.items())
def test_a_dtype_without_meaning_is_refused_by_name(name: str, given: str) -> None:
    with pytest.raises(DTypeError, match=f"{name} is not defined for dtype .* of column 'x'"):
        AggregationCall(name).resolve(dtype(given), "x")


def test_ordered_categories_have_extremes() -> None:
    ordered = make_column("ordered category", 3, "none").dtype
    assert AggregationCall("max").resolve(ordered) == ordered


@pytest.mark.parametrize(("name", "options"), WRONG)
def test_wrong_options_are_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        AggregationCall(name, options)


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(ArgumentError, match="median"):
        AggregationCall("medain")
    with pytest.raises(ArgumentError, match="needs a column"):
        AggregationCall("sum").resolve(None)
    assert AggregationCall("size").resolve(None) == "int64"


def test_calls_are_values() -> None:
    call = AggregationCall("var", {"ddof": 0})
    assert call == AggregationCall("var", {"ddof": 0}) != AggregationCall("var")
    assert hash(call) == hash(AggregationCall("var", {"ddof": 0}))
    assert pickle.loads(pickle.dumps(call)) == call
    with pytest.raises(TypeError):
        call.options["ddof"] = 2   # type: ignore[index]
