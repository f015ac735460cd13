"""Run a spec: resolve names and dtypes first, then let the engine work."""

from __future__ import annotations

from fastframe.column import Table
from fastframe.engines.base import get_engine
from fastframe.errors import FastFrameError, MixedEngineError
from fastframe.ops.base import Spec


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
