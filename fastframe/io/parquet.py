"""Parquet: columns (or row groups, of few columns) are read side by side, each column made contiguous as soon as it is there, so memory stays near the result.

Text that the file holds dictionary-encoded stays so: a few bytes a row, and its codes serve group-by and join.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from fastframe._threads import run_calls, thread_count
from fastframe._threads.progress import progress
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from_arrow, table_from_arrow
from fastframe.column.memory import release_arrow_memory
from fastframe.errors import ColumnNotFound, DuplicateColumn, InvalidData, UnsupportedOperation
from fastframe.io.paths import expand, reading, whole_file
from fastframe.io.recorded import recorded_read, recorded_write

Piece = tuple[str, Any, list[int]]   # a file, its metadata, and row groups of it

# Text of fewer bytes a row than this in the file was dictionary-encoded by its writer all through.
_ENCODED_BYTES_PER_ROW = 3.0
_COLUMNS_PER_THREAD = 2


def _stored_bytes(paths: list[str], table: Table) -> int:
    """Compressed bytes of the table's columns in the files."""
    import pyarrow.parquet as pq

    names, n_bytes = set(table.names), 0
    for metadata in map(pq.read_metadata, paths):
        for group in range(metadata.num_row_groups):
            chunks = map(metadata.row_group(group).column, range(metadata.num_columns))
            n_bytes += sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in names)
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
    import pyarrow.parquet as pq

    metadata = []
    for path in paths:
        with reading(path, "Parquet"):
            metadata.append(pq.read_metadata(path))
    schema = _common_schema(paths, metadata)
    names = list(schema.names) if columns is None else list(columns)
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise ColumnNotFound.all_of(missing, schema.names)
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    groups = list(row_groups) if row_groups is not None else None
    files = [(path, one, groups if groups is not None else list(range(one.num_row_groups))) for path, one in zip(paths, metadata, strict=True)]
    with progress(len(names), f"reading {paths[0]}") as bar:

        def reader(name: str, pieces: Sequence[Piece], read_all: Callable[..., list[Any]]) -> Callable[[], Column]:
            def read() -> Column:
                column = _read_column(pieces, name, read_all)
                bar.advance(1)
                return column

            return read

        # Many columns keep all threads busy, and only as many columns as threads are in pieces at a time; of few columns
        # the row groups are read side by side.
        if len(names) >= _COLUMNS_PER_THREAD * thread_count():
            read = run_calls([reader(name, files, lambda calls: [call() for call in calls]) for name in names])
        else:
            row_groups_of_files = [(path, one, [group]) for path, one, several in files for group in several]
            read = [reader(name, row_groups_of_files or files, run_calls)() for name in names]
    release_arrow_memory()
    n_rows = sum(_n_rows(one, groups) for one in metadata)
    return Table(dict(zip(names, read, strict=True)), n_rows)


def _n_rows(metadata: Any, groups: Sequence[int] | None) -> int:
    if groups is None:
        return int(metadata.num_rows)
    return sum(metadata.row_group(group).num_rows for group in groups)


def _common_schema(paths: Sequence[str], metadata: Sequence[Any]) -> pa.Schema:
    first: pa.Schema = metadata[0].schema.to_arrow_schema()
    for path, one in zip(paths, metadata, strict=True):
        schema = one.schema.to_arrow_schema()
        if schema.names != first.names:
            raise InvalidData.in_file(path, "Parquet", f"its columns {schema.names[:10]} differ from those of {paths[0]}, {first.names[:10]}")
    return first


def _read_column(pieces: Sequence[Piece], name: str, read_all: Callable[..., list[Any]]) -> Column:
    """One column of all pieces, contiguous; ``read_all`` runs the reads."""
    encoded = [name] if all(_is_encoded(one, name) for one in {path: one for path, one, _ in pieces}.values()) else None
    read = read_all([_piece_reader(piece, name, encoded) for piece in pieces])
    chunks = [chunk for several in read for chunk in several]
    del read
    kind = chunks[0].type if chunks else pa.null()
    if any(chunk.type != kind for chunk in chunks):
        raise InvalidData.in_file(pieces[0][0], "Parquet", f"column {name!r} has different types in different files")
    whole = pa.chunked_array(chunks, kind)
    del chunks
    return column_from_arrow(whole, name, encoding=encoded is not None)


def _piece_reader(piece: Piece, name: str, encoded: list[str] | None) -> Callable[[], list[pa.Array]]:
    path, metadata, row_groups = piece

    def read() -> list[pa.Array]:
        import pyarrow.parquet as pq

        with reading(path, "Parquet"), pq.ParquetFile(path, metadata=metadata, memory_map=True, read_dictionary=encoded) as file:
            found = file.read_row_groups(row_groups, columns=[name], use_threads=False).column(0)
            return found.chunks or [pa.array([], found.type)]

    return read


def _is_encoded(metadata: Any, name: str) -> bool:
    """Whether text is dictionary-encoded throughout, judged by its bytes a row in the file."""
    schema = metadata.schema.to_arrow_schema()
    if not (pa.types.is_string(schema.field(name).type) or pa.types.is_large_string(schema.field(name).type)):
        return False
    position = [metadata.schema.column(at).path for at in range(metadata.num_columns)].index(name)
    size = rows = 0
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(position)
        if not chunk.has_dictionary_page:
            return False
        size, rows = size + chunk.total_uncompressed_size, rows + chunk.num_values
    return rows > 0 and size <= _ENCODED_BYTES_PER_ROW * rows


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
        pq.write_table(table, temporary, compression=compression or "none", row_group_size=row_group_size, **options)
