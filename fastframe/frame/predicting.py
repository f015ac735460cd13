"""Predictions of a compiled model as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from fastframe.frame.core import Frame

if TYPE_CHECKING:
    from fastframe.predict.predictor import Predictor


class FramePredict(Frame):
    """Of a frame."""

    def predict(self, predictor: Predictor, into: str | Sequence[str] = "prediction", *, method: str = "predict") -> Self:
        """This frame with a compiled model's answer as a column, or one column per output.

        Parameters
        ----------
        predictor : Predictor
            From `fastframe.compile` or `fastframe.load_predictor`.
        into : str or sequence of str
            The column's name. Of several outputs the start of their names, which end in the class of each probability, or else
            in 0, 1, 2 ...; or all their names. A column of that name is replaced.
        method : str
            Another of the model's methods, such as ``"predict_proba"``.

        Raises
        ------
        ContractError
            Where the frame is not what the model was fitted on; all differences at once.

        Examples
        --------
        >>> import fastframe as ff
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> frame = ff.DataFrame({"a": [1.0, 2.0, 3.0]})
        >>> p = ff.compile(DecisionTreeRegressor().fit(frame.to_pandas(), [1.0, 4.0, 9.0]))
        >>> frame.predict(p, into="score")["score"].to_list()
        [1.0, 4.0, 9.0]
        """
        return self._with_table(self._table.with_columns(predictor.columns(self, into, method=method)))
