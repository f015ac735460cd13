"""`ForestProgram`: a forest packed for the engines that run it, which `engines.choose` picks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.predict.engines import choose
from fastframe.predict.engines.planes import Planes, lay_out
from fastframe.predict.engines.sliced import SlicedEngine, can_slice, fits
from fastframe.predict.engines.walk import WalkEngine, walk_form
from fastframe.predict.features import Feature
from fastframe.predict.forest import Forest

if TYPE_CHECKING:
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

_ALWAYS_FEW = 4   # rows that walk whatever the plan would be, without asking for it


class ForestProgram:
    """A forest over features of a contract, ready to run on batches; packed once, shared by threads.

    Parameters
    ----------
    forest : Forest
        Validated.
    features : tuple of Feature
        What feeds the forest's inputs.
    contract : FeatureContract
        Whose columns they read.
    """

    def __init__(self, forest: Forest, features: tuple[Feature, ...], contract: FeatureContract) -> None:
        self.forest, self.features, self.contract = forest, features, contract

    @property
    def plan(self) -> choose.Plan:
        """Which engine runs the forest, why, and what a row costs."""
        return self._planned[0]

    def sums(self, rows: Rows) -> Array:
        """``(n_rows, n_outputs)`` of the forest's `accumulate`."""
        few = rows.n_rows <= _ALWAYS_FEW or rows.engine == choose.WALK
        if not few and self.plan.engine_for(rows.n_rows) == choose.SLICED:
            return self._sliced.sums(rows)
        return self._walk.sums(rows)

    def leaves(self, rows: Rows) -> Array:
        """``(n_rows, n_trees)`` int32: the native library's names for the leaves."""
        return self._walk.leaves(rows)

    def staged(self, rows: Rows, every: int = 1) -> Array:
        """``(n_rows, n_stages, n_outputs)``: sums after every ``every`` trees and after the last, not divided."""
        return self._walk.staged(rows, every)

    # Packed when first asked for, so that a few rows are not made to wait for what they do not need; two threads may both pack.

    @cached_property
    def _planned(self) -> tuple[choose.Plan, Planes | None]:
        return _plan(self.forest, self.features, self.contract)

    @cached_property
    def _sliced(self) -> SlicedEngine:
        layout = self._planned[1]
        assert layout is not None
        return SlicedEngine(self.forest, layout)

    @cached_property
    def _walk(self) -> WalkEngine:
        layout = lay_out(self.forest, self.features, self.contract, walk_form(self.forest))
        return WalkEngine(self.forest, layout, self.features)


def _plan(forest: Forest, features: tuple[Feature, ...], contract: FeatureContract) -> tuple[choose.Plan, Planes | None]:
    """The plan, and the bit-sliced engine's layout where that is the choice."""
    if reason := can_slice(forest):
        return choose.walk_only(forest, reason), None
    layout = lay_out(forest, features, contract, "u8")
    if not fits(forest, layout):
        return choose.walk_only(forest, f"{layout.n_planes:,} planes of codes are too many for the bit-sliced engine"), None
    plan = choose.choose(forest, layout)
    return plan, layout if plan.engine == choose.SLICED else None
