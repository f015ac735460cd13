"""How a forest's nodes read a block of rows: the planes that its features are coded into, and each node's test of one plane.

A number node sends a row left iff ``code <= rank`` in its plane (forms of values: iff ``value <= threshold``); missing is in the
code already. A node with a set sends it left iff the set holds the plane's code: "other" and missing are codes of their own there,
so category nodes need one plane, whichever sides missing takes. Lookups that feed number nodes become ranks of their own; from
`merge_from` of one column on (one-hot) they become sets on one plane of the column's codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.predict import steps
from fastframe.predict.engines.front import CategoryPlanes, CodePlanes, Front, NumberPlanes, Planned
from fastframe.predict.engines.sets import CodeTests, category_tests, class_planes, code_values, lookup_tests
from fastframe.predict.features import Code, Computed, Feature, Lookup, Number
from fastframe.predict.forest import CategoryInput, Forest, NumberInput
from fastframe.records import record

Array = np.ndarray[Any, Any]

HIGHEST = {"u8": 255, "u16": 65535}   # codes of the forms of codes
_CLASSES = {"u8": 1 << 8, "u16": 1 << 16, "float32": 1 << 24, "float64": 1 << 31}   # whole numbers that a plane holds
_TABLE_DTYPES = {"u8": np.uint8, "u16": np.uint16, "float32": np.float32, "float64": np.float64}
MERGE_FROM = {"u8": 3, "u16": 8, "float32": 8, "float64": 8}   # a walk's set test costs more than its comparison


@record(frozen=True, eq=False)
class Planes:
    """The layout for one form: ``"u8"``, ``"u16"``, or the forest's domain for values.

    Attributes
    ----------
    form : str
    front : Front
        What kernels take to fill the planes.
    feature : numpy.ndarray
        int32, ``(n_planes,)``: the forest's feature, or one of them.
    n_codes : numpy.ndarray
        int64, ``(n_planes,)``: codes are below this; 0 for planes of values.
    plane : numpy.ndarray
        int32, ``(n_nodes,)``: -1 for a leaf.
    rank : numpy.ndarray
        int32, ``(n_nodes,)``: of a number node, in the forms of codes.
    node_set : numpy.ndarray
        int32, ``(n_nodes,)``: -1 where a node is no set test.
    set_start, set_words : numpy.ndarray
        As in `Forest`, but over the codes of the node's plane, all of them.
    """

    form: str
    front: Front
    feature: Array
    n_codes: Array
    plane: Array
    rank: Array
    node_set: Array
    set_start: Array
    set_words: Array

    @property
    def n_planes(self) -> int:
        return len(self.feature)

    def set_of(self, number: int) -> Array:
        """The words of a set."""
        return self.set_words[self.set_start[number] : self.set_start[number + 1]]


def lay_out(forest: Forest, features: Sequence[Feature], contract: FeatureContract, form: str, *, merge_from: int | None = None) -> Planes:
    """The planes of a forest in a form; ``form`` is ``"u8"``, ``"u16"`` or the forest's domain."""
    return _Layout(forest, features, contract, form, merge_from or MERGE_FROM[form]).made()


class _Layout:
    """A layout in the making. Planes get their final numbers last: those of one input must be neighbours."""

    def __init__(self, forest: Forest, features: Sequence[Feature], contract: FeatureContract, form: str, merge_from: int) -> None:
        self.forest, self.features, self.contract, self.form = forest, features, contract, form
        self.inner = np.flatnonzero(forest.feature >= 0)
        self.feature_of = forest.feature[self.inner]   # of inner nodes
        self.plane_of = np.full(len(self.inner), -1, np.int32)
        self.rank_of = np.zeros(len(self.inner), np.int32)
        self.set_of = np.full(len(self.inner), -1, np.int32)
        self.plane_inputs: list[Array] = [np.empty(0, np.int64)]   # per plane made: the input, the feature, codes
        self.plane_features: list[Array] = [np.empty(0, np.int64)]
        self.plane_codes: list[Array] = [np.empty(0, np.int64)]
        self.n_planes, self.n_sets = 0, 0
        self.sets: list[Array] = []
        self._sort_out(merge_from)

    def _sort_out(self, merge_from: int) -> None:
        """Which features become ranks or values, which sets: by column where they are of a column of categories."""
        used = np.flatnonzero(np.bincount(self.feature_of, minlength=self.forest.n_features)).tolist()
        self.numbers: list[int] = []
        self.categories: list[int] = []
        tables: dict[int, list[int]] = {}
        for index in used:
            feature, source = self.features[index], self.forest.inputs[index]
            if isinstance(feature, Code | Lookup):
                tables.setdefault(feature.column, []).append(index)
            else:
                (self.numbers if isinstance(source, NumberInput) else self.categories).append(index)
        self.merged: dict[int, list[int]] = {}
        self.ranked: dict[int, list[int]] = {}
        for column, members in tables.items():
            numbers = [index for index in members if isinstance(self.forest.inputs[index], NumberInput)]
            sets = members if len(numbers) >= merge_from else [index for index in members if index not in numbers]
            self.merged[column] = sets
            self.ranked[column] = [index for index in members if index not in sets]

    def made(self) -> Planes:
        planned = self._ranks_and_values()
        for index in self.categories:
            planned.append(self._category_input(index, len(planned)))
        for column, ranks in self.code_inputs.items():
            planned.append(self._code_input(column, ranks, len(planned)))
        order = np.argsort(np.concatenate(self.plane_inputs), kind="stable")
        number = np.empty(len(order), np.int32)
        number[order] = np.arange(len(order))
        return Planes(
            form=self.form,
            front=Front(planned, self.forest.domain, self.contract),
            feature=np.concatenate(self.plane_features)[order].astype(np.int32),
            n_codes=np.concatenate(self.plane_codes)[order],
            plane=self._per_node(number[self.plane_of] if len(number) else self.plane_of),
            rank=self._per_node(self.rank_of, 0),
            node_set=self._per_node(self.set_of),
            set_start=np.concatenate([[0], np.cumsum([len(words) for words in self.sets])]).astype(np.int64),
            set_words=np.concatenate([np.empty(0, np.uint32), *self.sets]),
        )

    def _per_node(self, values: Array, leaf: int = -1) -> Array:
        out = np.full(len(self.forest.feature), leaf, np.int32)
        out[self.inner] = values
        return out

    def _add_planes(self, inputs: Array, features: Array, codes: Array) -> int:
        """The number of the first of them, in order of making."""
        self.plane_inputs.append(inputs)
        self.plane_features.append(features)
        self.plane_codes.append(codes)
        first, self.n_planes = self.n_planes, self.n_planes + len(inputs)
        return first

    def _ranks_and_values(self) -> list[Planned]:
        """Inputs of number columns; planes of ranks or values, also those of lookups (`code_inputs` gets their tables)."""
        listed = self.numbers + [index for members in self.ranked.values() for index in members]
        slots = np.full(self.forest.n_features + 1, -1, np.int32)
        slots[listed] = np.arange(len(listed))
        mine = slots[self.feature_of]
        nodes = np.flatnonzero(mine >= 0)
        planes = _RankPlanes(mine[nodes], self.forest.threshold[self.inner[nodes]], self.forest.missing_left[self.inner[nodes]], len(listed), self.form)
        self.rank_of[nodes] = planes.rank
        columns = list(self.ranked)
        first_code_input = len(self.numbers) + len(self.categories)
        input_of_slot = [*range(len(self.numbers)), *(first_code_input + columns.index(self.features[index].column) for index in listed[len(self.numbers) :])]   # type: ignore[union-attr]
        self.plane_of[nodes] = planes.plane + self._add_planes(
            np.array(input_of_slot, np.int64)[planes.slot], np.array(listed, np.int64)[planes.slot], planes.n_codes
        )
        self.code_inputs: dict[int, list[Array]] = {column: [] for column in columns}
        planned: list[Planned] = []
        bounds = np.searchsorted(planes.slot, np.arange(len(listed) + 1))
        for slot, index in enumerate(listed):
            own = slice(bounds[slot], bounds[slot + 1])
            feature, source = self.features[index], self.forest.inputs[index]
            assert isinstance(source, NumberInput)
            if isinstance(feature, Number | Computed):
                planned.append(NumberPlanes(feature, source, planes.first[own], planes.right[own], planes.thresholds[slot]))
                continue
            values = steps.enter(code_values(feature, self._n_categories(feature.column)), source, self.forest.domain)
            self.code_inputs[feature.column] += [
                self._rank_table(values, planes.thresholds[slot], int(first), bool(right))
                for first, right in zip(planes.first[own], planes.right[own], strict=True)
            ]
        return planned

    def _n_categories(self, column: int) -> int:
        categories = self.contract.fields[column].categories
        return 0 if categories is None else len(categories)

    def _rank_table(self, values: Array, thresholds: Array, first: int, right: bool) -> Array:
        missing = np.isnan(values)
        if self.form not in HIGHEST:
            return np.where(missing, np.nan if right else -np.inf, values).astype(self.form)
        highest = HIGHEST[self.form]
        ranks = np.clip(np.searchsorted(thresholds, values) - first, 0, highest)
        return np.where(missing, highest if right else 0, ranks).astype(_TABLE_DTYPES[self.form])

    def _category_input(self, index: int, position: int) -> CategoryPlanes:
        source = self.forest.inputs[index]
        assert isinstance(source, CategoryInput)
        nodes = np.flatnonzero(self.feature_of == index)
        tests = category_tests(self.forest, self.inner[nodes], source.n_codes)
        tables = self._set_planes(nodes, tests, position, index)
        return CategoryPlanes(self.features[index], source, tables)   # type: ignore[arg-type]

    def _code_input(self, column: int, tables: list[Array], position: int) -> CodePlanes:
        n_codes = self._n_categories(column)
        members = self.merged[column]
        if members:
            nodes, tests = [], []
            for index in members:
                own = np.flatnonzero(self.feature_of == index)
                nodes.append(own)
                tests.append(self._tests_of_codes(index, self.inner[own], n_codes))
            tables = tables + self._set_planes(np.concatenate(nodes), CodeTests.joined(tests), position, members[0])
        return CodePlanes(column, n_codes, tables)

    def _tests_of_codes(self, index: int, nodes: Array, n_codes: int) -> CodeTests:
        """What nodes ask of a column's codes, whatever their feature makes of them."""
        feature, source = self.features[index], self.forest.inputs[index]
        values = code_values(feature, n_codes)   # type: ignore[arg-type]
        if isinstance(source, NumberInput):
            return lookup_tests(self.forest, nodes, steps.enter(values, source, self.forest.domain))
        tests = category_tests(self.forest, nodes, source.n_codes)
        return CodeTests(tests.goes_left[:, steps.codes(values.astype(self.forest.domain), source)], tests.of_node)

    def _set_planes(self, nodes: Array, tests: CodeTests, position: int, index: int) -> list[Array]:
        """Planes of classes of codes for these tests; the tables that make them, and the nodes' planes and sets."""
        tables = []
        for plane in class_planes(tests.goes_left, _CLASSES[self.form]):
            number = self._add_planes(np.array([position]), np.array([index]), np.array([plane.n_classes]))
            first_set = np.full(len(tests.goes_left), -1, np.int64)
            first_set[plane.members] = self.n_sets + np.arange(len(plane.members))
            inside = first_set[tests.of_node] >= 0
            self.set_of[nodes[inside]] = first_set[tests.of_node[inside]]
            self.plane_of[nodes[inside]] = number
            self.n_sets += len(plane.members)
            self.sets += plane.words
            tables.append(plane.classes.astype(_TABLE_DTYPES[self.form]))
        return tables


class _RankPlanes:
    """Number nodes' planes and ranks. A *slot* is a feature; planes come out in the order of slots.

    Attributes
    ----------
    plane, rank : numpy.ndarray
        Per node.
    slot, first, right, n_codes : numpy.ndarray
        Per plane: its slot, first threshold, whether missing goes right, how many codes.
    thresholds : list of numpy.ndarray
        Per slot, ascending and distinct; empty in forms of values.
    """

    def __init__(self, slots: Array, thresholds: Array, missing_left: Array, n_slots: int, form: str) -> None:
        if form in HIGHEST:
            ranks, self.thresholds = _ranks(slots, thresholds, n_slots)
            capacity = HIGHEST[form]
            chunk = ranks // capacity
            self.rank = (ranks - chunk * capacity).astype(np.int32)
        else:
            self.thresholds = [thresholds[:0]] * n_slots
            capacity, chunk = 1, np.zeros(1, np.int32)   # of every node
            self.rank = np.zeros(len(slots), np.int32)
        lengths = np.array([len(own) for own in self.thresholds], np.int64)
        n_chunks = np.maximum(-(-lengths // capacity), 1)
        start = (2 * np.concatenate([[0], np.cumsum(n_chunks)])).astype(np.int32)   # of a slot among all (slot, chunk, side)
        key = start[slots] + 2 * chunk + ~missing_left
        used = np.zeros(int(start[-1]), np.bool_)
        used[key] = True
        self.plane = (np.cumsum(used, dtype=np.int32) - 1)[key]
        keys = np.flatnonzero(used)
        self.slot = np.searchsorted(start, keys, side="right") - 1
        within = keys - start[self.slot]
        self.first = (within // 2 * capacity).astype(np.int32)
        self.right = within % 2 == 1
        self.n_codes = np.minimum(lengths[self.slot] - self.first, capacity) + 1 if form in HIGHEST else np.zeros(len(keys), np.int64)
        if form in HIGHEST:
            self.n_codes = np.where(self.right, capacity + 1, self.n_codes)   # missing is the highest code of the form


def _ranks(slots: Array, thresholds: Array, n_slots: int) -> tuple[Array, list[Array]]:
    """The rank of each node's threshold among its slot's distinct ones, and those."""
    order = np.lexsort((thresholds, slots))
    sorted_slots, sorted_thresholds = slots[order], thresholds[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (sorted_slots[1:] != sorted_slots[:-1]) | (sorted_thresholds[1:] != sorted_thresholds[:-1])
    distinct = np.cumsum(new) - 1
    bounds = np.searchsorted(sorted_slots[new], np.arange(n_slots + 1))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = distinct - bounds[sorted_slots]
    return ranks, np.split(sorted_thresholds[new], bounds[1:-1]) if n_slots else []
