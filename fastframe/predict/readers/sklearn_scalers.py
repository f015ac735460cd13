"""scikit-learn's transformers of numbers: each value by itself as steps, rows and matrices as blocks.

A step is the library's own operation in the dtype that it works in: a scaler divides, never multiplies by a reciprocal,
and an operand of another dtype makes the operation run in the common one, as NumPy's in-place operators do.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastframe.errors import UnsupportedModel
from fastframe.predict import blocks
from fastframe.predict.features import Feature, Step
from fastframe.predict.pipeline import Cell, Columns, Matrix, floats, stepped

Array = np.ndarray[Any, Any]


def in_place(name: str, operand: Any, dtype: str) -> tuple[Step, ...]:
    """``x <op>= operand`` of an array of ``dtype``: computed in the common dtype, then cast back."""
    operand = np.asarray(operand)
    wide = str(np.result_type(operand.dtype, np.dtype(dtype)))
    step = Step(name, (float(operand),))
    return (step,) if wide == dtype else (Step(wide), step, Step(dtype))


def in_dtype(name: str, operand: Any, dtype: str) -> Step:
    """An operation whose operand the library casts to the matrix's dtype first."""
    return Step(name, (float(np.asarray(operand).astype(dtype)),))


def refuse_sparse(transformer: Any, matrix: Matrix) -> None:
    if matrix.sparse:
        raise UnsupportedModel.because(type(transformer).__name__, ["it is fed a sparse matrix, on which it computes in another way"])


def dense_of(features: list[Cell]) -> tuple[Feature, ...]:
    """The features of cells that `floats` made."""
    return tuple(cell.source for cell in features)   # type: ignore[misc]


def standard_scaler(scaler: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    from fastframe.predict.readers.sklearn_versions import casts_parameters

    def step(name: str, operand: Any, dtype: str) -> tuple[Step, ...]:
        return (in_dtype(name, operand, dtype),) if casts_parameters() else in_place(name, operand, dtype)

    cells = []
    for i, cell in enumerate(floats(matrix, columns)):
        steps: list[Step] = []
        if matrix.sparse:
            steps += in_place("multiply", 1 / scaler.scale_[i], cell.dtype) if scaler.scale_ is not None else ()
        else:
            steps += step("subtract", scaler.mean_[i], cell.dtype) if scaler.with_mean else ()
            steps += step("divide", scaler.scale_[i], cell.dtype) if scaler.with_std else ()
        cells.append(stepped(cell, tuple(steps)))
    return cells


def min_max_scaler(scaler: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    refuse_sparse(scaler, matrix)
    cells = []
    for i, cell in enumerate(floats(matrix, columns, _fitted_as(scaler.scale_, matrix, columns))):
        steps = in_place("multiply", scaler.scale_[i], cell.dtype) + in_place("add", scaler.min_[i], cell.dtype)
        if scaler.clip:
            low, high = (float(np.asarray(bound).astype(cell.dtype)) for bound in scaler.feature_range)
            steps += (Step("clip", (low, high)),)
        cells.append(stepped(cell, steps))
    return cells


def max_abs_scaler(scaler: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    cells = []
    for i, cell in enumerate(floats(matrix, columns, _fitted_as(scaler.scale_, matrix, columns))):
        if matrix.sparse:
            steps = in_place("multiply", 1.0 / scaler.scale_[i], cell.dtype)
        else:
            steps = in_place("divide", scaler.scale_[i], cell.dtype)
        if getattr(scaler, "clip", False):
            steps += (Step("clip", (-1.0, 1.0)),)
        cells.append(stepped(cell, steps))
    return cells


def robust_scaler(scaler: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    cells = []
    for i, cell in enumerate(floats(matrix, columns)):
        steps: tuple[Step, ...] = ()
        if matrix.sparse:
            steps += in_place("multiply", 1.0 / scaler.scale_[i], cell.dtype) if scaler.with_scaling else ()
        else:
            steps += in_place("subtract", scaler.center_[i], cell.dtype) if scaler.with_centering else ()
            steps += in_place("divide", scaler.scale_[i], cell.dtype) if scaler.with_scaling else ()
        cells.append(stepped(cell, steps))
    return cells


def _fitted_as(parameters: Array, matrix: Matrix, columns: Columns) -> str | None:
    """float32 parameters tell that the scaler was fitted on float32 columns."""
    from fastframe.predict.pipeline import Raw

    if parameters.dtype == np.float32 and columns.given is None:
        for cell in matrix.cells:
            if isinstance(cell.source, Raw):
                columns.number(cell.source.column, "float32")
    return None


def binarizer(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    cells = floats(matrix, columns)
    for cell in cells:
        columns.use(cell)
    return [stepped(cell, (Step("above", (float(transformer.threshold),)),), missing=False) for cell in cells]


def k_bins(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    out = []
    for cell, edges in zip(floats(matrix, columns), transformer.bin_edges_, strict=True):
        columns.use(cell)
        inner = tuple(float(edge) for edge in edges[1:-1])
        steps: tuple[Step, ...] = (Step("float64"), Step("count_at_most", inner), Step(cell.dtype))
        binned = stepped(cell, steps if cell.dtype != "float64" else steps[1:2], missing=False)
        if transformer.encode == "ordinal":
            out.append(binned)
        else:
            out += [stepped(binned, _is_number(k)) for k in range(len(edges) - 1)]
    return out


def _is_number(k: int) -> tuple[Step, ...]:
    """1 where a whole number is ``k``, else 0: exact, for numbers as small as bins'."""
    return (Step("subtract", (float(k),)), Step("abs"), Step("negative"), Step("above", (-0.5,)))


def normalizer(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    refuse_sparse(transformer, matrix)
    arrays = {"norm": np.array([transformer.norm]), "order": np.array([matrix.order])}
    return _over_rows("normalize", arrays, matrix, columns)


def quantile(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    refuse_sparse(transformer, matrix)
    if transformer.output_distribution != "uniform":
        reason = f"output_distribution={transformer.output_distribution!r} is computed by SciPy's normal distribution, which is not compiled"
        raise UnsupportedModel.because("QuantileTransformer", [reason])
    if np.isnan(transformer.quantiles_).any():
        raise UnsupportedModel.because("QuantileTransformer", ["a column had no values when it was fitted"])
    cells = []
    for cell, quantiles in zip(floats(matrix, columns), transformer.quantiles_.T, strict=True):
        arrays = {"quantiles": np.ascontiguousarray(quantiles), "references": np.asarray(transformer.references_)}
        made = blocks.block("quantiles", dense_of([cell]), arrays, dtype=cell.dtype)
        cells.append(Cell(blocks.outputs(made)[0], cell.dtype, cell.missing))
    return cells


def power_transformer(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    """Yeo and Johnson's, by the formula of the two that the installed version computes, then the scaler."""
    refuse_sparse(transformer, matrix)
    if transformer.method != "yeo-johnson":
        reason = f"method={transformer.method!r} is computed by SciPy's own logarithms, which are not compiled; method='yeo-johnson' is"
        raise UnsupportedModel.because("PowerTransformer", [reason])
    formula = _power_formula(transformer)
    cells = []
    for cell, power in zip(floats(matrix, columns, _fitted_as(transformer.lambdas_, matrix, columns)), transformer.lambdas_, strict=True):
        small = np.finfo(np.float64 if formula == "power" else transformer.lambdas_.dtype).eps
        arrays = {"formula": np.array([formula]), "power": np.array([power]), "small": np.array([small], np.float64)}
        made = blocks.block("yeo_johnson", dense_of([cell]), arrays, dtype=cell.dtype)
        cells.append(Cell(blocks.outputs(made)[0], cell.dtype, cell.missing))
    return standard_scaler(transformer._scaler, Matrix(cells), columns) if transformer.standardize else cells


def _power_formula(transformer: Any) -> str:
    """Which formula gives the installed version's bits on some values, for powers of both kinds."""
    asked = copy.copy(transformer)
    values = np.concatenate([np.linspace(-9.0, 9.0, 1001), np.geomspace(1e-9, 1e9, 200)])[:, None]
    asked.standardize, asked.n_features_in_ = False, 1
    asked.__dict__.pop("feature_names_in_", None)
    asked.set_output(transform="default")
    for formula in ("expm1", "power"):
        same = True
        for power in (0.37, -1.3, 2.6):
            asked.lambdas_ = np.array([power])
            arrays = {"formula": np.array([formula]), "power": asked.lambdas_, "small": np.array([np.finfo(np.float64).eps])}
            same &= np.array_equal(blocks.function("yeo_johnson", arrays)(values), asked.transform(values))
        if same:
            return formula
    raise UnsupportedModel.because("PowerTransformer", ["it computes in another way than the versions that are known"])


def polynomial(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    factors = blocks.polynomial_factors(
        len(matrix.cells), transformer._min_degree, transformer._max_degree,
        interaction_only=transformer.interaction_only, bias=transformer.include_bias,
    )  # fmt: skip
    if len(factors) != transformer.n_output_features_:
        raise UnsupportedModel.because("PolynomialFeatures", ["its terms are not the ones this version of scikit-learn makes"])
    return _over_rows("polynomial", {"factors": factors}, matrix, columns)


def pca(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    refuse_sparse(transformer, matrix)
    components = transformer.components_
    scale = np.empty(0, components.dtype)
    if transformer.whiten:
        scale = np.sqrt(transformer.explained_variance_)
        scale[scale < np.finfo(scale.dtype).eps] = np.finfo(scale.dtype).eps
    offset = np.reshape(transformer.mean_, (1, -1)) @ components.T
    return _projection(components, offset, scale, matrix, columns)


def truncated_svd(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    refuse_sparse(transformer, matrix)
    empty = np.empty(0, transformer.components_.dtype)
    return _projection(transformer.components_, empty, empty, matrix, columns)


def _projection(components: Array, offset: Array, scale: Array, matrix: Matrix, columns: Columns) -> list[Cell]:
    arrays = {"components": components, "offset": offset, "scale": scale, "order": np.array([matrix.order])}
    return _over_rows("project", arrays, matrix, columns, whole=True)


def _over_rows(name: str, arrays: dict[str, Array], matrix: Matrix, columns: Columns, *, whole: bool = False) -> list[Cell]:
    """Outputs of a function of whole rows that raises for missing values."""
    cells = floats(matrix, columns)
    for cell in cells:
        columns.use(cell)
    dtype = cells[0].dtype
    made = blocks.block(name, dense_of(cells), arrays, dtype=dtype, whole=whole)
    kind = str(made.function(np.empty((0, len(cells)), dtype)).dtype)
    return [Cell(feature, kind, missing=False) for feature in blocks.outputs(made)]


def selector(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    """Any transformer that keeps some columns as they are."""
    kept = [matrix.cells[i] for i in np.flatnonzero(transformer.get_support())]
    if not transformer.__sklearn_tags__().input_tags.allow_nan:
        for cell in matrix.cells:
            columns.use(cell)
    return kept


TRANSFORMERS = {
    "StandardScaler": standard_scaler, "MinMaxScaler": min_max_scaler, "MaxAbsScaler": max_abs_scaler, "RobustScaler": robust_scaler,
    "Binarizer": binarizer, "KBinsDiscretizer": k_bins, "Normalizer": normalizer, "QuantileTransformer": quantile, "PowerTransformer": power_transformer,
    "PolynomialFeatures": polynomial,
    "PCA": pca, "TruncatedSVD": truncated_svd,
    "VarianceThreshold": selector, "SelectKBest": selector, "SelectPercentile": selector, "SelectFpr": selector, "SelectFdr": selector,
    "SelectFwe": selector, "SelectFromModel": selector, "RFE": selector, "RFECV": selector, "SequentialFeatureSelector": selector,
    "GenericUnivariateSelect": selector,
}  # fmt: skip
