"""What happens where the system gives no memory: an error that names the operation, and a process that goes on.

A child's address space is limited to what it has and a little more, again and again with another little, so that an
operation fails at one allocation after another: outputs, scratch, hash tables, NumPy's and Arrow's own.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import OutOfMemory, ShapeError

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space, and /proc, are Linux'"),
    pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer itself maps terabytes"),
]

N_ROWS = 600_000   # codes of two bytes are more than malloc serves
MEGABYTES = (0, 1, 2, 4, 7, 12, 25, 50)   # what a child gets beyond what it has
REVERSED = np.arange(N_ROWS - 1, -1, -1)

Operation = Callable[[ff.DataFrame, ff.DataFrame], Any]
# Each with the specs, one of which its error names: df[df['x'] > 0.1] is two.
OPERATIONS: dict[str, tuple[str, Operation]] = {
    "take": ("take", lambda df, other: df.iloc[REVERSED]),
    "filter": ("filter project", lambda df, other: df[df["x"] > 0.1]),
    "sort": ("sort", lambda df, other: df.sort_values(["x", "k"])),
    "sort_text": ("sort", lambda df, other: df.sort_values("text")),
    "groupby_few": ("groupby", lambda df, other: df.groupby("k").sum(numeric_only=True)),
    "groupby_many": ("groupby", lambda df, other: df.groupby("id").agg({"x": "mean", "k": "nunique"})),
    "groupby_text": ("groupby", lambda df, other: df.groupby("text")["x"].median()),
    "groupby_hashed": ("groupby", lambda df, other: df.groupby("x")["k"].max()),
    "transform": ("window", lambda df, other: df.groupby("id")["x"].transform("sum")),
    "rank": ("window", lambda df, other: df["x"].rank()),
    "merge": ("join", lambda df, other: df.merge(other, on="id")),
    "merge_text": ("join", lambda df, other: df.merge(other, on="text", how="left")),
    "merge_outer": ("join", lambda df, other: df.merge(other, on="x", how="outer")),
    "concat": ("concat", lambda df, other: ff.concat([df, df], ignore_index=True)),
    "arithmetic": ("project", lambda df, other: df["x"] * 2 + df["id"]),
    "text": ("project", lambda df, other: df["text"].str.upper()),
    "to_matrix": ("to_matrix", lambda df, other: df.to_matrix(["x", "k", "gaps"], dtype="float64")),
}  # fmt: skip


def tables() -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(5)
    numbers = rng.permutation(N_ROWS)
    gaps = pa.array(numbers, mask=rng.random(N_ROWS) < 0.2)
    text = [f"text number {number}" for number in numbers // 2]
    left = pa.table({"id": numbers, "k": numbers % 997, "x": rng.random(N_ROWS), "gaps": gaps, "text": text})
    return left, left.slice(0, N_ROWS // 4).rename_columns(["id", "k2", "x", "gaps2", "text"])


@contextmanager
def limited(megabytes: int) -> Iterator[None]:
    """So many megabytes of address space beyond what the process has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGESIZE") + (megabytes << 20), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def outcome(result: Any) -> Any:
    """A result in memory of its own, to be compared."""
    return result.copy() if isinstance(result, np.ndarray) else pa.chunked_array([result.to_arrow()]) if hasattr(result, "dtype") else result.to_arrow()


def same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one.equals(other))


def attempt(operation: Operation, df: ff.DataFrame, other: ff.DataFrame, megabytes: int) -> tuple[Any, OutOfMemory | None]:
    """The result, or the error; any other exception than ours ends the child."""
    try:
        with limited(megabytes):
            return operation(df, other), None
    except OutOfMemory as error:
        return None, error.with_traceback(None)   # whose frames hold what was allocated


def child(name: str) -> None:
    """Run an operation under one limit after another; prints each failure's message, and how many runs succeeded."""
    specs, operation = OPERATIONS[name]
    ff.options.pool_bytes = 0   # kept blocks would serve requests that the system refuses
    ff.options.threads = 2
    left, right = tables()
    expected = outcome(operation(ff.from_arrow(left), ff.from_arrow(right)))   # also imports, and starts the threads
    n_done = 0
    for megabytes in MEGABYTES:
        df, other = ff.from_arrow(left), ff.from_arrow(right)   # no facts that another run paid for
        pa.default_memory_pool().release_unused()
        ctypes.CDLL(None).malloc_trim(0)   # free memory of malloc is address space that the limit does not see
        result, failure = attempt(operation, df, other, megabytes)
        if failure is None:
            n_done += 1
            assert same(outcome(result), expected), f"another result with {megabytes} MB"
        else:
            assert failure.operation.split()[0] in specs.split(), failure
            print(f"failed: {failure}")
        result = failure = None
        assert same(outcome(operation(df, other)), expected), f"another result after a failure with {megabytes} MB"
    print(f"done: {n_done}")


@pytest.mark.parametrize("name", OPERATIONS)
def test_without_memory(name: str) -> None:
    code = f"from tests.engines.test_memory_limits import child; child({name!r})"
    system = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}   # Arrow's own pool holds a gigabyte of addresses ahead
    done = subprocess.run([sys.executable, "-c", code], env=system, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    *failed, last = done.stdout.splitlines()
    assert len(failed) + int(last.removeprefix("done: ")) == len(MEGABYTES)
    assert failed, "no limit was tight"
    assert all("than the system gives. Nothing was changed." in line for line in failed)
    assert any("GB of memory" in line for line in failed), failed   # at least the outputs' sizes are known


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_a_fan_out_is_refused_before_memory_is_asked_for(how: str) -> None:
    """50,000 x 50,000 pairs of one key: row numbers alone would be 20 GB."""
    ones = ff.DataFrame({"k": np.ones(50_000, np.int64), "v": np.arange(50_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with limited(1000), pytest.raises(ShapeError, match="the join would make 2500000000 rows, more than the 2147483647"):
        ones.merge(ones, on="k", how=how)
    assert resource.getrlimit(resource.RLIMIT_AS) == (soft, hard)
