"""Rows read columns where they lie: dtypes, nulls, bit offsets, steps and blocks, against the slow twins."""

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._kernels import forest_planes as kernels
from fastframe.errors import ModelError
from fastframe.predict import steps
from fastframe.predict.engines import front
from fastframe.predict.features import STEPS, Block, Code, Computed, Lookup, Number, Step
from tests.predict.stumps import contract_of, feature_values, rows_of

KINDS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float32(), pa.float64(),
         pa.bool_(), pa.date32(), pa.timestamp("us")]  # fmt: skip
NULLS = {"none": 0.0, "some": 0.2, "all": 1.0}
SIZES = [0, 1, 63, 64, 65, 1000]
NUMBERS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.75, 1e-46, 5e-324, 1e-40, 3e38, 1e300, -1e300, np.inf, -np.inf, np.nan, 1 / 3, 16777217.0])


def same_bits(given: np.ndarray, wanted: np.ndarray) -> None:
    """Equal, zeros' signs included; any NaN is a NaN."""
    assert given.dtype == wanted.dtype and given.shape == wanted.shape
    np.testing.assert_array_equal(given, wanted)
    np.testing.assert_array_equal(np.signbit(given) & (given == 0), np.signbit(wanted) & (wanted == 0))


def column(kind: pa.DataType, n_rows: int, nulls: float, seed: int = 0) -> pa.Array:
    """Extremes and random values of a type, with nulls; sliced, so that bits and addresses are not aligned."""
    rng = np.random.default_rng(seed)
    n = n_rows + 13
    if pa.types.is_floating(kind):
        with np.errstate(over="ignore"):
            values = rng.choice(np.concatenate([NUMBERS, rng.normal(size=50)]), n).astype(kind.to_pandas_dtype())
    elif kind == pa.bool_():
        values = rng.random(n) < 0.5
    else:
        width = kind.bit_width // 8
        raw = np.dtype(f"{'u' if pa.types.is_unsigned_integer(kind) else 'i'}{width}")
        info = np.iinfo(raw)
        values = rng.integers(info.min, info.max, n, dtype=raw, endpoint=True)
        values[: n // 3] = rng.choice(np.array([0, 1, info.max, info.min, info.max - 1, min(info.max, 2**53 + 1)], raw), n // 3)
        values = rng.permutation(values)
        if pa.types.is_temporal(kind):
            return pa.array(values, mask=rng.random(n) < nulls).cast(pa.int32() if width == 4 else pa.int64()).view(kind).slice(11, n_rows)
    return pa.array(values, kind, mask=rng.random(n) < nulls, from_pandas=False).slice(11, n_rows)


def integers(array: pa.Array) -> pa.Array:
    return array.view(pa.int32() if array.type == pa.date32() else pa.int64()) if pa.types.is_temporal(array.type) else array


def test_records_are_as_large_as_the_kernels_structs():
    records = {"column": front.COLUMN, "step": front.STEP, "input": front.INPUT, "plane": front.PLANE, "front": front.FRONT}
    assert {name: record.itemsize for name, record in records.items()} == kernels.SIZES


def test_kernels_know_every_step_by_the_same_number():
    assert list(front.STEP_CODES) == list(STEPS)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("via", ["float64", "float32", ""])
def test_columns_of_every_dtype(kind, nulls, via):
    """A value is rounded once to ``via``, or straight to the matrix's dtype."""
    for n_rows in SIZES:
        array = column(kind, n_rows, NULLS[nulls])
        rows, plain = rows_of([array], contract_of([array])), rows_of([integers(array)], contract_of([array]))
        for dtype in ("float32", "float64"):
            with np.errstate(over="ignore"):
                wanted = feature_values(plain, Number(0, via=via), (dtype,)).astype(dtype)
            same_bits(rows.matrix([Number(0, via=via)], dtype)[:, 0], wanted)


OPERANDS = {"fill": (0.1,), "equals_missing": (1.0,), "add": (0.1,), "subtract": (1 / 3,), "multiply": (0.7,), "divide": (3.3,), "clip": (-0.25, 0.75),
            "above": (0.5,), "count_at_most": (-1.0, 0.0, 0.1, 0.5, 1e10), "count_below": (-1.0, 0.0, 0.1, 0.5, 1e10)}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("via", ["float64", "float32"])
@pytest.mark.parametrize("kind", [pa.float64(), pa.int16()], ids=str)
def test_steps_have_the_bits_of_their_slow_twin(name, via, kind):
    array = column(kind, 300, 0.1)
    rows = rows_of([array], contract_of([array]))
    for one in ((Step(name, OPERANDS.get(name, ())),), (Step("fill", (0.1,)), Step(name, OPERANDS.get(name, ())), Step("float32"), Step("negative"))):
        feature = Number(0, one, via=via)
        for dtype in ("float32", "float64"):
            with np.errstate(over="ignore"):
                same_bits(rows.matrix([feature], dtype)[:, 0], feature_values(rows, feature, (dtype,)).astype(dtype))


def test_the_slow_twin_does_what_numpy_does():
    x = np.array([np.nan, -1.0, 0.1, 0.5, 2.0, np.inf], np.float32)
    np.testing.assert_array_equal(steps.apply((Step("add", (0.1,)),), x), x + np.float32(0.1))
    np.testing.assert_array_equal(steps.apply((Step("count_at_most", (0.1, 0.5)),), x), [2, 0, 1, 2, 2, 2])   # float32(0.1) > 0.1
    np.testing.assert_array_equal(steps.apply((Step("count_below", (0.1, 0.5)),), x), [2, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(steps.apply((Step("clip", (0.0, 1.0)),), x), [np.nan, 0, np.float32(0.1), 0.5, 1, 1])
    np.testing.assert_array_equal(steps.apply((Step("fill", (7.0,)), Step("above", (0.5,))), x), [1, 0, 0, 0, 1, 1])
    assert steps.apply((Step("float64"),), x).dtype == np.float64 and steps.apply((), x) is x


def test_matrix_of_all_kinds_of_features_and_any_thread_count():
    rng = np.random.default_rng(0)
    n = 50_000
    nulls = rng.random(n) < 0.1
    arrays = [pa.array(rng.normal(size=n), mask=nulls), pa.array(rng.integers(0, 7, n), pa.int32(), mask=nulls[::-1]), pa.array(rng.integers(-5, 5, n))]
    contract = contract_of(arrays, {1: 6})
    block = Block("sums", (Number(0), Lookup(1, np.arange(8.0))), lambda x: np.column_stack([x.sum(axis=1), x[:, 0] * x[:, 1]]), 2, {})
    lookups = [Lookup(1, rng.normal(size=8)) for _ in range(2)]
    features = [Number(0), *lookups, Code(1), Computed(block, 1), Number(2, via="float32"), Computed(block, 0)]
    made = []
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            made.append(rows_of(arrays, contract).matrix(features, "float64"))
    rows = rows_of(arrays, contract)
    wanted = np.column_stack([feature_values(rows, feature, ("float64",)) for feature in features])
    for one in made:
        assert one.flags.c_contiguous
        same_bits(one, wanted)
    parts = [rows.slice(start, min(17_001, n - start)).matrix(features, "float64") for start in range(0, n, 17_001)]
    same_bits(np.concatenate(parts), wanted)


def test_blocks_are_called_once_and_on_bounded_batches_unless_they_need_all_rows():
    calls = []

    def function(x):
        calls.append(x.shape)
        assert x.flags.c_contiguous
        return x[:, ::-1]

    array = pa.array(np.arange(150_000.0))
    for whole, shapes in ((True, [(150_000, 2)]), (False, [(65536, 2), (65536, 2), (18928, 2)])):
        calls.clear()
        rows = rows_of([array], contract_of([array]))
        block = Block("turned", (Number(0), Number(0, (Step("negative"),))), function, 2, {}, whole=whole)
        matrix = rows.matrix([Computed(block, 0), Computed(block, 1)])
        rows.matrix([Computed(block, 1)])
        assert calls == shapes
        np.testing.assert_array_equal(matrix[:, 0], -np.arange(150_000.0))
        np.testing.assert_array_equal(matrix[:, 1], np.arange(150_000.0))


def test_blocks_of_blocks_and_of_float32():
    array = pa.array([0.1, 0.2, None])
    rows = rows_of([array], contract_of([array]))
    first = Block("double", (Number(0),), lambda x: x + x, 1, {}, dtype="float32")
    second = Block("square", (Computed(first, 0), Number(0)), lambda x: x * x, 2, {})
    x = np.float32([0.1, 0.2, np.nan])
    matrix = rows.matrix([Computed(first, 0), Computed(second, 0), Computed(second, 1)])
    np.testing.assert_array_equal(matrix[:, 0], (x + x).astype(np.float64))
    np.testing.assert_array_equal(matrix[:, 1], (x + x).astype(np.float64) ** 2)
    np.testing.assert_array_equal(matrix[:2, 2], np.array([0.1, 0.2]) * np.array([0.1, 0.2]))


def test_values_shared_by_methods_are_made_once():
    array = pa.array([1.0])
    rows, made = rows_of([array], contract_of([array])), []
    node = object()
    assert rows.once(node, lambda: made.append(1) or "value") == rows.once(node, lambda: made.append(1) or "other") == "value"
    assert made == [1]


def test_a_step_needs_a_dtype():
    array = pa.array([1])
    with pytest.raises(ModelError, match="step 'add' on column 0 has no dtype"):
        rows_of([array], contract_of([array])).matrix([Number(0, (Step("add", (1.0,)),), via="")])
