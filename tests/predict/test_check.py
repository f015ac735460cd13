"""The self-check: which rows it tries, and that it finds models that are read wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.errors import InexactModelError
from fastframe.predict.check import check_predictor, differing, ulps_apart
from fastframe.predict.engines.sliced import SlicedEngine
from fastframe.predict.engines.walk import WalkEngine
from fastframe.predict.features import Number, Step
from fastframe.predict.forest import NumberInput
from fastframe.predict.forest_build import Tree, join
from fastframe.predict.model import Ask, Model, Source
from fastframe.predict.predictor import Predictor
from fastframe.predict.probes import MOST_ROWS, Keys, probes_of
from fastframe.predict.scores import ForestScore
from tests.predict.small import slow_answer, small_model

Array = np.ndarray[Any, Any]


def asked(model: Model, native: Model | None = None, **options: Any) -> Model:
    """The model, to be asked what another one answers slowly."""
    twin = native or model

    def ask(method: str) -> Callable[[Any], Array]:
        return lambda given: slow_answer(twin, method, given)

    return replace(model, asks={name: Ask(ask(name), **options) for name in model.methods})


def stumps(thresholds: Any, dtype: str, domain: str = "float64", steps: tuple[Step, ...] = (), via: str = "float64") -> Model:
    """One tree of one split per threshold, over one field."""
    kind = np.dtype(domain)
    feature, left, right, missing_left = np.array([0, -1, -1]), np.array([1, 0, 0]), np.array([2, 0, 0]), np.zeros(3, bool)
    leaves = [np.array([0, 1.0, 2.0 ** (place % 50)]) for place in range(len(thresholds))]
    split = [Tree(feature, np.array([one, 0, 0], kind), left, right, missing_left, leaf) for one, leaf in zip(thresholds, leaves, strict=True)]
    forest = join(split, domain=domain, inputs=[NumberInput(via)], base=np.zeros(1))
    score = ForestScore(forest, (Number(0, steps, via),))
    field = Field("a", dtypes.dtype(dtype), nullable="float" in dtype)
    return Model(FeatureContract((field,)), {"predict": score}, "regression", Source("none", "1", "Stumps"))


def test_a_right_model_passes() -> None:
    found = check_predictor(Predictor(asked(small_model())))
    assert found.rows >= 128 and found.thresholds == found.tested == 1 and set(found.methods) == {"margin", "predict_proba", "predict"}
    assert "1 of 1 thresholds" in str(found)


CASES = [
    ("float64", "float64", ()), ("float64", "float32", ()), ("float32", "float64", ()), ("float32", "float32", ()), ("int64", "float64", ()),
    ("int64", "float32", ()), ("int8", "float32", ()), ("uint16", "float64", ()), ("uint64", "float64", ()),
    ("float64", "float64", (Step("subtract", (0.3,)), Step("divide", (-0.7,)))), ("float64", "float32", (Step("abs"), Step("sqrt"))),
    ("float64", "float64", (Step("fill", (9.0,)), Step("square"))), ("int32", "float64", (Step("clip", (-3.0, 3.0)), Step("multiply", (0.1,)))),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "domain", "steps"), CASES)
def test_both_neighbours_of_every_threshold_are_tried(dtype: str, domain: str, steps: tuple[Step, ...]) -> None:
    thresholds = np.unique(np.array([0.1, 0.25, 1 / 3, 2.5, 7.0, 100.0, 0.0, -1.5], domain))
    model = stumps(thresholds, dtype, domain, steps)
    probes = probes_of(model, float("inf"))
    answers = slow_answer(model, "predict", probes.native())
    assert probes.tested == len(thresholds)
    # Each stump's value is a bit of the sum: how many rows of each side are there?
    from tests.reference.fed_rows import FedRows

    leaves = FedRows(model.contract, probes.native()).program(model.methods["predict"]).leaves(None)
    reachable = [place for place in range(len(thresholds)) if len(np.unique(leaves[:, place])) == 2]
    values = np.sort(np.unique(probes.values[0][~probes.missing[0]]))
    keys = Keys(dtypes.dtype(dtype), float("inf"))
    for place in reachable:   # among the values are two neighbours that go to different sides
        finite = values[np.isfinite(values.astype(float))]
        near = finite[:-1][np.diff(keys.of(finite)) == 1]
        after = finite[1:][np.diff(keys.of(finite)) == 1]
        sides = [
            FedRows(model.contract, pd.DataFrame({"a": one})).program(model.methods["predict"]).leaves(None)[:, place] for one in (near, after)
        ]
        assert (sides[0] != sides[1]).any(), thresholds[place]
    assert len(reachable) >= 3 and np.isfinite(answers).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("domain", ["float64", "float32"])
@pytest.mark.parametrize("side", [-np.inf, np.inf])
def test_a_threshold_one_ulp_off_is_found(dtype: str, domain: str, side: float) -> None:
    thresholds = np.array([0.1, 1 / 3, 7.3, -2.7], domain)
    wrong = thresholds.copy()
    wrong[2] = np.nextafter(wrong[2], wrong.dtype.type(side))
    if dtype == "float32" and domain == "float64":   # between two float32 numbers no value can tell
        for _ in range(2):
            wrong[2] = np.nextafter(np.float32(wrong[2]), np.float32(side))
    with pytest.raises(InexactModelError, match="predict of the compiled model gives .* where the model gives .*'?a=|a="):
        check_predictor(Predictor(asked(stumps(wrong, dtype, domain), stumps(thresholds, dtype, domain))))


def test_thresholds_rounded_to_float32_are_found() -> None:
    """The bug of many converters: float64 thresholds, float32 nodes."""
    thresholds = np.array([0.1, 0.2, 0.3, 0.7])
    with pytest.raises(InexactModelError):
        check_predictor(Predictor(asked(stumps(thresholds.astype(np.float32), "float64", "float64"), stumps(thresholds, "float64", "float64"))))


@pytest.mark.parametrize("change", ["missing", "category", "leaf", "lookup", "steps"])
def test_other_mistakes_are_found(change: str) -> None:
    right, wrong = small_model(), small_model()
    score: Any = wrong.methods["margin"]
    if change == "missing":
        score.forest.missing_left[:] ^= score.forest.category_set == -1
    elif change == "category":
        score.forest.set_words[:] ^= 2
    elif change == "leaf":
        score.forest.leaf_values[:] = np.nextafter(score.forest.leaf_values, 9)
    elif change == "lookup":
        score.features[2].values[3:] = score.features[2].values[3:][::-1]
    else:
        object.__setattr__(score.features[0], "steps", score.features[0].steps[::-1])
        object.__setattr__(score.features[0], "steps", (Step("add", (np.nextafter(1.0, 2),)),))
    with pytest.raises(InexactModelError):
        check_predictor(Predictor(asked(wrong, right)))


def test_the_first_tree_that_differs_is_named() -> None:
    right, wrong = stumps([0.0, 1.0, 2.0], "float64"), stumps([0.0, 1.0, 3.0], "float64")

    def leaves(given: Any) -> Array:
        from tests.reference.fed_rows import FedRows

        return FedRows(right.contract, given).program(right.methods["predict"]).leaves(None)

    model = asked(wrong, right)
    with pytest.raises(InexactModelError, match="Tree 2 ends in leaf . instead of ."):
        check_predictor(Predictor(replace(model, asks={**model.asks, "leaf": Ask(leaves)})))


def test_ulps_that_a_reader_declares_are_allowed() -> None:
    right, off = stumps([0.5], "float64"), stumps([0.5], "float64")
    forest: Any = off.methods["predict"].forest  # type: ignore[attr-defined]
    forest.leaf_values[:] = np.nextafter(forest.leaf_values, 9)
    check_predictor(Predictor(asked(off, right, within_ulps=1.0)))
    with pytest.raises(InexactModelError, match="bits must be equal"):
        check_predictor(Predictor(asked(off, right)))
    forest.leaf_values[:] = np.nextafter(forest.leaf_values, 9)
    with pytest.raises(InexactModelError, match="1 ulps are allowed"):
        check_predictor(Predictor(asked(off, right, within_ulps=1.0)))


def test_numbers_stay_within_what_the_model_takes() -> None:
    model = stumps([0.5], "float64", "float32")
    native = asked(model).asks["predict"].method

    def picky(given: Any) -> Array:
        if np.abs(given.to_numpy(float)).max(initial=0, where=~given.isna().to_numpy()) > np.finfo(np.float32).max:
            raise ValueError("Input X contains infinity or a value too large")
        return native(given)

    found = check_predictor(Predictor(replace(model, asks={"predict": Ask(picky)})))
    assert found.limit == np.finfo(np.float32).max and "numbers up to 3.4e+38" in str(found)

    def broken(given: Any) -> Array:
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        check_predictor(Predictor(replace(model, asks={"predict": Ask(broken)})))


def test_rows_are_capped_and_the_coverage_says_so() -> None:
    model = stumps(np.linspace(0, 1, 3 * MOST_ROWS), "float64")
    probes = probes_of(model, float("inf"))
    assert probes.n_rows == MOST_ROWS
    assert probes.thresholds == 3 * MOST_ROWS and MOST_ROWS // 4 <= probes.tested <= MOST_ROWS // 2


def test_rows_are_the_same_in_every_process() -> None:
    first, second = (probes_of(small_model(), float("inf")).native() for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_special_values_are_among_the_rows() -> None:
    values = probes_of(stumps([0.5], "float64"), float("inf")).values[0]
    for one in (np.inf, -np.inf, np.finfo(np.float64).max, 5e-324, 1e-35, 2.0**53):
        assert one in values
    assert (np.signbit(values) & (values == 0)).any() and (~np.signbit(values) & (values == 0)).any()
    whole = probes_of(stumps([0.5], "int8"), float("inf")).values[0]
    assert whole.dtype == np.int8 and {-128, 127, 0, 1} <= set(whole.tolist())
    limited = probes_of(stumps([0.5], "float64"), 1e6).values[0]
    assert np.abs(limited).max() == 1e6


def test_every_category_and_an_unseen_one_are_among_the_rows() -> None:
    probes = probes_of(small_model(), float("inf"))
    kinds = probes.table()["kind"].array.to_pylist()
    assert set(kinds) == {"a", "b", "ä", "ä?", None}
    assert set(probes.native()["kind"].astype(object).where(lambda one: one.notna(), None)) == {"a", "b", "ä", None}   # unseen is missing there


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_differences_are_of_bits(kind: Any) -> None:
    one = np.array([[0.0, 1.0, np.nan, np.inf, -1.0]], kind)
    assert not differing(one, one.copy()).any()
    payload = one.copy()
    payload.view(f"u{payload.itemsize}")[0, 2] |= 1
    assert not differing(one, payload).any()
    assert differing(one, -one)[0].tolist() == [True, True, False, True, True]
    near = np.nextafter(one, kind(9))
    assert differing(one, near)[0].tolist() == [True, True, False, True, True]
    assert differing(one, near, 1.0)[0].tolist() == [False, False, False, False, False]
    far = ulps_apart(np.array([-1.0], kind).view(f"i{one.itemsize}"), np.array([1.0], kind).view(f"i{one.itemsize}"))
    assert far[0] == 2 * int(np.array([1.0], kind).view(f"u{one.itemsize}")[0])


def regressor_of_several_engines() -> tuple[Any, Predictor]:
    """A model whose large batches are bit-sliced, and whose small ones walk."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    x = np.random.default_rng(5).normal(size=(400, 4))
    native = HistGradientBoostingRegressor(max_iter=40).fit(x, x @ [1.0, -2.0, 0.5, 3.0])
    found = ff.compile(native, verify=False)
    assert "bit-sliced" in found.explain().engine
    return native, found


def test_every_engine_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of one engine alone is found, and the message says which way the rows went."""
    _, predictor = regressor_of_several_engines()
    coverage = check_predictor(predictor)
    assert coverage.alone == 24 and "24 of the rows also one by one" in str(coverage)
    of_engine = {"": SlicedEngine, r" \(small batches\)": WalkEngine}
    for where, engine in of_engine.items():
        with monkeypatch.context() as patch:
            right = engine.sums
            patch.setattr(engine, "sums", lambda self, rows, right=right: np.nextafter(right(self, rows), np.inf))
            with pytest.raises(InexactModelError, match=rf"^(margin|predict){where} of the compiled model gives"):
                check_predictor(predictor)
    check_predictor(predictor)
    with monkeypatch.context() as patch:
        right_row = Predictor.predict_row
        patch.setattr(Predictor, "predict_row", lambda *given: np.nextafter(right_row(*given), np.inf))
        with pytest.raises(InexactModelError, match="^predict_row of (margin|predict) of the compiled model gives"):
            check_predictor(predictor)


def test_sums_of_blas_are_not_compared_one_by_one() -> None:
    """One row among many may be added in another order than alone: no bits are promised, so none are compared."""
    from sklearn.linear_model import Ridge

    x = np.random.default_rng(5).normal(size=(50, 4))
    assert check_predictor(ff.compile(Ridge().fit(x, x[:, 0]))).alone == 0
