"""Which engine runs a forest: the cost model, in one place.

Times are of one thread of the machine that this was tuned on (Zen 3, AVX2), in nanoseconds; what counts is how they compare. They were
within a third of what was measured, mostly a tenth, for 5 to 200 trees of 8 to 255 leaves; those of the walk within a fifth, for trees of
30 to 8,400 nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels.forest_sliced import ROWS as TILE_ROWS
from fastframe.predict.engines.planes import Planes
from fastframe.predict.engines.sliced import TABLES, is_perfect, n_leaves_of_trees
from fastframe.predict.forest import Forest
from fastframe.records import record

Array = np.ndarray[Any, Any]

SLICED, WALK = "bit-sliced", "walk"

# The bit-sliced engine, per row. Codes: reading a value and finding its rank; then its place in each plane.
_RANK_OF_NS, _PLANE_NS = 2.2, 0.5
_PERFECT_NODE_NS, _NODE_NS, _SET_NS = 0.0092, 0.020, 0.07
_LOOK_UP_NS = {4: (0.11, 0.12, 0.15, 0.35), 8: (0.19, 0.25, 0.33, 0.40)}   # by bytes of a value: of 16, 32, 64 leaves, or more

# The walk, per row. Values in float32 are compared as they are; in float64 they are ranked first, among 65,535 at a time.
_VALUE_NS, _RANK_NS = 1.3, 3.5
_ENTER_NS, _LEVEL_NS, _VALUES_NS = 2.0, 0.32, 0.3   # a tree, each of its levels, each value of a leaf
_SHARED_NODES, _SPREAD = 128, 0.14   # up to so many nodes rows share cache lines; with each doubling a walk takes so much of it more
_WITH_SETS = 2.5   # times as much where any node tests a set


@record(frozen=True)
class Plan:
    """How a forest is run.

    Attributes
    ----------
    engine : str
        `SLICED` or `WALK`.
    why : str
        In words, for `explain`.
    ns_per_row : float
        What a row of a large batch is estimated to cost one thread.
    few_rows : int
        Smaller batches take the walk all the same: the bit-sliced engine works on tiles of 128 rows, full or not.
    """

    engine: str
    why: str
    ns_per_row: float
    few_rows: int = 0

    def engine_for(self, n_rows: int) -> str:
        return self.engine if n_rows >= self.few_rows else WALK


def walk_only(forest: Forest, reason: str) -> Plan:
    return Plan(WALK, reason, walk_ns(forest))


def choose(forest: Forest, layout: Planes) -> Plan:
    """The plan of a forest that both engines can run; ``layout`` is of form ``"u8"``."""
    coding, trees, walk = coding_ns(layout), trees_ns(forest, layout), walk_ns(forest)
    sliced = coding + trees
    n_trees, most = forest.n_trees, int(n_leaves_of_trees(forest).max(initial=1))
    of_it = f"{n_trees:,} trees of at most {most:,} leaves over {layout.n_planes:,} planes of codes"
    if sliced > walk:
        return Plan(WALK, f"coding the values ({coding:.0f} ns a row) would cost more than it saves: {of_it}; bit-sliced {sliced:.0f} ns a row", walk)
    few = TILE_ROWS * trees / max(walk - coding, 1.0)
    return Plan(SLICED, f"{of_it}; walking would take {walk:.0f} ns a row", sliced, int(min(few, TILE_ROWS)))


def n_distinct(numbers: Array) -> int:
    """Of numbers from 0 on. (`numpy.unique` imports NumPy's masked arrays: 20 ms of a cold start.)"""
    return int(np.count_nonzero(np.bincount(numbers)))


def coding_ns(layout: Planes) -> float:
    """A row's codes."""
    return n_distinct(layout.feature) * _RANK_OF_NS + layout.n_planes * _PLANE_NS


def trees_ns(forest: Forest, layout: Planes) -> float:
    """A row of a full tile through all trees."""
    n_leaves = n_leaves_of_trees(forest)
    perfect, depth = is_perfect(forest), forest.depth_of_tree
    nodes = np.where(perfect, ((1 << np.minimum(depth, 30)) - 1) * _PERFECT_NODE_NS, (n_leaves - 1) * _NODE_NS)
    entries = np.where(perfect, 1 << np.minimum(depth, 30), n_leaves)
    values = np.array(_LOOK_UP_NS[forest.accumulate.itemsize])[np.searchsorted(TABLES, entries)]
    return float((nodes + values * forest.width).sum() + _SET_NS * (layout.node_set >= 0).sum())


def walk_ns(forest: Forest) -> float:
    """A row through all trees by walking."""
    n_used = n_distinct(forest.feature[forest.feature >= 0])
    value = _VALUE_NS if forest.domain == "float32" else _RANK_NS
    spread = 1.0 + _SPREAD * np.log2(np.maximum(np.diff(forest.tree_start) / _SHARED_NODES, 1.0))
    trees = float(((_ENTER_NS + _LEVEL_NS * forest.depth_of_tree) * spread + _VALUES_NS * forest.width).sum())
    return n_used * value + trees * (_WITH_SETS if (forest.category_set >= 0).any() else 1.0)
