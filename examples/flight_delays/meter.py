"""Seconds of each step and peak memory above the imports, measured inside a contender's own process."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MIB = 2**20


class Meter:
    """Times steps and tells the parent process about them, one line of JSON each on stdout.

    Make it after the imports and before the work: what the process holds then is the baseline of `peak_mib`.
    """

    def __init__(self) -> None:
        # Linux only; elsewhere the peak starts with the process, and a peak of the imports would be the baseline.
        with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        self._baseline = _peak_bytes()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        tell("start", step=name)
        started = time.perf_counter()
        yield
        tell("step", step=name, seconds=time.perf_counter() - started)

    def peak_mib(self) -> float:
        """The most memory held at any time since this meter was made, in MiB above what was held then."""
        return (_peak_bytes() - self._baseline) / MIB


def tell(event: str, **facts: Any) -> None:
    """Send one event to the parent process."""
    print(json.dumps({"event": event, **facts}), flush=True)


def _peak_bytes() -> int:
    with suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
