"""`sorted_table`: rows that move as records, against the permutation and a plain take."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.column import memory
from fastframe.column.arrow import table_from_arrow
from fastframe.column.column import Column
from fastframe.column.range import RangeColumn
from fastframe.column.table import Table
from fastframe.engines.cpu import sort_buckets, sort_first, sort_table
from fastframe.engines.cpu.sort_table import layouts_of, sorted_table
from fastframe.options import option_context
from tests.reference import sort as reference

N_ROWS = 3_000


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a few thousand rows go through every phase."""
    monkeypatch.setattr(sort_table, "SMALL_ROWS", 16)
    monkeypatch.setattr(sort_table, "BUCKET_BYTES", 2048)
    monkeypatch.setattr(sort_table, "PIECE_ROWS", 70)


def payload(n_rows: int, nulls: float, seed: int = 0) -> pa.Table:
    """One column of every form and width, missing values in all but the first."""
    rng = np.random.default_rng(seed)

    def hidden() -> np.ndarray:
        return rng.random(n_rows) < nulls

    def whole(dtype: Any) -> np.ndarray:
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, n_rows, dtype, endpoint=True)

    words = pa.array([f"w{number % 7}" * (number % 4) for number in range(n_rows)], mask=hidden())
    codes = pa.array(rng.integers(0, 300, n_rows), pa.int32(), mask=hidden())
    columns = {"row": pa.array(np.arange(n_rows))}
    columns |= {np.dtype(one).name: pa.array(whole(one), mask=hidden()) for one in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32)}
    columns |= {"int64": pa.array(whole(np.int64), mask=hidden()), "uint64": pa.array(whole(np.uint64), mask=hidden())}
    columns |= {"narrow": pa.array(rng.integers(-5, 90, n_rows), mask=hidden()), "one": pa.array(np.full(n_rows, -7))}
    columns |= {"float32": pa.array(rng.random(n_rows, np.float32), mask=hidden()), "float64": pa.array(rng.normal(size=n_rows), mask=hidden())}
    columns |= {"bool": pa.array(rng.random(n_rows) < 0.5, mask=hidden()), "text": words}
    columns |= {"category": pa.DictionaryArray.from_arrays(codes, pa.array([f"c{number}" for number in range(300)]))}
    columns |= {"stamp": pa.array(rng.integers(0, 2**40, n_rows), mask=hidden()).cast(pa.timestamp("us"))}
    decimals = [None if gone else Decimal(int(value)) * 10**19 for gone, value in zip(hidden(), whole(np.int64), strict=True)]
    return pa.table(columns | {"decimal": pa.array(decimals, pa.decimal128(38, 0)), "nothing": pa.nulls(n_rows)})


def arrow(table: Table) -> pa.Table:
    return pa.table({name: column.array for name, column in table.columns.items()})


def plain(table: pa.Table) -> dict[str, list[Any]]:
    return {name: table[name].to_pylist() for name in table.column_names}


RNG = np.random.default_rng(11)
KEYS: dict[str, Callable[[int], pa.Array]] = {
    "floats": lambda n: pa.array(RNG.normal(size=n)),
    "floats of a few digits": lambda n: pa.array(np.round(RNG.random(n) * 100, 2)),
    "floats with NaN, zeros and nulls": lambda n: pa.array(RNG.choice([0.0, -0.0, np.nan, np.inf, -np.inf, 1.5], n), mask=RNG.random(n) < 0.2),
    "all 64 bits": lambda n: pa.array(RNG.integers(-(2**63), 2**63 - 1, n, endpoint=True)),
    "a few values": lambda n: pa.array(RNG.integers(0, 3, n)),
    "mostly one value": lambda n: pa.array(np.where(RNG.random(n) < 0.9, 3, RNG.integers(0, 50, n))),
    "every magnitude": lambda n: pa.array(np.exp(RNG.random(n) * 43).astype(np.int64)),
    "half of it one value": lambda n: pa.array(np.where(RNG.random(n) < 0.5, 0.0, RNG.random(n))),
    "dates": lambda n: pa.array(RNG.integers(0, 20_000, n).astype(np.int32)).cast(pa.date32()),
    "text": lambda n: pa.array([f"key{one}" for one in RNG.integers(0, 40, n)], mask=RNG.random(n) < 0.1),
    "all missing": lambda n: pa.nulls(n, pa.float64()),
}


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("nulls", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("key", KEYS)
def test_every_form_moves_with_its_row(key: str, nulls: float) -> None:
    given_rows = payload(N_ROWS, nulls).append_column("key", KEYS[key](N_ROWS))
    for descending, nulls_first in ((False, False), (True, True)):
        found = sorted_table(table_from_arrow(given_rows), ["key"], descending=[descending], nulls_first=nulls_first)
        order = reference.sort_rows([given_rows["key"].to_pylist()], [descending], nulls_first)
        expected = plain(given_rows.take(pa.array(order)))
        for name, values in plain(arrow(found)).items():
            if name == "key":
                values, wanted = [str(one) for one in values], [str(one) for one in expected[name]]   # NaN, -0.0
                assert values == wanted
            else:
                assert values == expected[name], name
        assert found.schema == table_from_arrow(given_rows).schema


@pytest.mark.usefixtures("tiny")
def test_large_buckets_of_one_value_are_finished_in_pieces() -> None:
    table = Table({"key": Column(pa.array(np.arange(N_ROWS) % 2)), "row": Column(pa.array(np.arange(N_ROWS)))})
    found = sorted_table(table, ["key"], descending=[False], nulls_first=False)
    np.testing.assert_array_equal(found["row"].array, np.concatenate([np.arange(0, N_ROWS, 2), np.arange(1, N_ROWS, 2)]))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("shape", "crowded"), [("every magnitude", True), ("permutation", False), ("half of it one value", False)])
def test_a_crowded_bucket_leaves_it_to_the_permutation(monkeypatch: pytest.MonkeyPatch, shape: str, crowded: bool) -> None:
    monkeypatch.setattr(sort_table, "LEAST_DEFERRED", 64)
    monkeypatch.setattr(sort_table, "BUCKET_BYTES", 512)
    monkeypatch.setattr(sort_buckets, "CELL_BITS", 4 if crowded else 10)
    asked: list[int] = []
    real = sort_table.sort_rows
    monkeypatch.setattr(sort_table, "sort_rows", lambda columns, **rest: asked.append(1) or real(columns, **rest))
    values = pa.array(RNG.permutation(N_ROWS)) if shape == "permutation" else KEYS[shape](N_ROWS)
    table = Table({"key": Column(values), "row": Column(pa.array(np.arange(N_ROWS)))})
    found = sorted_table(table, ["key"], descending=[False], nulls_first=False)
    np.testing.assert_array_equal(found["row"].array, np.argsort(values, kind="stable"))
    assert bool(asked) == crowded


@pytest.mark.usefixtures("tiny")
def test_text_moves_by_its_codes_where_values_repeat() -> None:
    few, many = [f"v{number % 9}" for number in range(N_ROWS)], [f"v{number}" for number in range(N_ROWS)]
    order = RNG.permutation(N_ROWS)
    table = Table({"key": Column(pa.array(order)), "few": Column(pa.array(few)), "many": Column(pa.array(many))})
    found = sorted_table(table, ["key"], descending=[False], nulls_first=False)
    rows = np.argsort(order)
    assert (found["few"].is_encoded_text, found["many"].is_encoded_text) == (True, False)
    assert found["few"].array.to_pylist() == [few[row] for row in rows]
    assert found["many"].array.to_pylist() == [many[row] for row in rows]


@pytest.mark.usefixtures("tiny")
def test_more_columns_than_a_record_has_room_for() -> None:
    rng = np.random.default_rng(2)
    columns = {f"c{number}": rng.normal(size=N_ROWS) for number in range(40)}
    table = Table({name: Column(pa.array(values)) for name, values in columns.items()})
    found = sorted_table(table, ["c7"], descending=[True], nulls_first=False)
    order = np.argsort(-columns["c7"], kind="stable")
    for name, values in columns.items():
        np.testing.assert_array_equal(found[name].array, values[order])


@pytest.mark.usefixtures("tiny")
def test_default_labels_stay_a_selection_and_slices_keep_their_offset() -> None:
    rows = payload(N_ROWS + 13, 0.3).slice(13)
    columns = table_from_arrow(rows).columns | {"label": RangeColumn(N_ROWS, 5, 2)}
    found = sorted_table(Table(columns), ["float64"], descending=[False], nulls_first=False)
    label = found["label"]
    assert isinstance(label, RangeColumn)
    order = np.array(reference.sort_rows([rows["float64"].to_pylist()], [False]))
    np.testing.assert_array_equal(label.array, 5 + 2 * order)
    for name in rows.column_names:
        assert found[name].array.to_pylist() == rows[name].take(pa.array(order)).to_pylist()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("descending", "step"), [(False, 1), (True, -1)])
def test_rows_in_order_share_their_columns(descending: bool, step: int) -> None:
    table = Table({"key": Column(pa.array(np.arange(N_ROWS)[::step].copy())), "other": Column(pa.array(RNG.random(N_ROWS)))})
    found = sorted_table(table, ["key"], descending=[descending], nulls_first=False)
    assert found["other"] is table["other"]
    back = sorted_table(table, ["key"], descending=[not descending], nulls_first=False)
    np.testing.assert_array_equal(back["other"].array, np.asarray(table["other"].array)[::-1])


@pytest.mark.parametrize("shape", ["floats", "floats of a few digits", "half of it one value", "text"])
def test_threads_and_cached_codes_do_not_change_a_bit(shape: str) -> None:
    rows = payload(150_000, 0.1).append_column("key", KEYS[shape](150_000))
    results = []
    for threads in (1, 2, 4):
        table = table_from_arrow(rows)
        with option_context(threads=threads):
            for _ in range(2):   # the second time with cached codes and ranges
                found = arrow(sorted_table(table, ["key", "int8"], descending=[False, True], nulls_first=True))
                results.append({name: bits_of(found[name].combine_chunks()) for name in found.column_names})
    for result in results[1:]:
        for name, values in results[0].items():
            assert values.equals(result[name]), name


def bits_of(array: pa.Array) -> pa.Array:
    """The array, floats as their bits and text decoded."""
    if pa.types.is_dictionary(array.type):
        return array.dictionary_decode()
    return array.view(f"int{array.type.bit_width}") if pa.types.is_floating(array.type) else array


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.one_of(st.none(), st.floats())), min_size=2, max_size=300),
    st.integers(64, 4000),
)
def test_any_rows_at_any_bucket_size(rows: list[tuple[int, int, float | None]], bucket_bytes: int) -> None:
    keys = [list(values) for values in zip(*rows, strict=True)]
    types = (pa.int64(), pa.int64(), pa.float64())
    columns = {name: Column(pa.array(values, kind)) for name, values, kind in zip("abc", keys, types, strict=True)}
    table = Table(columns | {"row": Column(pa.array(np.arange(len(rows))))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort_table, "SMALL_ROWS", 1)
        patch.setattr(sort_table, "BUCKET_BYTES", bucket_bytes)
        for by in (["a"], ["b"], ["c"], ["a", "c"]):
            found = sorted_table(table, by, descending=[False] * len(by), nulls_first=False)
            assert found["row"].array.to_pylist() == reference.sort_rows([keys["abc".index(name)] for name in by], [False] * len(by))


@pytest.mark.parametrize("limit", [0, 1, 7, 300, N_ROWS - 1, N_ROWS, N_ROWS + 5])
@pytest.mark.parametrize("key", KEYS)
def test_the_first_rows_alone(monkeypatch: pytest.MonkeyPatch, key: str, limit: int) -> None:
    monkeypatch.setattr(sort_first, "SMALL_ROWS", 16)
    monkeypatch.setattr(sort_first, "SAMPLES", 64)
    rows = pa.table({"key": KEYS[key](N_ROWS), "next": RNG.random(N_ROWS), "row": np.arange(N_ROWS)})
    for by, descending in ((["key"], [True]), (["key", "next"], [False, True])):
        found = sorted_table(table_from_arrow(rows), by, descending=descending, nulls_first=False, limit=limit)
        order = reference.sort_rows([rows[name].to_pylist() for name in by], descending)
        assert found["row"].array.to_pylist() == order[:limit]


def test_a_few_first_rows_are_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = sort_first.sort_rows
    monkeypatch.setattr(sort_first, "sort_rows", lambda columns, **rest: sizes.append(len(columns[0])) or real(columns, **rest))
    values = RNG.random(200_000)
    table = Table({"key": Column(pa.array(values))})
    found = sorted_table(table, ["key"], descending=[True], nulls_first=False, limit=10)
    np.testing.assert_array_equal(found["key"].array, np.sort(values)[:-11:-1])
    assert max(sizes) < 2000


@pytest.mark.parametrize("widest", [True, False])
@pytest.mark.parametrize("n_rows", [1, 63, 64, 129, 1000])
def test_streamed_results_and_every_vector_width(monkeypatch: pytest.MonkeyPatch, n_rows: int, widest: bool) -> None:
    monkeypatch.setattr(sort_table, "SMALL_ROWS", 0)
    monkeypatch.setattr(memory, "STREAMED_BYTES", 0)
    monkeypatch.setattr(sort_table, "RecordSort", functools.partial(sort_table.RecordSort, widest=widest))
    rows = payload(n_rows, 0.2)
    found = sorted_table(table_from_arrow(rows), ["int16"], descending=[True], nulls_first=True)
    order = reference.sort_rows([rows["int16"].to_pylist()], [True], True)
    assert plain(arrow(found)) == plain(rows.take(pa.array(order)))


def test_layouts_hold_every_part_once() -> None:
    parts = [sort_table.Part(number, number, bits, 0, 8, 8) for number, bits in enumerate([64, 3, 64, 17, 24, 60, 1] * 9)]
    layouts = layouts_of(57, parts)
    assert sorted(field[0] for layout in layouts for field in layout.fields) == list(range(len(parts)))
    for layout in layouts:
        taken = [0] * layout.n_words
        taken[0] = (1 << 57) - 1
        for _, _, _, mask, _, _, word, shift in layout.fields:
            assert mask << shift < 1 << 64
            assert taken[word] & mask << shift == 0
            taken[word] |= mask << shift
