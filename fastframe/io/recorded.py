"""Readers and writers under `ff.profile`: the bytes of their files, and of the tables that they make or are given."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import pyarrow as pa

from fastframe._threads import record
from fastframe.column import Table
from fastframe.io.paths import expand

P = ParamSpec("P")
R = TypeVar("R")


def recorded_read(name: str, stored: Callable[[list[str], Table], int] | None = None) -> Any:
    """A reader whose calls are recorded; ``stored`` gives the bytes in the files of the columns read (default: all)."""

    def decorate(read: Callable[Concatenate[Any, P], Table]) -> Callable[Concatenate[Any, P], Table]:
        @wraps(read)
        def reader(source: Any, *args: P.args, **kwargs: P.kwargs) -> Table:
            with record.operation(name, _shown(source)) as operation:
                table = read(source, *args, **kwargs)
            if operation is not None:
                operation.n_rows, operation.bytes_written = table.n_rows, table.nbytes
                if not hasattr(source, "read"):
                    paths = expand(source)
                    operation.bytes_read = stored(paths, table) if stored is not None else sum(map(os.path.getsize, paths))
            return table

        return reader

    return decorate


def recorded_write(name: str) -> Any:
    """A writer ``(table, path)`` whose calls are recorded."""

    def decorate(write: Callable[Concatenate[pa.Table, P], R]) -> Callable[Concatenate[pa.Table, P], R]:
        @wraps(write)
        def writer(table: pa.Table, *args: P.args, **kwargs: P.kwargs) -> R:
            path: Any = args[0] if args else kwargs.get("path")
            with record.operation(name, _shown(path)) as operation:
                result = write(table, *args, **kwargs)
            if operation is not None:
                operation.n_rows, operation.bytes_read = table.num_rows, table.nbytes
                written = isinstance(path, str | os.PathLike)
                operation.bytes_written = os.path.getsize(path) if written else len(result) if isinstance(result, str) else 0
            return result

        return writer

    return decorate


def _shown(source: Any) -> str:
    return os.path.basename(os.fspath(source)) if isinstance(source, str | os.PathLike) else ""
