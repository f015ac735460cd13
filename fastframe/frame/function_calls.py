"""What a user's function gets: which of its parameters are columns, and which other values they take.

By position the function gets the chosen columns' arrays (with ``nulls="mask"`` then a bool array for each), then the extra
arguments. A function of one column gets the chosen columns one after the other, each in a call of its own, as in pandas. One
of several columns gets those that its parameters are called as, where they are called so.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from fastframe.dtypes import DType, dtype
from fastframe.errors import ArgumentError, FunctionArgumentError
from fastframe.frame.calls import is_name_of_ours
from fastframe.ops.apply import ENGINES, NULLS, FunctionCall
from fastframe.records import record

_OPTIONS = ("nulls", "out", "engine")
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def is_own(function: Any) -> bool:
    """Whether it is a function of the user's, not the name of one of ours or NumPy's or Python's of the same name."""
    return callable(function) and not is_name_of_ours(function)


@record(frozen=True)
class OwnFunction:
    """A function of the user's, with what was passed beside it.

    Parameters
    ----------
    function : callable
    args, keywords
        Passed on to it.
    nulls, engine, out
        As users give them; None: what `ff.jit` was told, else the default.
    """

    function: Any
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]
    nulls: str
    engine: str
    out: Any
    plain: Any   # what has the signature

    @classmethod
    def of(cls, method: str, function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> OwnFunction:
        """What was passed to ``method``."""
        marked = getattr(function, "__fastframe_function__", None)
        nulls = _known(method, "nulls", options.get("nulls") or getattr(marked, "nulls", None), NULLS)
        out = options.get("out") if options.get("out") is not None else getattr(marked, "out", None)
        plain = getattr(marked, "function", None) or getattr(function, "py_func", function)
        return cls(function, tuple(args), _passed_on(options), nulls, _known(method, "engine", options.get("engine"), ENGINES), out, plain)

    @property
    def name(self) -> str:
        """What messages call the function."""
        return FunctionCall(self.plain, ()).name

    @property
    def dtypes_out(self) -> tuple[tuple[str | None, DType], ...] | None:
        """The declared dtypes by name of the result; None names a single one."""
        if self.out is None:
            return None
        given = self.out if isinstance(self.out, Mapping) else {None: self.out}
        return tuple([(name, dtype(one)) for name, one in given.items()])

    def calls(self, chosen: Sequence[str], schema: Mapping[str, DType], *, each: bool) -> list[FunctionCall]:
        """One call, or with ``each`` one per chosen column where the function takes one column.

        Raises
        ------
        FunctionArgumentError
        """
        parameters = self._parameters()
        if parameters is None:   # no signature to read: NumPy's and others' compiled functions
            groups = [(name,) for name in chosen] if each else [tuple(chosen)]
            return [self._call(columns, self.args, self.keywords) for columns in groups]
        vectors = self._vectors(parameters)
        return [self._bound(columns, len(vectors), parameters) for columns in self._columns(vectors, chosen, schema, each=each)]

    def _parameters(self) -> dict[str, inspect.Parameter] | None:
        try:
            return dict(inspect.signature(self.plain).parameters)
        except (ValueError, TypeError):
            return None

    def _vectors(self, parameters: Mapping[str, inspect.Parameter]) -> list[str]:
        """Parameters that have no value yet: those of columns and masks."""
        if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
            for name in self.keywords:
                if name not in parameters:
                    raise FunctionArgumentError.unknown_keyword(self.name, name, list(parameters))
        lacking = [name for name, one in parameters.items() if one.kind in _POSITIONAL and one.default is one.empty and name not in self.keywords]
        if not lacking and not any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters.values()):
            raise FunctionArgumentError.nothing_to_give(self.name)
        return lacking[: max(1, len(lacking) - len(self.args))]

    def _columns(self, vectors: Sequence[str], chosen: Sequence[str], schema: Mapping[str, DType], *, each: bool) -> list[tuple[str, ...]]:
        """The columns of each call."""

        def fits(names: Sequence[str]) -> bool:
            return self._n_parameters(names, schema) == len(vectors)

        if not vectors:   # *columns takes what there is
            return [tuple(chosen)]
        if (each or len(chosen) == 1) and chosen and all(fits([name]) for name in chosen):
            return [(name,) for name in chosen]
        for available in (chosen, schema):
            for length in range(len(vectors), 0, -1):
                names = vectors[:length]
                if all(name in available for name in names) and fits(names):
                    return [tuple(names)]
            if available is chosen and fits(chosen):
                return [_placed(vectors[: len(chosen)], chosen)]
        if self.nulls == "mask" and len(vectors) % 2:
            raise FunctionArgumentError.of_masks(self.name, vectors)
        text = [name for name in chosen if self._n_parameters([name], schema) > 1 + (self.nulls == "mask")]
        if text and len(vectors) == 1 + (self.nulls == "mask"):
            raise FunctionArgumentError.of_text(self.name, text[0], schema[text[0]])
        raise FunctionArgumentError.of_columns(self.name, vectors, chosen)

    def _n_parameters(self, columns: Sequence[str], schema: Mapping[str, DType]) -> int:
        """How many parameters columns take: text comes to compiled functions as codes and, behind all columns, its values."""
        n_text = sum(_has_codes(schema[name]) for name in columns) if self.engine == "numba" else 0
        return len(columns) * (2 if self.nulls == "mask" else 1) + n_text

    def _bound(self, columns: tuple[str, ...], n_vectors: int, parameters: Mapping[str, inspect.Parameter]) -> FunctionCall:
        """The call, its other arguments in the order of the parameters."""
        if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters.values()):
            return self._call(columns, self.args, self.keywords)
        kinds = (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY) if self.engine == "numba" else _POSITIONAL
        values = self._extras([name for name, one in parameters.items() if one.kind in kinds][n_vectors:], n_vectors, parameters)
        keywords = {name: value for name, value in self.keywords.items() if name not in values}
        return self._call(columns, tuple(values.values()), keywords)

    def _extras(self, names: Sequence[str], n_vectors: int, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
        """The values of the parameters behind the arrays: passed on, or defaults."""
        n_open = sum(parameters[name].kind in _POSITIONAL for name in names)
        if len(self.args) > n_open:
            raise FunctionArgumentError.too_many(self.name, n_vectors + len(self.args), n_vectors + n_open)
        given = dict(zip(names, self.args, strict=False))
        values = {name: self.keywords.get(name, given.get(name, parameters[name].default)) for name in names}
        if lacking := [name for name, value in values.items() if value is inspect.Parameter.empty]:
            raise FunctionArgumentError.lacking(self.name, lacking)
        return values

    def _call(self, columns: tuple[str, ...], extras: tuple[Any, ...], keywords: Mapping[str, Any]) -> FunctionCall:
        function = self.function if self.engine == "numba" or self.plain is getattr(self.function, "py_func", None) else self.plain
        return FunctionCall(function, columns, extras, tuple(keywords.items()), self.nulls, self.engine)


def _known(method: str, name: str, value: Any, allowed: Sequence[str]) -> str:
    """An option's value; the first of those allowed where it is None."""
    if value is not None and value not in allowed:
        raise ArgumentError.of(method, name, value, allowed)
    return allowed[0] if value is None else str(value)


def _passed_on(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _OPTIONS}


def _has_codes(given: DType) -> bool:
    return given.is_text or given.kind.value == "category"


def _placed(names: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """Chosen columns by position; parameters that are called as one of them get that one."""
    rest = iter([name for name in chosen if name not in names])
    return tuple([name if name in chosen else next(rest) for name in names])
