"""Slow twin of functions of rows: one call per row by the interpreter, None for missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.reference.elementwise import is_missing


def mapped(function: Callable[..., Any], columns: Sequence[Sequence[Any]], nulls: str = "skip") -> list[Any]:
    """What the function returns for each row; ``columns`` hold Python values."""
    out = []
    for values in zip(*columns, strict=True):
        present = [not is_missing(value) for value in values]
        if nulls == "skip":
            out.append(function(*values) if all(present) else None)
        elif nulls == "nan":
            out.append(function(*(value if here else float("nan") for value, here in zip(values, present, strict=True))))
        else:
            out.append(function(*(value if here else 0 for value, here in zip(values, present, strict=True)), *present))
    return out
