"""The slow twin of forests: row by row, node by node, as `fastframe.predict.forest` says in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe.predict.forest import LEAF, NO_SET, Forest, Input, NumberInput

Array = np.ndarray[Any, Any]
Value = float | int | None   # a number in the forest's domain, a category's code, or missing


def values(forest: Forest, column: Array, source: Input) -> list[Value]:
    """What nodes see of a column.

    A number input takes floats (NaN: missing), integers or bools. A category input takes integers that are codes (-1:
    missing; ``n_codes``: other), or floats as they stand in a matrix.
    """
    column = np.asarray(column)
    if isinstance(source, NumberInput):
        return [_number(forest, x, source) for x in column]
    if column.dtype.kind in "iu":
        return [None if int(x) == -1 else _code(int(x), source.n_codes) for x in column]
    seen: list[Value] = []
    for x in column.tolist():
        if math.isnan(x):
            seen.append(None)
        elif math.isinf(x) or (x != int(x) and not source.truncate) or (x < 0 and source.negative_other):
            seen.append(source.n_codes)
        else:
            seen.append(_code(int(x), source.n_codes))
    return seen


def _number(forest: Forest, x: Any, source: NumberInput) -> Value:
    with np.errstate(over="ignore"):
        if source.via:
            x = np.dtype(source.via).type(x)
        x = float(np.dtype(forest.domain).type(x))
        missing_value = float(np.dtype(forest.domain).type(source.missing_value))
    if math.isnan(x) or x == missing_value or abs(x) <= source.zero_missing:
        return None
    return 0.0 if abs(x) <= source.flush else x


def _code(code: int, n_codes: int) -> int:
    return code if 0 <= code < n_codes else n_codes


def goes_left(forest: Forest, node: int, value: Value) -> bool:
    """Where node ``node`` of the whole forest sends a value."""
    if value is None:
        return bool(forest.missing_left[node])
    which = int(forest.category_set[node])
    if which == NO_SET:
        return value <= float(forest.threshold[node])
    code = int(value)
    word = int(forest.set_words[int(forest.set_start[which]) + code // 32])
    return bool(word >> (code % 32) & 1)


def end_of(forest: Forest, tree: int, row: Sequence[Value]) -> int:
    """The node of the whole forest that a row ends in."""
    start = int(forest.tree_start[tree])
    node = start
    while forest.feature[node] != LEAF:
        side = forest.left if goes_left(forest, node, row[forest.feature[node]]) else forest.right
        node = start + int(side[node])
    return node


def rows(forest: Forest, columns: Sequence[Array]) -> list[tuple[Value, ...]]:
    seen = [values(forest, column, source) for column, source in zip(columns, forest.inputs, strict=True)]
    return list(zip(*seen, strict=True)) if seen else []


def leaf_numbers(forest: Forest, columns: Sequence[Array]) -> Array:
    """``(n_rows, n_trees)``: numbers of leaves in the forest."""
    seen = rows(forest, columns)
    before = [0, *np.cumsum(forest.feature == LEAF).tolist()]   # leaves before a node
    numbers = [[before[end_of(forest, tree, row)] for tree in range(forest.n_trees)] for row in seen]
    return np.array(numbers, np.int64).reshape(len(seen), forest.n_trees)


def leaves(forest: Forest, columns: Sequence[Array]) -> Array:
    """``(n_rows, n_trees)``: leaves by the names that the native library has for them."""
    return forest.leaf_id[leaf_numbers(forest, columns)]


def leaf_value(forest: Forest, leaf: int, row: Sequence[Value]) -> Array:
    """``(width,)``: what a leaf adds for a row."""
    plain = forest.leaf_values[leaf]
    if forest.linear is None:
        return plain
    total = np.float64(forest.linear.constant[leaf])
    for term in range(forest.linear.term_start[leaf], forest.linear.term_start[leaf + 1]):
        x = row[forest.linear.feature[term]]
        if x is None:
            return plain
        total = total + forest.linear.coefficient[term] * np.float64(x)
    return np.array([total])


def sums(forest: Forest, columns: Sequence[Array], n_trees: int | None = None) -> Array:
    """``(n_rows, n_outputs)`` in the forest's dtype: of all trees, or of the first ``n_trees`` undivided (stages)."""
    seen = rows(forest, columns)
    reached = leaf_numbers(forest, columns)
    out = np.empty((len(seen), forest.n_outputs), forest.accumulate)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, row in enumerate(seen):
            total = forest.base.copy()
            for tree in range(forest.n_trees if n_trees is None else n_trees):
                value = leaf_value(forest, reached[i, tree], row)
                if forest.width == 1:
                    output = forest.tree_output[tree]
                    total[output] = total[output] + value[0]
                else:
                    total = total + value
            if forest.divide != 0 and n_trees is None:
                total = total / forest.accumulate.type(forest.divide)
            out[i] = total
    return out
