"""What a predictor says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.predict.features import Computed, Lookup, Number
from fastframe.predict.forest import Forest
from fastframe.predict.model import Model
from fastframe.predict.model_checks import forest_scores, parts_of
from fastframe.predict.rows import Rows
from fastframe.predict.scores import Score

if TYPE_CHECKING:
    from fastframe.predict.predictor import Predictor


@dataclass(frozen=True)
class Explanation:
    """Prints as a report; the attributes are for programs.

    Attributes
    ----------
    engine : str
        Of each forest, with the reason for the choice.
    guarantee : str
    ns_per_row : float
        Estimated, of all forests, on one thread.
    lines : tuple of str
        The whole report.
    """

    engine: str
    guarantee: str
    ns_per_row: float
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((f"engine: {self.engine}", f"guarantee: {self.guarantee}", *self.lines))

    __repr__ = __str__


def bounds_of(root: Any) -> set[str]:
    """What an expression's parts declare that are not exact, those of models within it included."""
    scores = [one for one in parts_of(root) if isinstance(one, Score)]
    within = [getattr(one, name) for one in scores for name in getattr(one, "elsewhere", ())]
    return {one.guarantee for one in scores if one.guarantee != "exact"}.union(*map(bounds_of, within))


def guarantee_of(model: Model) -> str:
    """``exact``, or the bounds that the model's parts and its reader declare."""
    bounds = sorted(bounds_of(tuple(model.methods.values())))
    bounds += [f"{name} within {ask.within_ulps:g} ulps" for name, ask in model.asks.items() if ask.within_ulps]
    return "; ".join(bounds) or "exact"


def explain(predictor: Predictor) -> Explanation:
    """See `Predictor.explain`."""
    model = predictor._model
    rows = Rows(model.contract, (), 0, predictor._packed)
    scores = forest_scores(tuple(model.methods.values()))
    plans = [rows.program(score).plan for score in scores]
    lines = [f"model: {model.source.model} of {model.source.library} {model.source.version} ({model.task}), {len(model.contract)} features"]
    lines += [_forest_line(score.forest) for score in scores]
    lines += _feature_lines(model)
    lines += [f"note: {note}" for note in model.notes]
    lines.append(f"self-check: {predictor._checked or 'not done'}")
    engine = "; ".join(f"{plan.engine}, {plan.why}" for plan in plans) or "none: no forests"
    return Explanation(engine, guarantee_of(model), float(sum(plan.ns_per_row for plan in plans)), tuple(lines))


def array_bytes(root: Any) -> int:
    """Bytes of all arrays of an expression, each counted once."""
    arrays = {id(one): one.nbytes for part in parts_of(root) for one in vars(part).values() if isinstance(one, np.ndarray)}
    return sum(arrays.values())


def _forest_line(forest: Forest) -> str:
    inner = forest.feature >= 0
    deepest = int(forest.depth_of_tree.max()) if forest.n_trees else 0
    numbers = inner & (forest.category_set < 0)
    pairs = np.unique(np.rec.fromarrays([forest.feature[numbers], forest.threshold[numbers]]))
    return (
        f"forest: {forest.n_trees} trees, {len(forest.feature):,} nodes, depth {deepest}, {forest.domain} compared, {forest.accumulate} added, "
        f"{len(pairs):,} thresholds, {int(inner.sum() - numbers.sum()):,} category splits, {array_bytes(forest):,} bytes"
    )


def _feature_lines(model: Model) -> list[str]:
    parts = list(parts_of(tuple(model.methods.values())))
    n_steps = sum(len(one.steps) for one in parts if isinstance(one, Number))
    n_lookups = sum(isinstance(one, Lookup) for one in parts)
    n_computed = len({id(one.block) for one in parts if isinstance(one, Computed)})
    found = [(n_steps, "steps run on values in cache"), (n_lookups, "encoders folded into tables over categories"), (n_computed, "blocks computed")]
    return [", ".join(f"{count} {what}" for count, what in found if count)] if any(count for count, _ in found) else []
