"""Which argument of a call that failed is not what its method declares, so that the error can name it.

Methods do not check the type of every argument before they run: on small frames that would cost as much as the work. Where one
raises something that is no error of ours, its annotations tell what is to blame. Annotations of other words than those below say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Real
from operator import index
from types import FunctionType
from typing import Any

import numpy as np

from fastframe.errors import ArgumentError
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import is_expression

_INT64 = 1 << 63


def _is_int(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and -_INT64 <= index(value) < _INT64
    except TypeError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _all_are(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda values: isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) and all(map(is_one, values))


def _is_dtype(value: Any) -> bool:
    try:
        np.dtype(value)
    except TypeError:
        return False
    return True


# Per word of an annotation, less what stands in brackets unless it is a Sequence: whether a value is such, and how an error calls it.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (_is_int, "an int of 64 bits"),
    "float": (_is_number, "a number"),
    "bool": (lambda value: isinstance(value, bool | np.bool_), "True or False"),
    "str": (_is_text, "a str"),
    "None": (lambda value: value is None, "None"),
    "Callable": (callable, "a function"),
    "Mapping": (lambda value: isinstance(value, Mapping), "a dict"),
    "Frame": (lambda value: isinstance(value, Frame), "a frame or series"),
    "Series": (is_series, "a series"),
    "Expr": (is_expression, "an expression"),
    "TextIO": (lambda value: hasattr(value, "write"), "an open text file"),
    "Predictor": (lambda value: hasattr(value, "predict_row"), "a model that ff.compile made"),
    "DTypeLike": (_is_dtype, "a dtype of NumPy"),
    "Sequence[str]": (_all_are(_is_text), "several str"),
    "Sequence[bool]": (_all_are(lambda value: True), "several bools"),   # of which column_from tells more
    "Sequence[int]": (_all_are(_is_int), "several ints"),
    "Sequence[float]": (_all_are(_is_number), "several numbers"),
}


def _kind_of(word: str) -> tuple[Callable[[Any], bool], str] | None:
    return _KINDS.get(word) or _KINDS.get(word.split("[")[0])


def blamed(owner: str, method: FunctionType, given: tuple[Any, ...], options: dict[str, Any]) -> ArgumentError | None:
    """The error that names the first argument whose value its annotation rules out; None where all may be what is declared.

    Parameters
    ----------
    owner : str
        The method's class, as users know it; ``given`` begins with its object.
    """
    declared = signature(method)
    for name, value in declared.bind(*given, **options).arguments.items():
        kinds = [_kind_of(word) for word in str(declared.parameters[name].annotation).split(" | ")]
        known = [kind for kind in kinds if kind is not None]
        if len(known) == len(kinds) and not any(is_such(value) for is_such, _ in known):
            return ArgumentError.of_kind(f"{owner}.{method.__name__}", name, value, [words for _, words in known])
    return None
