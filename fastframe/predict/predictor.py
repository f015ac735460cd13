"""`Predictor`, and the three ways to one: `compile`, `can_compile`, `load_predictor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastframe.column import Column
from fastframe.column.arrow import column_from
from fastframe.contract import FeatureContract, Field, Unseen
from fastframe.errors import ArgumentError, ContractError, ModelFileError, UnsupportedModel
from fastframe.predict.features import Number
from fastframe.predict.model import Model
from fastframe.predict.model_checks import check_model, forest_scores, reads_columns
from fastframe.predict.one import RowMethod, one_row
from fastframe.predict.rows import Rows
from fastframe.predict.scores import ForestScore, Score
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.explain import Explanation

Array = np.ndarray[Any, Any]
TWO_DIMENSIONAL = ("predict_proba", "transform", "leaf")   # also where there is one column


class Predictor:
    """A fitted model that predicts from columns, exactly as the model itself does; made by `compile` or `load_predictor`.

    Rows come as a frame (fastframe, pandas, polars), a pyarrow table or batch, anything with ``__arrow_c_stream__``, a dict of
    arrays, all matched by name, or as a 2-D array, matched by position. Answers are NumPy arrays of the dtype and shape that the
    model gives. Any number of threads may use one predictor.

    Examples
    --------
    >>> import fastframe as ff, numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> frame = ff.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 1.0, 0.0, 1.0]})
    >>> model = DecisionTreeRegressor(random_state=0).fit(frame.to_pandas(), [10.0, 20.0, 30.0, 40.0])
    >>> p = ff.compile(model)
    >>> p.predict(frame)
    array([10., 20., 30., 40.])
    >>> p.predict_row({"a": 3.2, "b": 0.0})
    30.0
    """

    __slots__ = ("_model", "_packed", "_checked", "__weakref__")

    def __init__(self, model: Model, checked: str = "") -> None:
        self._model = model
        self._packed: dict[Any, Any] = {}
        self._checked = checked

    def __repr__(self) -> str:
        return f"Predictor({self._model.source.model}, {len(self.contract)} features, {', '.join(self.methods)})"

    def __reduce__(self) -> tuple[Any, ...]:
        from fastframe.predict.file import file_bytes

        return predictor_of, (file_bytes(self._model, {"checked": self._checked}),)

    @property
    def contract(self) -> FeatureContract:
        """What the rows must look like."""
        return self._model.contract

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the questions that the model answers."""
        return tuple(self._model.methods)

    def _rows(self, data: Any, engine: str | None = None) -> Rows:
        columns = self.contract.apply(data)
        return Rows(self.contract, columns, len(columns[0]) if columns else 0, self._packed, engine)

    def _score(self, method: str) -> Score:
        score = self._model.methods.get(method)
        if score is None:
            raise UnsupportedModel.without_method(self._model.source.model, method, self.methods)
        return score

    def answer(self, method: str, data: Any) -> Any:
        """The answer of any of `methods`."""
        return self._answer(method, data)

    def _answer(self, method: str, data: Any, engine: str | None = None) -> Any:
        """By ``engine`` ``"walk"`` as small batches get it, for the self-check."""
        score = self._score(method)
        rows = self._rows(data, engine)
        return shaped(method, score, _run(score, rows))

    def predict(self, data: Any) -> Any:
        """The model's ``predict``: numbers, or class labels.

        Returns
        -------
        numpy.ndarray, shape (n_rows,) or (n_rows, n_outputs)

        Raises
        ------
        ContractError
            Where the rows are not what the model was fitted on; all differences at once.
        """
        return self.answer("predict", data)

    def predict_proba(self, data: Any) -> Any:
        """A classifier's probabilities, ``(n_rows, n_classes)``; a list of them where the model has several outputs."""
        return self.answer("predict_proba", data)

    def decision_function(self, data: Any) -> Any:
        """The model's ``decision_function``."""
        return self.answer("decision_function", data)

    def transform(self, data: Any) -> Any:
        """The model's ``transform``, ``(n_rows, n_features_out)``."""
        return self.answer("transform", data)

    def margin(self, data: Any) -> Any:
        """Raw scores, before any link: what boosting libraries call the margin, and of one forest its sums."""
        if "margin" in self._model.methods:
            return self.answer("margin", data)
        forest, rows = self._forest("margin"), self._rows(data)
        return shaped("margin", forest, forest.run(rows))

    def leaf(self, data: Any) -> Array:
        """The leaf that each tree puts a row in, as the model's own ``apply`` or ``pred_leaf`` calls it.

        Returns
        -------
        numpy.ndarray of int32, shape (n_rows, n_trees)
        """
        forest, rows = self._forest("leaf"), self._rows(data)
        return rows.program(forest).leaves(rows)

    def staged(self, data: Any, every: int = 1) -> Array:
        """`margin` after each ``every`` trees.

        Returns
        -------
        numpy.ndarray, shape (n_rows, n_stages, n_outputs)
            Of the forest's accumulated dtype, before it is divided (an average's); the last stage is of all trees.
        """
        if not isinstance(every, int) or every < 1:
            raise ArgumentError.of("staged", "every", every, ["an int of at least 1"])
        forest, rows = self._forest("staged"), self._rows(data)
        return rows.program(forest).staged(rows, every)

    def _forest(self, method: str) -> ForestScore:
        found = forest_scores(tuple(self._model.methods.values()))
        if len(found) != 1:
            raise UnsupportedModel.without_one_forest(self._model.source.model, method, len(found))
        return found[0]

    def predict_row(self, row: Mapping[str, Any] | Sequence[Any], method: str = "predict") -> Any:
        """The answer for one row, a mapping by name or a sequence by position.

        Returns
        -------
        float, int, bool or str, or numpy.ndarray of shape (width,)
            What ``answer(method, rows)[0]`` is; a single value as Python's own type, whatever the model.
        """
        packed: RowMethod = self._packed.get(("row", method)) or self._row_method(method)
        answer = packed.answer(row)
        return answer if answer is not None else self._by_contract(packed, row)

    def _row_method(self, method: str) -> RowMethod:

        made = RowMethod(self._score(method), self.contract, two_dimensional=method in TWO_DIMENSIONAL, packed=self._packed)
        kept: RowMethod = self._packed.setdefault(("row", method), made)
        return kept

    def _by_contract(self, packed: RowMethod, row: Any) -> Any:
        """A row that the engine does not answer: of other types, or one that the contract may refuse."""
        return packed.shaped(packed.score.run(Rows(self.contract, one_row(self.contract, row), 1, self._packed)))

    def columns(self, data: Any, into: str | Sequence[str] = "prediction", *, method: str = "predict") -> dict[str, Column]:
        """The answer of a method as columns: what `DataFrame.predict` adds to a frame, and the command line to a file.

        Parameters
        ----------
        into : str or sequence of str
            The column's name. Of several outputs the start of their names, which end in the class of each probability, or else
            in 0, 1, 2 ...; or all their names.

        Examples
        --------
        >>> import fastframe as ff
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> data = load_iris(as_frame=True)
        >>> p = ff.compile(DecisionTreeClassifier(random_state=0).fit(data.data, data.target_names[data.target]))
        >>> list(p.columns(data.data, "is", method="predict_proba"))
        ['is_setosa', 'is_versicolor', 'is_virginica']
        """
        answer = self.answer(method, data)
        values = np.hstack(answer) if isinstance(answer, list) else answer
        values = values if values.ndim == 2 else values[:, np.newaxis]
        names = self._output_names(into, values.shape[1], method)
        return {name: column_from(np.ascontiguousarray(values[:, place])) for place, name in enumerate(names)}

    def _output_names(self, into: str | Sequence[str], width: int, method: str) -> list[str]:
        if not isinstance(into, str):
            names = list(into) if isinstance(into, Sequence) else []
            if len(names) != width or len(set(names)) != width or not all(isinstance(name, str) for name in names):
                raise ArgumentError.of("predict", "into", into, ["one name", *([f"a sequence of {width} names"] if width > 1 else [])])
            return names
        if width == 1:
            return [into]
        classes = getattr(self._model.methods.get("predict"), "classes", None)
        if method == "predict_proba" and classes is not None and len(classes) == width:
            return [f"{into}_{label}" for label in classes.tolist()]
        return [f"{into}_{place}" for place in range(width)]

    def explain(self) -> Explanation:
        """What runs, and why: engine, guarantee, sizes, what was folded, what the self-check covered."""
        from fastframe.predict.explain import explain

        return explain(self)

    def save(self, path: Any) -> None:
        """Write the predictor to a file, whole or not at all; `load_predictor` reads it, without the model's library.

        Raises
        ------
        ModelFileError
            Where the model has a part that no file can keep, such as a user's own function.
        """
        from fastframe.predict.file import save_model

        save_model(self._model, path, {"checked": self._checked})


def _run(score: Score, rows: Rows) -> Array:
    values: Array = rows.once(score, lambda: score.run(rows))
    return values


def shaped(method: str, score: Score, values: Array) -> Any:
    """What a score gave, ``(n_rows, width)``, as the method's answer."""
    split = getattr(score, "split", None)
    if getattr(score, "listed", False) and split is not None:
        return split(values)
    if values.ndim == 2 and values.shape[1] == 1 and method not in TWO_DIMENSIONAL:
        return values[:, 0]
    return values


def compile(
    model: Any, *, contract: FeatureContract | None = None, unseen: Unseen | None = None, verify: bool = True,
    fallback: Literal["error", "native"] = "error",
) -> Predictor:
    """A predictor with a fitted model's own answers, bit for bit, from scikit-learn, XGBoost or LightGBM.

    Parameters
    ----------
    model
        A fitted model or pipeline; see `can_compile`.
    contract : FeatureContract, optional
        The columns that the model was fitted on (`FeatureContract.of_frame` of the training frame), for what the model does not keep: that
        a pipeline was fitted on float32 or integers, which it then computes in; which categories XGBoost before 3.1 had.
    unseen : {"error", "missing", "model"}, optional
        What a value that is no category means, in place of what the model's reader chose.
    verify : bool
        Compare the predictor's bits with the model's on adversarial rows before it is handed out.
    fallback : {"error", "native"}
        What to do with a model that cannot be compiled: raise, or predict with the model itself (`explain` says so).

    Raises
    ------
    UnsupportedModel
        With all reasons.
    InexactModelError
        The self-check found a row whose bits differ; the message has it.

    Examples
    --------
    >>> import fastframe as ff
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> data = load_iris(as_frame=True)
    >>> model = RandomForestClassifier(10, random_state=0).fit(data.data, data.target)
    >>> p = ff.compile(model)
    >>> bool((p.predict_proba(data.data) == model.predict_proba(data.data)).all())
    True
    """
    if fallback not in ("error", "native"):
        raise ArgumentError.of("compile", "fallback", fallback, ("error", "native"))
    from fastframe.predict.readers import check_fitted_model, read_model

    check_fitted_model(model)
    try:
        read = read_model(model, contract)
    except UnsupportedModel as error:
        if fallback == "error":
            raise
        from fastframe.predict.native import NativePredictor

        return NativePredictor(model, str(error))
    if unseen is not None:
        read = replace(read, contract=read.contract.with_unseen(unseen))
    predictor = Predictor(check_model(read))
    if verify:
        from fastframe.predict.check import check_predictor

        predictor._checked = str(check_predictor(predictor))
    return predictor


@record(frozen=True)
class Report:
    """What `can_compile` found.

    Attributes
    ----------
    ok : bool
    reasons : tuple of str
        Why not.
    guarantee : str
        ``"exact"``, or how far answers may be from the model's own.
    engine : str
        Which engine its forests run on; "" where it has none.
    ns_per_row : float
        Estimated, on one thread, for large batches.
    """

    ok: bool
    reasons: tuple[str, ...] = ()
    guarantee: str = ""
    engine: str = ""
    ns_per_row: float = 0.0

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        if not self.ok:
            return "cannot be compiled:\n" + "\n".join(f"  - {one}" for one in self.reasons)
        return f"can be compiled: {self.guarantee}; engine: {self.engine or 'none'}; about {self.ns_per_row:,.0f} ns per row and thread"


def can_compile(model: Any, *, contract: FeatureContract | None = None) -> Report:
    """Whether `compile` takes a model, why not, and what it would give; reads the model, checks no bits.

    Examples
    --------
    >>> import fastframe as ff
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> ff.can_compile(KNeighborsClassifier()).ok
    False
    """
    from fastframe.predict.explain import explain
    from fastframe.predict.readers import check_fitted_model, read_model

    try:
        check_fitted_model(model)
        found = explain(Predictor(check_model(read_model(model, contract))))
    except UnsupportedModel as error:
        return Report(False, (str(error),))
    return Report(True, (), found.guarantee, found.engine, found.ns_per_row)


def load_predictor(path: Any) -> Predictor:
    """The predictor of a file that `Predictor.save` wrote; memory-mapped, and checked before it is believed.

    Raises
    ------
    FileMissing
    ModelFileError
        Where the file is no saved predictor, or damaged.
    """
    from fastframe.predict.file import load_model

    return _tried(*load_model(path), path)


def predictor_of(content: bytes) -> Predictor:
    """The predictor of the bytes of a file: what unpickling calls."""
    from fastframe.predict.file import model_of

    return _tried(*model_of(content), "these bytes")


def _tried(model: Model, extra: Mapping[str, Any], path: Any) -> Predictor:
    """A predictor of a file, after one row of zeros and first categories went through every method.

    What only running shows, such as matrices whose shapes do not fit, is found here and not in the middle of a user's batch.
    """
    made = Predictor(model, str(extra.get("checked", "")))
    scores = tuple(model.methods.values())
    plain = [one for one in forest_scores(scores) if _is_plain(one)]
    row = [None if one.categories is None and one.nullable else 0 if one.categories is None else _first(one) for one in made.contract.fields]
    try:
        columns = one_row(made.contract, row) if reads_columns(scores, plain) else ()
        rows = Rows(made.contract, columns, 1, made._packed)
        for forest in plain:
            rows.once(forest, partial(np.array, forest.forest.base[np.newaxis]))
        shapes = {name: _run(score, rows).shape for name, score in model.methods.items()}
    except ContractError:   # a model that refuses such a row
        return made
    except Exception as error:
        raise ModelFileError.damaged(path, f"{type(error).__name__}: {error}") from error
    if any(shape != (1, model.methods[name].width) for name, shape in shapes.items()):
        raise ModelFileError.damaged(path, f"its answers have the shapes {shapes}")
    return made


def _is_plain(forest: ForestScore) -> bool:
    """Whether checks have shown all that packing the forest could: then a trial need not wait for it."""
    plain = all(isinstance(one, Number) and not one.steps for one in forest.features)
    return plain and forest.forest.linear is None


def _first(field: Field) -> Any:
    return field.categories[0].as_py() if field.n_categories else None   # type: ignore[index]
