"""The bit-sliced engine against the slow walk: the same bits for any shape of tree, any batch, any number of threads, both kinds of lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastframe as ff
from fastframe._kernels import forest_sliced as kernels
from fastframe.predict.engines import sliced
from fastframe.predict.engines.planes import lay_out
from fastframe.predict.engines.sliced import SlicedEngine, can_slice, perfect_order
from fastframe.predict.forest import Forest
from tests.predict.forests import Recipe, as_rows, features_of, random_forest, random_rows
from tests.reference import forest as reference

Array = np.ndarray[Any, Any]

RECIPES = {
    "defaults": Recipe(),
    "float32": Recipe(domain="float32", accumulate="float32"),
    "one leaf": Recipe(leaves=(1, 1)),
    "stumps": Recipe(leaves=(1, 2)),
    "chains": Recipe(shape="chain", leaves=(10, 60)),
    "missing left": Recipe(missing="left"),
    "missing by feature": Recipe(missing="feature"),
    "several planes": Recipe(thresholds=700, trees=12, leaves=(60, 64), features=2),
    "big trees": Recipe(leaves=(65, 256), trees=3),
    "big float32 trees": Recipe(leaves=(65, 256), trees=4, domain="float32", accumulate="float32"),
    "outputs": Recipe(outputs=3),
    "vector leaves": Recipe(outputs=3, width=3, divide=7.0),
    "categories": Recipe(codes=(1, 7, 31, 200), features=5),
    "many codes": Recipe(codes=(2000,), features=1, trees=12, leaves=(40, 64)),
    "no trees": Recipe(trees=0, outputs=2),
    "all at once": Recipe(codes=(40, 300), outputs=4, domain="float32", accumulate="float32", divide=3.0, trees=20, leaves=(1, 90)),
} | {
    f"perfect {height}": Recipe(shape="perfect", leaves=(1 << height, 1 << height), trees=3, accumulate=("float32", "float64")[height % 2])
    for height in range(1, 9)
}  # fmt: skip


def engine_for(forest: Forest, rows: Any) -> SlicedEngine:
    return SlicedEngine(forest, lay_out(forest, features_of(forest), rows.contract, "u8"))


def sums(engine: SlicedEngine, rows: Any) -> Array:
    out = np.full((rows.n_rows, engine.forest.n_outputs), np.nan, engine.forest.accumulate)
    engine.sums(rows, out)
    return out


def assert_same_bits(engine: SlicedEngine, matrix: Array, expected: Array) -> None:
    rows = as_rows(matrix)
    for wide in {False, kernels.HAS_WIDE}:
        engine.wide = wide
        found = sums(engine, rows)
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes(), (wide, np.flatnonzero((found != expected).any(axis=1))[:5])


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_sums_are_those_of_the_slow_walk(recipe: Recipe) -> None:
    rng = np.random.default_rng(7)
    forest = random_forest(rng, recipe).validate()
    matrix = random_rows(rng, forest, 133)
    assert_same_bits(engine_for(forest, as_rows(matrix)), matrix, reference.sums(forest, list(matrix.T)))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_random_forests(data: st.DataObject, seed: int) -> None:
    outputs = data.draw(st.integers(1, 4))
    codes = data.draw(st.lists(st.integers(1, 80), max_size=3))
    fewest = data.draw(st.integers(1, 40))
    recipe = Recipe(
        trees=data.draw(st.integers(0, 6)), leaves=(fewest, fewest + data.draw(st.integers(0, 40))), outputs=outputs,
        features=len(codes) + data.draw(st.integers(1, 4)), shape=data.draw(st.sampled_from(["random", "chain"])),
        domain=data.draw(st.sampled_from(["float32", "float64"])), accumulate=data.draw(st.sampled_from(["float32", "float64"])),
        width=data.draw(st.sampled_from([1, outputs])), codes=tuple(codes), thresholds=data.draw(st.sampled_from([1, 6, 300])),
        missing=data.draw(st.sampled_from(["mixed", "feature", "left", "right"])), divide=data.draw(st.sampled_from([0.0, 3.0])),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, recipe)
    matrix = random_rows(rng, forest, data.draw(st.integers(0, 40)))
    assert_same_bits(engine_for(forest, as_rows(matrix)), matrix, reference.sums(forest, list(matrix.T)))


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 127, 128, 129, 600])
def test_any_number_of_rows(n_rows: int) -> None:
    rng = np.random.default_rng(11)
    forest = random_forest(rng, Recipe(codes=(9,), outputs=2))
    matrix = random_rows(rng, forest, n_rows)
    assert_same_bits(engine_for(forest, as_rows(matrix)), matrix, reference.sums(forest, list(matrix.T)))


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_threads_and_batches_do_not_matter(n_threads: int) -> None:
    rng = np.random.default_rng(13)
    forest = random_forest(rng, Recipe(trees=40, codes=(9,), outputs=2))
    few = random_rows(rng, forest, 150)
    expected = reference.sums(forest, list(few.T))
    which = rng.integers(0, len(few), 20_000)
    matrix, wanted = few[which], expected[which]
    engine = engine_for(forest, as_rows(few))
    with ff.option_context(threads=n_threads):
        assert_same_bits(engine, matrix, wanted)
        batches = [sums(engine, as_rows(matrix[start : start + 777])) for start in range(0, 3000, 777)]
    assert np.concatenate(batches)[:3000].tobytes() == wanted[: len(np.concatenate(batches))][:3000].tobytes()


def test_padding_of_perfect_trees_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(17)
    forest = random_forest(rng, Recipe(trees=12, leaves=(2, 14), codes=(5,)))
    assert forest.depth_of_tree.max() <= sliced.HIGHEST_PERFECT
    matrix = random_rows(rng, forest, 150)
    expected = reference.sums(forest, list(matrix.T))
    for padding in (0.0, 1000.0):
        monkeypatch.setattr(sliced, "PADDING", padding)
        assert_same_bits(engine_for(forest, as_rows(matrix)), matrix, expected)


def test_what_it_refuses() -> None:
    rng = np.random.default_rng(19)
    assert can_slice(random_forest(rng, Recipe())) == ""
    assert "257 leaves" in can_slice(random_forest(rng, Recipe(leaves=(257, 257))))
    assert "linear" in can_slice(random_forest(rng, Recipe(linear=True)))


def test_order_of_perfect_trees() -> None:
    assert perfect_order(2).tolist() == [2, 1, 0]
    assert perfect_order(3).tolist() == [6, 5, 2, 4, 3, 1, 0]
    for height in range(1, 9):
        assert sorted(perfect_order(height).tolist()) == list(range((1 << height) - 1))
