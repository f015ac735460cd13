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

    Attributes
    ----------
    plan : Plan
        Which engine runs the forest, why, and what a row costs.
    """

    def __init__(self, forest: Forest, features: tuple[Feature, ...], contract: FeatureContract) -> None:
        self.forest, self.features, self.contract = forest, features, contract
        self.plan, layout = _plan(forest, features, contract)
        self._sliced = SlicedEngine(forest, layout) if layout is not None else None

    def sums(self, rows: Rows) -> Array:
        """``(n_rows, n_outputs)`` of the forest's `accumulate`."""
        if self._sliced is not None and self.plan.engine_for(rows.n_rows) == choose.SLICED:
            return self._sliced.sums(rows)
        return self._walk.sums(rows)

    def leaves(self, rows: Rows) -> Array:
        """``(n_rows, n_trees)`` int32: the native library's names for the leaves."""
        return self._walk.leaves(rows)

    def staged(self, rows: Rows, every: int = 1) -> Array:
        """``(n_rows, n_stages, n_outputs)``: sums after every ``every`` trees and after the last, not divided."""
        return self._walk.staged(rows, every)

    @cached_property
    def _walk(self) -> WalkEngine:
        """Packed when first asked for; two threads may both pack it."""
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
