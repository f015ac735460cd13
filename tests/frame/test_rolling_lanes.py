"""Functions over windows, called for sixteen neighbouring windows at once or one by one: nobody can tell but by the time."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.engines.cpu import apply_windows
from fastframe.errors import FunctionError
from fastframe.options import option_context
from fastframe.testing import NULLS, column, covering

BY_LANES = "function of windows, sixteen at once"
_scale = 2.0


def weighted(x):   # type: ignore[no-untyped-def]  # users' functions carry no types
    total = 0.0
    for row in range(len(x)):
        total += x[row] * (row + 1)
    return total / len(x)


def ordered(x):   # type: ignore[no-untyped-def]
    total = x[0] * 0
    for value in x:
        total = total * 3 + value
    return total


def described(x):   # type: ignore[no-untyped-def]
    return {"mean": x.mean(), "rises": x[-1] > x[0], "length": len(x)}


def product(x, w):   # type: ignore[no-untyped-def]
    return (x * w).sum() / (w.sum() + 3.5)


def scaled(x):   # type: ignore[no-untyped-def]
    return x[0] * _scale


def both_ways(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], Any]) -> tuple[Any, bool]:
    """The answer, which is the same both ways to the last bit, and whether the second was by lanes."""
    answers, ran = [], []
    for least in (1 << 62, 0):
        monkeypatch.setattr(apply_windows, "LANE_VALUES", least)
        with ff.profile() as profile:
            answers.append(ask())
        ran.append({phase.name for one in profile.operations for phase in one.operation.phases})
    assert BY_LANES not in ran[0]
    assert bits(answers[0]) == bits(answers[1])
    return answers[0], BY_LANES in ran[1]


def bits(answer: Any) -> Any:
    table = answer.to_frame("x") if isinstance(answer, ff.Series) else answer
    return [(name, str(table[name].dtype), _plain(table[name])) for name in table.columns]


def _plain(series: ff.Series) -> Any:
    missing = series.isna().to_numpy()
    values = series.fillna(series.dtype.numpy.type(0)).to_numpy() if missing.any() else series.to_numpy()
    return missing.tobytes(), values.tobytes()


@pytest.mark.parametrize("kind", ["bool", "int8", "int64", "uint16", "float32", "float64"])
def test_every_dtype(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {"nulls": NULLS, "sliced": (True, False), "rows": (300, 1, 0), "closed": ("right", "left", "both", "neither"), "center": (True, False),
             "window": (2, 7, 64), "min_periods": (1, 3), "threads": (1, 2, 4)}
    for case in covering(cases):
        data = column(kind, case["rows"], nulls=case["nulls"], sliced=case["sliced"])
        given = ff.Series._of({"\0" + "0": column("int64", case["rows"])}, data, "x")
        how = {"center": case["center"], "closed": case["closed"]}
        with option_context(threads=case["threads"]):
            for function in (ordered, weighted):
                windows = given.rolling(case["window"], min(case["min_periods"], case["window"]), **how)
                _, ran = both_ways(monkeypatch, lambda windows=windows, function=function: windows.apply(function))
                assert ran


@pytest.mark.parametrize("nulls", ["skip", "mask", "nan"])
def test_missing_values_and_groups(nulls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    x, w = (np.where(rng.random(2000) < 0.02, np.nan, rng.normal(size=2000)) for _ in range(2))
    frame = ff.DataFrame({"k": np.sort(rng.integers(0, 5, 2000)), "x": x, "w": w})
    if nulls == "mask":
        def function(x, w, x_there, w_there):   # type: ignore[no-untyped-def]
            total = 0.0
            for row in range(len(x)):
                total += x_there[row] * 2 + w_there[row]
            return total + x[0] - w[-1]
    else:
        function = product
    for windows in (frame.rolling(20, 15)[["x", "w"]], frame.groupby("k").rolling(9, 3)[["x", "w"]]):
        _, ran = both_ways(monkeypatch, lambda windows=windows: windows.apply(function, nulls=nulls))
        assert ran
    _, ran = both_ways(monkeypatch, lambda: frame["x"].rolling(5).apply(described))
    assert ran
    found, ran = both_ways(monkeypatch, lambda: frame["x"].rolling(5).apply(lambda x: x[0] > 0, out="int32"))
    assert ran
    assert str(found.dtype) == "int32"


def test_windows_of_times_and_growing_ones_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.datetime64("2024-01-01") + np.arange(200).astype("timedelta64[s]")
    frame = ff.DataFrame({"t": times, "x": np.arange(200.0)})
    for windows in (frame.rolling("9s", on="t")["x"], frame["x"].expanding()):
        assert not both_ways(monkeypatch, lambda windows=windows: windows.apply(weighted))[1]
    assert not both_ways(monkeypatch, lambda: frame["x"].rolling(9).apply(lambda x: x[0] if x[0] > 3 else x[1]))[1]


def test_any_threads_chunks_and_slices_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_windows, "LANE_VALUES", 0)
    n = 200_000
    rng = np.random.default_rng(2)
    x = pa.array(rng.normal(size=n), mask=rng.random(n) < 0.01)
    whole = pa.table({"k": pa.array(rng.integers(0, 50, n)), "x": x})
    cut = pa.concat_tables([whole.slice(0, 11), whole.slice(11, 100_003), whole.slice(100_014)])
    answers = set()
    for table in (whole, cut, pa.concat_tables([whole.slice(0, 5), whole]).slice(5)):
        frame = ff.from_arrow(table)
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                one = frame["x"].rolling(20, min_periods=10).apply(weighted)
                two = frame.groupby("k")["x"].rolling(20, min_periods=10).apply(weighted)
            answers.add((one.to_numpy().tobytes(), two.to_numpy().tobytes(), one.isna().sum(), two.isna().sum()))
    assert len(answers) == 1


def test_the_lowest_failing_window_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_windows, "LANE_VALUES", 0)

    def inverse(x):   # type: ignore[no-untyped-def]
        if len(x) < 30:
            raise ValueError("short")
        return x[5]

    values = ff.Series(np.zeros(50_000))
    for threads in (1, 2, 4):
        with option_context(threads=threads), pytest.raises(FunctionError, match=r"window of row 3:.*short"):
            values.rolling(30, min_periods=4).apply(inverse)
        with option_context(threads=threads), pytest.raises(FunctionError, match="IndexError.*window of row 29:"):
            values.rolling(30).apply(lambda x: x[30])


def test_globals_are_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_windows, "LANE_VALUES", 0)
    windows = ff.Series(np.arange(40.0)).rolling(4)
    assert windows.apply(scaled).tolist()[-1] == 72.0
    monkeypatch.setitem(globals(), "_scale", 3.0)
    assert windows.apply(scaled).tolist()[-1] == 108.0


def test_the_next_process_takes_it_from_the_disk(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        import numpy as np, fastframe as ff
        from fastframe._jit.function import UserFunction
        from fastframe._jit import kernel
        from fastframe.engines.cpu import apply_windows
        apply_windows.LANE_VALUES = 0

        def weighted(x):
            total = 0.0
            for row in range(len(x)):
                total += x[row] * (row + 1)
            return total

        def branches(x):
            return x[0] if x[0] > 3 else x[1]

        for function in (weighted, branches):
            found = ff.Series(np.arange(100.0)).rolling(5).apply(function)
            (one,) = [entry.result() for entry in kernel.kernels._found.values() if entry.result().function.function is function]
            print(function.__name__, found.to_numpy().tobytes().hex(), one.compiled.together, one.compiled.returned is None)
    """))
    told = []
    for _ in range(2):
        environment = {**os.environ, "FASTFRAME_CACHE_DIR": str(tmp_path), "FASTFRAME_JIT_DISK": "1"}
        run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment)
        told.append([line.split() for line in run.stdout.splitlines()])
    assert [line[:3] for line in told[0]] == [line[:3] for line in told[1]]
    assert [line[2:] for line in told[0]] == [["True", "False"], ["False", "False"]]
    assert [line[2:] for line in told[1]] == [["True", "True"], ["False", "True"]]   # what numba made is not at hand
