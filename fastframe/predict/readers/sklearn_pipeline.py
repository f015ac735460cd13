"""scikit-learn's `Pipeline`, `ColumnTransformer` and `FeatureUnion`: a model over the columns that go in at the front.

A pipeline is read twice (see `predict.pipeline`). In the second pass the library's own transformers are also called, step
by step, on a few rows: each answer's shape must be what was read, and its layout decides which BLAS call is the same one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.errors import UnsupportedModel
from fastframe.predict.dense import Inputs
from fastframe.predict.features import Step
from fastframe.predict.matching import in_order_of
from fastframe.predict.model import Ask, Model, Source
from fastframe.predict.pipeline import Cell, Columns, Matrix, Raw, Words, common_dtype, floats, stepped, substitute
from fastframe.predict.readers import sklearn_encoders, sklearn_functions, sklearn_scalers
from fastframe.predict.readers.sklearn_linear import NOTE
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]
Reader = Callable[[Any, Matrix, Columns], list[Cell]]
LIMIT = 1e9   # of numbers in the self-check: scikit-learn refuses infinite ones between steps, which products of larger ones become
_PROBE_ROWS = 40


@dataclass
class Part:
    """A model somewhere below a model of models, over the columns that go in at the top."""

    methods: dict[str, Score]
    task: str
    notes: tuple[str, ...] = ()
    asks: dict[str, Ask] | None = None   # of the part by itself, fed by the matrix that stands before it


def read(model: Any, given: FeatureContract | None = None) -> Model:
    """A `Pipeline`, a transformer by itself, or a model of models.

    ``given``: the dtypes of the columns that the model was fitted on, where they are not float64 and the model does not tell.

    Raises
    ------
    UnsupportedModel
    ContractError
        Where ``given`` has not the model's columns.
    """
    import sklearn

    columns = _columns_of(model)
    columns.given = given and in_order_of(given, columns.names, named=columns.named)
    part_of(model, _start(columns), columns)
    columns.settle()
    part = part_of(model, _start(columns), columns)
    asks = part.asks or {name: Ask(partial(_quietly, getattr(model, name)), limit=LIMIT) for name in part.methods if hasattr(model, name)}
    prepare = partial(_with_none, [columns.names[column] for column in sorted(columns.none_missing)])
    asks = {name: Ask(partial(_prepared, ask.method, prepare), ask.within_ulps, min(ask.limit, LIMIT)) for name, ask in asks.items()}
    return Model(columns.contract(), part.methods, part.task, Source("scikit-learn", sklearn.__version__, type(model).__name__), asks, part.notes)


def part_of(model: Any, matrix: Matrix, columns: Columns) -> Part:
    """A model, fed by the cells of a matrix."""
    from fastframe.predict.readers import read_model
    from fastframe.predict.readers.sklearn_ensembles import COMPOSITES

    name = type(model).__name__ if type(model).__module__.startswith("sklearn.") else ""
    if name == "Pipeline":
        return _pipeline(model, matrix, columns)
    if name in READERS:
        return _transformed(transform(model, matrix, columns), [model], columns)
    if name in COMPOSITES:
        _check_fitted(model)
        return COMPOSITES[name](model, matrix, columns)
    read_alone = read_model(model)
    methods = substitute(dict(read_alone.methods), read_alone.contract, matrix, columns)
    asks = dict(read_alone.asks)
    if NOTE in read_alone.notes and not matrix.sparse:   # its matrix is laid out as here, so it can be asked as it is
        asks = {name: replace(ask, method=partial(_quietly, getattr(model, name))) for name, ask in asks.items()}
    return Part(methods, read_alone.task, read_alone.notes, asks)


def _pipeline(pipeline: Any, matrix: Matrix, columns: Columns) -> Part:
    steps = [step for _, step in pipeline.steps]
    front = steps if _is_transformer(steps[-1]) else steps[:-1]
    for step in front:
        matrix = transform(step, matrix, columns)
    if _is_transformer(steps[-1]):
        return _transformed(matrix, front, columns)
    last = part_of(steps[-1], matrix, columns)
    asks = last.asks or {name: Ask(partial(_quietly, getattr(steps[-1], name))) for name in last.methods if hasattr(steps[-1], name)}
    fed = {name: replace(ask, method=partial(_ask, ask.method, front)) for name, ask in asks.items()}
    return Part(last.methods, last.task, last.notes, fed)


def _transformed(matrix: Matrix, steps: list[Any], columns: Columns) -> Part:
    cells = floats(matrix, columns)
    if not cells:
        raise UnsupportedModel.because(type(steps[-1]).__name__ if steps else "the transformer", ["it gives no columns at all"])
    dtype = cells[0].dtype
    methods: dict[str, Score] = {"transform": Inputs(sklearn_scalers.dense_of(cells), dtype)}
    return Part(methods, "transform", (), {"transform": Ask(lambda given: np.asarray(_dense(_through(steps, given)), dtype))})


def _ask(method: Callable[[Any], Array], steps: list[Any], given: Any) -> Array:
    return _quietly(method, _dense(_through(steps, given)))


def _prepared(method: Callable[[Any], Array], prepare: Callable[[Any], Any], given: Any) -> Array:
    return method(prepare(given))


def _with_none(names: list[str], given: Any) -> Any:
    """A frame in which missing values of some columns are None, as they were when their encoder was fitted."""
    if not names or not hasattr(given, "assign"):
        return given
    return given.assign(**{name: given[name].astype(object).where(given[name].notna(), None) for name in names})


def _quietly(method: Callable[[Any], Array], given: Any) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return method(given)


def _through(steps: list[Any], given: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in steps:
            given = given if step is None or isinstance(step, str) else step.transform(given)
    return given


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix


def _is_transformer(step: Any) -> bool:
    return step is None or isinstance(step, str) or (hasattr(step, "transform") and not hasattr(step, "predict"))


def _columns_of(pipeline: Any) -> Columns:
    for step in _fed_first(pipeline):
        names = getattr(step, "feature_names_in_", None)
        if names is not None:
            return Columns([str(name) for name in names], named=True)
        n_features = getattr(step, "n_features_in_", None)
        if n_features is not None:
            return Columns([f"x{i}" for i in range(n_features)], named=False)
    raise UnsupportedModel.because(type(pipeline).__name__, ["it does not tell which columns it was fitted on (is it fitted?)"])


def _fed_first(model: Any) -> Iterator[Any]:
    """The model, and what it hands its own input on to."""
    yield model
    if type(model).__name__ == "Pipeline":
        for _, step in model.steps:
            yield from _fed_first(step)
            if not isinstance(step, str) and type(step).__name__ != "FunctionTransformer":
                return
    for name in ("best_estimator_", "regressor_", "estimator_", "estimator"):
        if getattr(model, name, None) is not None:
            yield from _fed_first(getattr(model, name))
    for inner in list(getattr(model, "estimators_", []))[:1]:
        yield from _fed_first(inner)


def _start(columns: Columns) -> Matrix:
    """The cells that go in: one per column that the model was fitted on, also those that nothing reads."""
    places: list[int | None] = [*range(len(columns.names))]
    if columns.settled and columns.position:
        places = columns.position
    cells = [Cell(Raw(-1 if place is None else place)) for place in places]
    names = columns.names if columns.named and len(places) == len(columns.names) else None
    return Matrix(cells, names, probe=_probe(columns, places) if columns.settled else None)


def _probe(columns: Columns, places: list[int | None]) -> Any:
    """Some rows for the library's own transformers: numbers, and every category in turn."""
    rng = np.random.default_rng(11)
    made: list[Array] = []
    for place in places:
        if place is not None and place in columns.frozen and len(columns.frozen[place]):
            values = columns.frozen[place]
            repeated = values[np.arange(_PROBE_ROWS) % len(values)]
            made.append(repeated if isinstance(values[0], str) else repeated.astype(type(values[0])))
        elif place is not None and place in columns.frozen:   # its encoder met missing values only
            made.append(np.full(_PROBE_ROWS, np.nan) if place in columns.only_numbers else np.full(_PROBE_ROWS, None, object))
        elif place is not None and place in columns.adopted:
            listed = columns.adopted[place].categories
            values = np.array([None] if listed is None else [*listed.to_pylist(), None], dtype=np.object_)
            made.append(values[np.arange(_PROBE_ROWS) % max(len(values) - 1, 1)])
        else:
            made.append(np.abs(rng.normal(size=_PROBE_ROWS)).astype(columns.dtype(place) if place is not None else "float64"))
    if not columns.named:
        return np.column_stack(made)
    import pandas as pd

    wanted = [i for i, place in enumerate(places) if place is not None]
    return pd.DataFrame({columns.names[places[i] or 0]: made[i] for i in wanted})


def transform(transformer: Any, matrix: Matrix, columns: Columns) -> Matrix:
    """The cells after a transformer."""
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return matrix
    name = type(transformer).__name__
    reader = READERS.get(name) if type(transformer).__module__.startswith("sklearn.") else None
    if reader is None:
        raise UnsupportedModel.because("the pipeline", [f"the transformer {type(transformer).__module__}.{name} is not known"])
    _check_fitted(transformer)
    if name == "Pipeline":
        for _, step in transformer.steps:
            matrix = transform(step, matrix, columns)
        return matrix
    cells = reader(transformer, matrix, columns)
    return _checked(transformer, Matrix(cells), matrix)


def _check_fitted(transformer: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(transformer)
    except NotFittedError:
        raise UnsupportedModel.because(type(transformer).__name__, ["it is not fitted"]) from None


def _checked(transformer: Any, after: Matrix, before: Matrix) -> Matrix:
    """The matrix with the library's own answer for the probe beside it."""
    from sklearn.utils._set_output import _get_output_config

    framed = _get_output_config("transform", transformer)["dense"] != "default"
    if framed and hasattr(transformer, "get_feature_names_out"):
        after.names = [str(name) for name in transformer.get_feature_names_out()]
    if before.probe is None:
        return after
    try:
        after.probe = _through([transformer], before.probe)
    except ValueError:   # values that this chain of steps does not take: logarithms of negative numbers, then a scaler
        return after
    after.sparse = hasattr(after.probe, "toarray")
    if after.probe.shape[1] != len(after.cells):
        reason = f"it gives {after.probe.shape[1]} columns where {len(after.cells)} were read"
        raise UnsupportedModel.because(type(transformer).__name__, [reason])
    return after


def _column_transformer(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    weights = transformer.transformer_weights or {}
    cells: list[Cell] = []
    for name, inner, _ in transformer.transformers_:
        places = list(transformer._transformer_to_input_indices[name])
        if (isinstance(inner, str) and inner == "drop") or not places:
            continue
        part = transform(inner, matrix.take(places, _probe_columns(transformer, matrix, places)), columns)
        cells += _weighted(part, weights.get(name), columns)
    return _stacked(transformer, cells, columns)


def _probe_columns(transformer: Any, matrix: Matrix, places: list[int]) -> Any:
    probe = matrix.probe
    if probe is None:
        return None
    if hasattr(probe, "iloc"):
        names = getattr(transformer, "feature_names_in_", None)
        return probe[[names[i] for i in places]] if names is not None else probe.iloc[:, places]
    return probe[:, places]


def _feature_union(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    weights = transformer.transformer_weights or {}
    cells: list[Cell] = []
    for name, inner in transformer.transformer_list:
        if isinstance(inner, str) and inner == "drop":
            continue
        cells += _weighted(transform(inner, matrix, columns), weights.get(name), columns)
    return _stacked(transformer, cells, columns)


def _weighted(part: Matrix, weight: float | None, columns: Columns) -> list[Cell]:
    if weight is None:
        return part.cells
    return [stepped(cell, (Step("multiply", (float(weight),)),)) for cell in floats(part, columns)]


def _stacked(transformer: Any, cells: list[Cell], columns: Columns) -> list[Cell]:
    """Parts beside each other: in one array, of one dtype, unless the output is a frame."""
    from sklearn.utils._set_output import _get_output_config

    if _get_output_config("transform", transformer)["dense"] != "default":
        return cells
    if any(isinstance(cell.source, Words) for cell in cells):
        return cells
    dtype = common_dtype(cells, columns)
    into = dtype if dtype in ("float32", "float64") else "float64"
    ready = [cell if isinstance(cell.source, Raw) else stepped(cell, () if cell.dtype == into else (Step(into),)) for cell in cells]
    return [Cell(cell.source, into, cell.missing) for cell in ready]


READERS: dict[str, Reader] = {
    **sklearn_scalers.TRANSFORMERS, **sklearn_encoders.TRANSFORMERS, **sklearn_functions.TRANSFORMERS,
    "ColumnTransformer": _column_transformer, "FeatureUnion": _feature_union, "Pipeline": _column_transformer,
}  # fmt: skip
"""By class name, of scikit-learn's own."""
