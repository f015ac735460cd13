"""`read_parquet`, `read_csv`, `read_feather`: files into frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastframe.column import Table
from fastframe.frame.dataframe import DataFrame
from fastframe.frame.labels import default_labels, with_labels


def _frame(table: Table) -> DataFrame:
    return DataFrame._of(with_labels(default_labels(table.n_rows), table.columns, table.n_rows))


def read_parquet(
    path: Any, columns: Sequence[str] | None = None, *, filters: Any = None, row_groups: Sequence[int] | None = None
) -> DataFrame:
    """A frame of one or several Parquet files, columns read in parallel.

    Parameters
    ----------
    path : str, Path, or list of these
        Also a glob or a folder; files are taken in sorted order and must have the same columns.
    columns : list of str, optional
        Only these are read.
    filters : list of tuples or pyarrow expression, optional
        Only rows that satisfy it, for example ``[("x", ">", 3)]``; row groups that cannot match are skipped.
    row_groups : list of int, optional
        Only these row groups of each file.

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound
    """
    from fastframe.io.parquet import read_table

    return _frame(read_table(path, columns, filters=filters, row_groups=row_groups))


def read_feather(path: Any, columns: Sequence[str] | None = None) -> DataFrame:
    """A frame of one or several feather (Arrow IPC) files; uncompressed ones are memory-mapped.

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound
    """
    from fastframe.io.feather import read_table

    return _frame(read_table(path, columns))


def read_csv(path: Any, sep: str = ",", *, index_col: Any = None, **options: Any) -> DataFrame:
    """A frame of one or several CSV files; gzip, bz2 and zip are unpacked.

    Parameters
    ----------
    path : str, Path, open file, or list of paths
    sep, header, names, usecols, dtype, na_values, keep_default_na, parse_dates, skiprows, nrows, quotechar, escapechar,
    decimal, encoding, true_values, false_values, compression
        As in pandas. ``header`` is a row number or None; ``usecols`` names or positions.
    index_col : str or list of str, optional
        Columns that become the row labels.

    Raises
    ------
    FileMissing, InvalidData, ColumnNotFound, DTypeError, ArgumentError
    """
    from dataclasses import fields

    from fastframe.errors import ArgumentError
    from fastframe.io.csv import CsvOptions, read_table

    known = [field.name for field in fields(CsvOptions)]
    sep = options.pop("delimiter", sep)   # pandas' other name for it
    for name, value in options.items():
        if name not in known:
            raise ArgumentError.of("read_csv", "argument", name, [*known, "index_col"])
        if isinstance(value, list | set):
            options[name] = tuple(value)
        elif name in ("na_values", "true_values", "false_values", "parse_dates") and isinstance(value, str):
            options[name] = (value,)
    if options.get("names") is not None:
        options.setdefault("header", None)
    frame = _frame(read_table(path, CsvOptions(sep=sep, **options)))
    return frame if index_col is None else frame.set_index(index_col)
