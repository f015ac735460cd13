"""What `GroupBy` asks of an engine: the same few questions again and again, so they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fastframe.frame.calls import aggregation
from fastframe.frame.run import Question
from fastframe.ops.groups import GroupBy, Output

_OUT = "\1out{}"   # names of results, which may be called what a key is called

Named = tuple[tuple[str, "str | None"], ...]   # columns, and what messages call them


class Groups(NamedTuple):
    """Which groups: the keys' names in the table, and the options of `ops.groups.GroupBy`."""

    keys: tuple[str, ...]
    sort: bool | None
    dropna: bool


class Asked(NamedTuple):
    """Aggregations by group as users name them, the names of their columns in the answer, and the question."""

    outputs: Sequence[Output]
    internal: list[str]
    question: Question


def asked(groups: Groups, outputs: Sequence[Output]) -> Asked:
    """The question for these aggregations."""
    internal, question = _question(groups, tuple([(output.call, output.column, output.other) for output in outputs]))
    return Asked(outputs, internal, question)


@lru_cache(maxsize=256)
def _question(groups: Groups, wanted: tuple[tuple[Any, str | None, str | None], ...]) -> tuple[list[str], Question]:
    internal = [_OUT.format(position) for position in range(len(wanted))]
    hidden = tuple([Output(name, column, call, other) for name, (call, column, other) in zip(internal, wanted, strict=True)])
    return internal, Question(GroupBy(groups.keys, hidden, groups.sort, groups.dropna))


def asked_of_each(groups: Groups, columns: Named, function: str, options: Mapping[str, Any]) -> Asked:
    """The question for one function of each column.

    Raises
    ------
    ArgumentError
    """
    given = tuple([(option, type(value), value) for option, value in options.items()])   # True is not 1
    try:
        return _known(groups, columns, function, given)
    except TypeError:   # a value that cannot be hashed; the call says whether it can be used
        return _asked_of_each(groups, columns, function, given)


def _asked_of_each(groups: Groups, columns: Named, function: str, options: tuple[tuple[str, type, Any], ...]) -> Asked:
    given = {option: value for option, _, value in options}
    return asked(groups, [Output(name, name, aggregation(function, {**given, "name": shown})) for name, shown in columns])


_known = lru_cache(maxsize=256)(_asked_of_each)
