"""Run a spec: resolve names and dtypes first, then let the engine work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    spec.resolve(*(table.schema for table in tables))
    result: Table = get_engine(name).execute(spec, *tables)
    return result


@contextmanager
def calling(internal: str, shown: str | None) -> Iterator[None]:
    """Errors about the table's column ``internal`` name it as its user does."""
    try:
        yield
    except FastFrameError as error:
        raise error.renamed(internal, shown) from None
