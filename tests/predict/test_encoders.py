"""scikit-learn's transformers, read into formulas: the same bits as their own `transform`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_regression
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype as as_dtype
from fastframe.errors import ContractError, UnsupportedModel
from fastframe.predict.features import Computed, Lookup, Number
from fastframe.predict.readers import read_model
from tests.predict.feeding import check_transform, frame, target
from tests.reference.fed_rows import FedRows, Refused

NUMBERS = ["a", "b", "p", "i"]


def _matrix(dtype: str, *, missing: bool) -> Any:
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(150, 5)) * [1, 50, 1e-3, 1e4, 3]).astype(dtype)
    x[:, 3] = np.round(x[:, 3])
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
    return x


QUANTILES = {"quantile_method": "linear"} if hasattr(KBinsDiscretizer(), "quantile_method") else {}   # not in scikit-learn 1.6


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scaler", [
    StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False), MinMaxScaler((-1, 2)), MinMaxScaler(clip=True),
    MaxAbsScaler(), RobustScaler(), RobustScaler(with_centering=False), RobustScaler(with_scaling=False),
    SimpleImputer(), SimpleImputer(strategy="median"), SimpleImputer(strategy="constant", fill_value=-7.5),
    SimpleImputer(strategy="most_frequent", add_indicator=True), MissingIndicator(), MissingIndicator(features="all"),
    make_pipeline(StandardScaler(), SimpleImputer(add_indicator=True), MinMaxScaler(), RobustScaler()), VarianceThreshold(0.5),
])  # fmt: skip
def test_numbers_with_missing_values(scaler: Any, dtype: str) -> None:
    """In float32 too; a contract tells the dtype where what was learnt does not."""
    x = _matrix(dtype, missing=True)
    fields = tuple(Field(f"x{i}", as_dtype(dtype)) for i in range(x.shape[1]))
    model = check_transform(scaler.fit(x), x, given=FeatureContract(fields, named=False))
    assert all(field.nullable and field.dtype == dtype for field in model.contract.fields)


@pytest.mark.parametrize("scaler", [SimpleImputer(), MinMaxScaler(), MaxAbsScaler()])
def test_parameters_tell_the_dtype(scaler: Any) -> None:
    x = _matrix("float32", missing=True)
    model = check_transform(scaler.fit(x), x)
    assert all(field.dtype == "float32" for field in model.contract.fields)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_quantiles", [2, 20, 100])
def test_quantiles(n_quantiles: int, dtype: str) -> None:
    x = _matrix(dtype, missing=True)
    x[:40, 1] = 3.0   # repeated quantiles
    model = QuantileTransformer(n_quantiles=n_quantiles, random_state=0).fit(x)
    far = np.concatenate([x, x * 3, model.quantiles_.astype(dtype)])
    contract = None if dtype == "float64" else FeatureContract(tuple(Field(f"x{i}", as_dtype(dtype)) for i in range(5)), named=False)
    read = check_transform(model, far, given=contract)
    assert all(field.nullable for field in read.contract.fields)
    with pytest.raises(UnsupportedModel, match="output_distribution='normal'"):
        read_model(QuantileTransformer(n_quantiles=9, output_distribution="normal").fit(x))


@pytest.mark.parametrize("transformer", [
    Binarizer(threshold=0.25), KBinsDiscretizer(5, encode="ordinal", **QUANTILES),
    KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), KBinsDiscretizer(4, encode="onehot", strategy="uniform"),
    PolynomialFeatures(3), PolynomialFeatures((2, 3), interaction_only=True, include_bias=False), PolynomialFeatures(0),
    PolynomialFeatures(4, include_bias=False), Normalizer("l1"), Normalizer("l2"), Normalizer("max"), PCA(3), PCA(2, whiten=True),
    TruncatedSVD(3), make_pipeline(StandardScaler(), PCA(3), MinMaxScaler()),
    FeatureUnion([("s", StandardScaler()), ("p", PolynomialFeatures(2)), ("same", "passthrough")], transformer_weights={"s": 0.3}),
    SelectKBest(f_regression, k=2),
])  # fmt: skip
def test_numbers_without_missing_values(transformer: Any) -> None:
    x = _matrix("float64", missing=False)
    x[3] = 0.0
    transformer.fit(x, x[:, 0] * 3)
    model = check_transform(transformer, x)
    assert not any(field.nullable for field in model.contract.fields)
    with pytest.raises(Refused):
        FedRows(model.contract, np.full((1, 5), np.nan))


def test_imputer_drops_or_keeps_columns_without_values() -> None:
    x = _matrix("float64", missing=True)
    x[:, 2] = np.nan
    dropped = check_transform(SimpleImputer(add_indicator=True).fit(x), x)
    assert dropped.methods["transform"].width == 4 + 5
    check_transform(SimpleImputer(keep_empty_features=True).fit(x), x)
    filled = np.nan_to_num(x, nan=-1.0)
    check_transform(SimpleImputer(missing_values=-1.0, strategy="median").fit(filled), filled)


def _encoded(encoder: Any, columns: list[str], *, first: Any = None) -> Any:
    given = frame()
    chain = make_pipeline(first, encoder) if first is not None else encoder
    made = make_column_transformer((chain, columns), sparse_threshold=0)
    return made.fit(given, target(given))


ENCODERS = [
    OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32),
    OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=12), OneHotEncoder(handle_unknown="ignore", drop="first"),
    OneHotEncoder(handle_unknown="ignore", drop="if_binary", max_categories=2), OneHotEncoder(handle_unknown="warn", max_categories=3),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=-2),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=99, max_categories=4, dtype=np.float32),
    TargetEncoder(), TargetEncoder(smooth=2.0),
]  # fmt: skip


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("imputer", [None, SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant", fill_value="none")])
def test_text_categories(encoder: Any, imputer: Any) -> None:
    """Unseen and missing ones among them; the whole chain is one table over the column."""
    fitted = _encoded(encoder, ["c", "t"], first=imputer)
    model = check_transform(fitted, frame(seed=3), frame(seed=4, unseen=True))
    assert all(isinstance(feature, Lookup) for feature in model.methods["transform"].features)   # type: ignore[attr-defined]
    assert [field.unseen for field in model.contract.fields] == ["model", "model"]
    all_missing = frame(seed=3).assign(c=np.full(240, np.nan, object))
    check_transform(fitted, all_missing)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_number_categories(encoder: Any) -> None:
    fitted = _encoded(encoder, ["d", "i", "f"])
    new = frame(seed=3).assign(d=[1, 2, 3] * 80, i=range(240))
    model = check_transform(fitted, frame(seed=3), new)
    assert all(isinstance(feature, Lookup) for feature in model.methods["transform"].features)   # type: ignore[attr-defined]


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder(), OneHotEncoder(drop="first")])
def test_encoders_that_refuse(encoder: Any) -> None:
    """What raises natively is refused by the contract: unseen values, and missing ones where none was there in the fit."""
    fitted = _encoded(encoder, ["c", "t"])
    model = check_transform(fitted, frame(seed=3))
    assert [field.unseen for field in model.contract.fields] == ["error", "error"]
    assert [field.nullable for field in model.contract.fields] == [True, False]
    with pytest.raises(Refused):
        FedRows(model.contract, frame(seed=4, unseen=True))


def test_multiclass_target_encoder() -> None:
    given = frame()
    classes = np.array(["low", "mid", "high"])[np.digitize(target(given), [-0.5, 0.8])]
    fitted = make_column_transformer((TargetEncoder(), ["c", "t", "d"]), sparse_threshold=0).fit(given, classes)
    model = check_transform(fitted, frame(seed=3), frame(seed=4, unseen=True))
    assert model.methods["transform"].width == 9
    binary = make_column_transformer((TargetEncoder(), ["c", "t"]), sparse_threshold=0).fit(given, classes == "low")
    check_transform(binary, frame(seed=4, unseen=True))


def test_number_used_as_a_category_and_as_a_number() -> None:
    """The encoder then looks the number up; the scaler computes on it."""
    given = frame()
    fitted = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["d"]), (StandardScaler(), ["d", "b"]), (TargetEncoder(), ["d"]), sparse_threshold=0
    ).fit(given, target(given))
    model = check_transform(fitted, given, frame(seed=3).assign(d=[1, 2, 3] * 80))
    kinds = {type(feature) for feature in model.methods["transform"].features}   # type: ignore[attr-defined]
    assert kinds == {Computed, Number}
    refusing = make_column_transformer((OneHotEncoder(), ["d"]), (StandardScaler(), ["d"]), sparse_threshold=0).fit(given)
    read = read_model(refusing)
    with pytest.raises(ContractError, match="none of the values"):
        read.methods["transform"].run(FedRows(read.contract, given.assign(d=3.5)))


def test_encoders_of_arrays() -> None:
    text = np.array([["x", "1"], ["y", "2"], ["x", "3"]] * 10)
    check_transform(OneHotEncoder(handle_unknown="ignore").fit(text), text, np.array([["zz", "1"]] * 12))
    numbers = np.array([[1.0, 5.0], [2.0, np.nan], [1.0, 7.0]] * 10)
    model = check_transform(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(numbers), numbers, numbers + 1)
    assert not model.contract.named


def test_encoder_after_bins_and_after_an_encoder() -> None:
    given = frame()
    bins = KBinsDiscretizer(4, encode="ordinal", strategy="uniform")
    fitted = make_column_transformer((make_pipeline(bins, OneHotEncoder()), ["b", "p"]), sparse_threshold=0).fit(given)
    check_transform(fitted, given)
    twice = make_pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), OneHotEncoder(handle_unknown="ignore"), MaxAbsScaler())
    check_transform(make_column_transformer((twice, ["c", "t"]), sparse_threshold=0).fit(given), frame(seed=4, unseen=True))


def _ratio(x: Any) -> Any:
    return np.column_stack((x[:, 0] / (1.0 + x[:, 1] * x[:, 1]), x[:, 0] - x[:, 1]))


def _centred(x: Any) -> Any:
    return x - np.array([[value] for value in [x.mean()]])


def _named(x: Any) -> Any:
    return x[["b"]] * 2


@pytest.mark.parametrize("function", [np.log1p, np.log, np.exp, np.sqrt, np.abs, np.sign, np.expm1, np.square, np.cbrt, None])
def test_numpy_functions(function: Any) -> None:
    given = frame()
    with np.errstate(all="ignore"):
        fitted = make_column_transformer((FunctionTransformer(function), ["p", "i"]), remainder="drop").fit(given)
        check_transform(fitted, given, frame(seed=9))
    x = np.abs(_matrix("float32", missing=True))
    check_transform(make_pipeline(SimpleImputer(), FunctionTransformer(function)).fit(x), x)


def test_users_functions_are_compiled_or_refused() -> None:
    x = _matrix("float64", missing=False)
    model = check_transform(FunctionTransformer(_ratio).fit(x), x)
    assert model.methods["transform"].features[0].block.name == "user"   # type: ignore[attr-defined]
    with pytest.raises(UnsupportedModel, match="row's answer depends on other rows|does not compile"):
        read_model(make_pipeline(FunctionTransformer(_centred).fit(x)))
    given = frame()[["a", "b"]]
    with pytest.raises(UnsupportedModel, match="does not compile"):
        read_model(make_pipeline(FunctionTransformer(_named).fit(given)))


def test_unknown_transformers_are_refused() -> None:
    from sklearn.preprocessing import SplineTransformer

    x = _matrix("float64", missing=False)
    with pytest.raises(UnsupportedModel, match="SplineTransformer is not known"):
        read_model(make_pipeline(SplineTransformer(), StandardScaler()).fit(x))
    with pytest.raises(UnsupportedModel, match="is it fitted"):
        read_model(make_pipeline(StandardScaler()))
