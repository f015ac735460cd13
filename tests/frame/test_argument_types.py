"""Arguments of absurd types and values: every public method refuses them by an error of ours, or answers."""

from __future__ import annotations

import datetime
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import ArgumentError, FastFrameError

ABSURD: list[Any] = [
    5, "nope", None, object(), [1], ["nope"], [], -1, 1e308, {}, {"nope": 1}, b"x", True, float("nan"), datetime.date(2020, 1, 1), np.array([1, 2]), 10**30,
]  # fmt: skip
WRITES = {"to_parquet", "to_csv", "to_feather", "to_pickle"}   # would leave files


def frame() -> ff.DataFrame:
    return ff.from_arrow(pa.table({
        "k": [1, 1, 2, 2], "t": pa.array([0, 1, 5, None], pa.timestamp("s")), "s": ["a", "b", None, "c"],
        "x": [1.5, 2.5, None, 4.0], "b": [True, None, False, True],
    }))  # fmt: skip


OBJECTS: dict[str, Callable[[], Any]] = {
    "DataFrame": frame,
    "Series of floats": lambda: frame()["x"],
    "Series of text": lambda: frame()["s"],
    "GroupBy": lambda: frame().groupby("k"),
    "GroupBy of one column": lambda: frame().groupby("k")["x"],
    "str": lambda: frame()["s"].str,
    "dt": lambda: frame()["t"].dt,
    "Rolling": lambda: frame()["x"].rolling(2),
    "Rolling by group": lambda: frame().groupby("k").rolling(2),
    "ExponentialMovingWindow": lambda: frame()["x"].ewm(alpha=0.5),
}


def calls(method: Callable[..., Any]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    named = [one.name for one in inspect.signature(method).parameters.values() if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [((value,), {}) for value in ABSURD] + [((), {name: value}) for name in named for value in ABSURD]


def is_of_the_call(error: Exception) -> bool:
    """Whether Python itself refused the call: too many arguments, or too few."""
    return type(error) is TypeError and re.search(r"positional argument|required keyword", str(error)) is not None


@pytest.mark.parametrize("name", OBJECTS)
def test_absurd_arguments_are_refused_by_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make = OBJECTS[name]
    kind = type(make())
    methods = [one for one in dir(kind) if not one.startswith("_") and one not in WRITES and inspect.isfunction(getattr(kind, one))]
    assert len(methods) > 5
    escaped = []
    for method in methods:
        for given, options in calls(getattr(make(), method)):
            try:
                repr(getattr(make(), method)(*given, **options))
            except FastFrameError:
                pass
            except Exception as error:
                if not is_of_the_call(error):
                    escaped.append((method, given, options, repr(error)))
    capsys.readouterr()   # what info printed
    assert not escaped, escaped[:5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda df: df.sample(frac="half"), "DataFrame.sample was given frac='half', of type str. It takes a number or None."),
        (lambda df: df.sample(-1), "sample: -1 rows were asked for. Pass n= of 0 or more."),
        (lambda df: df.sample(frac=float("nan")), "sample: frac=nan was given. Pass a share of 0 or more."),
        (lambda df: df.sample(2, random_state=-1), "sample: random_state=-1 was given. Pass an int of 0 or more, or a generator of NumPy."),
        (lambda df: df["x"].to_numpy(dtype="foo"), "Series.to_numpy was given dtype='foo', of type str. It takes a dtype of NumPy or None."),
        (lambda df: df["t"].dt.strftime(5), "Series.dt.strftime was given date_format=5, of type int. It takes a str."),
        (lambda df: df["s"].str.pad("wide"), "Series.str.pad was given width='wide', of type str. It takes an int of 64 bits."),
        (lambda df: df["x"].map(5), "Series.map was given mapping=5, of type int. It takes a dict or a series or a function."),
        (lambda df: df.groupby("k")["x"].nlargest(10**30), f"GroupBy.nlargest was given n={10**30}, of type int. It takes an int of 64 bits."),
        (lambda df: df.groupby("k").nth([]), "GroupBy.nth: n holds no number. Pass one or several."),
        (lambda df: df.value_counts(5), "DataFrame.value_counts was given subset=5, of type int. It takes a str or several str or None."),
        (lambda df: df.sort_values([]), "sort_values: by names no column. Pass a column or several, for example by='a'."),
        (lambda df: df.rename(), "rename: no names were given. Pass columns={'old': 'new'}, or a function of the name."),
        (lambda df: df.reset_index(names=["a", "b"]), "reset_index: 2 names were given for 1 levels of labels. Pass one name per level."),
        (lambda df: df.predict(5), "DataFrame.predict was given predictor=5, of type int. It takes a model that ff.compile made."),
        (lambda df: df["t"].dt.tz_localize("UTC", "nope"), "dt.tz_localize was given ambiguous='nope'. Allowed are: 'raise', 'earliest', 'latest'."),
        (lambda df: ff.concat(5), "concat: int was given. Pass a list of frames and series."),
        (lambda df: ff.merge("x", df), "merge: str was given. Pass a fastframe frame or series: ff.DataFrame(other)."),
        (lambda df: ff.DataFrame({"a": [1]}, columns=5), "DataFrame: columns=5 was given. Pass a list of names."),
    ],
)
def test_the_error_names_argument_value_and_kinds(call: Callable[[ff.DataFrame], Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call(frame())
    assert str(caught.value) == message


def test_too_many_arguments_name_the_class_that_users_know() -> None:
    with pytest.raises(TypeError, match=re.escape("DataFrame.abs() takes 1 positional argument but 2 were given")):
        frame().abs(5)   # type: ignore[call-arg]


def test_errors_of_a_users_function_come_as_they_are() -> None:
    def fails(value: float) -> float:
        raise KeyError(value)

    with pytest.raises(KeyError):
        frame()["k"].pipe(lambda series: fails(1.0))
