"""One row at a time against the slow walker, and against the contract: every way to give a row, and from many threads."""

from __future__ import annotations

import threading
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels.forest_row import RowAnswer
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype, from_arrow
from fastframe.predict.engines.one_row import OneRow
from fastframe.predict.features import Block, Code, Computed, Lookup, Number, Step
from fastframe.predict.forest import CategoryInput, Forest
from tests.predict.forests import Recipe, random_forest, random_rows
from tests.predict.test_walk import RECIPES, columns_of
from tests.reference import forest as reference


def contract_of(forest: Forest, unseen: str = "model") -> FeatureContract:
    fields = []
    for at, kind in enumerate(forest.inputs):
        if isinstance(kind, CategoryInput):
            categories = pa.array([f"c{code}" for code in range(kind.n_codes)])
            fields.append(Field(f"f{at}", from_arrow(pa.dictionary(pa.int32(), pa.string())), categories, unseen))
        else:
            fields.append(Field(f"f{at}", dtype("float64")))
    return FeatureContract(tuple(fields))


def one_row_of(forest: Forest, **options) -> OneRow:
    features = tuple(Code(at) if isinstance(kind, CategoryInput) else Number(at) for at, kind in enumerate(forest.inputs))
    return OneRow(forest, features, contract_of(forest, **options))


def value_of(one_row: OneRow):
    """The answer as one number."""
    return RowAnswer(one_row.walker, (), 1, None, True).answer


def values_of(forest: Forest, matrix: np.ndarray) -> list[tuple]:
    """Rows as users have them: floats, text, None or NaN where missing."""
    rows = []
    for numbers in matrix.tolist():
        row = []
        for kind, x in zip(forest.inputs, numbers, strict=True):
            if isinstance(kind, CategoryInput):
                row.append(None if x != x else f"c{int(x)}")
            else:
                row.append(None if x != x and len(rows) % 2 else x)
        rows.append(tuple(row))
    return rows


@pytest.mark.parametrize("name", RECIPES)
def test_every_shape(name):
    rng = np.random.default_rng(len(name))
    forest = random_forest(rng, RECIPES[name]).validate()
    one_row = one_row_of(forest)
    for missing in (0, 0.1):
        matrix = random_rows(rng, forest, 30, missing=missing)
        expected = reference.sums(forest, columns_of(forest, matrix)[1])
        names = [f"f{at}" for at in range(forest.n_features)]
        for row, answer in zip(values_of(forest, matrix), expected, strict=True):
            mapping = dict(zip(names, row, strict=True)) | {"more": "than needed"}
            for given in (row, list(row), mapping):
                found = one_row.sums(given)
                assert found.shape == (1, forest.n_outputs) and found.dtype == forest.accumulate
                assert found.tobytes() == answer.tobytes()
            if forest.n_outputs == 1:
                assert value_of(one_row)(row) == answer[0]


def test_many_trees_are_added_in_order():
    """More than a chunk of them, of many depths, with values of many magnitudes."""
    rng = np.random.default_rng(5)
    forest = random_forest(rng, Recipe(trees=600, leaves=(1, 40))).validate()
    one_row = one_row_of(forest)
    matrix = random_rows(rng, forest, 3)
    expected = reference.sums(forest, list(matrix.T))
    assert [one_row.sums(row).tobytes() for row in values_of(forest, matrix)] == [answer.tobytes() for answer in expected]


@pytest.mark.parametrize("domain", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "uint8", "bool"])
def test_arrays(domain, kind):
    rng = np.random.default_rng(1)
    forest = random_forest(rng, Recipe(features=4, domain=domain)).validate()
    matrix = np.round(rng.normal(size=(20, 4)) * 2).astype(kind)
    expected = reference.sums(forest, list(matrix.T))
    one_row = one_row_of(forest)
    assert [one_row.sums(row).tobytes() for row in matrix] == [answer.tobytes() for answer in expected]
    strided = np.asfortranarray(matrix)
    assert one_row.sums(strided[3]).tobytes() == expected[3].tobytes()


def test_steps_and_lookups():
    rng = np.random.default_rng(2)
    forest = random_forest(rng, Recipe(features=3, leaves=(30, 40))).validate()
    table = np.array([0.3, -0.2, np.nan, 0.9, 1.5])   # three categories, unseen, missing
    category = Field("k", from_arrow(pa.dictionary(pa.int32(), pa.string())), pa.array(["a", "b", "c"]), "model")
    contract = FeatureContract((Field("x", dtype("float64")), category, Field("n", dtype("int64"))))
    features = (Number(0, (Step("fill", (0.25,)), Step("subtract", (0.1,)), Step("divide", (3.0,)))), Lookup(1, table), Number(2))
    one_row = OneRow(forest, features, contract)
    for x in (None, 0.1, -3.5, 7):
        for name, value in {"a": 0.3, "b": -0.2, "c": np.nan, "zz": 0.9, None: 1.5}.items():
            for n in (-1, 0, 2, None, True, 3.0):
                first = (0.25 if x is None else x) - 0.1
                columns = [np.array([first / 3.0]), np.array([value]), np.array([np.nan if n is None else float(n)])]
                assert one_row.sums((x, name, n)).tobytes() == reference.sums(forest, columns).tobytes()


def test_unseen_by_policy():
    rng = np.random.default_rng(3)
    forest = random_forest(rng, Recipe(codes=(3,), features=3, leaves=(20, 30))).validate()
    row = (0.1, 0.2, "unknown")
    assert one_row_of(forest, unseen="error").sums(row) is None
    columns = [np.array([0.1]), np.array([0.2])]
    for policy, code in (("missing", -1), ("model", 3)):
        expected = reference.sums(forest, [*columns, np.array([code])])
        assert one_row_of(forest, unseen=policy).sums(row).tobytes() == expected.tobytes()


def test_number_categories():
    rng = np.random.default_rng(4)
    forest = random_forest(rng, Recipe(codes=(4,), features=1, leaves=(4, 9))).validate()
    categories = Field("k", from_arrow(pa.dictionary(pa.int32(), pa.int64())), pa.array([7, 1, 0, -3]), "model")
    one_row = OneRow(forest, (Code(0),), FeatureContract((categories,)))
    for value, code in ((7, 0), (7.0, 0), (1, 1), (True, 1), (False, 2), (-0.0, 2), (-3, 3), (7.5, 4), (1 << 70, 4), (None, -1), (float("nan"), -1)):
        assert one_row.sums((value,)).tobytes() == reference.sums(forest, [np.array([code])]).tobytes()
    assert one_row.sums(("7",)) is None


REFUSED = {
    "too short": (1.0, 2.0), "too long": (1.0, 2.0, "a", 4.0, 5), "text": ("1.0", 2.0, "a", 4), "bytes": (1.0, 2.0, b"a", 4),
    "complex": (1.0, 1j, "a", 4), "lossy float32": (1.0, 0.1, "a", 4), "large for float32": (1.0, (1 << 24) + 1, "a", 4),
    "large": (1 << 70, 2.0, "a", 4), "lossy float64": ((1 << 53) + 1, 2.0, "a", 4), "a fraction": (1.0, 2.0, "a", 4.5),
    "infinite": (1.0, 2.0, "a", float("inf")), "above int8": (1.0, 2.0, "a", 128), "unhashable": (1.0, 2.0, [], 4),
    "missing where refused": (1.0, 2.0, "a", None), "NaN where refused": (1.0, 2.0, "a", float("nan")),
    "a mapping": MappingProxyType({"a": 1.0}), "nothing": None, "a number": 1.0, "a matrix": np.zeros((1, 4)), "dates": np.zeros(4, "M8[s]"),
    "without a name": {"a": 1.0, "b": 2.0, "c": "a"},
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_need_a_closer_look(name):
    rng = np.random.default_rng(6)
    forest = random_forest(rng, Recipe(features=4, codes=())).validate()
    category = Field("c", from_arrow(pa.dictionary(pa.int32(), pa.string())), pa.array(["a"]), "error")
    fields = (Field("a", dtype("float64")), Field("b", dtype("float32")), category, Field("d", dtype("int8"), nullable=False))
    one_row = OneRow(forest, (Number(0), Number(1), Lookup(2, np.arange(3.0)), Number(3)), FeatureContract(fields))
    assert one_row.sums((1.0, 0.5, "a", 4)) is not None and value_of(one_row)((1, np.float64(2.0), None, 4.0)) is not None
    assert one_row.sums(REFUSED[name]) is None and value_of(one_row)(REFUSED[name]) is None
    assert one_row.sums((1.0, 0.5, "a", 4)) is not None


def test_dicts_by_position():
    """A contract without names calls its fields x0, x1 ...; a dict may, too."""
    rng = np.random.default_rng(6)
    forest = random_forest(rng, Recipe(features=2)).validate()
    fields = contract_of(forest).fields
    one_row = OneRow(forest, (Number(0), Number(1)), FeatureContract(fields, named=False))
    assert value_of(one_row)({"f1": 2.0, "f0": 1.0}) == value_of(one_row)((1.0, 2.0))


def test_what_it_takes():
    rng = np.random.default_rng(6)
    linear = random_forest(rng, Recipe(features=1, linear=True))
    block = Block("twice", (Number(0),), lambda x: 2 * x, 1, {})
    assert not OneRow.takes(linear, (Number(0),))
    plain = random_forest(rng, Recipe(features=1))
    assert OneRow.takes(plain, (Number(0),)) and not OneRow.takes(plain, (Computed(block, 0),))


class Nosy(str):
    """A key that asks for a row while another is read."""

    __slots__ = ()
    ask = staticmethod(lambda: None)
    answers: list = []

    def __hash__(self):
        return str.__hash__(self)

    def __eq__(self, other):
        self.answers.append(self.ask())
        return str.__eq__(self, other)


def test_a_row_within_a_row():
    rng = np.random.default_rng(7)
    forest = random_forest(rng, Recipe(features=2)).validate()
    one_row = one_row_of(forest)
    expected = one_row.sums((0.5, -0.5))
    Nosy.ask = staticmethod(lambda: one_row.sums((9.0, 9.0)))
    found = one_row.sums({Nosy("f0"): 0.5, Nosy("f1"): -0.5})
    assert Nosy.answers and set(map(type, Nosy.answers)) == {type(None)}
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("release_ns", [-1, 1e12])
def test_threads_do_not_disturb_one_another(monkeypatch, release_ns):
    monkeypatch.setattr("fastframe.predict.engines.one_row.RELEASE_NS", release_ns)
    rng = np.random.default_rng(9)
    forests = [random_forest(rng, recipe).validate() for recipe in (Recipe(trees=100), Recipe(trees=30, features=40, domain="float32"))]
    asked = []
    for forest in forests:
        matrix = random_rows(rng, forest, 50)
        asked.append((one_row_of(forest), values_of(forest, matrix), reference.sums(forest, list(matrix.T))))
    wrong, started = [], threading.Barrier(8)

    def work(number: int) -> None:
        started.wait()
        for turn in range(800):
            one_row, rows, expected = asked[(turn + number) % 2]
            at = (turn * 7 + number) % 50
            if one_row.sums(rows[at]).tobytes() != expected[at].tobytes():
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("scalar", [np.float32, np.float64, np.float16, np.int8, np.int64, np.uint16, np.bool_, float, int])
def test_numpys_numbers_are_numbers(scalar):
    """A row of a frame holds NumPy's own numbers; they are answered by the engine itself, not by way of the contract."""
    one_row = one_row_of(random_forest(np.random.default_rng(11), Recipe(features=3)).validate())
    found = one_row.sums((scalar(1), scalar(0), scalar(1)))
    assert found is not None and found.tobytes() == one_row.sums((1.0, 0.0, 1.0)).tobytes()


@pytest.mark.parametrize("value", [np.datetime64(5, "ns"), np.timedelta64(5, "ns"), np.str_("a"), 1j])
def test_what_is_no_number_is_not_answered(value):
    one_row = one_row_of(random_forest(np.random.default_rng(11), Recipe(features=3)).validate())
    assert one_row.sums((value, 0.0, 1.0)) is None
