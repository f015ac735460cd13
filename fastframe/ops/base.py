"""`Spec`: what a verb asks an engine to do, as a frozen value that holds no data.

A spec knows names and dtypes only. `Spec.resolve` gives the schema of the result or raises before any work is done; after
that an engine may fail only for resources (memory) or data (an overflow, a lossy cast).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from fastframe.dtypes import DType
from fastframe.errors import ColumnNotFound, DuplicateColumn
from fastframe.records import record

Schema = Mapping[str, DType]


class Value:
    """Equality, hash and text of a frozen dataclass, from its fields.

    Written once: generated for each of two dozen classes, they are a tenth of the time of ``import fastframe``.
    """

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Value) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *self._fields()))

    def __repr__(self) -> str:
        values = zip(fields(self), self._fields(), strict=True)  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{field.name}={value!r}' for field, value in values)})"


@record(frozen=True, eq=False, repr=False)
class Spec(Value, ABC):
    """One of the few core operations; every verb is one of them or a composition."""

    @abstractmethod
    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        """The schema of the result for inputs of these schemas.

        Raises
        ------
        ColumnNotFound, DTypeError, DuplicateColumn, UnsupportedOperation
        """


def require(names: Iterable[str], schema: Schema) -> None:
    """Raise `ColumnNotFound` unless the schema has all names."""
    missing = [name for name in names if name not in schema]
    if missing:
        missing = list(dict.fromkeys(missing))
        raise ColumnNotFound.all_of(missing, [name for name in schema if not name.startswith("\0")])


def unique(names: Iterable[str], hint: str = "Rename them first, or pass names that differ.") -> None:
    """Raise `DuplicateColumn` unless all names differ."""
    seen: set[str] = set()
    twice = {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
    if twice:
        raise DuplicateColumn.of(sorted(twice), hint)
