"""Frames in rough surroundings: Ctrl-C, many user threads, joblib's workers, forks. Crashes and hangs happen in children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.options import option_context

BACKENDS = ["threading", "loky", "multiprocessing"]
N_ROWS = 300_000   # above the sizes from which operations run on several threads
WITHIN = 0.2       # seconds from Ctrl-C to KeyboardInterrupt
MOMENTS = (0.03, 0.1, 0.3, 0.6, 1.0)   # seconds into the work, at which Ctrl-C comes


def table(n_rows: int = N_ROWS, seed: int = 3) -> pa.Table:
    rng = np.random.default_rng(seed)
    words = pa.array([f"word {number}" for number in range(5000)])
    return pa.table({
        "k": rng.integers(0, 1000, n_rows),
        "id": rng.permutation(n_rows),
        "x": pa.array(rng.standard_normal(n_rows), mask=rng.random(n_rows) < 0.1),
        "text": words.take(pa.array(rng.integers(0, len(words), n_rows))),
    })  # fmt: skip


VERBS: dict[str, Callable[[ff.DataFrame], ff.DataFrame]] = {
    "groupby": lambda df: df.groupby("k").agg(total=("id", "sum"), mean=("x", "mean"), n=("text", "nunique")),
    "groupby_text": lambda df: df.groupby("text").agg(total=("id", "sum"), median=("x", "median")),
    "sort": lambda df: df.sort_values(["k", "x"]),
    "sort_text": lambda df: df.sort_values("text"),
    "merge": lambda df: df.merge(df[["id", "k"]].rename(columns={"k": "other"}), on="id"),
    "filter": lambda df: df[(df["x"] > 0) & (df["k"] < 500)],
    "window": lambda df: df.assign(so_far=df.groupby("k")["id"].cumsum(), place=df["x"].rank()),
}


def all_verbs(df: ff.DataFrame) -> dict[str, pa.Table]:
    return {name: verb(df).to_arrow(index=True) for name, verb in VERBS.items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, pa.Table]:
    with option_context(threads=1):
        return all_verbs(ff.from_arrow(table()))


def test_eight_user_threads_share_a_frame(expected: dict[str, pa.Table]) -> None:
    """No fact of the frame is known yet, so all threads want to compute the same ones at once."""
    for _ in range(2):
        df = ff.from_arrow(table())
        start = threading.Barrier(8)

        def work(number: int, df: ff.DataFrame = df, start: threading.Barrier = start) -> list[tuple[str, bool]]:
            start.wait(60)
            names = list(VERBS)[number % len(VERBS) :] + list(VERBS)[: number % len(VERBS)]
            return [(name, VERBS[name](df).to_arrow(index=True).equals(expected[name])) for name in names]

        with option_context(threads=2), ThreadPoolExecutor(8) as threads:
            found = [one.result(timeout=300) for one in [threads.submit(work, number) for number in range(8)]]
        assert [wrong for one in found for wrong in one if not wrong[1]] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_inside_joblib_tasks(backend: str, expected: dict[str, pa.Table]) -> None:
    """The frame travels to the workers: by reference, by pickle, or by a fork of a process whose pool has run."""
    df = ff.from_arrow(table())
    with option_context(threads=2):
        assert VERBS["sort"](df).to_arrow(index=True).equals(expected["sort"])   # the pool has threads now
    with joblib.parallel_config(backend, n_jobs=2):
        found = joblib.Parallel()(joblib.delayed(all_verbs)(df) for _ in range(3))
    for one in found:
        assert [name for name in VERBS if not one[name].equals(expected[name])] == []


def test_a_pickled_slice_is_small_and_whole() -> None:
    import pickle

    df = ff.from_arrow(table()).iloc[1001:1011]
    sent = pickle.dumps(df)
    assert len(sent) < 20_000   # not the 300,000 rows that it is a slice of
    assert pickle.loads(sent).to_arrow(index=True).equals(df.to_arrow(index=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_forked_children_work_after_the_parent_used_the_pool() -> None:
    code = """
        import os
        from tests.frame.test_robustness import all_verbs, ff, table
        ff.options.threads = 2
        df = ff.from_arrow(table())
        expected = all_verbs(df)
        for fresh in (False, True):     # facts that the parent has computed, and its own
            child = os.fork()
            if child == 0:
                found = all_verbs(ff.from_arrow(table()) if fresh else df)
                os._exit(0 if all(found[name].equals(expected[name]) for name in expected) else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        again = all_verbs(df)
        print(all(again[name].equals(expected[name]) for name in expected))
    """
    done = python(code)
    assert done.stdout.split() == ["0", "0", "True"], done.stderr


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own; a hang fails after five minutes."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


INTERRUPTED: dict[str, Callable[[ff.DataFrame, Path], Any]] = {
    **{name: lambda df, folder, verb=verb: verb(df) for name, verb in VERBS.items()},
    "concat": lambda df, folder: ff.concat([df, df, df]),
    "read_parquet": lambda df, folder: ff.read_parquet(folder / "t.parquet"),
    "read_feather": lambda df, folder: ff.read_feather(folder / "t.feather"),
}


def runqueue_delay() -> dict[str, float]:
    """Seconds that each of our threads was ready and waited for a core: other processes' doing, not ours."""
    delays = {}
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/schedstat") as times:
            delays[thread] = int(times.read().split()[1]) / 1e9
    return delays


def interrupt(operation: Callable[[], Any], after: float) -> float:
    """Seconds from a SIGINT, sent ``after`` seconds into repetitions of an operation, to its KeyboardInterrupt.

    On a machine that others use, too: less what our threads waited for cores at most, and never more than the CPU time
    that we used meanwhile. A virtual machine may stand still for seconds.
    """
    sent: list[tuple[float, float, dict[str, float]]] = []

    def send() -> None:
        delays = runqueue_delay()
        sent.append((time.monotonic(), time.process_time(), delays))
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(after, send)
    timer.start()
    try:
        while True:
            operation()
    except KeyboardInterrupt:
        raised, used, now = time.monotonic(), time.process_time(), runqueue_delay()
    timer.join()
    ((begun, used_before, before),) = sent
    starved = max(now[thread] - before.get(thread, 0.0) for thread in now)
    return min(raised - begun - starved, used - used_before)


def interrupted_child(name: str, folder: str, n_rows: int) -> None:
    """Interrupt an operation at several moments; prints the times and whether the frame is what it was."""
    ff.options.threads = 2
    whole = table(n_rows)
    df = ff.from_arrow(whole)
    operation = INTERRUPTED[name]
    small = df.iloc[:1000]
    small.to_parquet(Path(folder) / "t.parquet")
    small.to_feather(Path(folder) / "t.feather")
    operation(small, Path(folder))   # imports
    if name.startswith("read"):
        getattr(df, name.replace("read", "to"))(Path(folder) / f"t.{name.removeprefix('read_')}")
    for after in MOMENTS:
        fresh = ff.from_arrow(whole)   # no facts yet
        print(interrupt(lambda fresh=fresh: operation(fresh, Path(folder)), after), flush=True)
        assert fresh.to_arrow().equals(whole)
    print(operation(df.iloc[:1000], Path(folder)) is not None)


@pytest.mark.skipif(sys.platform != "linux", reason="schedstat is Linux'")
@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_stops_an_operation_soon(name: str, tmp_path: Path) -> None:
    n_rows = 2_000_000
    done = python(f"from tests.frame.test_robustness import interrupted_child; interrupted_child({name!r}, {str(tmp_path)!r}, {n_rows})")
    assert done.returncode == 0, done.stderr
    *times, works = done.stdout.split()
    assert works == "True"
    assert len(times) == len(MOMENTS)
    assert max(float(one) for one in times) < WITHIN, times
