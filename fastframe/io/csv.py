"""CSV, with pandas' common arguments, on pyarrow's parallel reader; gzip, bz2 and zip are unpacked on the way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from fastframe import dtypes
from fastframe._threads.progress import progress
from fastframe.column import Table
from fastframe.column.arrow import table_from_arrow
from fastframe.column.memory import release_arrow_memory
from fastframe.errors import ArgumentError, ColumnNotFound, DuplicateColumn, InvalidData
from fastframe.io.paths import expand, reading, whole_file
from fastframe.io.recorded import recorded_read, recorded_write
from fastframe.records import record

# What pandas reads as missing.
NA_VALUES = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None",
    "n/a", "nan", "null",
)  # fmt: skip


@record(frozen=True)
class CsvOptions:
    """What `read_csv` was asked for; see its docstring."""

    sep: str = ","
    header: int | None = 0
    names: tuple[str, ...] | None = None
    usecols: tuple[Any, ...] | None = None
    dtype: Any = None
    na_values: tuple[str, ...] = ()
    keep_default_na: bool = True
    parse_dates: tuple[str, ...] = ()
    skiprows: int = 0
    nrows: int | None = None
    quotechar: str = '"'
    escapechar: str | None = None
    decimal: str = "."
    encoding: str = "utf8"
    true_values: tuple[str, ...] = ()
    false_values: tuple[str, ...] = ()
    compression: str | None = "infer"


@recorded_read("read_csv")
def read_table(source: Any, options: CsvOptions) -> Table:
    """A table of one or several CSV files (or of an open text or binary file).

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound, DTypeError
    """
    if hasattr(source, "read"):
        return table_from_arrow(_read("the given file", _bytes_of(source), options))
    tables = []
    paths = expand(source)
    with progress(len(paths), f"reading {paths[0]}") as bar:
        for path in paths:
            with reading(path, "CSV"):
                tables.append(_read(path, _opened(path, options.compression), options))
            bar.advance(1)
    whole = table_from_arrow(pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0])
    del tables
    release_arrow_memory()
    return whole


def _bytes_of(source: Any) -> Any:
    text = source.read()
    return io.BytesIO(text.encode() if isinstance(text, str) else text)


def _opened(path: str, compression: str | None) -> Any:
    kind = compression if compression != "infer" else {".zip": "zip", ".gz": "gzip", ".bz2": "bz2"}.get(path[path.rfind(".") :].lower())
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.namelist() if not one.endswith("/") and not one.startswith("__MACOSX")]
            if len(members) != 1:
                raise InvalidData.in_file(path, "CSV", f"the archive holds {len(members)} files, but one is needed")
            return io.BytesIO(archive.read(members[0]))
    if kind in ("gzip", "bz2"):
        return pa.CompressedInputStream(pa.OSFile(path), kind)
    if kind is not None:
        raise ArgumentError.of("read_csv", "compression", compression, ("infer", "zip", "gzip", "bz2", None))
    return path


def _read(path: str, stream: Any, options: CsvOptions) -> pa.Table:
    import pyarrow.csv as pc

    read = pc.ReadOptions(
        skip_rows=options.skiprows + (options.header or 0),
        column_names=list(options.names) if options.names is not None and options.header is None else None,
        autogenerate_column_names=options.header is None and options.names is None,
        encoding=options.encoding,
    )
    parse = pc.ParseOptions(
        delimiter=options.sep, quote_char=options.quotechar, escape_char=options.escapechar or False, newlines_in_values=True
    )
    try:
        table = pc.read_csv(stream, read_options=read, parse_options=parse, convert_options=_conversion(pc, options))
    except pa.ArrowKeyError as error:   # a name in usecols
        raise ColumnNotFound.in_file(path, options.usecols or (), str(error)) from None
    except pa.ArrowInvalid as error:
        raise InvalidData.in_file(path, "CSV", " ".join(str(error).split())[:300]) from error
    bad = [field.name for field in table.schema if pa.types.is_binary(field.type)]   # what pyarrow makes of bytes that are no text
    if bad:
        raise InvalidData.in_file(path, "CSV", f"column {bad[0]!r} is not {options.encoding} text; pass encoding=")
    return _shaped(path, table, options)


def _conversion(pc: Any, options: CsvOptions) -> Any:
    types = {}
    if isinstance(options.dtype, Mapping):
        types = {name: _csv_type(one) for name, one in options.dtype.items()}
    types.update({name: pa.timestamp("us") for name in options.parse_dates})
    missing = [*(NA_VALUES if options.keep_default_na else ()), *options.na_values]
    named = options.usecols is not None and all(isinstance(one, str) for one in options.usecols) and not (options.names and options.header == 0)
    return pc.ConvertOptions(
        column_types=types,
        null_values=missing,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        include_columns=list(options.usecols or ()) if named else None,
        include_missing_columns=False,
        true_values=[*options.true_values, "True", "TRUE", "true"],
        false_values=[*options.false_values, "False", "FALSE", "false"],
        decimal_point=options.decimal,
    )


def _csv_type(dtype: Any) -> pa.DataType:
    return dtypes.dtype(dtype).arrow


def _shaped(path: str, table: pa.Table, options: CsvOptions) -> pa.Table:
    """Names, chosen columns, one dtype for all, and the first rows, after parsing."""
    if options.header is None and options.names is None:
        table = table.rename_columns([str(position) for position in range(table.num_columns)])
    elif options.names is not None and options.header is not None:
        if len(options.names) != table.num_columns:
            raise InvalidData.in_file(path, "CSV", f"names has {len(options.names)} entries for {table.num_columns} columns")
        table = table.rename_columns(list(options.names))
    if len(set(table.column_names)) != table.num_columns:
        raise DuplicateColumn.of({name for name in table.column_names if table.column_names.count(name) > 1}, "Pass names=.")
    if options.usecols is not None:
        wanted = [table.column_names[one] if isinstance(one, int) else one for one in options.usecols]
        if any(name not in table.column_names for name in wanted):
            raise ColumnNotFound.all_of([name for name in wanted if name not in table.column_names], table.column_names)
        table = table.select([name for name in table.column_names if name in set(wanted)])
    if options.dtype is not None and not isinstance(options.dtype, Mapping):
        table = table.cast(pa.schema([(name, _csv_type(options.dtype)) for name in table.column_names]))
    return table.slice(0, options.nrows) if options.nrows is not None else table


@recorded_write("write_csv")
def write_csv(table: pa.Table, path: Any = None, *, sep: str = ",", header: bool = True, na_rep: str = "") -> str | None:
    """Write a CSV file, whole or not at all; without a path, return its text. Missing values are empty."""
    import pyarrow.csv as pc

    if na_rep:
        raise ArgumentError.of("to_csv", "na_rep", na_rep, [""])
    options = pc.WriteOptions(include_header=header, delimiter=sep, quoting_style="needed")
    plain = pa.table({name: _writable(table.column(name)) for name in table.column_names})
    if path is None:
        sink = io.BytesIO()
        pc.write_csv(plain, sink, write_options=options)
        return sink.getvalue().decode()
    if hasattr(path, "write"):
        path.write(write_csv(table, None, sep=sep, header=header))
        return None
    with whole_file(path) as temporary:
        pc.write_csv(plain, temporary, write_options=options)
    return None


def _writable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as CSV can hold them: categories as their text, NaN as missing."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        import pyarrow.compute as pc

        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column
