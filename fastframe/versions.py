"""`show_versions`: what to paste into a bug report."""

from __future__ import annotations

import sys

from fastframe._threads.budget import thread_count
from fastframe._version import __version__

_PACKAGES = (
    "numpy", "pyarrow", "joblib", "numba", "cython", "pandas", "polars", "duckdb", "scikit-learn", "xgboost", "xgboost-cpu", "lightgbm",
    "dask", "distributed", "narwhals",
)  # fmt: skip


def show_versions() -> None:
    """Print the versions of fastframe, Python and the packages around it, and the threads an operation gets."""
    import importlib.metadata  # late: `import fastframe` needs neither
    import platform

    rows = [("fastframe", __version__), ("python", sys.version.split()[0]), ("platform", platform.platform()), ("threads", str(thread_count()))]
    for name in _PACKAGES:
        try:
            rows.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    width = max(len(name) for name, _ in rows)
    sys.stdout.write("\n".join(f"{name:<{width}}  {version}" for name, version in rows) + "\n")
