"""A model that cannot be compiled, behind the predictor's interface: ``compile(model, fallback="native")``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.errors import ContractError, ModelFileError, UnsupportedModel
from fastframe.predict.intake import is_array, names_of, table_of
from fastframe.predict.model import Model, Source
from fastframe.predict.predictor import Predictor

if TYPE_CHECKING:
    from fastframe.predict.explain import Explanation

_METHODS = ("predict", "predict_proba", "decision_function", "transform")


class NativePredictor(Predictor):
    """The model itself: its speed, its rules for what it is fed. Columns are chosen by name and handed over as a pandas frame."""

    __slots__ = ("_native", "_reason")

    def __init__(self, model: Any, reason: str) -> None:
        names = getattr(model, "feature_names_in_", None)
        width = int(getattr(model, "n_features_in_", 0))
        shown = [str(name) for name in names] if names is not None else [f"x{place}" for place in range(width)]
        fields = tuple(Field(name, dtypes.FLOAT64) for name in shown)
        source = Source(type(model).__module__.partition(".")[0], "", type(model).__name__)
        super().__init__(Model(FeatureContract(fields, names is not None), {}, "native", source))
        self._native, self._reason = model, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return NativePredictor, (self._native, self._reason)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(name for name in _METHODS if hasattr(self._native, name))

    def answer(self, method: str, data: Any) -> Any:
        if method not in self.methods:
            raise UnsupportedModel.without_method(self._model.source.model, method, self.methods)
        return np.asarray(getattr(self._native, method)(self._given(data)))

    def _given(self, data: Any) -> Any:
        """What the model is handed: arrays as they are, else a pandas frame of its columns."""
        if is_array(data):
            return data
        import pandas as pd

        from fastframe.column.arrow import table_to_arrow

        names = self.contract.names
        frame = data if isinstance(data, pd.DataFrame) else table_to_arrow(table_of(data, None).shown, table_of(data, None).n_rows).to_pandas()
        if not self.contract.named:
            return frame.to_numpy()
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise ContractError.of([ContractError.missing_column(name, names_of(data)) for name in missing])
        return frame[names]

    def margin(self, data: Any) -> Any:
        raise UnsupportedModel.without_method(self._model.source.model, "margin", self.methods)

    def leaf(self, data: Any) -> Any:
        raise UnsupportedModel.without_method(self._model.source.model, "leaf", self.methods)

    def staged(self, data: Any, every: int = 1) -> Any:
        raise UnsupportedModel.without_method(self._model.source.model, "staged", self.methods)

    def predict_row(self, row: Mapping[str, Any] | Sequence[Any], method: str = "predict") -> Any:
        given = {name: [value] for name, value in row.items()} if isinstance(row, Mapping) else [list(row)]
        return self.answer(method, given)[0]

    def explain(self) -> Explanation:
        from fastframe.predict.explain import Explanation

        return Explanation(engine="native: not compiled", guarantee="the model itself", ns_per_row=float("nan"), lines=(self._reason,))

    def save(self, path: Any) -> None:
        raise ModelFileError.native(self._model.source.model)
