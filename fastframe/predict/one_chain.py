"""Methods that are one forest and a chain of links: one call of a kernel answers for a row, without Python in between."""

from __future__ import annotations

from typing import Any

from fastframe.predict.scores import ForestScore, Score
from fastframe.records import record

_MOST_LINKS = 4   # RowAnswer's


@record(frozen=True, eq=False)
class Chain:
    """A forest, and what is made of its sums.

    Attributes
    ----------
    forest : ForestScore
    links : tuple of tuple
        ``(kernel, width, scale)``, from the forest up.
    labels : list or None
        What the last link's whole number stands for: NumPy's own scalars.
    """

    forest: ForestScore
    links: tuple[tuple[int, int, float], ...]
    labels: list[Any] | None


def chain_of(score: Score) -> Chain | None:
    """The chain that a score is; None where it is none, or NumPy has to compute a link."""
    labels = score.classes.tolist() if hasattr(score, "classes") and hasattr(score, "row_link") else None
    if labels is not None and score.width != 1:
        return None
    nodes = []
    below: Any = score
    while hasattr(below, "row_link"):
        nodes.append(below)
        below = below.of
    if not isinstance(below, ForestScore) or len(nodes) > _MOST_LINKS:
        return None
    links = [node.row_link(below.forest.accumulate) for node in reversed(nodes)]
    return None if None in links else Chain(below, tuple(links), labels)
