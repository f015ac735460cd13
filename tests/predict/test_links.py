"""Links and decisions give the bits of the libraries' own functions; whole models are compared in the readers' tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as scipy_softmax
from sklearn.utils.extmath import softmax as sklearn_softmax

import fastframe as ff
from fastframe._kernels import forest_links as kernels
from fastframe.errors.models import ModelError
from fastframe.predict import links
from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.links import LINKS, BothClasses, Link, by_kernel
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Given(Score):
    """A score that is known; counts as a node because it is one, but no file keeps it."""

    values: Array

    @property
    def width(self) -> int:
        return self.values.shape[1]

    def run(self, rows: Any) -> Array:
        return self.values


class NoRows:
    """What a node asks of a batch: the values of the nodes it is made of."""

    def once(self, node: Score, make: Any) -> Array:
        return make()


def run(node: Score) -> Array:
    return node.run(NoRows())  # type: ignore[arg-type]


def same_bits(left: Array, right: Array) -> bool:
    assert left.dtype == right.dtype and left.shape == right.shape
    integer = {4: np.uint32, 8: np.uint64}[left.itemsize]
    nan = np.isnan(left) & np.isnan(right)
    return bool((nan | (np.ascontiguousarray(left).view(integer) == np.ascontiguousarray(right).view(integer))).all())


def scores(width: int, dtype: Any = np.float64, n_rows: int = 3000) -> Array:
    rng = np.random.default_rng(width)
    values = rng.normal(0, 6, (n_rows, width))
    values[:9, 0] = [0.0, -0.0, 800.0, -800.0, 88.7, -88.75, 1e-40, 37.0, -37.0]
    return values.astype(dtype)


@pytest.mark.parametrize("scale", [1.0, 2.0, 0.7])
def test_sigmoid_is_scipys_expit(scale: float) -> None:
    values = scores(1)
    assert same_bits(run(Link("sigmoid", Given(values), scale)), expit(scale * values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpys_exp(dtype: Any) -> None:
    values = scores(1, dtype)
    with np.errstate(over="ignore", under="ignore"):
        assert same_bits(run(Link("exp_numpy", Given(values))), np.exp(values))


@pytest.mark.parametrize("width", [2, 3, 7, 8, 9, 23, 129, 300])
def test_softmax_of_c_ordered_rows_is_scikit_learns(width: int) -> None:
    values = scores(width, n_rows=400)
    assert same_bits(run(Link("softmax_numpy_pairwise", Given(values))), sklearn_softmax(values))


@pytest.mark.parametrize("width", [2, 3, 9, 23])
def test_softmax_of_fortran_ordered_rows_is_scikit_learns(width: int) -> None:
    values = scores(width, n_rows=400)
    expected = sklearn_softmax(np.asfortranarray(values))
    assert same_bits(run(Link("softmax_numpy", Given(values))), np.ascontiguousarray(expected))
    assert same_bits(run(Link("softmax", Given(values))), np.ascontiguousarray(expected)) or not links.numpy_exp_is_the_c_library_s()


@pytest.mark.parametrize("width", [2, 9])
def test_softmax_of_float32_is_scipys(width: int) -> None:
    values = scores(width, np.float32)
    assert same_bits(run(Link("softmax_numpy_pairwise", Given(values))), scipy_softmax(values, axis=1))


def test_numpys_own_exp_is_taken_where_it_is_not_the_c_librarys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "numpy_exp_is_the_c_library_s", lambda: False)
    values = scores(5, n_rows=links.SLICE_ROWS + 70)
    with np.errstate(over="ignore", under="ignore"):
        assert same_bits(run(Link("exp_numpy", Given(values))), np.exp(values))
    assert same_bits(run(Link("softmax_numpy", Given(values))), np.ascontiguousarray(sklearn_softmax(np.asfortranarray(values))))


@pytest.mark.parametrize("width", [3, 9, 200])
def test_rows_divided_by_their_sum(width: int) -> None:
    values = expit(scores(width, n_rows=300))
    values[5] = 0
    total = values.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        expected = np.where(total == 0, 1 / width, values / total)
    assert same_bits(run(Link("normalize_pairwise", Given(values))), expected)
    in_turn = np.asfortranarray(values).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        assert same_bits(run(Link("normalize", Given(values))), np.where(in_turn == 0, 1 / width, values / in_turn))


def test_other_elementwise_links() -> None:
    values = scores(1)[8:]
    assert same_bits(run(Link("signed_square", Given(values))), np.sign(values) * values * values)
    np.testing.assert_allclose(run(Link("softplus", Given(values))), np.logaddexp(values, 0), rtol=1e-13)
    assert run(Link("step", Given(np.array([[0.0], [-0.0], [1e-45], [-3], [np.nan]], np.float32)))).ravel().tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_classes(dtype: Any) -> None:
    p = np.random.default_rng(0).random((1000, 1)).astype(dtype)
    assert same_bits(run(BothClasses(Given(p))), np.hstack([1 - p, p]))


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "exp"])
def test_threads_do_not_change_bits(kind: str) -> None:
    values = scores(3, n_rows=700_000)
    answers = []
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            answers.append(run(Link(kind, Given(values))))
    assert same_bits(answers[0], answers[1]) and same_bits(answers[0], answers[2])


def test_no_rows() -> None:
    assert run(Link("softmax", Given(np.empty((0, 3))))).shape == (0, 3)
    assert run(BothClasses(Given(np.empty((0, 1))))).shape == (0, 2)
    assert run(Decide("largest", Given(np.empty((0, 3))), np.arange(3))).shape == (0, 1)


def test_links_that_do_not_exist() -> None:
    with pytest.raises(ModelError, match="probit"):
        Link("probit", Given(scores(1)))
    with pytest.raises(ModelError, match="softplus of float32"):
        run(Link("softplus", Given(scores(1, np.float32))))
    assert set(LINKS) >= {"sigmoid", "softmax_xgboost"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [["a", "bb", "c"], [7, -1, 2], [0.5, 1.5, 2.5]])
def test_largest_is_numpys_argmax(dtype: Any, classes: list[Any]) -> None:
    values = np.random.default_rng(1).integers(0, 3, (2000, 3)).astype(dtype)   # many equal ones
    values[3, 1] = values[4, 2] = values[5, 0] = values[5, 2] = np.nan
    labels = np.array(classes)
    answer = run(Decide("largest", Given(values), labels))
    assert answer.dtype == labels.dtype
    assert (answer[:, 0] == labels[values.argmax(axis=1)]).all()


@pytest.mark.parametrize(("rule", "expected"), [("above", [0, 0, 1, 0]), ("at_least", [0, 1, 1, 0]), ("below", [1, 0, 0, 0])])
def test_sides_of_a_cut(rule: str, expected: list[int]) -> None:
    half = np.array([[np.nextafter(np.float32(0.1), np.float32(0))], [0.1], [0.11], [np.nan]], np.float32)   # compared as float32
    answer = run(Decide(rule, Given(half), np.array([False, True]), cut=0.1))
    assert answer.ravel().tolist() == [bool(one) for one in expected]


def test_decisions_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match="2 class labels"):
        Decide("largest", Given(scores(3)), np.arange(2))
    with pytest.raises(ModelError, match="median"):
        Decide("median", Given(scores(3)), np.arange(3))


def test_class_labels() -> None:
    assert class_labels(np.array(["x", "yy"], object)).dtype == np.dtype("<U2")
    assert class_labels(np.array([True, False], object)).dtype == np.bool_
    assert class_labels([3, 1]).dtype == np.int64
    for mixed in (np.array(["x", 1], object), np.array([None, "x"], object), np.array(["2020"], "datetime64[D]")):
        with pytest.raises(ModelError, match="class labels"):
            class_labels(mixed)


@pytest.mark.parametrize("kind", sorted(kernels.KINDS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_rows_have_the_bits_of_many(kind: str, dtype: Any) -> None:
    """A handful of rows runs at once on the calling thread, more as a task: the same loops."""
    if not kernels.has_link(kind, is_double=dtype is np.float64):
        pytest.skip("not defined for this dtype")
    width = 1 if kind == "both_classes" else 5
    values = np.random.default_rng(3).normal(0, 3, (100, width)).astype(dtype)
    values[7] = np.nan
    many = by_kernel(kind, values, scale=1.5)
    for start, stop in ((0, 1), (7, 8), (20, 36), (40, 57)):
        few = by_kernel(kind, values[start:stop], scale=1.5)
        assert few.dtype == many.dtype and few.shape == many[start:stop].shape
        assert few.tobytes() == many[start:stop].tobytes()
    strided = np.asfortranarray(values[:3])
    assert by_kernel(kind, strided, scale=1.5).tobytes() == many[:3].tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", ["largest", "above", "at_least", "below"])
def test_one_decision_is_that_of_many(rule: str, dtype: Any) -> None:
    width = 3 if rule == "largest" else 1
    cut = 0.1   # float32(0.1) is not float64's: the comparison is in the scores' dtype
    values = np.array([[0.1], [np.nan], [0.0], [-0.0], [np.inf], [0.2]], dtype) * np.ones(width, dtype)
    values = np.vstack([values, np.random.default_rng(0).normal(0, 1, (20, width)).astype(dtype)])
    made = Decide(rule, Given(values), np.array(["a", "b", "c"][: max(width, 2)]), cut)
    sides = {"above": np.greater, "at_least": np.greater_equal, "below": np.less}
    expected = values.argmax(axis=1)[:, np.newaxis] if rule == "largest" else sides[rule](values, cut).astype(np.int64)
    assert np.array_equal(made.indexes(values), expected)
    for row in range(len(values)):
        assert made.apply(values[row : row + 1]) == made.classes[expected[row]]
