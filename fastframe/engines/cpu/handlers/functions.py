"""The handler of users' own functions."""

from __future__ import annotations

from fastframe.engines.cpu.apply import apply_function

__all__ = ["apply_function"]
