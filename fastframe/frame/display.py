"""What a frame or series looks like in a terminal and in a notebook: dtypes, missing values, truncation; escaped HTML.

Only the rows that are shown are ever looked at.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from fastframe.column import Column
from fastframe.column.arrow import array_to_arrow
from fastframe.column.cache import cached_bytes
from fastframe.column.range import RangeColumn
from fastframe.dtypes import Kind
from fastframe.frame.core import Frame
from fastframe.options import options

GAP = "…"
_LONGEST_INTEGER = 20   # characters of -2**63


def shown_rows(n_rows: int) -> tuple[int, int]:
    """How many rows from the start and the end are shown."""
    if n_rows <= options.max_rows:
        return n_rows, 0
    return (options.max_rows + 1) // 2, options.max_rows // 2


def _cells(column: Column, head: int, tail: int, *, gap: bool) -> list[str]:
    texts = _texts(column, 0, head)
    return [*texts, GAP, *_texts(column, column.length - tail, tail)] if gap else texts


def _texts(column: Column, start: int, length: int) -> list[str]:
    """`format_value` of some rows; numbers, which are most of what is shown, without a call for each."""
    lazy = column.is_encoded or isinstance(column, RangeColumn)   # all of whose values would be made
    values = (array_to_arrow(column.slice(start, length)) if lazy else column.array.slice(start, length)).to_pylist()
    if column.dtype.is_integer and options.max_width >= _LONGEST_INTEGER:
        return ["null" if value is None else str(value) for value in values]
    if column.dtype.kind is Kind.FLOAT:
        return [f"{value:.6g}" if value is not None and -1e15 < value < 1e15 else format_value(value) for value in values]
    return [format_value(value) for value in values]


def format_value(value: Any) -> str:
    """One value as text: missing as ``null`` or ``NaN``, floats short, long text cut, one line."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return "NaN" if value != value else f"{value:.6g}" if abs(value) < 1e15 else repr(value)
    text = value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else str(value)
    if len(text) <= options.max_width:
        return text if text.isprintable() else _one_line(text)
    return _one_line(text[: options.max_width - 1]) + GAP


def _one_line(text: str) -> str:
    """Line ends and control characters, which a terminal would obey, written out."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _cut_columns(names: list[str]) -> tuple[list[str], list[str]]:
    if len(names) <= options.max_columns:
        return names, []
    return names[: (options.max_columns + 1) // 2], names[len(names) - options.max_columns // 2 :]


def _grid(frame: Frame, header: dict[str, str]) -> list[list[str]]:
    """Columns of cells, labels first: each is name, dtype, values."""
    head, tail = shown_rows(len(frame))
    gap = tail > 0
    grid = []
    for key, name in zip(frame._labels, frame._label_names, strict=True):
        grid.append([_one_line(name or ""), "", *_cells(frame._labels[key], head, tail, gap=gap)])
    first, last = _cut_columns(list(header))
    for position, name in enumerate(first + last):
        if last and position == len(first):
            grid.append([GAP] * (2 + head + tail + gap))
        column = frame._values[name]
        shown = format_value(header[name])
        grid.append([shown, column.dtype.name, *_cells(column, head, tail, gap=gap)])
    return grid


def _cell_width(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese, Japanese and Korean characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(one) in "WF" else unicodedata.combining(one) == 0 for one in text)


def _line_width() -> int:
    """Columns of the terminal; 0 (no limit) where the output is not one."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (AttributeError, OSError, ValueError):   # closed, or replaced by something without a file
        return 0


def fitting(grid: list[list[str]], n_labels: int, line_width: int) -> list[list[str]]:
    """The labels and as many columns of both ends as fit one line, with a gap between; at least one of each end."""
    def width(columns: list[list[str]]) -> int:
        return sum(max(map(_cell_width, column)) + 2 for column in columns) - 2

    if not line_width or width(grid) <= line_width:
        return grid
    gap = [GAP] * len(grid[0])
    labels, shown = grid[:n_labels], [column for column in grid[n_labels:] if column[:2] != gap[:2]]
    while len(shown) > 2 and width([*labels, *shown, gap]) > line_width:
        del shown[len(shown) // 2]
    half = (len(shown) + 1) // 2
    return [*labels, *shown[:half], gap, *shown[half:]] if len(shown) < len(grid) - n_labels else grid


def _align(grid: list[list[str]], n_labels: int) -> list[str]:
    columns = [_padded(column, str.ljust if at < n_labels else str.rjust) for at, column in enumerate(grid)]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _padded(column: list[str], justify: Callable[[str, int], str]) -> list[str]:
    """Cells of one width in a terminal."""
    if "".join(column).replace(GAP, "").isascii():   # a character, a column
        width = max(map(len, column))
        return [justify(cell, width) for cell in column]
    widths = list(map(_cell_width, column))
    width = max(widths)
    return [justify(cell, width + len(cell) - own) for cell, own in zip(column, widths, strict=True)]


class FrameDisplay(Frame):
    """Of a frame."""

    def __repr__(self) -> str:
        shape = f"[{len(self)} rows x {len(self._values)} columns]"
        if not self._values:
            return f"DataFrame without columns\n{shape}"
        grid = _grid(self, {name: name for name in self._values})
        lines = _align(fitting(grid, len(self._labels), _line_width()), len(self._labels))
        return "\n".join([*lines, "", shape])

    def _repr_html_(self) -> str:
        import html  # late: a notebook has it already, and a program does not need it

        grid = _grid(self, {name: name for name in self._values})
        names, kinds, *rows = (list(map(html.escape, cells)) for cells in zip(*grid, strict=True))
        head = "".join(f"<th>{name}<br><small>{kind}</small></th>" for name, kind in zip(names, kinds, strict=True))
        n_labels = len(self._labels)
        body = "".join(
            "<tr>" + "".join(f"<th>{cell}</th>" if at < n_labels else f"<td>{cell}</td>" for at, cell in enumerate(cells)) + "</tr>" for cells in rows
        )
        shape = f"<p>{len(self)} rows × {len(self._values)} columns</p>"
        return f'<div><table border="1" class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{shape}</div>'

    def info(self, buf: TextIO | None = None) -> None:
        """Print columns, dtypes, counts of values that are there, and memory."""
        rows = [("column", "there", "dtype"), *((name, str(len(self) - _missing(column)), column.dtype.name) for name, column in self._values.items())]
        widths = [max(len(row[at]) for row in rows) for at in range(3)]
        lines = [f"DataFrame: {len(self)} rows, {len(self._values)} columns, {self.index!r}"]
        lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.append(f"memory: {_bytes(self.memory_usage().sum())}")  # type: ignore[attr-defined]
        (buf or sys.stdout).write("\n".join(lines) + "\n")

    def memory_usage(self, index: bool = True, deep: bool = True) -> Any:
        """Bytes of each column (and of the labels), as a series by name; memory that columns share counts in each.

        ``deep`` counts codes that are kept on a column for the next time, too (``ff.options.cache_bytes``); those of
        groups by several columns are on the first of them.
        """
        from fastframe.column.arrow import column_from
        from fastframe.frame.series import Series

        sizes = {"Index": sum(_size(column, deep) for column in self._labels.values())} if index else {}
        sizes.update({name: _size(column, deep) for name, column in self._values.items()})
        return Series._of({"\0" + "0": column_from(list(sizes))}, column_from(list(sizes.values())), None)


def _size(column: Column, deep: bool) -> int:
    return column.nbytes + (cached_bytes(column) if deep else 0)


def _missing(column: Column) -> int:
    if column.dtype.kind is not Kind.FLOAT:
        return column.null_count
    import pyarrow.compute as pc

    return int(pc.sum(column.array.is_null(nan_is_null=True)).as_py() or 0)


def _bytes(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:.4g} GiB"


class SeriesDisplay(Frame):
    """Of a series."""

    name: Any

    def __repr__(self) -> str:
        ((key, column),) = self._values.items()
        grid = _grid(self, {key: ""})
        lines = _align([[column[0], *column[2:]] for column in grid], len(self._labels))
        shown = lines if any(self._label_names) else lines[1:]   # a first line only where the labels have names
        name = f"Name: {self.name}, " if self.name is not None else ""
        return "\n".join([*shown, f"{name}Length: {len(self)}, dtype: {column.dtype}"])

    def _repr_html_(self) -> str:
        return self.to_frame("value" if self.name is None else self.name)._repr_html_()  # type: ignore[attr-defined]

    def memory_usage(self, index: bool = True, deep: bool = True) -> int:
        """Bytes of the values and of the labels; ``deep``: and of codes that are kept on them for the next time."""
        labels = sum(_size(column, deep) for column in self._labels.values()) if index else 0
        return labels + sum(_size(column, deep) for column in self._values.values())
