"""scikit-learn's models of models: each is read over the columns that go in at the top."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fastframe.errors import UnsupportedModel
from fastframe.predict import blocks
from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.dense import Inputs
from fastframe.predict.ensembles import Added, Apply, Average, Calibrated, Fed, Labels, Pairs, Shares, Votes
from fastframe.predict.features import Step
from fastframe.predict.outputs import Columns as Cut
from fastframe.predict.outputs import Together
from fastframe.predict.pipeline import Cell, Columns, Matrix, Raw, floats
from fastframe.predict.readers.sklearn_pipeline import Part, part_of
from fastframe.predict.readers.sklearn_scalers import dense_of, in_dtype, in_place
from fastframe.predict.readers.sklearn_versions import first_of_equals, keeps_zeros
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]
_NONE = np.empty(0)


def _refuse(model: Any, reason: str) -> UnsupportedModel:
    return UnsupportedModel.because(type(model).__name__, [reason])


def _method(part: Part, model: Any, *names: str) -> Score:
    """The first of these methods that the part has."""
    for name in names:
        if name in part.methods:
            return part.methods[name]
    raise _refuse(model, f"it asks for {' or '.join(names)}, which is not compiled")


def _notes(parts: list[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for part in parts for note in part.notes))


def voting_regressor(model: Any, matrix: Matrix, columns: Columns) -> Part:
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    score = Average(tuple(_method(part, model, "predict") for part in parts), _weights(model))
    return Part({"predict": score}, "regression", _notes(parts))


def _weights(model: Any) -> Array:
    weights = model._weights_not_none
    return _NONE if weights is None else np.asarray(weights, np.float64)


def voting_classifier(model: Any, matrix: Matrix, columns: Columns) -> Part:
    if isinstance(model.classes_, list):
        raise _refuse(model, "it decides between several labels at once")
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    labels = class_labels(model.classes_)
    if model.voting == "soft":
        score: Score = Average(tuple(_method(part, model, "predict_proba") for part in parts), _weights(model))
        return Part({"predict": Decide("largest", score, labels), "predict_proba": score}, "classification", _notes(parts))
    votes = Votes(tuple(_method(part, model, "predict") for part in parts), _weights(model), len(labels))
    return Part({"predict": Decide("largest", votes, labels)}, "classification", _notes(parts))


def stacking(model: Any, matrix: Matrix, columns: Columns) -> Part:
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list) or isinstance(getattr(model, "_label_encoder", None), list):
        raise _refuse(model, "it decides between several labels at once")
    given = []
    for part, method in zip(parts, model.stack_method_, strict=True):
        score = _method(part, model, method)
        two = method == "predict_proba" and classes is not None and len(classes) == 2
        given.append(Cut(score, 1, 2) if two else score)
    cells = floats(matrix, columns) if model.passthrough else []
    if model.passthrough:
        given.append(Inputs(dense_of(cells), cells[0].dtype))
    inputs = Together(tuple(given))
    final, refused = _fed_by(inputs, model.final_estimator_, _laid_out(model, matrix))
    for place, cell in enumerate(cells, inputs.width - len(cells)):
        if place in refused:
            columns.use(cell)
    methods: dict[str, Score] = {name: Fed(inputs, score) for name, score in final.methods.items() if name in _ANSWERS}
    methods["transform"] = inputs
    if classes is not None:
        methods["predict"] = Labels(methods["predict"], class_labels(model._label_encoder.classes_))
    return Part(methods, final.task, _notes([*parts, final]))


_ANSWERS = ("predict", "predict_proba", "decision_function", "margin")


def _laid_out(model: Any, matrix: Matrix) -> Any:
    """What a stack feeds its final estimator, for the probe: only its layout matters."""
    if matrix.probe is None or matrix.sparse:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.transform(matrix.probe)


def _fed_by(inputs: Score, model: Any, probe: Any) -> tuple[Part, set[int]]:
    """A model whose columns are those of a score, and the columns in which it refuses missing values.

    ``probe``: the library's own matrix of some rows.
    """
    inner = Columns([f"x{i}" for i in range(inputs.width)], named=False)
    cells = [Cell(Raw(i)) for i in range(inputs.width)]
    part_of(model, Matrix(cells), inner)
    inner.settle()
    if inner.frozen or inner.adopted:
        raise _refuse(model, "a model that is fed by others takes categories")
    return part_of(model, Matrix(cells, probe=probe), inner), inner.refuse_missing


def bagging_regressor(model: Any, matrix: Matrix, columns: Columns) -> Part:
    parts = _bagged(model, matrix, columns)
    scores = tuple(_method(part, model, "predict") for part in parts)
    added = Added(scores, (_NONE,) * len(scores), scores[0].width, float(model.n_estimators))
    return Part({"predict": added}, "regression", (*_notes(parts), _ONE_JOB))


_ONE_JOB = "estimators are added in their order, as scikit-learn does with n_jobs=1"


def _bagged(model: Any, matrix: Matrix, columns: Columns) -> list[Part]:
    whole = Matrix(floats(matrix, columns))   # it cuts columns out of one array
    array = None if matrix.probe is None or matrix.sparse else np.asarray(matrix.probe)
    parts = []
    for one, places in zip(model.estimators_, model.estimators_features_, strict=True):
        probe = None if array is None else array[:, places]
        parts.append(part_of(one, whole.take(np.asarray(places).tolist(), probe), columns))
    return parts


def bagging_classifier(model: Any, matrix: Matrix, columns: Columns) -> Part:
    if np.asarray(model.classes_).ndim != 1:
        raise _refuse(model, "it has more than one output")
    parts = _bagged(model, matrix, columns)
    scores, places = [], []
    for one, part in zip(model.estimators_, parts, strict=True):
        scores.append(_method(part, model, "predict_proba"))
        places.append(_NONE if len(one.classes_) == model.n_classes_ else np.asarray(one.classes_, np.int64))
    added = Added(tuple(scores), tuple(places), int(model.n_classes_), float(model.n_estimators))
    methods: dict[str, Score] = {"predict": Decide("largest", added, class_labels(model.classes_)), "predict_proba": added}
    return Part(methods, "classification", (*_notes(parts), _ONE_JOB))


def calibrated_classifier(model: Any, matrix: Matrix, columns: Columns) -> Part:
    parts, scores = [], []
    n_classes = len(model.classes_)
    for one in model.calibrated_classifiers_:
        part = part_of(one.estimator, matrix, columns)
        parts.append(part)
        scores.append(_calibrated(model, one, part, n_classes))
    added = Added(tuple(scores), (_NONE,) * len(scores), n_classes, float(len(scores)))
    methods: dict[str, Score] = {"predict": Decide("largest", added, class_labels(model.classes_)), "predict_proba": added}
    return Part(methods, "classification", _notes(parts))


def _calibrated(model: Any, one: Any, part: Part, n_classes: int) -> Score:
    decides = hasattr(one.estimator, "decision_function")
    score = _method(part, model, "decision_function" if decides else "predict_proba")
    if score.width == 2 and n_classes == 2:
        score = Cut(score, 1, 2)
    place = np.searchsorted(one.classes, one.estimator.classes_)
    place = np.array([1]) if n_classes == 2 else place
    if one.method == "sigmoid":
        slopes, ends = (np.array([getattr(c, name) for c in one.calibrators], np.float64) for name in ("a_", "b_"))
        return Calibrated(score, "sigmoid", slopes, ends, np.empty(0, np.int64), place.astype(np.int64), n_classes)
    if one.method != "isotonic":
        raise _refuse(model, f"the calibration {one.method!r} is not known")
    if any(c.out_of_bounds != "clip" for c in one.calibrators):
        raise _refuse(model, "an isotonic calibration that does not clip")
    knots = [(np.asarray(c.X_thresholds_), np.asarray(c.y_thresholds_)) for c in one.calibrators]
    start = np.concatenate([[0], np.cumsum([len(x) for x, _ in knots])]).astype(np.int64)
    first, second = np.concatenate([x for x, _ in knots]), np.concatenate([y for _, y in knots])
    return Calibrated(score, "isotonic", first, second, start, place.astype(np.int64), n_classes)


def one_vs_rest(model: Any, matrix: Matrix, columns: Columns) -> Part:
    from sklearn.base import is_regressor

    if model.multilabel_ or any(type(one).__name__ == "_ConstantPredictor" or is_regressor(one) for one in model.estimators_):
        raise _refuse(model, "it decides between several labels at once, or its estimators are regressors or constant")
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    decides = hasattr(model.estimators_[0], "decision_function")
    scores = [_method(p, model, "decision_function") if decides else Cut(_method(p, model, "predict_proba"), 1, 2) for p in parts]
    together, labels = Together(tuple(scores)), class_labels(model.classes_)
    if len(scores) == 1:
        methods: dict[str, Score] = {"predict": Decide("above", scores[0], labels, 0.0 if decides else 0.5)}
    else:
        first = first_of_equals(model, decides=decides)   # or the last: then the same backwards
        methods = {"predict": Decide("largest", together if first else Together(tuple(scores[::-1])), labels if first else labels[::-1].copy())}
    if decides:
        methods["decision_function"] = together
    if all("predict_proba" in part.methods for part in parts):
        methods["predict_proba"] = Shares(tuple(Cut(part.methods["predict_proba"], 1, 2) for part in parts), keeps_zeros(model))
    return Part(methods, "classification", _notes(parts))


def multi_output(model: Any, matrix: Matrix, columns: Columns) -> Part:
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    methods: dict[str, Score] = {"predict": Together(tuple(_method(part, model, "predict") for part in parts))}
    if all("predict_proba" in part.methods for part in parts):
        methods["predict_proba"] = Together(tuple(part.methods["predict_proba"] for part in parts), listed=True)
    return Part(methods, parts[0].task, _notes(parts))


def one_vs_one(model: Any, matrix: Matrix, columns: Columns) -> Part:
    from sklearn.base import is_regressor

    if model.pairwise_indices_ is not None:
        raise _refuse(model, "its estimators are fed distances between rows")
    if any(is_regressor(one) or len(one.classes_) != 2 for one in model.estimators_):
        raise _refuse(model, "its estimators are regressors or constant")
    parts = [part_of(one, matrix, columns) for one in model.estimators_]
    decides = hasattr(model.estimators_[0], "decision_function")
    surely = [_method(p, model, "decision_function") if decides else Cut(_method(p, model, "predict_proba"), 1, 2) for p in parts]
    scores: Score = Pairs(tuple(_method(part, model, "predict") for part in parts), tuple(surely), len(model.classes_))
    labels = class_labels(model.classes_)
    if len(labels) == 2:
        scores = Cut(scores, 1, 2)
        decided = Decide("above", scores, labels, 0.0 if decides else 0.5)
    else:
        decided = Decide("largest", scores, labels)
    return Part({"predict": decided, "decision_function": scores}, "classification", _notes(parts))


def chain(model: Any, matrix: Matrix, columns: Columns) -> Part:
    """Models that are each also fed what those before them say, as float64."""
    cells = floats(matrix, columns)
    for cell in cells:
        columns.use(cell)
    before: list[Score] = [Inputs(dense_of(cells), cells[0].dtype)]
    parts: list[Part] = []
    answers: dict[str, list[Score]] = {name: [] for name in _ANSWERS[:3]}
    probe: Array | None = None if matrix.probe is None or matrix.sparse else np.asarray(matrix.probe)
    handed = getattr(model, "chain_method_", "predict")
    for place, one in enumerate(model.estimators_):
        if len(getattr(one, "classes_", (0, 1))) != 2:
            raise _refuse(model, "one of its outputs has not two classes")
        inputs = Together(tuple(before))
        given = None if probe is None else np.hstack((probe, np.zeros((len(probe), len(model.estimators_)))[:, :place]))
        parts.append(_fed_by(inputs, one, given)[0])
        for name, found in answers.items():
            if name in parts[-1].methods:
                found.append(Fed(inputs, _in_chain(one, parts[-1].methods[name])))
        if len(answers.get(handed, ())) != place + 1:
            raise _refuse(model, f"it asks for {handed}, which is not compiled")
        before.append(answers[handed][-1])
    places = np.argsort(np.asarray(model.order_))
    methods: dict[str, Score] = {
        name: Together(tuple(found[place] for place in places))
        for name, found in answers.items() if len(found) == len(parts) and hasattr(model, name)
    }
    return Part(methods, parts[0].task, _notes(parts))


def _in_chain(one: Any, score: Score) -> Score:
    """An answer as a chain keeps it: of both classes' probabilities the second's, and labels as numbers."""
    score = Cut(score, 1, 2) if score.width == 2 else score
    if isinstance(score, Decide) and score.classes.dtype != np.float64:
        if score.classes.dtype.kind not in "biuf":
            raise _refuse(one, "its labels, which a chain hands on, are no numbers")
        return _apply_steps(score, (Step("float64"),))
    return score


def transformed_target(model: Any, matrix: Matrix, columns: Columns) -> Part:
    part = part_of(model.regressor_, matrix, columns)
    score = _method(part, model, "predict")
    return Part({"predict": _inverse(model, model.transformer_, score)}, "regression", part.notes)


def _inverse(model: Any, transformer: Any, score: Score) -> Score:
    kind = type(transformer).__name__
    if kind == "FunctionTransformer":
        function = transformer.inverse_func
        if function is None:
            return score
        if not (isinstance(function, np.ufunc) and function.__name__ in blocks.UFUNCS and not transformer.inv_kw_args):
            raise _refuse(model, "the inverse of its target's transformer is none of NumPy's functions of one value")
        return Apply(score, "ufunc", ("name",), (np.array([function.__name__]),))
    parts = [_apply_steps(Cut(score, i, i + 1), _inverse_steps(model, transformer, i)) for i in range(score.width)]
    return parts[0] if len(parts) == 1 else Together(tuple(parts))


def _apply_steps(score: Score, steps: tuple[Step, ...]) -> Score:
    packed = blocks.pack_steps(steps)
    return Apply(score, "steps", tuple(packed), tuple(packed.values()))


def _inverse_steps(model: Any, transformer: Any, i: int) -> tuple[Step, ...]:
    kind = type(transformer).__name__
    if kind == "StandardScaler":
        spread = [in_dtype("multiply", transformer.scale_[i], "float64")] if transformer.with_std else []
        return (*spread, *([in_dtype("add", transformer.mean_[i], "float64")] if transformer.with_mean else []))
    if kind == "MinMaxScaler":
        return in_place("subtract", transformer.min_[i], "float64") + in_place("divide", transformer.scale_[i], "float64")
    if kind == "MaxAbsScaler":
        return in_place("multiply", transformer.scale_[i], "float64")
    if kind == "RobustScaler":
        steps = in_place("multiply", transformer.scale_[i], "float64") if transformer.with_scaling else ()
        return steps + (in_place("add", transformer.center_[i], "float64") if transformer.with_centering else ())
    raise _refuse(model, f"the inverse of its target's {kind} is not compiled")


def best_estimator(model: Any, matrix: Matrix, columns: Columns) -> Part:
    if not hasattr(model, "best_estimator_"):
        raise _refuse(model, "it was not refitted")
    return part_of(model.best_estimator_, matrix, columns)


def frozen(model: Any, matrix: Matrix, columns: Columns) -> Part:
    return part_of(model.estimator, matrix, columns)


def tuned_threshold(model: Any, matrix: Matrix, columns: Columns) -> Part:
    part = part_of(model.estimator_, matrix, columns)
    response = model._get_response_method()
    names = [response] if isinstance(response, str) else list(response)
    name = next((name for name in names if hasattr(model.estimator_, name)), "")
    score = _method(part, model, name)
    positive = model._curve_scorer._get_pos_label()
    classes = class_labels(model.classes_)
    if positive is not None and positive != model.classes_[1]:
        raise _refuse(model, "its positive label is the first class")
    score = Cut(score, 1, 2) if score.width == 2 else score
    methods = {k: v for k, v in part.methods.items() if k in ("predict_proba", "decision_function")}
    return Part({"predict": Decide("at_least", score, classes, float(model.best_threshold_)), **methods}, "classification", part.notes)


COMPOSITES: dict[str, Callable[[Any, Matrix, Columns], Part]] = {
    "VotingRegressor": voting_regressor, "VotingClassifier": voting_classifier,
    "StackingRegressor": stacking, "StackingClassifier": stacking,
    "BaggingRegressor": bagging_regressor, "BaggingClassifier": bagging_classifier,
    "CalibratedClassifierCV": calibrated_classifier, "OneVsRestClassifier": one_vs_rest,
    "MultiOutputRegressor": multi_output, "MultiOutputClassifier": multi_output, "RegressorChain": chain,
    "ClassifierChain": chain, "OneVsOneClassifier": one_vs_one,
    "TransformedTargetRegressor": transformed_target,
    "GridSearchCV": best_estimator, "RandomizedSearchCV": best_estimator, "HalvingGridSearchCV": best_estimator,
    "HalvingRandomSearchCV": best_estimator, "FrozenEstimator": frozen, "TunedThresholdClassifierCV": tuned_threshold,
}  # fmt: skip
"""By class name, of scikit-learn's own."""
