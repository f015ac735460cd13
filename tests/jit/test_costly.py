"""Few rows and costly calls: shared by threads, and Ctrl-C arrives between calls."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastframe as ff
from fastframe.errors import FunctionError, RowFunctionError
from fastframe.options import option_context

_INTERRUPTED = """
import os, signal, threading
import numpy as np
import fastframe as ff

def endless(x):   # 400 calls of half a second
    total = 0.0
    for _ in range(40_000_000):
        total += np.sin(total + x[0])
    return total

ff.jit(endless).compile({"x": "float64"})
df = ff.DataFrame({"k": np.arange(400), "x": np.ones(400)})
calls = (lambda: df.groupby("k")["x"].agg(endless), lambda: df["x"].map(lambda v: endless(np.array([v]))))
for call in calls:
    timer = threading.Timer(4.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        print("interrupted")
print(df.groupby("k")["x"].agg(lambda x: x[0]).sum())
"""


def test_ctrl_c_between_costly_calls(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert (done.stdout.split(), done.stderr) == (["interrupted", "interrupted", "400.0"], "")


def costly(x, bad):
    total = 0.0
    for _ in range(60_000):
        total += np.sin(total + x[0])
    if x[0] == bad:
        raise ValueError("bad")
    return total


def costly_row(x, bad):
    return costly(np.array([x]), bad)


@pytest.mark.parametrize("rows_per_group", [1, 5])
def test_costly_groups(rows_per_group: int) -> None:
    n = 23 * rows_per_group
    df = ff.DataFrame({"k": np.arange(n) // rows_per_group, "x": np.repeat(np.arange(23.0), rows_per_group)})
    wanted = [costly(np.array([float(group)]), -1.0) for group in range(23)]
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            assert df.groupby("k")["x"].agg(costly, bad=-1.0).tolist() == pytest.approx(wanted, rel=1e-9)
            assert df["x"].map(lambda x: costly_row(x, -1.0)).tolist()[::rows_per_group] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("bad", [0.0, 7.0])
def test_the_lowest_failure_is_told(bad: float) -> None:
    df = ff.DataFrame({"k": np.arange(23), "x": np.arange(23.0)})
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            with pytest.raises(FunctionError, match=rf"^costly\(\) raised ValueError in the group k={bad:.0f}: bad\. "):
                df.groupby("k")["x"].agg(costly, bad=bad)
            with pytest.raises(RowFunctionError, match=rf"^costly_row\(\) raised ValueError at row {bad:.0f}, called with {bad}: bad\. "):
                df.map_rows(costly_row, ["x"], bad=bad)
