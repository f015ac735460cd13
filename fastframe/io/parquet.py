"""Parquet: row groups of the columns that are asked for are read side by side, and put together column by column (`parquet_columns`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from fastframe._threads import run_calls, thread_count
from fastframe._threads.progress import progress
from fastframe.column import Column, Table
from fastframe.column.arrow import table_from_arrow
from fastframe.column.memory import release_arrow_memory
from fastframe.errors import ColumnNotFound, DuplicateColumn, InvalidData, UnsupportedOperation
from fastframe.io.parquet_columns import FixedWidth, Joined, Piece, Text, assembly_of, decode, has_place, is_encoded, leaves_of
from fastframe.io.parquet_footer import chunk_facts
from fastframe.io.paths import expand, reading, whole_file
from fastframe.io.recorded import recorded_read, recorded_write

_CALLS_PER_THREAD = 4             # row groups in work together, so that threads end together; fewer columns lie in pieces then
_DICTIONARY_PAGE_BYTES = 64 << 20   # of a row group's text: writers' usual 1 MB gives up on the codes of a few ten thousand values


def _stored_bytes(paths: list[str], table: Table) -> int:
    """Compressed bytes of the table's columns in the files."""
    names, n_bytes = set(table.names), 0
    for path in paths:
        metadata = _metadata(path)
        leaves = [leaf for leaf in range(metadata.num_columns) if metadata.schema.column(leaf).path.split(".")[0] in names]
        n_bytes += int(chunk_facts(path, metadata).stored[:, leaves].sum())
    return n_bytes


@recorded_read("read_parquet", _stored_bytes)
def read_table(source: Any, columns: Sequence[str] | None = None, *, filters: Any = None, row_groups: Sequence[int] | None = None) -> Table:
    """A table of one or several Parquet files.

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound
    """
    paths = expand(source)
    if filters is not None:
        return _filtered(paths, columns, filters)
    metadata = [_metadata(path) for path in paths]
    schema = _common_schema(paths, metadata)
    names = list(schema.names) if columns is None else list(columns)
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise ColumnNotFound.all_of(missing, schema.names)
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    pieces = _pieces(paths, metadata, row_groups)
    n_rows = sum(piece.length for piece in pieces)
    found: dict[str, Column] = {}
    with progress(len(names), f"reading {paths[0]}") as bar:
        for fields in _batches([schema.field(name) for name in names], len(pieces)):
            found |= _read_columns(pieces, fields, n_rows)
            bar.advance(len(fields))
    release_arrow_memory()
    return Table({name: found[name] for name in names}, n_rows)


def _batches(fields: Sequence[pa.Field], n_pieces: int) -> list[list[pa.Field]]:
    """Which columns are read at once: text and what else may lie in pieces meanwhile only as many as threads need.

    Fixed-width columns never lie in pieces, so all come with the first batch: no thread waits between columns.
    """
    at_once = max(1, -(-_CALLS_PER_THREAD * thread_count() // max(1, n_pieces)))
    others = [field for field in fields if not has_place(field.type, n_pieces)]
    batches = [others[first : first + at_once] for first in range(0, len(others), at_once)] or [[]]
    batches[0] += [field for field in fields if has_place(field.type, n_pieces)]
    return batches if fields else []


def _metadata(path: str) -> Any:
    from pyarrow._parquet import ParquetReader  # not pyarrow.parquet, which imports the clients of every cloud

    with reading(path, "Parquet"):
        reader = ParquetReader()
        reader.open(path, use_memory_map=True)
        try:
            return reader.metadata
        finally:
            reader.close()


def _pieces(paths: Sequence[str], metadata: Sequence[Any], row_groups: Sequence[int] | None) -> list[Piece]:
    pieces, start = [], 0
    for path, one in zip(paths, metadata, strict=True):
        with reading(path, "Parquet"):
            chunks = chunk_facts(path, one)
            for group in row_groups if row_groups is not None else range(one.num_row_groups):
                length = one.row_group(group).num_rows
                pieces.append(Piece(path, one, chunks, group, len(pieces), start, length))
                start += length
    return pieces


def _read_columns(pieces: Sequence[Piece], fields: Sequence[pa.Field], n_rows: int) -> dict[str, Column]:
    """Some columns, their row groups read side by side."""
    assemblies = [assembly_of(field.type, n_rows, len(pieces)) for field in fields]
    files = {piece.path: piece for piece in pieces}.values()
    calls: list[Callable[[], None]] = []
    for field, assembly in zip(fields, assemblies, strict=True):
        encoded = isinstance(assembly, Text) and all(is_encoded(one.chunks, leaves_of(one.metadata, field.name)[0]) for one in files)
        calls += [partial(_read_piece, piece, field, assembly, encoded) for piece in pieces]
    run_calls(calls)
    return {field.name: assembly.finish(field.name) for field, assembly in zip(fields, assemblies, strict=True)}


def _read_piece(piece: Piece, field: pa.Field, assembly: Joined | FixedWidth | Text, encoded: bool) -> None:
    chunks = decode(piece, field.name, field.type, encoded=encoded)
    if chunks:
        assembly.put(piece.number, piece.start, chunks)


def _common_schema(paths: Sequence[str], metadata: Sequence[Any]) -> pa.Schema:
    first: list[pa.Schema] = []
    for path, one in zip(paths, metadata, strict=True):
        with reading(path, "Parquet"):   # names may be damaged, too
            schema = one.schema.to_arrow_schema()
            first = first or [schema]
            if schema.names != first[0].names:
                raise InvalidData.in_file(path, "Parquet", f"its columns {schema.names[:10]} differ from those of {paths[0]}, {first[0].names[:10]}")
    return first[0]


def _filtered(paths: Sequence[str], columns: Sequence[str] | None, filters: Any) -> Table:
    """Only rows that satisfy ``filters``; row groups whose statistics rule them out are not read."""
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    with reading(paths[0], "Parquet"):
        condition = filters if isinstance(filters, ds.Expression) else pq.filters_to_expression(filters)
        dataset = ds.dataset(list(paths), format="parquet")
        if columns is not None:
            missing = [name for name in columns if name not in dataset.schema.names]
            if missing:
                raise ColumnNotFound.all_of(missing, dataset.schema.names)
        return table_from_arrow(dataset.to_table(columns=list(columns) if columns is not None else None, filter=condition))


@recorded_write("write_parquet")
def write_parquet(table: pa.Table, path: Any, *, compression: str | None = "snappy", row_group_size: int = 1 << 20, **options: Any) -> None:
    """Write a Parquet file, whole or not at all.

    Parameters
    ----------
    compression : {"snappy", "zstd", "gzip", "lz4", "brotli", None}
    row_group_size : int
        Rows of one row group, the unit that readers can skip.
    **options
        As in ``pyarrow.parquet.write_table``.
    """
    import pyarrow.parquet as pq

    if hasattr(path, "write"):
        raise UnsupportedOperation.of_argument("to_parquet", "path", path, "Give a path.")
    with whole_file(path) as temporary:
        options.setdefault("dictionary_pagesize_limit", _DICTIONARY_PAGE_BYTES)
        pq.write_table(table, temporary, compression=compression or "none", row_group_size=row_group_size, **options)
