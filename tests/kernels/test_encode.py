"""Dictionary encoding, ranks, and dictionaries from outside, against plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.column.column import Column
from fastframe.column.dictionary import normalise_dictionary
from fastframe.engines.cpu import keys_text
from fastframe.engines.cpu.keys_text import encode_text, rank_of_dictionary, ranks
from fastframe.errors import DTypeError
from fastframe.options import option_context
from tests.reference import keys as slow

RNG = np.random.default_rng(11)
TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
LENGTHS = (0, 1, 3, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 100)


def _texts(n_rows: int, n_distinct: int, lengths: tuple[int, ...] = LENGTHS) -> list[str | None]:
    pool = ["".join(RNG.choice(list("ab\x00z"), RNG.choice(lengths))) for _ in range(n_distinct)]
    return [None if pick == 0 else pool[pick] for pick in RNG.integers(0, n_distinct, n_rows)]


def _as(values: list[str | None], kind: pa.DataType) -> pa.Array:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pa.array(values if is_text else [None if value is None else value.encode() for value in values], kind)


def _check(column: Column) -> Column:
    encoded = encode_text(column)
    codes, distinct = slow.encode(column.array.to_pylist())
    encoded.array.validate(full=True)
    assert encoded.codes.to_pylist() == codes
    assert encoded.dictionary.to_pylist() == distinct
    assert encoded.dtype == column.dtype
    assert encoded.is_encoded_text
    return encoded


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_encode_as_the_slow_twin(kind: pa.DataType) -> None:
    column = Column(_as(_texts(5000, 400), kind))
    _check(column)
    for start, length in ((1, 4000), (63, 65), (4999, 1), (10, 0)):
        _check(column.slice(start, length))


@pytest.mark.parametrize(
    "values",
    [[], [None] * 5, [""], ["", None, ""], ["a", "a\x00", "a\x00\x00", "", "\x00"], ["x" * 15, "x" * 16, "x" * 17] * 2],
)
def test_corner_cases(values: list[str | None]) -> None:
    for kind in TYPES:
        _check(Column(_as(values, kind)))


@pytest.mark.parametrize("length", [*range(10), 12, 14, 15, 16])
@pytest.mark.parametrize("bytes_under_nulls", [False, True])
def test_texts_of_one_length(length: int, bytes_under_nulls: bool) -> None:
    """Beyond the seeds, with texts that come late, and next to other lengths."""
    n_rows = 2 * keys_text.SEED_ROWS + 5_000
    pool = [f"{number:016x}"[16 - length :] for number in range(60)]
    texts = [pool[pick] for pick in RNG.integers(0, 50, n_rows)]
    texts[-3_000:] = [pool[pick] for pick in RNG.integers(0, 60, 3_000)]
    texts[100:105] = ["other", "", "a", "ab", "abc"]
    valid = RNG.random(n_rows) < 0.97
    plain = pa.array(texts)
    if bytes_under_nulls:
        bits = pa.array(valid).buffers()[1]
        array = pa.Array.from_buffers(pa.string(), n_rows, [bits, *plain.buffers()[1:]])
    else:
        array = pa.array([text if kept else None for text, kept in zip(texts, valid)], pa.string())
    for column in (Column(plain), Column(array), Column(array).slice(77, n_rows - 80)):
        _check(column)


def test_long_texts_that_differ_in_one_byte() -> None:
    base = "q" * 50
    values = [base[:place] + "r" + base[place + 1 :] for place in range(50)]
    _check(Column(pa.array(values * 2)))


def test_slices_are_unified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many slices with keys in common, keys of one slice only, and a slice of nulls."""
    monkeypatch.setattr(keys_text, "SLICE_ROWS", 512)
    values = [*_texts(3000, 900), *([None] * 512), *_texts(3000, 2500)]
    for kind in (pa.string(), pa.large_binary()):
        _check(Column(_as(values, kind)))


@pytest.mark.parametrize("n_distinct", [40, 3000, 90_000])
def test_tables_of_several_threads_are_unified(monkeypatch: pytest.MonkeyPatch, n_distinct: int) -> None:
    """Texts that are seeds, texts of one table, and texts that several tables met, of each length class."""
    monkeypatch.setattr(keys_text, "SEED_ROWS", 512)
    pool = [str(number) if number % 3 else f"{number:>{9 + number % 30}}" for number in range(n_distinct)]
    picks = np.minimum(RNG.integers(0, n_distinct, 300_000), np.arange(300_000) // 2)   # new ones come all along
    array = pa.array([None if pick % 11 == 5 else pool[pick] for pick in picks])
    codes, distinct = slow.encode(array.to_pylist())
    for threads in (1, 2, 4):
        monkeypatch.setattr(keys_text, "SLICE_ROWS", 4096)
        with option_context(threads=threads):
            encoded = encode_text(Column(array))
        assert encoded.dictionary.to_pylist() == distinct
        assert encoded.codes.to_pylist() == codes


def test_many_unique_texts() -> None:
    values = [f"{number:x}" * 3 for number in RNG.permutation(150_000)]
    encoded = encode_text(Column(pa.array(values)))
    assert encoded.codes.to_numpy().tolist() == list(range(150_000))
    assert encoded.dictionary.to_pylist() == values


def test_threads_do_not_matter() -> None:
    array = pa.array(_texts(4000, 3000) * 100)
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found.append(encode_text(Column(array)).array)
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    assert found[0].cast(pa.string()).equals(array)


def test_kept_and_returned_as_it_is() -> None:
    column = Column(pa.array(["a", "b"]))
    encoded = encode_text(column)
    assert encode_text(column) is encoded
    assert encode_text(encoded) is encoded
    with pytest.raises(DTypeError, match="dictionary encoding"):
        encode_text(Column(pa.array([1])))


@given(st.lists(st.none() | st.text(max_size=40), max_size=60), st.integers(0, 60), st.sampled_from(TYPES))
def test_any_text(values: list[str | None], start: int, kind: pa.DataType) -> None:
    _check(Column(_as(values, kind)).slice(min(start, len(values)), max(0, len(values) - start)))


# ---- ranks ---------------------------------------------------------------------------------------------------------


def _check_ranks(values: list[bytes], kind: pa.DataType) -> None:
    dictionary = pa.array(values, pa.binary()).cast(kind)
    found = rank_of_dictionary(dictionary)
    order = sorted(range(len(values)), key=lambda code: values[code])
    expected = np.empty(len(values), np.int32)
    expected[order] = np.arange(len(values))
    assert found.dtype == np.int32
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_ranks_are_bytewise(kind: pa.DataType) -> None:
    texts = list(dict.fromkeys(text.encode() for text in _texts(3000, 2000) if text is not None))
    _check_ranks(texts, kind)
    _check_ranks([b"shared prefix" + text for text in texts], kind)
    _check_ranks(["é".encode(), b"z", "\U0001f600".encode(), "\uffff".encode(), b""], kind)
    _check_ranks([], kind)
    _check_ranks([b"x"], kind)
    _check_ranks([b"a", b"a\x00", b"a\x00\x00"], kind)


def test_ranks_of_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{number * 7919 % 10007:05d}".encode() for number in range(10_007)]
    for run_rows in (512, 4096, 1 << 16):
        monkeypatch.setattr(keys_text, "RANK_ROWS", run_rows)
        _check_ranks(texts, pa.string())
        sliced = pa.array(texts).slice(100, 900)
        assert rank_of_dictionary(sliced).tolist() == np.argsort(np.argsort(np.array(texts[100:1000]))).tolist()


def test_ranks_of_a_column_in_order_are_none() -> None:
    assert ranks(encode_text(Column(pa.array(["a", "b", None, "c"])))) is None
    assert ranks(encode_text(Column(pa.array(["b", "a"])))).tolist() == [1, 0]


# ---- dictionaries from outside -------------------------------------------------------------------------------------


def _dictionary(
    indices: list[int | None], values: list[str | None], index_type: pa.DataType | None = None
) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(indices, index_type or pa.int32()), pa.array(values, pa.string()))


@pytest.mark.parametrize("index_type", [pa.int8(), pa.uint16(), pa.int32(), pa.uint64()], ids=str)
@pytest.mark.parametrize("values", [["b", "a", "c"], ["b", None, "b"], ["b", "a", "b"], [None, None, None]])
def test_normalise(index_type: pa.DataType, values: list[str | None]) -> None:
    indices = [2, 0, None, 1, 1, 2, 0]
    given = _dictionary(indices, values, index_type)
    for array in (given, given.slice(2, 4)):
        found = normalise_dictionary(array)
        found.validate(full=True)
        assert found.type.index_type == pa.int32()
        assert found.to_pylist() == array.to_pylist()
        assert found.dictionary.null_count == 0
        assert found.dictionary.to_pylist() == slow.encode(values)[1]


def test_normalise_keeps_what_is_normal_and_the_order_flag() -> None:
    given = _dictionary([0, 1], ["b", "a"])
    assert normalise_dictionary(given) is given
    ordered = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["x", "y"]), ordered=True)
    assert normalise_dictionary(ordered).type.ordered
    assert normalise_dictionary(_dictionary([], [])).to_pylist() == []
    nested = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array([[1]]))
    with pytest.raises(DTypeError, match="not supported"):
        normalise_dictionary(nested)
