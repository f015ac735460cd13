"""Rows of the self-check that are made for nodes which its other rows do not decide at.

`forest_aim.hpp` goes through the trees and keeps, per feature, the interval between thresholds that leads to leaves no row has reached.
A row then has, of each such column, a value on the very edge of its interval: a threshold, or the next value above one. What rows
really reached is counted from their leaves afterwards, so nothing that is assumed here (steps that rise, say) can count for more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastframe._kernels.forest_shape import aim
from fastframe.dtypes import Kind
from fastframe.predict.coverage import reached
from fastframe.predict.features import Code, Feature, Number
from fastframe.predict.forest import CategoryInput, Forest, NumberInput
from fastframe.predict.model import Model
from fastframe.predict.model_checks import forest_scores
from fastframe.predict.probes import Keys, Probes, path_of
from fastframe.predict.rows import Rows
from fastframe.predict.scores import ForestScore

Array = np.ndarray[Any, Any]
MOST_AIMED = 4096   # rows, for all forests of a model together
FREE, NUMBER, CATEGORY = 0, 1, 2   # as `Aim` in the kernel


def aimed(model: Model, probes: Probes, rows: Rows, limit: float) -> Probes:
    """The probes, and after them rows for leaves that these do not reach; ``rows``: the probes, matched; ``limit``: of numbers."""
    scores = [one for one in forest_scores(tuple(model.methods.values())) if one.forest.n_trees]
    for score in scores:
        probes = _with(probes, _rows_for(score, probes, rows.program(score).leaves(rows), MOST_AIMED // len(scores), limit))
    return probes


def _with(probes: Probes, more: tuple[list[Array], list[Array]]) -> Probes:
    values, missing = more
    joined = tuple(np.concatenate(pair) for pair in zip(probes.values, values, strict=True))
    holes = tuple(np.concatenate(pair) for pair in zip(probes.missing, missing, strict=True))
    return replace(probes, values=joined, missing=holes)


def _rows_for(score: ForestScore, probes: Probes, leaves: Array, most: int, limit: float) -> tuple[list[Array], list[Array]]:
    """Per column the values, and where they are missing, of up to ``most`` new rows."""
    forest = score.forest
    thresholds = [_thresholds(forest, place) for place in range(forest.n_features)]
    kind, last = _kinds(score, probes, thresholds)
    low, high = (np.zeros((most, forest.n_features), np.int32) for _ in range(2))
    visited, rank = reached(forest, leaves), _ranks(forest, thresholds)
    nodes = tuple(one.ctypes.data for one in (rank, forest.category_set, forest.set_start, forest.set_words))
    out = tuple(one.ctypes.data for one in (visited, low, high))
    made = aim(forest.shape, nodes, (kind.ctypes.data, last.ctypes.data, forest.n_features), out, n_rows=most)
    low, high = low[:made], high[:made]
    source = np.arange(made) % len(leaves)   # columns that no node on the way asks for are those of the other rows
    values, missing = [one[source] for one in probes.values], [one[source] for one in probes.missing]
    for place, feature in enumerate(score.features):
        if kind[place] == FREE:
            continue
        column = feature.column   # type: ignore[union-attr]
        if kind[place] == CATEGORY:
            chosen = low[:, place] >= 0
            values[column][chosen] = low[chosen, place]
        else:
            chosen = (low[:, place] > 0) | (high[:, place] < last[place])
            at_most, above = _edges(Keys(probes.contract.fields[column].dtype, limit), score, place, thresholds[place])
            values[column][chosen] = _on_edges(at_most, above, low[chosen, place], high[chosen, place])
        missing[column][chosen] = False
    return values, missing


def _thresholds(forest: Forest, place: int) -> Array:
    return np.unique(forest.threshold[(forest.feature == place) & (forest.category_set < 0)])


def _ranks(forest: Forest, thresholds: list[Array]) -> Array:
    """Each number node's threshold among those of its feature."""
    rank = np.zeros(len(forest.feature), np.int32)
    for place, listed in enumerate(thresholds):
        nodes = np.flatnonzero((forest.feature == place) & (forest.category_set < 0))
        rank[nodes] = np.searchsorted(listed, forest.threshold[nodes])
    return rank


def _kinds(score: ForestScore, probes: Probes, thresholds: list[Array]) -> tuple[Array, Array]:
    """Which features rows can be aimed by: one of each column, numbers and codes as they stand in the contract."""
    kind, last = np.zeros(score.forest.n_features, np.uint8), np.zeros(score.forest.n_features, np.int32)
    taken: set[int] = set()
    for place, (feature, source) in enumerate(zip(score.features, score.forest.inputs, strict=True)):
        if not len(thresholds[place]) and not isinstance(source, CategoryInput):
            continue
        of = _kind(feature, source, probes)
        if of == FREE or feature.column in taken:   # type: ignore[union-attr]
            continue
        kind[place] = of
        taken.add(feature.column)   # type: ignore[union-attr]
        n_codes = min(source.n_codes, probes.contract.fields[feature.column].n_categories) if isinstance(source, CategoryInput) else 0   # type: ignore[union-attr]
        last[place] = len(thresholds[place]) if of == NUMBER else n_codes
    return kind, last


def _kind(feature: Feature, source: Any, probes: Probes) -> int:
    if isinstance(feature, Code) and isinstance(source, CategoryInput):
        return CATEGORY
    plain = isinstance(feature, Number) and isinstance(source, NumberInput)
    return NUMBER if plain and probes.contract.fields[feature.column].dtype.kind is not Kind.BOOL else FREE   # type: ignore[union-attr]


def _edges(keys: Keys, score: ForestScore, place: int, listed: Array) -> tuple[Array, Array]:
    """The column's values on either side of each threshold."""
    feature, source = score.features[place], score.forest.inputs[place]
    assert isinstance(feature, Number)
    assert isinstance(source, NumberInput)
    return keys.turns(path_of(feature, source, score.forest.domain), listed)


def _on_edges(at_most: Array, above: Array, low: Array, high: Array) -> Array:
    """For each box of bins a value at its upper end (the last threshold) or the lower (just above one), in turn."""
    last = len(at_most)
    upper = (high < last) & ((low == 0) | (np.arange(len(low)) % 2 == 0))
    return np.where(upper, at_most[np.minimum(high, last - 1)], above[np.maximum(low - 1, 0)])
