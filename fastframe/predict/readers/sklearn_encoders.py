"""scikit-learn's imputers and encoders: tables over a column's categories, made by the fitted encoder itself.

An encoder of a category column is called once, on the categories and on one value for "unseen" and one for "missing"; what
it answers is the table (`Lookup`). So every option it has (infrequent categories, dropped ones, unknown values) is followed
without being written again. An encoder of a number that has been computed on looks it up the same way (`Block`).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fastframe.errors import UnsupportedModel
from fastframe.predict import blocks
from fastframe.predict.features import Computed, Lookup, Step
from fastframe.predict.pipeline import Cell, Columns, Matrix, Raw, Words, as_number, category_values, floats, stepped

Array = np.ndarray[Any, Any]
_STRANGER = "\x00 no category"   # a text that is nobody's category


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _stranger(known: list[Any]) -> Any:
    """A value that is none of those known."""
    if not all(isinstance(value, (int, float)) for value in known):
        return _STRANGER
    finite = [float(value) for value in known if np.isfinite(value)] or [0.0]
    return next(v for v in (max(finite) + 1.0, min(finite) - 1.0, *np.arange(len(known) + 1) + 0.5) if v not in known)


def _table(transformer: Any, listed: list[list[Any]]) -> Array:
    """What a fitted transformer makes of columns of values; short columns are filled up with their first value."""
    n_rows = max(len(values) for values in listed)
    filled = [values + values[:1] * (n_rows - len(values)) for values in listed]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = transformer.transform(_container(transformer, filled))
    if hasattr(out, "toarray"):
        return out.toarray()
    return np.asarray(out)


def _container(transformer: Any, filled: list[list[Any]]) -> Any:
    plain = [all(isinstance(value, (int, float)) for value in values) for values in filled]
    arrays = [np.array([*values, None], dtype=object)[:-1].astype("float64" if p else object) for values, p in zip(filled, plain, strict=True)]
    names = getattr(transformer, "feature_names_in_", None)
    if names is None:
        return np.column_stack(arrays)
    import pandas as pd

    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in zip(names, arrays, strict=True)}, columns=list(names))


def one_hot(encoder: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    return _encode(encoder, matrix, columns, list(encoder._n_features_outs), refuses=encoder.handle_unknown == "error")


def ordinal(encoder: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    return _encode(encoder, matrix, columns, [1] * len(matrix.cells), refuses=encoder.handle_unknown == "error")


def target(encoder: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    width = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    return _encode(encoder, matrix, columns, [width] * len(matrix.cells), refuses=False)


def _encode(encoder: Any, matrix: Matrix, columns: Columns, widths: list[int], *, refuses: bool) -> list[Cell]:
    plans = [_plan(encoder, i, cell, columns, refuses=refuses) for i, cell in enumerate(matrix.cells)]
    table = _table(encoder, [values for _, values, _ in plans])
    cells: list[Cell] = []
    at = 0
    for i, (column, values, known) in enumerate(plans):
        mine = table[: len(values), at : at + widths[i]]
        at += widths[i]
        dtype = str(mine.dtype)
        kept = np.asarray(mine if dtype == "float32" else mine.astype(np.float64))
        missing = bool(np.isnan(kept).any())
        if column is not None:
            cells += [Cell(Lookup(column, np.ascontiguousarray(kept[:, j])), dtype, missing) for j in range(widths[i])]
        else:
            cells += _of_number(matrix.cells[i], known, kept, _refusal(encoder, i, refuses), columns, dtype=dtype)
    if at != table.shape[1]:
        raise UnsupportedModel.because(type(encoder).__name__, [f"it gives {table.shape[1]} columns where {at} were expected"])
    return cells


def _refusal(encoder: Any, i: int, refuses: bool) -> Array:
    """Whether an unseen, and whether a missing value raises."""
    has_missing = any(is_missing(value) for value in encoder.categories_[i].tolist())
    return np.array([refuses, refuses and not has_missing])


def _plan(encoder: Any, i: int, cell: Cell, columns: Columns, *, refuses: bool) -> tuple[int | None, list[Any], list[Any]]:
    """``(column or None, values to ask the encoder for, its known categories)``; the last two are unseen and missing."""
    listed = encoder.categories_[i].tolist()
    known = [value for value in listed if not is_missing(value)]
    if any(not isinstance(value, (str, int, float)) for value in known):
        raise UnsupportedModel.because(type(encoder).__name__, [f"categories of type {type(known[0]).__name__}"])
    missing = next((value for value in listed if is_missing(value)), float("nan"))
    refuse_unseen, refuse_missing = _refusal(encoder, i, refuses)
    held = category_values(cell, columns)
    if held is None:
        if not all(isinstance(value, (int, float)) for value in known):
            raise UnsupportedModel.because(type(encoder).__name__, ["numbers are encoded with categories of text"])
        known = sorted(known)
        asked = [*known, _stranger(known), missing]
        return None, _acceptable(asked, known, listed, refuse_unseen, refuse_missing), known
    column, values = held
    if isinstance(cell.source, (Raw, Words)):
        columns.category(column, known, others_refused=bool(refuse_unseen))
        if not known and encoder.categories_[i].dtype.kind in "iuf":
            columns.only_numbers.add(column)
    if refuse_missing:
        columns.use(cell)
    if missing is None:
        columns.none_missing.add(column)
    asked = values.tolist()
    if isinstance(cell.source, Raw):
        asked += [_stranger(asked + known), missing]
    asked = [missing if is_missing(value) else value for value in asked]
    if isinstance(cell.source, Lookup) and refuse_unseen and not is_missing(asked[-2]) and asked[-2] not in known:
        columns.refuse_unseen.add(column)
    return column, _acceptable(asked, known, listed, refuse_unseen, refuse_missing), known


def _acceptable(asked: list[Any], known: list[Any], listed: list[Any], refuse_unseen: bool, refuse_missing: bool) -> list[Any]:
    """The values without those for which the encoder raises: the contract keeps them out."""
    stand_in = listed[0]

    def ask(value: Any) -> Any:
        refused = refuse_missing if is_missing(value) else refuse_unseen and value not in known
        return stand_in if refused else value

    return [ask(value) for value in asked]


def _of_number(cell: Cell, known: list[Any], values: Array, refuse: Array, columns: Columns, *, dtype: str) -> list[Cell]:
    number = as_number(cell, "float64", columns)
    assert not isinstance(number.source, (Raw, Words))
    arrays = {"keys": np.array(known, np.float64), "values": values, "refuse": refuse if cell.missing else np.array([refuse[0], False])}
    if refuse[1]:
        columns.use(cell)
    made = blocks.block("categories", (number.source,), arrays)
    return [Cell(Computed(made, j), dtype, bool(np.isnan(values).any())) for j in range(values.shape[1])]


def simple_imputer(imputer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    if imputer._fit_dtype.kind == "O":
        return _impute_words(imputer, matrix, columns)
    if imputer._fit_dtype == np.float32 and columns.given is None:
        for cell in matrix.cells:
            if isinstance(cell.source, Raw):
                columns.number(cell.source.column, "float32")
    marks_nan = is_missing(imputer.missing_values) or type(imputer.missing_values).__name__ == "NAType"
    cells = floats(matrix, columns)
    if not marks_nan:
        for cell in cells:
            columns.use(cell)
        cells = [stepped(cell, (Step("equals_missing", (float(imputer.missing_values),)),), missing=True) for cell in cells]
    out = []
    for cell, statistic in zip(cells, imputer.statistics_, strict=True):
        if is_missing(statistic) or statistic != statistic:
            if not imputer.keep_empty_features:
                continue   # a column that had no value when it was fitted
            out.append(cell)
            continue
        first = getattr(imputer, "_fill_dtype", np.asarray(statistic).dtype)   # scikit-learn 1.6 casts once
        fill = float(np.asarray(statistic).astype(first).astype(cell.dtype))
        out.append(stepped(cell, (Step("fill", (fill,)),), missing=False))
    return out + _indicators(imputer, cells)


def _indicators(imputer: Any, cells: list[Cell]) -> list[Cell]:
    if not imputer.add_indicator:
        return []
    return [stepped(cells[i], (Step("is_missing"),), missing=False) for i in imputer.indicator_.features_]


def missing_indicator(indicator: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    if not is_missing(indicator.missing_values):
        raise UnsupportedModel.because("MissingIndicator", [f"missing_values={indicator.missing_values!r}"])
    if indicator.features == "missing-only" and indicator.error_on_new:
        for i in sorted(set(range(len(matrix.cells))) - set(indicator.features_.tolist())):
            columns.use(matrix.cells[i])
    cells = floats(matrix, columns)
    made = [stepped(cells[i], (Step("is_missing"),), missing=False) for i in indicator.features_]
    return [Cell(cell.source, "bool", missing=False) for cell in made]


def _impute_words(imputer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    """An imputer of text: the values of every category column, as it leaves them."""
    held = [category_values(cell, columns) for cell in matrix.cells]
    missing = imputer.missing_values if is_missing(imputer.missing_values) else float("nan")
    if not is_missing(imputer.missing_values):
        raise UnsupportedModel.because("SimpleImputer", [f"missing_values={imputer.missing_values!r} among text"])
    if any(one is None for one in held):
        raise UnsupportedModel.because("SimpleImputer", ["one imputer fills columns of text and of numbers that others use"])
    listed = []
    for cell, one in zip(matrix.cells, held, strict=True):
        assert one is not None
        values = [missing if is_missing(value) else value for value in one[1].tolist()]
        listed.append([*values, _stranger(values), missing] if isinstance(cell.source, Raw) else values)
    out = _object_table(imputer, listed)
    cells = []
    kept = [i for i, statistic in enumerate(imputer.statistics_) if imputer.keep_empty_features or not is_missing(statistic)]
    for at, i in enumerate(kept):
        one = held[i]
        assert one is not None
        after = out[: len(listed[i]), at].copy()
        cells.append(Cell(Words(one[0], after), "object", missing=is_missing(after[-1])))
    if imputer.add_indicator:
        for at, i in enumerate(imputer.indicator_.features_):
            one = held[i]
            assert one is not None
            marks = out[: len(listed[i]), len(kept) + at].astype(np.float64)
            cells.append(Cell(Lookup(one[0], marks), "float64", missing=False))
    return cells


def _object_table(imputer: Any, listed: list[list[Any]]) -> Array:
    """As `_table`, the columns all of Python values."""
    n_rows = max(len(values) for values in listed)
    array = np.empty((n_rows, len(listed)), object)
    for i, values in enumerate(listed):
        array[:, i] = values + values[:1] * (n_rows - len(values))
    names = getattr(imputer, "feature_names_in_", None)
    given: Any = array
    if names is not None:
        import pandas as pd

        given = pd.DataFrame(array, columns=list(names), dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(imputer.transform(given), dtype=object)


TRANSFORMERS = {
    "OneHotEncoder": one_hot, "OrdinalEncoder": ordinal, "TargetEncoder": target, "SimpleImputer": simple_imputer,
    "MissingIndicator": missing_indicator,
}  # fmt: skip
