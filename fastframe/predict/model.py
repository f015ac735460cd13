"""`Model`: a fitted model, read into data. What readers give, files keep and predictors run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.predict.scores import Score
from fastframe.records import record

Array = np.ndarray[Any, Any]


@record(frozen=True)
class Source:
    """Where a model came from: for messages, `explain` and files."""

    library: str   # "scikit-learn"
    version: str   # of the library that read it
    model: str     # the class's name


@record(frozen=True)
class Ask:
    """How to ask the native model one method's question; only in the process that compiled it, never saved.

    ``method`` takes a pandas frame of the contract's fields (an array where they have no names) and gives the answer.
    ``within_ulps``: 0 where the answer must have the same bits; else how far the reader declares it may be. ``limit``: the
    largest size of number that the native method takes (inf: infinite ones too); rows with larger ones cannot be asked.
    """

    method: Callable[[Any], Array]
    within_ulps: float = 0.0
    limit: float = float("inf")


@record(frozen=True, eq=False)
class Model:
    """A fitted model as expressions by method.

    Attributes
    ----------
    contract : FeatureContract
    methods : mapping
        Of ``predict``, ``predict_proba``, ``decision_function``, ``margin``, ``transform`` ... to the score that answers it.
    task : str
        ``regression``, ``classification``, ``outlier``, ``cluster``, ``ranking`` or ``transform``.
    source : Source
    asks : mapping
        By method, for the self-check; empty once loaded from a file. Each takes a pandas frame of the contract's fields
        (a NumPy array where the contract has no names).
    notes : tuple of str
        What `explain` and `can_compile` say about exactness, version gates and what was folded.
    """

    contract: FeatureContract
    methods: Mapping[str, Score]
    task: str
    source: Source
    asks: Mapping[str, Ask] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
