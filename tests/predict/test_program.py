"""`ForestProgram`: the choice of engine, which must not show in any answer."""

from __future__ import annotations

import numpy as np
import pytest

from fastframe.predict.engines import choose
from fastframe.predict.engines.planes import lay_out
from fastframe.predict.program import ForestProgram
from tests.predict.forests import Recipe, as_rows, features_of, random_forest, random_rows
from tests.reference import forest as reference

MANY = Recipe(trees=60, leaves=(2, 20), features=4)
EXPECTED = {
    "many small trees": (MANY, choose.SLICED),
    "one tree": (Recipe(trees=1, leaves=(8, 8), features=8, domain="float32", accumulate="float32"), choose.WALK),
    "a large tree": (Recipe(trees=2, leaves=(257, 300)), choose.WALK),
    "linear leaves": (Recipe(trees=60, leaves=(2, 20), linear=True), choose.WALK),
    "no trees": (Recipe(trees=0, outputs=2), choose.SLICED),
}


@pytest.mark.parametrize(("recipe", "engine"), EXPECTED.values(), ids=EXPECTED)
def test_choice_and_answers(recipe: Recipe, engine: str) -> None:
    rng = np.random.default_rng(23)
    forest = random_forest(rng, recipe)
    matrix = random_rows(rng, forest, 150)
    rows, columns = as_rows(matrix), list(matrix.T)
    program = ForestProgram(forest, features_of(forest), rows.contract)
    assert program.plan.engine == engine
    assert program.plan.why and program.plan.ns_per_row >= 0
    assert program.sums(rows).tobytes() == reference.sums(forest, columns).tobytes()
    assert np.array_equal(program.leaves(rows), reference.leaves(forest, columns))


def test_few_rows_walk_with_the_same_bits() -> None:
    rng = np.random.default_rng(29)
    forest = random_forest(rng, MANY)
    matrix = random_rows(rng, forest, 128)
    program = ForestProgram(forest, features_of(forest), as_rows(matrix).contract)
    few = program.plan.few_rows
    assert 1 < few < 128
    assert program.plan.engine_for(few - 1) == choose.WALK
    assert program.plan.engine_for(few) == choose.SLICED
    expected = reference.sums(forest, list(matrix.T))
    for n_rows in (0, 1, few - 1, few, 128):
        assert program.sums(as_rows(matrix[:n_rows])).tobytes() == expected[:n_rows].tobytes()


def test_stages_end_with_the_sums() -> None:
    rng = np.random.default_rng(31)
    forest = random_forest(rng, MANY)
    matrix = random_rows(rng, forest, 20)
    rows = as_rows(matrix)
    program = ForestProgram(forest, features_of(forest), rows.contract)
    staged = program.staged(rows, 7)
    assert staged.shape == (20, 9, 1)
    assert staged[:, -1].tobytes() == program.sums(rows).tobytes()


def test_costs_grow_with_what_there_is_to_do() -> None:
    rng = np.random.default_rng(37)

    def costs(recipe: Recipe) -> tuple[float, float, float]:
        forest = random_forest(rng, recipe)
        layout = lay_out(forest, features_of(forest), as_rows(random_rows(rng, forest, 1)).contract, "u8")
        return choose.coding_ns(layout), choose.trees_ns(forest, layout), choose.walk_ns(forest)

    base = costs(Recipe(trees=20, leaves=(16, 16), features=4))
    assert all(many > few for many, few in zip(costs(Recipe(trees=200, leaves=(16, 16), features=8)), base, strict=True))
    assert all(big > small for big, small in zip(costs(Recipe(trees=20, leaves=(60, 60), features=8, thresholds=900)), base, strict=True))
