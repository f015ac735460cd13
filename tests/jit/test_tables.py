"""numba's tables are filled without importing all of SciPy's linear algebra, which is there for functions that need it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastframe as ff

_CHILD = """
import sys
import numpy as np
import fastframe as ff
df = ff.DataFrame({"k": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 5.0]})
print(df.groupby("k")["x"].agg(lambda x: x.sum() * 2).tolist(), "scipy.linalg" in sys.modules)
from numba.np import arraymath, linalg
print(arraymath.ensure_blas is linalg.ensure_blas, linalg.ensure_blas.__module__, arraymath._HAVE_BLAS)
print(df.groupby("k")["x"].agg(lambda x: np.dot(x, x)).tolist(), "scipy.linalg" in sys.modules)
"""


def test_scipy_is_imported_when_a_function_needs_it(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    environment = os.environ | {"FASTFRAME_JIT_DISK": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _CHILD], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[6.0, 16.0] False", "True numba.np.linalg True", "[5.0, 34.0] True"]


def test_without_scipy_there_is_no_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastframe._jit import tables

    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"^SciPy's BLAS is not installed$"):
        tables._installed_blas()


def test_linear_algebra_of_groups() -> None:
    df = ff.DataFrame({"k": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 5.0]})
    found = df.groupby("k")["x"].agg(lambda x: np.linalg.norm(x))
    assert found.tolist() == [float(np.linalg.norm([1.0, 2.0])), float(np.linalg.norm([3.0, 5.0]))]
