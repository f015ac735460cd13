"""What scikit-learn's versions do differently with the same numbers: the installed one is asked, with stand-ins, not looked up."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

Array = np.ndarray[Any, Any]


class _Unlikely(BaseEstimator):   # type: ignore[misc]
    """Stands for a classifier that gives no row a chance."""

    def predict_proba(self, given: Array) -> Array:
        return np.column_stack([np.ones(len(given)), np.zeros(len(given))])


class _Undecided(_Unlikely):
    """As `_Unlikely`, and gives every row the same score."""

    def decision_function(self, given: Array) -> Array:
        return np.zeros(len(given))


def _quietly(method: Callable[[Array], Array], given: Array) -> Array:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return method(given)


def _with_stand_ins(model: Any, kind: type) -> Any:
    asked = copy.copy(model)
    asked.estimators_ = [kind()] * len(model.estimators_)
    return asked


def first_of_equals(model: Any, *, decides: bool) -> bool:
    """Whether one against the rest takes the first class of those with equal scores, or the last (scikit-learn 1.6)."""
    asked = _with_stand_ins(model, _Undecided if decides else _Unlikely)
    return bool(_quietly(asked.predict, np.zeros((1, 1)))[0] == model.classes_[0])


def keeps_zeros(model: Any) -> bool:
    """Whether one against the rest leaves a row of zero probabilities as it is, or divides it by its sum (scikit-learn 1.6)."""
    if len(model.estimators_) == 1:   # the first class has what the second lacks: there is no such row
        return True
    return not np.isnan(_quietly(_with_stand_ins(model, _Unlikely).predict_proba, np.zeros((1, 1)))).any()


def share_of_zeros(model: Any) -> float:
    """A linear classifier's share of a row of zero probabilities: 1 where it is uniform, 0 where it is 0 / 0 (scikit-learn 1.6)."""
    asked = copy.copy(model)
    asked.coef_, asked.intercept_ = np.zeros_like(model.coef_), np.full(len(model.classes_), -1e4, model.coef_.dtype)
    return 0.0 if np.isnan(_quietly(asked.predict_proba, np.zeros((1, model.n_features_in_), model.coef_.dtype))).any() else 1.0


@cache
def casts_parameters() -> bool:
    """Whether a standard scaler casts its parameters to the matrix's dtype first, or subtracts float64 from float32 (scikit-learn 1.6)."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(with_std=False).fit(np.zeros((2, 1)))
    scaler.mean_ = np.array([1 + 2.0**-40])   # as float32 it is 1
    return bool(scaler.transform(np.ones((1, 1), np.float32))[0, 0] == 0)
