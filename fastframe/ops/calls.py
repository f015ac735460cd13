"""`NamedCall`: a row of a table of functions and the options it is called with; and dtype rules that such tables share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import pyarrow as pa

from fastframe.dtypes import INT64, UINT64, DType, Kind, from_arrow
from fastframe.errors import ArgumentError, DTypeError
from fastframe.records import record


@record(frozen=True)
class NamedCall:
    """A function by name, and its options; options left out take their defaults.

    Subclasses name their ``table`` (whose rows have ``options`` with defaults), what they call a row (``what``), and options
    that every row has (``shared``). The option ``name`` is the column's name for messages.

    Raises
    ------
    ArgumentError
        For an unknown name, option or value.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    table: ClassVar[Mapping[str, Any]] = {}
    what: ClassVar[str] = "a function"
    shared: ClassVar[Mapping[str, Any]] = {"name": None}

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in self.table:
            raise ArgumentError.of(self.what, "name", self.name, self.table)
        known = {**self.table[self.name].options, **self.shared}
        for option in self.options:
            if option not in known:
                raise ArgumentError.of(self.name, "option", option, known)
        options = {**known, **self.options}
        for option, value in options.items():
            self.check(option, value)
        object.__setattr__(self, "options", MappingProxyType(options))

    def check(self, option: str, value: Any) -> None:
        """Raise `ArgumentError` unless an option has a value that it may have."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), self.name, repr(sorted(self.options.items()))))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, dict(self.options))

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    @property
    def column_name(self) -> str:
        """The column's name for messages."""
        return str(self.options["name"]) if self.options["name"] is not None else ""


def total_dtype(function: str, dtype: DType, column: str | None) -> DType:
    """The dtype of a sum: 64-bit integers, decimals of all digits, floats and durations as they are."""
    if dtype.kind is Kind.DECIMAL:
        return from_arrow(pa.decimal128(38, dtype.arrow.scale))
    if dtype.kind is Kind.DURATION:
        return dtype
    return _wide(function, dtype, column, "bool, integer, float, decimal and duration columns")


def product_dtype(function: str, dtype: DType, column: str | None) -> DType:
    """The dtype of a product: 64-bit integers, floats as they are."""
    return _wide(function, dtype, column, "bool, integer and float columns")


def _wide(function: str, dtype: DType, column: str | None, allowed: str) -> DType:
    if dtype.kind in (Kind.BOOL, Kind.INT):
        return INT64
    if dtype.kind is Kind.UINT:
        return UINT64
    if dtype.kind is Kind.FLOAT and dtype.physical is not None:
        return dtype
    raise DTypeError.of_operation(function, dtype, column, allowed)
