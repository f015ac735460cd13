"""Makes ``joblib.parallel_config("fastframe")`` work after ``import fastframe``, without importing joblib.

joblib has no entry point for backends: somebody has to call `register_parallel_backend` after joblib was imported. If it
is imported already, that is now. If not, a finder at the head of `sys.meta_path` waits for joblib's import, lets the
other finders find it, registers once its module has run, and goes. What is registered is a function, so the backend
itself is imported when it is first asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAME = "fastframe"


def make_backend(**arguments: Any) -> Any:
    """The backend, as joblib makes it: by name."""
    from fastframe._threads.joblib_backend import FastFrameBackend

    return FastFrameBackend(**arguments)


def _register(joblib: ModuleType) -> None:
    joblib.register_parallel_backend(NAME, make_backend)


class _JoblibFinder:
    """Finds joblib as the other finders do, and registers the backend when its module has run."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "joblib":
            return None
        for finder in list(sys.meta_path):
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                return self._watched(spec)
        return None

    def _watched(self, spec: ModuleSpec) -> ModuleSpec:
        loader: Any = spec.loader
        if loader is None:   # a folder named joblib, not the package
            return spec
        execute = loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == "joblib" and self in sys.meta_path:
                sys.meta_path.remove(self)
                _register(module)

        loader.exec_module = execute_and_register
        return spec


def install() -> None:
    """Register the backend now or as soon as joblib is imported."""
    if "joblib" in sys.modules:
        _register(import_module("joblib"))   # by import: another thread may be in the middle of it
    else:
        sys.meta_path.insert(0, _JoblibFinder())
