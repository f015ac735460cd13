"""Records are the dataclasses that they stand in for, and a cold start imports only what its file needs."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fastframe.predict import file
from fastframe.predict.isolation import IsolationScore
from fastframe.predict.model import Model
from fastframe.records import record
from tests.predict.small import small_model

ROOT = Path(__file__).parents[2]


class Base:
    shared: ClassVar[str] = "s"


@record(frozen=True)
class Mine(Base):
    kind: ClassVar[str] = "k"

    a: int
    b: tuple[int, ...] = ()
    c: float = 0.5


@record(frozen=True, eq=False)
class Checked:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError(self.a)


@dataclass(frozen=True)
class Theirs(Base):
    kind: ClassVar[str] = "k"

    a: int
    b: tuple[int, ...] = ()
    c: float = 0.5


@pytest.mark.parametrize(("values", "named"), [((1,), {}), ((1, (2,)), {}), ((), {"a": 1, "c": 2.0}), ((1,), {"b": (3,)})])
def test_they_hold_what_a_dataclass_holds(values: Any, named: Any) -> None:
    mine, theirs = Mine(*values, **named), Theirs(*values, **named)
    assert repr(mine) == repr(theirs).replace("Theirs", "Mine")
    assert [one.name for one in fields(mine)] == [one.name for one in fields(theirs)] == ["a", "b", "c"]
    assert is_dataclass(Mine) and vars(mine) == vars(theirs)
    assert mine == Mine(*values, **named) and hash(mine) == hash(Mine(*values, **named))
    assert mine != replace(mine, a=7) and mine != theirs
    assert vars(pickle.loads(pickle.dumps(mine))).keys() == vars(mine).keys()


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, (), 1.0, 2), {}), ((1,), {"a": 1}), ((1,), {"d": 1})])
def test_wrong_arguments_are_refused(values: Any, named: Any) -> None:
    for cls in (Mine, Theirs):
        with pytest.raises(TypeError):
            cls(*values, **named)


def test_they_are_frozen_and_checked() -> None:
    one = Checked(1)
    with pytest.raises(FrozenInstanceError):
        one.a = 2   # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del one.a   # type: ignore[misc]
    with pytest.raises(ValueError, match="-1"):
        replace(one, a=-1)
    assert one != Checked(1) and len({one, Checked(1)}) == 2   # eq=False: by identity


def _classes(decorator: Any) -> tuple[Any, ...]:
    """The same classes by either decorator, new ones at each call: none has an instance yet."""

    @decorator(frozen=True)
    class Several:
        name: str
        tags: list[str] = field(default_factory=list)
        hidden: int = field(default=7, init=False, repr=False, compare=False)

    @decorator()
    class Changing:
        """What may change has equality, and no hash."""

        count: float = 0.0

    @decorator(frozen=True, repr=False)
    class Own:
        a: int

        def __post_init__(self) -> None:
            object.__setattr__(self, "twice", 2 * self.a)

        def __hash__(self) -> int:
            return 5

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

    @decorator(frozen=True)
    class Longer(Several):
        more: int = 0

    return Several, Changing, Own, Longer


def _said(call: Any) -> str:
    with pytest.raises(TypeError) as caught:
        call()
    return str(caught.value).split(".")[-1]


def test_the_first_instances_and_the_compiled_ones_are_alike() -> None:
    for mine, theirs in zip(_classes(record), _classes(dataclass), strict=True):
        first = "a" if mine.__name__ == "Several" else 1
        for _ in range(9):   # the compiled __init__ takes over on the way
            a, b = mine(first), theirs(first)
            assert vars(a) == vars(b) and a == mine(first) and b == theirs(first)
            if mine.__name__ != "Own":
                assert repr(a) == repr(b)
        assert _said(lambda mine=mine: mine(1, 2, 3, 4, 5)) == _said(lambda theirs=theirs: theirs(1, 2, 3, 4, 5))
        assert _said(lambda mine=mine: mine(strange=1)) == _said(lambda theirs=theirs: theirs(strange=1))
    several, changing, own, longer = _classes(record)
    assert several("a").tags is not several("a").tags
    assert longer("a", more=2) != longer("a") and longer("a") != several("a")
    nan = float("nan")
    assert changing(nan) == changing(nan)     # as in tuples: the same object
    one = changing(1.0)
    one.count = 2.0
    assert one == changing(2.0) and one != changing(1.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    assert hash(own(1)) == 5 and hash(several("a", ())) == hash(several("a", ()))   # type: ignore[arg-type]


def test_wrong_arguments_of_a_first_instance_are_refused_in_words_of_python() -> None:
    for call in (lambda cls: cls(), lambda cls: cls(1, name=2), lambda cls: cls("a", [], 7), lambda cls: cls("a", hidden=3)):
        mine, theirs = _classes(record)[0], _classes(dataclass)[0]
        assert _said(lambda: call(mine)) == _said(lambda: call(theirs))   # noqa: B023


def _modules_after(code: str, *arguments: str) -> set[str]:
    code += "; print(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", "import sys; " + code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_a_file_imports_the_nodes_that_it_has(tmp_path: Path) -> None:
    path = str(tmp_path / "model.ffp")
    model = small_model()
    margin = model.methods["margin"]
    file.save_model(Model(model.contract, {"predict": margin}, "regression", model.source), path)
    code = "import fastframe as ff; p = ff.load_predictor(sys.argv[1])"
    modules = _modules_after(code, path)
    assert not {f"fastframe.predict.{name}" for name in ("links", "decide", "dense", "ensembles", "readers")} & modules
    assert "numpy.ma" not in modules and "pandas" not in modules

    file.save_model(Model(model.contract, {"predict": IsolationScore(margin, 3.0)}, "outlier", model.source), path)
    assert "fastframe.predict.isolation" in _modules_after(code, path)   # was in no list of modules once
