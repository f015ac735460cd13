"""Planes say of each row what the nodes of their forest say: every source, form and side of missing."""

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import forest_planes as kernels
from fastframe.predict.engines.planes import HIGHEST, Planes, lay_out
from fastframe.predict.engines.sets import class_planes
from fastframe.predict.features import Block, Code, Computed, Lookup, Number, Step
from fastframe.predict.forest import CategoryInput, NumberInput
from tests.predict.stumps import answered, contract_of, expected, filled, rows_of, stumps

SPECIAL = [0.0, -0.0, np.inf, -np.inf, 5e-324, -5e-324, 1e-46, 1e-40, 3.4e38, 1e300, -1e300, 1.0, 1e-35, -1e-35, 1.0000000180025095e-35]
SOURCES = [NumberInput(), NumberInput(via=""), NumberInput(missing_value=1.0), NumberInput(zero_missing=1.0000000180025095e-35, flush=1e-30)]


def around(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds and the numbers next to them, in both float types."""
    wide = thresholds.astype(np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
        near = [np.nextafter(one, one.dtype.type(side)) for one in (wide, narrow) for side in (-np.inf, np.inf)]
    return np.concatenate([wide, narrow, *near]).astype(np.float64)


def check(forest, features, rows, form: str, **options) -> Planes:
    planes = lay_out(forest, features, rows.contract, form, **options)
    np.testing.assert_array_equal(answered(forest, planes, rows), expected(forest, features, rows))
    return planes


def number_forest(rng, domain: str, n_trees: int, source: NumberInput, n_features: int = 1, sides: float = 0.5):
    pool = np.concatenate([np.array(SPECIAL), rng.normal(size=3 * n_trees)])
    thresholds = rng.choice(pool, n_trees)
    with np.errstate(over="ignore"):
        thresholds = thresholds.astype(domain)
    return stumps(domain, [source] * n_features, rng.integers(0, n_features, n_trees), thresholds, rng.random(n_trees) < sides), thresholds


@pytest.mark.parametrize("form", ["u8", "u16", "values"])
@pytest.mark.parametrize("domain", ["float32", "float64"])
@pytest.mark.parametrize("sides", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("wide", sorted({False, kernels.WIDE}))
def test_thresholds_and_their_neighbours(form, domain, sides, source, wide, monkeypatch):
    monkeypatch.setattr(kernels, "WIDE", wide)
    rng = np.random.default_rng(5)
    forest, thresholds = number_forest(rng, domain, 80, source, sides=sides)
    values = np.concatenate([around(thresholds), SPECIAL, [np.nan, -np.nan]])
    values[-1:].view(np.uint64)[:] |= 12345   # a payload
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    for array in (pa.array(values), pa.array(values, mask=rng.random(len(values)) < 0.2), pa.array(narrow)):
        rows = rows_of([array], contract_of([array]))
        check(forest, (Number(0),), rows, domain if form == "values" else form)


@pytest.mark.parametrize("form", ["u8", "u16"])
@pytest.mark.parametrize("n_thresholds", [0, 1, 2, 254, 255, 256, 300, 510, 1000, 3000])
@pytest.mark.parametrize("sides", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("wide", sorted({False, kernels.WIDE}))
def test_more_thresholds_than_codes(form, n_thresholds, sides, wide, monkeypatch):
    """A feature is cut into planes of clamped ranks; missing is on the right side of all of them."""
    monkeypatch.setattr(kernels, "WIDE", wide)
    rng = np.random.default_rng(n_thresholds)
    thresholds = rng.permutation(n_thresholds).astype(np.float64)
    missing_left = rng.random(n_thresholds) < sides
    forest = stumps("float64", [NumberInput()], np.zeros(n_thresholds, int), thresholds, missing_left)
    values = np.array([-1.0, n_thresholds + 1.0, np.nan, -np.inf, np.inf, *rng.uniform(-2, n_thresholds + 2, 130), *rng.integers(0, n_thresholds + 1, 65)])
    rows = rows_of([pa.array(values)], contract_of([pa.array(values)]))
    planes = check(forest, (Number(0),), rows, form)
    n_chunks = -(-n_thresholds // HIGHEST[form])
    assert n_chunks <= planes.n_planes <= 2 * n_chunks
    if sides in (0.0, 1.0):
        assert planes.n_planes == n_chunks


@pytest.mark.parametrize("form", ["u8", "u16", "float64"])
@pytest.mark.parametrize("merge_from", [1, 3, 100])
def test_lookups_and_codes_of_one_column(form, merge_from):
    rng = np.random.default_rng(2)
    n_codes = 40
    codes = pa.array(rng.integers(0, n_codes + 1, 300), pa.int32(), mask=rng.random(300) < 0.1)
    tables = [rng.integers(0, 3, n_codes + 2).astype(np.float64) for _ in range(4)]
    tables[1][rng.random(n_codes + 2) < 0.3] = np.nan
    features = (*(Lookup(0, table) for table in tables), Code(0), Lookup(0, np.arange(n_codes + 2) % 7.0), Number(1))
    inputs = [NumberInput()] * 4 + [CategoryInput(n_codes), CategoryInput(5), NumberInput()]
    feature = rng.integers(0, len(features), 200)
    sets = {tree: rng.random(inputs[index].n_codes + 1) < 0.5 for tree, index in enumerate(feature) if isinstance(inputs[index], CategoryInput)}
    forest = stumps("float64", inputs, feature, rng.choice([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0], 200), rng.random(200) < 0.5, sets=sets)
    arrays = [codes, pa.array(rng.normal(size=300))]
    rows = rows_of(arrays, contract_of(arrays, {0: n_codes}))
    planes = check(forest, features, rows, form, merge_from=merge_from)
    assert (planes.n_planes <= 3) == (merge_from < 4)


@pytest.mark.parametrize("form", ["u8", "u16", "values"])
@pytest.mark.parametrize("n_codes", [1, 31, 32, 63, 64, 254, 255, 256, 1000])
def test_sets_over_codes(form, n_codes):
    """More codes than a byte has values: classes of codes, in as many planes as they need."""
    rng = np.random.default_rng(n_codes)
    array = pa.array(rng.integers(0, n_codes + 1, 500), pa.int32(), mask=rng.random(500) < 0.1)
    sets = {tree: rng.random(n_codes + 1) < rng.choice([0.02, 0.5]) for tree in range(30)}
    for domain in ("float32", "float64"):
        forest = stumps(domain, [CategoryInput(n_codes)], np.zeros(30, int), np.zeros(30), rng.random(30) < 0.5, sets=sets)
        rows = rows_of([array], contract_of([array], {0: n_codes}))
        planes = check(forest, (Code(0),), rows, domain if form == "values" else form)
        assert planes.n_planes == 1 or (form == "u8" and n_codes > 254)


@pytest.mark.parametrize("truncate", [True, False])
@pytest.mark.parametrize("negative_other", [True, False])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.uint8(), pa.bool_()])
def test_numbers_that_are_codes(truncate, negative_other, kind):
    values = np.array([0, 1, 2, 2.5, 2.999, 6, 7, 7.5, 8, -0.0, -0.5, -0.99999, -1, -2, 1e9, 2.2e9, -2.2e9, 1e300, np.inf, -np.inf, 5e-324])
    if kind == pa.bool_():
        values = values[:2]
    elif not pa.types.is_floating(kind):
        info = np.iinfo(kind.to_pandas_dtype())
        values = values[(values >= info.min) & (values <= info.max) & (values == np.trunc(values))]
    with np.errstate(over="ignore"):
        array = pa.array(values.astype(kind.to_pandas_dtype()), kind)
    array = pa.concat_arrays([array, pa.nulls(2, kind)])
    rng = np.random.default_rng(0)
    source = CategoryInput(8, truncate=truncate, negative_other=negative_other)
    for domain in ("float32", "float64"):
        sets = {tree: rng.random(9) < 0.5 for tree in range(40)}
        forest = stumps(domain, [source], np.zeros(40, int), np.zeros(40), rng.random(40) < 0.5, sets=sets)
        for form in ("u8", "u16", domain):
            check(forest, (Number(0),), rows_of([array], contract_of([array])), form)


@pytest.mark.parametrize("form", ["u8", "u16", "float32"])
def test_steps_and_blocks_feed_forests(form):
    """Steps run before the rules of the input; computed features are columns that are made first."""
    rng = np.random.default_rng(3)
    arrays = [pa.array(rng.normal(size=200), mask=rng.random(200) < 0.2), pa.array(rng.integers(-4, 5, 200))]
    block = Block("product", (Number(0), Number(1)), lambda x: np.column_stack([x[:, 0] * x[:, 1], x.sum(axis=1)]), 2, {})
    scaled = Number(0, (Step("fill", (0.5,)), Step("subtract", (0.1,)), Step("divide", (3.0,))))
    features = (scaled, Computed(block, 1), Computed(block, 0), Number(1, (Step("float32"), Step("square")), via=""))
    inputs = [NumberInput(), NumberInput(via=""), NumberInput(missing_value=0.0), NumberInput(via="")]
    forest = stumps("float32", inputs, rng.integers(0, 4, 150), rng.normal(size=150).round(1), rng.random(150) < 0.5)
    check(forest, features, rows_of(arrays, contract_of(arrays)), form)


def test_a_forest_without_tests_has_no_planes():
    forest = stumps("float64", [NumberInput()], [], [], [])
    array = pa.array([1.0, 2.0])
    planes = lay_out(forest, (Number(0),), contract_of([array]), "u8")
    assert planes.n_planes == 0 and planes.front.n_planes == 0
    assert filled(planes, rows_of([array], contract_of([array]))).shape == (2, 0)


def test_classes_tell_apart_what_tests_do_in_few_planes():
    rng = np.random.default_rng(0)
    tests = rng.random((40, 500)) < 0.5
    planes = list(class_planes(tests, 256))
    assert sorted(np.concatenate([plane.members for plane in planes])) == list(range(40))
    assert len(planes) <= 40 // 8
    for plane in planes:
        assert plane.classes.max() + 1 == plane.n_classes <= 256
        for test, words in zip(plane.members, plane.words, strict=True):
            bits = np.unpackbits(words.view(np.uint8), bitorder="little")
            np.testing.assert_array_equal(bits[plane.classes].astype(bool), tests[test])
