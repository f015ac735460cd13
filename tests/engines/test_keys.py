"""Group ids and join codes against slow twins: dtypes, missing values, slices, orders, threads, plain and encoded."""

from __future__ import annotations

import decimal
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.engines.cpu import key_hash, plan
from fastframe.engines.cpu.groups import NO_CODE, Groups, code_dtype
from fastframe.engines.cpu.key_parts import parts_of
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.plan import Method
from fastframe.errors import ArgumentError, DTypeError
from fastframe.options import option_context
from tests.engines.joining import join_codes
from tests.reference import keys as slow

N = 3000
RNG = np.random.default_rng(7)


def _nullable(values: np.ndarray | list, kind: pa.DataType, share: float) -> pa.Array:
    mask = RNG.random(len(values)) < share
    return pa.array([None if gone else value for value, gone in zip(list(values), mask, strict=True)], kind)


def _ints(bits: int, signed: bool) -> list[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    special = [low, low + 1, high, high - 1, 0, 1]
    return [
        special[pick]
        if pick < len(special)
        else int(RNG.integers(low, high, endpoint=True, dtype=f"{'' if signed else 'u'}int{bits}"))
        for pick in RNG.integers(0, 12, N)
    ]


def _floats(kind: str) -> np.ndarray:
    special = np.array([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 5e-324, -1.5, 2.25], kind)
    return np.where(RNG.random(N) < 0.7, RNG.choice(special, N), RNG.normal(size=N).astype(kind))


def _texts(lengths: tuple[int, ...], n_distinct: int) -> list[str]:
    pool = ["".join(RNG.choice(list("ab\x00é"), RNG.choice(lengths))) for _ in range(n_distinct)]
    return [pool[pick] for pick in RNG.integers(0, n_distinct, N)]


def _decimals(scale: int) -> list[decimal.Decimal]:
    return [decimal.Decimal(int(value)) * scale for value in RNG.integers(-40, 40, N)]


def _category(share: float, ordered: bool = False) -> pa.Array:
    indices = _nullable(RNG.integers(0, 5, N), pa.int32(), share)
    return pa.DictionaryArray.from_arrays(indices, pa.array(["z", "b", "unused", "a", "é", "c"]), ordered=ordered)


ARRAYS = {
    "int8": lambda share: _nullable(RNG.integers(-128, 128, N), pa.int8(), share),
    "int32 narrow": lambda share: _nullable(RNG.integers(-50, 50, N), pa.int32(), share),
    "int32 wide": lambda share: _nullable(_ints(32, True), pa.int32(), share),
    "int64 full": lambda share: _nullable(_ints(64, True), pa.int64(), share),
    "uint64 full": lambda share: _nullable(_ints(64, False), pa.uint64(), share),
    "uint16": lambda share: _nullable(_ints(16, False), pa.uint16(), share),
    "float64": lambda share: _nullable(_floats("float64"), pa.float64(), share),
    "float32": lambda share: _nullable(_floats("float32"), pa.float32(), share),
    "bool": lambda share: _nullable(RNG.random(N) < 0.5, pa.bool_(), share),
    "date32": lambda share: _nullable(RNG.integers(0, 99, N), pa.int32(), share).cast(pa.date32()),
    "timestamp": lambda share: _nullable(RNG.integers(-(2**62), 2**62, N) // 7 * 7, pa.int64(), share).cast(pa.timestamp("ns")),
    "text short": lambda share: _nullable(_texts((0, 1, 2, 7, 8), 60), pa.string(), share),
    "text long": lambda share: _nullable(_texts((14, 15, 16, 17, 40), 700), pa.large_string(), share),
    "binary": lambda share: _nullable([text.encode() for text in _texts((3, 20), 50)], pa.binary(), share),
    "category": _category,
    "ordered category": lambda share: _category(share, ordered=True),
    "decimal": lambda share: _nullable(_decimals(1), pa.decimal128(20, 0), share),
    "decimal wide": lambda share: _nullable(_decimals(10**34), pa.decimal128(38, 0), share),
    "all null": lambda share: pa.array([None] * N, pa.int64()),
    "null": lambda share: pa.nulls(N),
}  # fmt: skip


def _column(name: str, share: float = 0.1, start: int = 0, length: int = N) -> Column:
    return Column(ARRAYS[name](share)).slice(start, length)


def _check_groups(columns: list[Column], dropna: bool, sort: bool | None) -> Groups:
    groups = group_rows(columns, dropna=dropna, sort=sort)
    codes, first_rows = slow.group_rows(columns, dropna, bool(sort))
    assert groups.codes.dtype == code_dtype(groups.n_groups)
    assert groups.first_rows.dtype == np.int32
    assert groups.n_groups == len(groups.first_rows) == len(first_rows)
    if sort is None:  # any order: rename the groups by first appearance
        order = np.argsort(groups.first_rows)
        place = np.append(np.argsort(order), -1)
        found = place[np.where(groups.wide_codes == NO_CODE, len(order), groups.wide_codes)]
        assert found.tolist() == codes
        assert groups.first_rows[order].tolist() == first_rows
    else:
        assert groups.wide_codes.view(np.int32).tolist() == codes
        assert groups.first_rows.tolist() == first_rows
    assert groups.plan
    return groups


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("sort", [True, False, None])
def test_one_key(name: str, dropna: bool, sort: bool | None) -> None:
    for share, (start, length) in product((0.0, 0.1), ((0, N), (13, 1500), (2999, 1))):
        _check_groups([_column(name, share, start, length)], dropna, sort)


SEVERAL = [
    ("int32 narrow", "text short"),
    ("category", "bool", "int8"),
    ("int64 full", "float64"),
    ("text long", "int64 full", "uint64 full"),
    ("float64", "float32", "timestamp", "text short"),
    ("decimal wide", "int32 wide", "int64 full"),
    ("null", "int8"),
    ("int64 full", "null"),
    ("all null", "text short"),
    ("uint16", "uint16", "uint16", "uint16", "uint16"),
]


@pytest.mark.parametrize("names", SEVERAL, ids=" + ".join)
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("sort", [True, False, None])
def test_several_keys(names: tuple[str, ...], dropna: bool, sort: bool | None) -> None:
    columns = [_column(name, 0.1) for name in names]
    _check_groups(columns, dropna, sort)
    _check_groups([column.slice(61, 200) for column in columns], dropna, sort)


def test_plans_are_chosen_by_facts() -> None:
    def plan_of(array: pa.Array) -> plan.Plan:
        return group_rows([Column(array)], sort=None).plan

    narrow = plan_of(pa.array([1, 100, 7], pa.int32()))
    assert (narrow.method, narrow.n_possible, narrow.keys) == (Method.DIRECT, 100, "int32 range 100")
    at_limit = plan_of(pa.array([0, 65535], pa.int64()))
    beyond = plan_of(pa.array([0, 65536], pa.int64()))
    assert [at_limit.method, beyond.method] == [Method.DIRECT, Method.TABLE]
    assert beyond.n_expected == 2
    many = plan_of(pa.array(RNG.integers(0, 2**60, 600_000)))
    assert many.method is Method.PARTITIONS
    assert many.n_expected == 600_000
    assert plan_of(pa.array([], pa.int64())).method is Method.NOTHING


@pytest.mark.parametrize("sort", [True, False, None])
@pytest.mark.parametrize("dropna", [True, False])
def test_a_table_and_partitions_agree(monkeypatch: pytest.MonkeyPatch, sort: bool | None, dropna: bool) -> None:
    values = RNG.choice(_ints(64, True), 300_000)
    found = {}
    for most in (0, 1 << 20):
        monkeypatch.setattr(plan, "MOST_IN_TABLE", most)
        groups = _check_groups([Column(pa.array(values, mask=values % 7 == 0))], dropna, sort)
        found[most] = groups
        assert groups.plan.method is (Method.TABLE if most else Method.PARTITIONS)
    assert (sort is None) or (found[0].codes == found[1 << 20].codes).all()


def test_a_table_that_gets_too_full_is_given_up() -> None:
    """The sample sees one key only; all the others are in rows that it does not look at."""
    values = np.full(key_hash.SAMPLE_ROWS * 4, 7, np.int64)
    values[1::4] = RNG.integers(2**60, 2**61, len(values) // 4)
    groups = _check_groups([Column(pa.array(values))], True, False)
    assert groups.plan.method is Method.PARTITIONS
    assert groups.plan.n_expected == 1
    assert "more than half full" in groups.plan.reason


def test_what_a_sample_lets_expect() -> None:
    for n_distinct in (1, 50, 30_000, 300_000):
        keys = parts_of(Column(pa.array(RNG.integers(0, n_distinct, 1_000_000) << 20)), ordered=False)
        assert n_distinct / 2 <= key_hash.expected_keys(keys, 1_000_000) <= 2 * n_distinct
    keys = parts_of(Column(pa.array(np.arange(1000))), ordered=False)
    assert key_hash.expected_keys(keys, 1000) == 1000


def test_many_sorted_and_unsorted_groups() -> None:
    values = np.repeat(RNG.integers(-(2**62), 2**62, 60_000), 3)
    RNG.shuffle(values)
    for sort in (True, False):
        groups = group_rows([Column(pa.array(values))], sort=sort)
        first = np.unique(values, return_index=True, return_inverse=True)
        order = np.arange(60_000) if sort else np.argsort(np.argsort(first[1]))
        assert (groups.codes == order[first[2]]).all()
        assert (groups.first_rows == (first[1] if sort else np.sort(first[1]))).all()


def test_direct_codes_with_many_holes() -> None:
    values = RNG.integers(0, 400_000, 250_000).astype(np.int32)
    for sort in (True, False):
        groups = group_rows([Column(pa.array(values))], sort=sort)
        distinct, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        order = np.arange(len(distinct)) if sort else np.argsort(np.argsort(first))
        assert groups.plan.method is Method.DIRECT
        assert (groups.codes == order[inverse]).all()
        assert (groups.first_rows == (first if sort else np.sort(first))).all()


def _inverse_mix(word: int) -> int:
    mask = 2**64 - 1
    word ^= word >> 32
    word = word * pow(0xC4CEB9FE1A85EC53, -1, 2**64) & mask
    word ^= word >> 29 ^ word >> 58
    word = word * pow(0xFF51AFD7ED558CCD, -1, 2**64) & mask
    return word ^ word >> 32


def test_keys_that_collide_stay_exact() -> None:
    """Words made so that all hashes share partition and slot."""
    from fastframe._kernels.hashing import mixed

    words = [_inverse_mix(low) for low in range(1, 3000)]
    assert [mixed(word) for word in words[:5]] == [1, 2, 3, 4, 5]
    high = max(words)
    shifted = np.array([*words, 0, high], np.uint64)  # base 0: packed words are these very words
    column = Column(pa.array(np.concatenate([shifted, shifted[::-1]])))
    groups = _check_groups([column], True, True)
    assert groups.n_groups == 3000
    left, right, _ = join_codes([column], [column.slice(100, 3000)])
    assert slow.partners_of_codes(left, right) == slow.partners([column], [column.slice(100, 3000)])


@pytest.mark.parametrize("sort", [True, False])
def test_plain_and_encoded_text_alike(sort: bool) -> None:
    for name, dropna in product(("text short", "text long", "binary"), (True, False)):
        plain = _column(name)
        backwards = pa.array(sorted(set(plain.array.drop_null().to_pylist()), reverse=True), plain.array.type)
        places = {value: code for code, value in enumerate(backwards.to_pylist())}
        indices = pa.array([None if value is None else places[value] for value in plain.array.to_pylist()], pa.int32())
        other = Column(pa.DictionaryArray.from_arrays(indices, backwards), plain.dtype)
        for length in (N, 7):
            one = group_rows([plain.slice(0, length)], dropna=dropna, sort=sort)
            for encoded in (encode_text(plain), other):
                same = _check_groups([encoded.slice(0, length)], dropna, sort)
                assert (same.codes == one.codes).all()
                assert (same.first_rows == one.first_rows).all()


@pytest.mark.parametrize(
    "names",
    [("int32 narrow",), ("int64 full",), ("text long",), ("float64", "text short"), ("decimal wide", "int64 full")],
    ids=" + ".join,
)
def test_threads_do_not_matter(names: tuple[str, ...]) -> None:
    columns = [Column(pa.concat_arrays([_column(name).array] * 120)) for name in names]
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            fresh = [Column(column.array) for column in columns]
            groups = [group_rows(fresh, sort=sort) for sort in (True, False, None)]
            joined = join_codes(fresh, [column.slice(1000, 900) for column in fresh])
            found.append([*(array for one in groups for array in (one.codes, one.first_rows)), *joined[:2]])
    for other in found[1:]:
        assert all((one == same).all() for one, same in zip(found[0], other, strict=True))


def test_no_rows_and_no_keys() -> None:
    for name in ARRAYS:
        groups = group_rows([_column(name, length=0)])
        assert groups.n_groups == 0
        assert len(groups.codes) == len(groups.first_rows) == 0
    with pytest.raises(ArgumentError, match="no keys"):
        group_rows([])


@pytest.mark.parametrize(
    "array", [pa.array([[1], [2]]), pa.array([1, 2], pa.float16()), pa.array([b"ab", b"cd"], pa.binary(2))]
)
def test_dtypes_without_codes(array: pa.Array) -> None:
    with pytest.raises(DTypeError, match="grouping or joining by a key"):
        group_rows([Column(array)])


def test_all_missing_is_one_group_or_none() -> None:
    column = _column("all null")
    assert group_rows([column], dropna=True).n_groups == 0
    assert group_rows([column], dropna=False).first_rows.tolist() == [0]


# ---- joins ---------------------------------------------------------------------------------------------------------


def _check_join(left: list[Column], right: list[Column]) -> int:
    left_codes, right_codes, n_codes = join_codes(left, right)
    assert left_codes.dtype == right_codes.dtype == np.uint32
    assert (right_codes < n_codes).all()
    assert ((left_codes < n_codes) | (left_codes == NO_CODE)).all()
    assert slow.partners_of_codes(left_codes, right_codes) == slow.partners(left, right)
    return n_codes


@pytest.mark.parametrize("name", ARRAYS)
def test_join_of_one_key(name: str) -> None:
    for share, other in product((0.0, 0.1), repeat=2):
        left, right = _column(name, share), _column(name, other)
        _check_join([left.slice(3, 500)], [right.slice(9, 300)])
        _check_join([left.slice(0, 100)], [right.slice(0, 1)])
    _check_join([_column(name)], [_column(name, length=0)])
    _check_join([_column(name, length=0)], [_column(name)])


@pytest.mark.parametrize("names", SEVERAL, ids=" + ".join)
def test_join_of_several_keys(names: tuple[str, ...]) -> None:
    left, right = [_column(name) for name in names], [_column(name) for name in names]
    for old, new in zip(left, range(len(right)), strict=True):  # some rows in common
        if not right[new].is_encoded:
            right[new] = Column(pa.concat_arrays([right[new].array.slice(0, 300), old.array.slice(5, 200)]))
        else:
            right[new] = right[new].slice(0, 500)
    _check_join([column.slice(2, 800) for column in left], right)


def test_join_text_plain_with_encoded_and_categories_that_differ() -> None:
    plain = _column("text short")
    encoded = encode_text(_column("text short"))
    assert encoded.is_encoded_text
    _check_join([plain], [encoded.slice(100, 400)])
    _check_join([encoded.slice(7, 90)], [plain])
    numbers = [
        pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 1], pa.int32()), pa.array(values))
        for values in ([5, 6, 7], [7, 8, 5])
    ]
    _check_join([Column(numbers[0])], [Column(numbers[1])])


def test_join_of_values_far_outside() -> None:
    """Left values below the right's smallest must not wrap around into its range."""
    right = Column(pa.array([2**63 - 3, 2**63 - 1], pa.int64()))
    left = Column(pa.array([-(2**63), -(2**63) + 1, 2**63 - 3, 2**63 - 2, 0], pa.int64()))
    _check_join([left], [right])
    context = decimal.Context(prec=40)
    wide = [context.create_decimal(value) for value in (2**64 + 5, 5, -(2**64) + 5, 6, 2**80)]
    _check_join([Column(pa.array(wide, pa.decimal128(38, 0)))], [Column(pa.array(wide[1:4:2], pa.decimal128(38, 0)))])
    floats = np.array([1.0, np.nextafter(1.0, 0), np.nan, 3.0, np.inf])
    _check_join([Column(pa.array(floats))], [Column(pa.array([1.0, 3.0]))])
    _check_join([Column(pa.array(floats))], [Column(pa.array([1.0, None]))])


def test_join_refuses_different_dtypes() -> None:
    with pytest.raises(DTypeError, match="join is not defined between int8 and bool"):
        join_codes([_column("int8")], [_column("bool")])


# ---- properties ----------------------------------------------------------------------------------------------------

VALUES = {
    "int64": (st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), pa.int64()),
    "float64": (st.floats(), pa.float64()),
    "string": (st.text(max_size=20) | st.sampled_from(["", "a", "a\x00"]), pa.string()),
    "bool": (st.booleans(), pa.bool_()),
    "decimal": (st.decimals(-(10**30), 10**30, places=2), pa.decimal128(38, 2)),
}


@st.composite
def key_columns(draw: st.DrawFn) -> list[Column]:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    n_rows = draw(st.integers(1, 40))
    columns = []
    for name in names:
        values, kind = VALUES[name]
        pool = draw(st.lists(st.none() | values, min_size=1, max_size=6))
        picks = draw(st.lists(st.sampled_from(range(len(pool))), min_size=n_rows, max_size=n_rows))
        columns.append(Column(pa.array([pool[pick] for pick in picks], kind)))
    return columns


@given(key_columns(), st.booleans(), st.sampled_from([True, False, None]), st.integers(0, 12))
def test_group_rows_as_the_slow_twin(columns: list[Column], dropna: bool, sort: bool | None, start: int) -> None:
    _check_groups([column.slice(start, len(column) - min(start, len(column))) for column in columns], dropna, sort)


@given(key_columns(), st.integers(0, 40), st.integers(0, 40))
def test_join_codes_as_the_slow_twin(columns: list[Column], start: int, stop: int) -> None:
    _check_join(
        columns, [column.slice(min(start, len(column)), max(0, min(stop, len(column)) - start)) for column in columns]
    )


def test_category_dtype_is_kept() -> None:
    assert _column("category").dtype.kind is dtypes.Kind.CATEGORY  # the arrays above are what they say
