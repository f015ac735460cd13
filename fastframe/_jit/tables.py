"""numba's tables of the functions that it can compile: filled once per process, and what that need not wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_MODULE = "numba.np.arraymath"   # asks for BLAS when it is imported


def fill(target: Any) -> None:
    """Refresh the typing and the target context; numba's compiler lock must be held."""
    with _blas_looked_up():
        target.typing_context.refresh()
        target.target_context.refresh()


@contextmanager
def _blas_looked_up() -> Iterator[None]:
    """Meanwhile numba looks whether SciPy's BLAS is installed instead of importing all of ``scipy.linalg`` to see it.

    That import takes as long as all other tables together. Functions that need BLAS still import it: they ask again when they
    are compiled, and when they run.
    """
    if _MODULE in sys.modules or "scipy.linalg" in sys.modules:
        yield
        return
    linalg: Any = import_module("numba.np.linalg")
    ensure: Callable[[], None] | None = getattr(linalg, "ensure_blas", None)
    if ensure is None:
        yield
        return
    linalg.ensure_blas = _installed_blas
    try:
        yield
    finally:
        linalg.ensure_blas = ensure
        loaded: Any = sys.modules.get(_MODULE)
        if getattr(loaded, "ensure_blas", None) is _installed_blas:
            loaded.ensure_blas = ensure


def _installed_blas() -> None:
    """As numba's ``ensure_blas``, from the names of files.

    Raises
    ------
    ImportError
    """
    scipy = find_spec("scipy")
    folders = list(scipy.submodule_search_locations or ()) if scipy is not None else []
    if not any(next(Path(folder, "linalg").glob("cython_blas.*"), None) for folder in folders):
        raise ImportError("SciPy's BLAS is not installed")
