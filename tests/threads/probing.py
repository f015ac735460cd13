"""Runs of the probe kernel, which notes per slice who ran it, and subprocesses for what a test cannot do in its own."""

import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from fastframe._kernels.probe import probe_task
from fastframe._threads import run
from fastframe._threads._drive import Task

SLICE_ROWS = 512
MILLISECOND = 1_000_000


@dataclass
class Probe:
    """``n_slices`` slices of 512 rows (one row less in the last), each busy for ``spin_ns``."""

    n_slices: int
    spin_ns: int = 0
    fail_from: int = -1
    fail_status: int = 0

    def __post_init__(self) -> None:
        self.n_rows = self.n_slices * SLICE_ROWS - 1
        self.threads = np.zeros(self.n_slices, np.uint64)
        self.cores = np.full(self.n_slices, -2, np.int32)
        self.rows = np.zeros(self.n_slices, np.int64)

    def task(self) -> Task:
        outputs = (self.threads, self.cores, self.rows)
        addresses = tuple(array.ctypes.data for array in outputs)
        return probe_task(addresses, outputs, self.spin_ns, self.fail_from, self.fail_status)

    def run(self) -> tuple[int, int] | None:
        return run(self.task(), self.n_rows, SLICE_ROWS, operation="probing")

    @property
    def n_threads(self) -> int:
        """How many threads did slices."""
        return len(set(self.threads[self.threads != 0].tolist()))

    @property
    def is_complete(self) -> bool:
        return int(self.rows.sum()) == self.n_rows


def busy_probe() -> Probe:
    """Long enough (150 ms of one core) for a helper to wake up also on a loaded machine."""
    return Probe(150, MILLISECOND)


def threads_used() -> int:
    """How many threads an operation uses that starts here and now."""
    probe = busy_probe()
    assert probe.run() is None
    assert probe.is_complete
    return probe.n_threads


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a new interpreter of its own environment, for two minutes at most."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
