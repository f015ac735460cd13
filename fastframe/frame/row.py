"""`Row`: a few named values, one per column: a row of a frame of several dtypes, or its dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastframe.errors import ColumnNotFound, MissingAttribute


class Row(Mapping[str, Any]):
    """Values by column name; also by position and attribute. Read-only.

    >>> import fastframe as ff
    >>> row = ff.DataFrame({"city": ["Rome"], "degrees": [21]}).iloc[0]
    >>> row["city"], row.degrees
    ('Rome', 21)
    """

    def __init__(self, values: Mapping[str, Any], name: Any = None) -> None:
        self._values = dict(values)
        self.name = name

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int) and key not in self._values:
            return list(self._values.values())[key]
        if key not in self._values:
            raise ColumnNotFound.among(key, list(self._values))
        return self._values[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.__dict__.get("_values", {}):
            raise MissingAttribute.of("Row", name, list(self.__dict__.get("_values", {})))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def index(self) -> list[str]:
        """The column names."""
        return list(self._values)

    def tolist(self) -> list[Any]:
        """The values, in column order."""
        return list(self._values.values())

    def to_dict(self) -> dict[str, Any]:
        """The values by column name."""
        return dict(self._values)

    def __repr__(self) -> str:
        from fastframe.frame.display import format_value

        names = [format_value(name) for name in self._values]
        width = max(map(len, names), default=0)
        lines = [f"{name:<{width}}    {format_value(value)}" for name, value in zip(names, self._values.values(), strict=True)]
        return "\n".join([*lines, f"Name: {self.name}"]) if lines else "Row()"
