"""Feather: Arrow IPC files. An uncompressed one is memory-mapped, so reading costs next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from fastframe._threads.progress import progress
from fastframe.column import Table
from fastframe.column.arrow import table_from_arrow
from fastframe.errors import ColumnNotFound
from fastframe.io.paths import expand, reading, whole_file
from fastframe.io.recorded import recorded_read, recorded_write


@recorded_read("read_feather")
def read_table(source: Any, columns: Sequence[str] | None = None) -> Table:
    """A table of one or several IPC files.

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound
    """
    tables = []
    paths = expand(source)
    with progress(len(paths), f"reading {paths[0]}") as bar:
        for path in paths:
            with reading(path, "feather (Arrow IPC)"):
                tables.append(_read(path, columns))
            bar.advance(1)
    return table_from_arrow(pa.concat_tables(tables) if len(tables) > 1 else tables[0])


def _read(path: str, columns: Sequence[str] | None) -> pa.Table:
    with pa.memory_map(path) as file:
        reader = pa.ipc.open_file(file)
        if columns is None:
            return reader.read_all()
        missing = [name for name in columns if name not in reader.schema.names]
        if missing:
            raise ColumnNotFound.all_of(missing, reader.schema.names)
        wanted = [reader.schema.names.index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        return pa.ipc.open_file(file, options=options).read_all().select(list(columns))


@recorded_write("write_feather")
def write_feather(table: pa.Table, path: Any, *, compression: str | None = "lz4") -> None:
    """Write an IPC file, whole or not at all; ``compression`` is lz4, zstd or None."""
    options = pa.ipc.IpcWriteOptions(compression=compression if compression != "uncompressed" else None)
    with whole_file(path) as temporary, pa.OSFile(temporary, "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=1 << 20)
