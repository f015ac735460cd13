"""Laws that hold for any frame: what goes in comes out, filters are takes, sorts are stable, parts make up the whole."""

from __future__ import annotations

import pickle
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.column import Table
from fastframe.engines.cpu.select import mask_rows, take_table
from fastframe.errors import DTypeError, IntegerOverflow
from fastframe.frame.labels import default_labels, with_labels
from fastframe.testing import DTYPES, assert_column_equal, assert_frame_equal, strategies

ORDERED = tuple(name for name in DTYPES if name not in ("category", "binary"))
EXACT = ("int8", "int32", "int64", "uint8", "uint32", "decimal128(12, 2)", "bool")
KEYS = ("int64", "int16", "float64", "string", "encoded string", "bool", "date32", "decimal128(12, 2)", "category")


def frame(table: Table) -> ff.DataFrame:
    """The columns as they are: encoded text stays encoded."""
    return ff.DataFrame._of(with_labels(default_labels(table.n_rows), table.columns, table.n_rows))


def key_of(value: Any) -> Any:
    """A Python value as a key: one missing value, and one zero."""
    return None if value is None or value != value else 0.0 if value == 0 and isinstance(value, float) else value


def columns_equal(left: ff.DataFrame, right: ff.DataFrame) -> None:
    assert list(left._values) == list(right._values)
    for name, column in left._values.items():
        assert_column_equal(column, right._values[name])


@given(strategies.tables())
def test_arrow_gives_back_what_it_gave(table: Table) -> None:
    df = frame(table)
    columns_equal(ff.from_arrow(df.to_arrow()), df)
    columns_equal(ff.DataFrame(df), df)   # by __arrow_c_stream__


@given(strategies.tables())
def test_pickle_gives_back_what_it_got(table: Table) -> None:
    df = frame(table)
    columns_equal(pickle.loads(pickle.dumps(df)), df)


@given(st.data(), strategies.tables(names=[name for name in DTYPES if name != "encoded string"]))   # Arrow has no such thing
def test_a_chunked_table_is_the_whole(data: st.DataObject, table: Table) -> None:
    columns_equal(ff.from_arrow(data.draw(strategies.chunked(table))), frame(table))


@given(st.data(), strategies.tables())
def test_a_filter_takes_the_rows_of_its_mask(data: st.DataObject, table: Table) -> None:
    mask = data.draw(strategies.columns("bool", n_rows=table.n_rows, missing=False))
    kept = frame(table)[ff.Series(mask.array)]
    rows = mask_rows(mask)
    assert rows.tolist() == np.flatnonzero(mask.array.to_numpy(zero_copy_only=False)).tolist()
    columns_equal(kept, frame(take_table(table, rows)))
    assert kept.index.tolist() == rows.tolist()


def sort_key(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@given(strategies.tables(names=ORDERED, max_columns=1), st.booleans(), st.booleans())
def test_a_sort_is_a_stable_permutation(table: Table, ascending: bool, first: bool) -> None:
    """As Python's own sort, which is stable, of the rows that have a value; the others keep their order, too."""
    values = frame(table)["c0"].tolist()
    rows = frame(table).sort_values("c0", ascending=ascending, na_position="first" if first else "last").index.tolist()
    known = [row for row in range(table.n_rows) if key_of(values[row]) is not None]
    missing = [row for row in range(table.n_rows) if key_of(values[row]) is None]
    known.sort(key=lambda row: sort_key(values[row]), reverse=not ascending)   # reverse keeps the order of equals
    assert rows == (missing + known if first else known + missing)


def sums(df: ff.DataFrame) -> dict[Any, Any]:
    grouped = df.groupby("k", dropna=False)["v"].sum()
    return {key_of(key): value for key, value in zip(grouped.index.tolist(), grouped.tolist(), strict=True)}


@given(st.data(), strategies.dtype_names(KEYS), strategies.dtype_names(EXACT), st.integers(0, 40), st.integers(1, 5))
def test_sums_of_parts_add_up(data: st.DataObject, key: str, dtype: str, n_rows: int, n_parts: int) -> None:
    """Exactly: integers and decimals. A total beyond its type is an error that says the total."""
    table = Table({"k": data.draw(strategies.columns(key, n_rows=n_rows)), "v": data.draw(strategies.columns(dtype, n_rows=n_rows))})
    df = frame(table)
    totals: dict[Any, Any] = defaultdict(lambda: Decimal(0) if dtype.startswith("decimal") else 0)
    for one, value in zip(df["k"].tolist(), df["v"].tolist(), strict=True):
        totals[key_of(one)] += value if value is not None else 0
    most = 2**64 - 1 if dtype.startswith("uint") else 2**63 - 1
    if any(abs(total) > most for total in totals.values()):
        with pytest.raises(IntegerOverflow, match="exact total"):
            sums(df)
        return
    assert sums(df) == totals
    bounds = sorted(data.draw(st.lists(st.integers(0, n_rows), min_size=n_parts - 1, max_size=n_parts - 1)))
    combined: dict[Any, Any] = defaultdict(lambda: Decimal(0) if dtype.startswith("decimal") else 0)
    for start, stop in pairwise([0, *bounds, n_rows]):
        try:
            part = sums(df.iloc[start:stop])
        except IntegerOverflow:   # a part may be beyond the type though the whole is not
            return
        for one, total in part.items():
            combined[one] += total
    assert combined == totals


@given(st.data(), strategies.tables())
def test_slices_concatenate_to_the_whole(data: st.DataObject, table: Table) -> None:
    df = frame(table)
    bounds = sorted(data.draw(st.lists(st.integers(0, table.n_rows), max_size=4)))
    parts = [df.iloc[start:stop] for start, stop in pairwise([0, *bounds, table.n_rows])]
    whole = ff.concat(parts)
    columns_equal(whole, df)
    assert whole.index.tolist() == list(range(table.n_rows))


def slow_join(left: list[Any], right: list[Any], how: str) -> list[tuple[Any, Any]]:
    """Pairs of row numbers, None for no row, in pandas' order (inner and left: left's; right: right's)."""
    if how == "right":
        return [(one, other) for other, one in slow_join(right, left, "left")]
    places: dict[Any, list[int]] = defaultdict(list)
    for row, key in enumerate(right):
        places[key].append(row)
    return [
        (row, other) for row, key in enumerate(left) for other in places.get(key, [None] if how in ("left", "outer") else [])
    ] + [(None, row) for row, key in enumerate(right) if how == "outer" and key not in set(left)]


@given(st.data(), st.lists(strategies.dtype_names(KEYS[:-1]), min_size=1, max_size=2), st.sampled_from(["inner", "left", "right", "outer"]))
def test_a_merge_is_a_slow_join(data: st.DataObject, keys: list[str], how: str) -> None:
    sides, rows = [], []
    for name in ("left", "right"):
        n_rows = data.draw(st.integers(0, 20))
        columns = {f"k{place}": data.draw(strategies.columns(key, n_rows=n_rows)) for place, key in enumerate(keys)}
        side = frame(Table(columns, n_rows)).assign(**{name: np.arange(n_rows)})
        sides.append(side)
        rows.append(list(zip(*([key_of(value) for value in side[one].tolist()] for one in columns), strict=True)))
    merged = sides[0].merge(sides[1], on=[f"k{place}" for place in range(len(keys))], how=how)
    found = list(zip(merged["left"].tolist(), merged["right"].tolist(), strict=True))
    expected = slow_join(*rows, how)
    assert (sorted(found, key=repr) == sorted(expected, key=repr)) if how == "outer" else (found == expected)
    joined = list(zip(*([key_of(value) for value in merged[f"k{place}"].tolist()] for place in range(len(keys))), strict=True))
    assert joined == [rows[0][one] if one is not None else rows[1][other] for one, other in found]


@given(strategies.tables(max_columns=2))
def test_drop_duplicates_keeps_the_first_of_each(table: Table) -> None:
    df = frame(table)
    rows = list(zip(*([key_of(value) for value in df[name].tolist()] for name in df.columns), strict=True))
    expected = [row for row, values in enumerate(rows) if values not in rows[:row]]
    assert df.drop_duplicates().index.tolist() == expected


@given(strategies.tables(names=("int64", "float64", "bool", "uint8"), max_columns=3))
def test_a_matrix_has_the_values(table: Table) -> None:
    df = frame(table)
    matrix = df.to_matrix(dtype="float64")
    wanted = [[float("nan") if value is None else float(value) for value in df[name].tolist()] for name in df.columns]
    assert np.array_equal(matrix, np.array(wanted, np.float64).reshape(len(wanted), -1).T, equal_nan=True)


@given(strategies.tables(names=("string", "encoded string"), max_columns=1))
def test_text_is_no_number(table: Table) -> None:
    with pytest.raises(DTypeError):
        frame(table).to_matrix()
    assert_frame_equal(frame(table).to_arrow(), pa.table({"c0": frame(table)["c0"].tolist()}, schema=pa.schema([("c0", pa.string())])))
