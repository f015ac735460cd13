"""The walk against the slow walker: shapes, domains, sides of missing, categories, outputs, stages, linear leaves, threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from fastframe.options import option_context
from fastframe.predict.engines.keys import keys_of
from fastframe.predict.engines.planes import lay_out
from fastframe.predict.engines.walk import WalkEngine, walk_form
from fastframe.predict.features import Code, Lookup, Number
from fastframe.predict.forest import CategoryInput, Forest
from tests.predict.forests import Recipe, random_forest, random_rows
from tests.predict.stumps import contract_of, rows_of
from tests.reference import forest as reference

RECIPES = {
    "plain": Recipe(),
    "float32": Recipe(domain="float32", accumulate="float32"),
    "missing by feature": Recipe(domain="float32", missing="feature"),
    "missing left": Recipe(missing="left"),
    "perfect": Recipe(shape="perfect", leaves=(64, 64), domain="float32"),
    "deep": Recipe(shape="chain", leaves=(2, 90), trees=4, domain="float32"),
    "large": Recipe(leaves=(300, 700), trees=3, features=9, domain="float32", thresholds=400),
    "single leaves": Recipe(leaves=(1, 2), trees=9),
    "categories": Recipe(codes=(3, 40, 300), features=6, leaves=(1, 60)),
    "categories in float32": Recipe(codes=(31, 32, 33), features=5, domain="float32", leaves=(20, 60)),
    "outputs by tree": Recipe(outputs=3, trees=12, divide=4.0),
    "two values per leaf": Recipe(outputs=2, width=2, divide=7.0, domain="float32"),
    "vectors": Recipe(outputs=5, width=5, accumulate="float32"),
    "no trees": Recipe(trees=0),
}


def engine_of(forest: Forest, arrays: list[pa.Array]) -> tuple[WalkEngine, object]:
    categories = {at: kind.n_codes for at, kind in enumerate(forest.inputs) if isinstance(kind, CategoryInput)}
    contract = contract_of(arrays, categories)
    features = tuple(Code(at) if at in categories else Number(at) for at in range(forest.n_features))
    layout = lay_out(forest, features, contract, walk_form(forest))
    return WalkEngine(forest, layout, features), rows_of(arrays, contract)


def columns_of(forest: Forest, matrix: np.ndarray) -> tuple[list[pa.Array], list[np.ndarray]]:
    """Arrow columns, and what the slow walker is to see of them: -1 for a category that is missing."""
    arrays, seen = [], []
    for kind, values in zip(forest.inputs, matrix.T, strict=True):
        if not isinstance(kind, CategoryInput):
            arrays.append(pa.array(values, from_pandas=True))
            seen.append(values)
            continue
        missing = np.isnan(values)
        codes = np.where(missing | (values < 0) | (values > kind.n_codes), kind.n_codes, values).astype(np.int32)
        arrays.append(pa.array(codes, mask=missing))
        seen.append(np.where(missing, -1, codes))
    return arrays, seen


@pytest.mark.parametrize(("n_rows", "missing"), [(0, 0), (1, 0), (7, 0.1), (8, 0), (9, 0.1), (130, 0), (130, 0.1)])
@pytest.mark.parametrize("name", RECIPES)
def test_every_shape(name, n_rows, missing):
    rng = np.random.default_rng(len(name) + n_rows)
    forest = random_forest(rng, RECIPES[name]).validate()
    arrays, seen = columns_of(forest, random_rows(rng, forest, n_rows, missing=missing))
    engine, rows = engine_of(forest, arrays)
    assert engine.sums(rows).tobytes() == reference.sums(forest, seen).tobytes()
    np.testing.assert_array_equal(engine.leaves(rows), reference.leaves(forest, seen))


@pytest.mark.parametrize("name", ["plain", "outputs by tree", "vectors", "categories"])
@pytest.mark.parametrize("every", [1, 2, 5, 100])
def test_stages(name, every):
    rng = np.random.default_rng(every)
    forest = random_forest(rng, RECIPES[name]).validate()
    arrays, seen = columns_of(forest, random_rows(rng, forest, 77))
    engine, rows = engine_of(forest, arrays)
    staged = engine.staged(rows, every)
    ends = [*range(every, forest.n_trees, every), forest.n_trees]
    assert staged.shape == (77, len(ends), forest.n_outputs)
    for stage, n_trees in enumerate(ends):
        assert staged[:, stage].tobytes() == reference.sums(forest, seen, n_trees).tobytes()


@pytest.mark.parametrize("every", [0, 3])
def test_linear_leaves(every):
    rng = np.random.default_rng(4)
    forest = random_forest(rng, Recipe(linear=True, outputs=2, trees=8, divide=0.0 if every else 4.0)).validate()
    matrix = np.clip(random_rows(rng, forest, 200, missing=0.05), -1e6, 1e6)
    arrays, seen = columns_of(forest, matrix)
    engine, rows = engine_of(forest, arrays)
    if not every:
        assert engine.sums(rows).tobytes() == reference.sums(forest, seen).tobytes()
        return
    staged = engine.staged(rows, every)
    for stage, n_trees in enumerate([3, 6, 8]):
        assert staged[:, stage].tobytes() == reference.sums(forest, seen, n_trees).tobytes()


@pytest.mark.parametrize("recipe", [
    Recipe(features=300, leaves=(200, 300), domain="float32", thresholds=5),   # more columns than the small node takes
    Recipe(features=1200, leaves=(800, 900), trees=4, domain="float32", thresholds=3, codes=(5,) * 20),   # the large one
])  # fmt: skip
def test_many_columns(recipe):
    rng = np.random.default_rng(0)
    forest = random_forest(rng, recipe).validate()
    arrays, seen = columns_of(forest, random_rows(rng, forest, 40))
    engine, rows = engine_of(forest, arrays)
    assert engine.packed.address[0] == (1 if recipe.features == 300 else 2)
    assert engine.sums(rows).tobytes() == reference.sums(forest, seen).tobytes()


def test_a_tree_of_more_places_than_a_small_node_counts():
    """A chain to the right: the slow walker would take hours, the leaf is known."""
    n_inner = 140_000
    rng = np.random.default_rng(1)
    small = random_forest(rng, Recipe(trees=1, leaves=(1, 1), features=1, domain="float32"))
    n_nodes = 2 * n_inner + 1
    number = np.arange(n_nodes, dtype=np.int32)
    inner = (number % 2 == 0) & (number < n_nodes - 1)
    forest = dataclasses.replace(
        small, tree_start=np.array([0, n_nodes]), feature=np.where(inner, 0, -1).astype(np.int32),
        threshold=np.where(inner, number // 2, 0).astype(np.float32), left=np.where(inner, number + 1, 0).astype(np.int32),
        right=np.where(inner, number + 2, 0).astype(np.int32), missing_left=np.zeros(n_nodes, bool),
        category_set=np.full(n_nodes, -1, np.int32), leaf_values=np.zeros((n_inner + 1, 1)), leaf_id=np.arange(n_inner + 1, dtype=np.int32),
    ).validate()  # fmt: skip
    values = np.array([-1.0, 0.5, 7.0, 1234.5, 2.0 * n_inner, np.nan])
    engine, rows = engine_of(forest, [pa.array(values)])
    assert engine.packed.address[0] == 2
    np.testing.assert_array_equal(engine.leaves(rows)[:, 0], [0, 1, 7, 1235, n_inner, n_inner])


@pytest.mark.parametrize("name", ["large", "categories", "two values per leaf"])
def test_threads_and_batches_give_the_same_bits(name):
    rng = np.random.default_rng(8)
    forest = random_forest(rng, RECIPES[name]).validate()
    matrix = random_rows(rng, forest, 10_000, missing=0)
    matrix[4444:][rng.random((10_000 - 4444, forest.n_features)) < 0.1] = np.nan   # blocks without missing, then some with
    arrays, seen = columns_of(forest, matrix)
    engine, rows = engine_of(forest, arrays)
    answers = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            answers.append((engine.sums(rows).tobytes(), engine.leaves(rows).tobytes(), engine.staged(rows, 2).tobytes()))
    assert answers[0] == answers[1] == answers[2]
    parts = [engine.sums(rows.slice(start, min(777, 10_000 - start))) for start in range(0, 10_000, 777)]
    assert np.concatenate(parts).tobytes() == answers[0][0]
    few = [column[4414:4474] for column in seen]
    assert reference.sums(forest, few).tobytes() == engine.sums(rows)[4414:4474].tobytes()


@pytest.mark.parametrize("kind", [
    pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(),
])  # fmt: skip
@pytest.mark.parametrize("domain", ["float32", "float64"])
def test_every_input_dtype(kind, domain):
    rng = np.random.default_rng(3)
    forest = random_forest(rng, Recipe(features=3, leaves=(20, 40), domain=domain)).validate()
    raw = rng.integers(0, 2 if kind == pa.bool_() else 5, (3, 150))
    arrays = [pa.array(values, mask=rng.random(150) < 0.2).cast(kind) for values in raw]
    arrays = [pa.concat_arrays([array, array])[75:225] for array in arrays]   # an offset
    seen = [array.cast(pa.float64()).to_numpy(zero_copy_only=False) for array in (array.cast(pa.uint8()) for array in arrays)]
    engine, rows = engine_of(forest, arrays)
    assert engine.sums(rows).tobytes() == reference.sums(forest, seen).tobytes()


@pytest.mark.parametrize("domain", ["float32", "float64"])
@pytest.mark.parametrize("merge_from", [1, 100])
def test_lookups(domain, merge_from):
    """Of one column of categories: as values or ranks, and merged into sets of its codes."""
    rng = np.random.default_rng(merge_from)
    forest = random_forest(rng, Recipe(features=4, leaves=(20, 40), domain=domain)).validate()
    tables = rng.choice(np.append(forest.threshold.astype(np.float64), [np.nan, 0.0]), (3, 12))
    codes = pa.array(rng.integers(0, 11, 200).astype(np.int32), mask=rng.random(200) < 0.1)   # 10: unseen
    number = rng.normal(size=200)
    contract = contract_of([codes, number], {0: 10})
    features = (*(Lookup(0, table) for table in tables), Number(1))
    layout = lay_out(forest, features, contract, walk_form(forest), merge_from=merge_from)
    at = np.where(np.asarray(codes.is_null()), 11, np.asarray(codes.fill_null(0)))
    expected = reference.sums(forest, [*tables[:, at], number])
    rows = rows_of([codes, pa.array(number)], contract)
    assert WalkEngine(forest, layout).sums(rows).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_keys_are_in_the_order_of_values(kind):
    rng = np.random.default_rng(2)
    tiny = np.finfo(kind).smallest_subnormal
    values = np.concatenate([rng.normal(size=200), [0.0, -0.0, np.inf, -np.inf, tiny, -tiny, np.finfo(kind).max]]).astype(kind)
    keys = keys_of(values)
    assert np.array_equal(keys[:, None] < keys, values[:, None] < values)
    assert 0 < keys.min() and keys.max() < np.iinfo(keys.dtype).max   # both are for what is missing
