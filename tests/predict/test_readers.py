"""Which models find a reader."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import xgboost as xgb
from sklearn.base import BaseEstimator

from fastframe.errors.models import UnsupportedModel
from fastframe.predict.readers import READERS, reader_of


@pytest.mark.parametrize("name", READERS)
def test_every_row_names_a_class_and_a_function(name: str) -> None:
    module, _, function = READERS[name].partition(":")
    assert callable(getattr(importlib.import_module(f"fastframe.predict.readers.{module}"), function))


class Renamed(xgb.XGBRegressor):
    """Changes nothing that predicts."""

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        return super().fit(X, y, **kwargs)

    def report(self) -> str:
        return "fine"


class Doubled(Renamed):
    def predict(self, X: Any, **kwargs: Any) -> Any:
        return 2 * super().predict(X, **kwargs)


class Mine(BaseEstimator):
    pass


Unlisted = type("XGBUnlisted", (xgb.XGBRegressor,), {"__module__": "xgboost.dask"})   # of the library, but in no row


def test_a_subclass_that_changes_nothing_is_read_as_its_base() -> None:
    assert reader_of(Renamed()) is reader_of(xgb.XGBRegressor())


def test_a_subclass_that_predicts_otherwise_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="Doubled.*overrides predict of XGBRegressor"):
        reader_of(Doubled())


def test_a_model_whose_method_was_replaced_is_refused() -> None:
    model = xgb.XGBRegressor()
    model.predict = lambda X: X
    with pytest.raises(UnsupportedModel, match="overrides predict"):
        reader_of(model)


@pytest.mark.parametrize("model", [Mine(), 3, None, Unlisted()])
def test_unknown_classes(model: Any) -> None:
    with pytest.raises(UnsupportedModel, match=r"no reader knows this class.*docs/support\.md") as refused:
        reader_of(model)
    assert len(str(refused.value)) < 300


def test_close_names_of_unknown_classes_are_suggested() -> None:
    near = type("RandomForestRegresor", (BaseEstimator,), {})
    with pytest.raises(UnsupportedModel, match=r"Did you mean 'RandomForestRegressor'"):
        reader_of(near())
