"""Run a spec: resolve names and dtypes first, then let the engine work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastframe.column import Table
from fastframe.engines.base import get_engine
from fastframe.errors import FastFrameError, MixedEngineError
from fastframe.ops.base import Schema, Spec

_PLAIN = frozenset({int, float, bool, str})
_MOST_TEXT = 256
_MOST_SCHEMAS = 8   # that a question remembers: columns of several dtypes take turns


def run(spec: Spec, *tables: Table) -> Table:
    """The table that ``spec`` makes of ``tables``, on the engine that they live on.

    Raises
    ------
    FastFrameError
        From ``resolve`` before any work, or from the engine for resources and data.
    """
    name = tables[0].engine_name
    for table in tables[1:]:
        if table.engine_name != name:
            raise MixedEngineError.of(name, table.engine_name)
    spec.resolve(*[table.schema for table in tables])
    result: Table = get_engine(name).execute(spec, *tables)
    return result


class Question:
    """A spec over one table that is asked again and again: what follows from names and dtypes is decided once.

    Whoever asks keeps it. It remembers a few schemas: where one of them comes again the engine prepares, and from then on
    nothing is resolved. Answers are those of `run`.
    """

    __slots__ = ("spec", "_met", "_known", "_pairs")

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        # All are replaced as a whole: threads may ask at once.
        self._met: tuple[tuple[Schema, str], ...] = ()
        self._known: tuple[tuple[Schema, str, Callable[[Table], Table]], ...] = ()
        self._pairs: tuple[tuple[Schema, Schema, str], ...] = ()

    def of(self, table: Table) -> Table:
        """`run` of the spec and the table."""
        for known, engine, answer in self._known:
            if known == table.schema and engine == table.engine_name:
                return answer(table)
        met = table.schema, table.engine_name
        if met in self._met:
            return self._prepared(table)(table)
        self._met = (met, *self._met[: _MOST_SCHEMAS - 1])
        return run(self.spec, table)

    def of_two(self, left: Table, right: Table) -> Table:
        """`run` of the spec and two tables; names and dtypes that have been met are not resolved again."""
        for one, other, engine in self._pairs:
            if one == left.schema and other == right.schema and engine == left.engine_name == right.engine_name:
                result: Table = get_engine(engine).execute(self.spec, left, right)
                return result
        result = run(self.spec, left, right)
        self._pairs = ((left.schema, right.schema, left.engine_name), *self._pairs[: _MOST_SCHEMAS - 1])
        return result

    def _prepared(self, table: Table) -> Callable[[Table], Table]:
        schema, engine = table.schema, table.engine_name
        self.spec.resolve(schema)
        answer = get_engine(engine).prepare(self.spec, schema)
        self._known = ((schema, engine, answer), *self._known[: _MOST_SCHEMAS - 1])
        return answer


def is_kept(value: Any) -> bool:
    """Whether a question may be kept for a value that it names: a plain and small one, which is equal to no other.

    0.0 and -0.0 are equal, and quotients by them are not.
    """
    kind = type(value)
    return kind in _PLAIN and (kind is not float or value != 0) and (kind is not str or len(value) <= _MOST_TEXT)


class calling:
    """Errors about the table's column ``internal`` name it as its user does; a context manager."""

    __slots__ = ("internal", "shown")

    def __init__(self, internal: str, shown: str | None) -> None:
        self.internal, self.shown = internal, shown

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FastFrameError):
            raise error.renamed(self.internal, self.shown) from None
