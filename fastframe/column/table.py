"""`Table`: an ordered set of named columns of one length; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fastframe.column.column import Column
from fastframe.dtypes import DType
from fastframe.errors import ColumnNotFound, DuplicateColumn, ShapeError

MAX_ROWS = 2**31 - 1   # row numbers are int32 in kernels


class Table:
    """Named columns of one length. ``n_rows`` counts also where there is no column.

    Verbs make new tables that share the columns they do not change.
    """

    __slots__ = ("columns", "n_rows", "_schema", "_hidden", "_shown")

    engine_name = "cpu"

    def __init__(self, columns: Mapping[str, Column], n_rows: int | None = None) -> None:
        self.columns: dict[str, Column] = dict(columns)
        if n_rows is None:
            n_rows = next(iter(self.columns.values())).length if self.columns else 0
        for column in self.columns.values():
            if column.length != n_rows:
                raise ShapeError.of_lengths({name: one.length for name, one in self.columns.items()})
        if n_rows > MAX_ROWS:
            raise ShapeError.too_many_rows(n_rows)
        self.n_rows: int = n_rows
        self._schema: dict[str, DType] | None = None
        self._hidden: dict[str, Column] | None = None

    @classmethod
    def of(cls, columns: dict[str, Column], n_rows: int) -> Table:
        """A table of columns that are known to have ``n_rows`` rows; the dict becomes the table's own."""
        table = object.__new__(cls)
        table.columns, table.n_rows, table._schema, table._hidden = columns, n_rows, None, None
        return table

    @classmethod
    def joined(cls, hidden: dict[str, Column], shown: dict[str, Column], n_rows: int) -> Table:
        """A table of its two parts, which are known to have ``n_rows`` rows; the dicts become the table's own."""
        table = object.__new__(cls)
        table.columns, table.n_rows, table._schema, table._hidden, table._shown = {**hidden, **shown}, n_rows, None, hidden, shown
        return table

    def __repr__(self) -> str:
        return f"Table({self.n_rows} rows: {', '.join(f'{name}: {column.dtype}' for name, column in self.columns.items())})"

    def __getitem__(self, name: str) -> Column:
        try:
            return self.columns[name]
        except KeyError:
            raise ColumnNotFound.among(name, self.names) from None

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __reduce__(self) -> tuple[object, ...]:
        return Table, (self.columns, self.n_rows)

    @property
    def names(self) -> list[str]:
        return list(self.columns)

    @property
    def hidden(self) -> dict[str, Column]:
        """The columns that users do not see as such, row labels: their names begin with ``\\0``. Not to be changed."""
        return self._hidden if self._hidden is not None else self._parted()[0]

    @property
    def shown(self) -> dict[str, Column]:
        """The columns that are not `hidden`. Not to be changed."""
        return self._shown if self._hidden is not None else self._parted()[1]

    def _parted(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """`hidden` and `shown`, kept for the next call."""
        hidden = {name: column for name, column in self.columns.items() if name[:1] == "\0"}
        self._shown = {name: column for name, column in self.columns.items() if name[:1] != "\0"}
        self._hidden = hidden
        return hidden, self._shown

    @property
    def schema(self) -> dict[str, DType]:
        """Names and dtypes, in column order; the same object at every call, not to be changed."""
        if self._schema is None:
            self._schema = {name: column.dtype for name, column in self.columns.items()}
        return self._schema

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns.values())

    def select(self, names: Iterable[str]) -> Table:
        """The named columns, in that order.

        Raises
        ------
        ColumnNotFound, DuplicateColumn
        """
        names = list(names)
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise ColumnNotFound.all_of(missing, self.names)
        if len(set(names)) != len(names):
            raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
        return Table.of({name: self.columns[name] for name in names}, self.n_rows)

    def drop(self, names: Iterable[str]) -> Table:
        """All columns but the named ones."""
        gone = set(names)
        return Table.of({name: column for name, column in self.columns.items() if name not in gone}, self.n_rows)

    def with_columns(self, columns: Mapping[str, Column]) -> Table:
        """This table with columns replaced in place or added at the end."""
        n_rows = self.n_rows if self.columns else None
        return Table({**self.columns, **columns}, n_rows)

    def rename(self, names: Sequence[str]) -> Table:
        """The same columns under new names.

        Raises
        ------
        DuplicateColumn, ShapeError
        """
        if len(names) != len(self.columns):
            raise ShapeError.of_names(len(names), len(self.columns))
        if len(set(names)) != len(names):
            raise DuplicateColumn.of({name for name in names if list(names).count(name) > 1})
        return Table.of(dict(zip(names, self.columns.values(), strict=True)), self.n_rows)

    def slice(self, start: int, length: int) -> Table:
        """Rows ``start`` to ``start + length``, sharing memory."""
        return Table.of({name: column.slice(start, length) for name, column in self.columns.items()}, length)
