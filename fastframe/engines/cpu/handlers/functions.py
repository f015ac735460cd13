"""The handler of users' own functions."""

from __future__ import annotations

from fastframe.engines.cpu.apply import apply_function
from fastframe.engines.cpu.apply_windows import apply_windows

__all__ = ["apply_function", "apply_windows"]
