"""Set tests of category codes, and the fewest planes of classes in which they all can be asked.

A test is what a node asks of a code: whether it goes left. Codes are those of the input or column, then "other" (unseen), then
missing. Where a plane can not hold all codes, it holds *classes*: codes that none of the plane's tests tells apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastframe.predict.features import Code, Lookup
from fastframe.predict.forest import Forest
from fastframe.records import record

Array = np.ndarray[Any, Any]


@record(frozen=True, eq=False)
class CodeTests:
    """Distinct tests, ``goes_left[test, code]``, and which of them each node asks."""

    goes_left: Array   # bool, (n_tests, n_codes + 2)
    of_node: Array     # int64

    @staticmethod
    def joined(parts: Sequence[CodeTests]) -> CodeTests:
        first = np.cumsum([0] + [len(part.goes_left) for part in parts[:-1]])
        of_node = [part.of_node + start for part, start in zip(parts, first, strict=True)]
        return CodeTests(np.concatenate([part.goes_left for part in parts]), np.concatenate(of_node))


@record(frozen=True, eq=False)
class ClassPlane:
    """A plane of classes: the class of each code, the tests asked in it, and the words of their sets of classes."""

    classes: Array
    members: Array
    words: list[Array]
    n_classes: int


def code_values(feature: Code | Lookup, n_codes: int) -> Array:
    """A feature's value for each code of its column, then for unseen and missing."""
    if isinstance(feature, Lookup):
        return feature.values
    return np.append(np.arange(n_codes + 1, dtype=np.float64), np.nan)


def category_tests(forest: Forest, nodes: Array, n_codes: int) -> CodeTests:
    """The tests of category nodes of one input."""
    key = forest.category_set[nodes].astype(np.int64) * 2 + forest.missing_left[nodes]
    distinct, of_node = np.unique(key, return_inverse=True)
    words = forest.set_words[forest.set_start[distinct // 2][:, np.newaxis] + np.arange(n_codes // 32 + 1)]
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), axis=1, bitorder="little")[:, : n_codes + 1]
    return CodeTests(np.column_stack([bits, distinct % 2]).astype(np.bool_), of_node)


def lookup_tests(forest: Forest, nodes: Array, values: Array) -> CodeTests:
    """The tests of number nodes that are fed ``values[code]``."""
    thresholds, missing_left = forest.threshold[nodes], forest.missing_left[nodes]
    order = np.lexsort((missing_left, thresholds))
    new = np.ones(len(order), np.bool_)
    new[1:] = (thresholds[order[1:]] != thresholds[order[:-1]]) | (missing_left[order[1:]] != missing_left[order[:-1]])
    of_node = np.empty(len(order), np.int64)
    of_node[order] = np.cumsum(new) - 1
    asked = order[new]
    goes_left = np.where(np.isnan(values), missing_left[asked, np.newaxis], values <= thresholds[asked, np.newaxis])
    return CodeTests(goes_left, of_node)


def class_planes(goes_left: Array, capacity: int) -> Iterator[ClassPlane]:
    """Planes of at most ``capacity`` classes in which all tests can be asked: as few as taking tests in order gives."""
    n_tests, n_codes = goes_left.shape
    if n_codes <= capacity:
        yield _plane(goes_left, np.arange(n_tests), np.arange(n_codes))
        return
    classes, first = np.zeros(n_codes, np.int64), 0
    for test in range(n_tests):
        finer, refined = np.unique(2 * classes + goes_left[test], return_inverse=True)
        if len(finer) > capacity:
            yield _plane(goes_left, np.arange(first, test), classes)
            refined, first = goes_left[test].astype(np.int64), test
        classes = refined
    yield _plane(goes_left, np.arange(first, n_tests), np.unique(classes, return_inverse=True)[1])


def _plane(goes_left: Array, members: Array, classes: Array) -> ClassPlane:
    _, example = np.unique(classes, return_index=True)   # a code of each class
    sets = goes_left[members][:, example]
    padded = np.zeros((len(members), -(-len(example) // 32) * 32), np.bool_)
    padded[:, : len(example)] = sets
    words = np.packbits(padded, axis=1, bitorder="little").view("<u4").astype(np.uint32)
    return ClassPlane(classes, members, list(words), len(example))
