"""A function of one's own: `python -m flight_delays.own_function YEAR.parquet` tells how long pandas and fastframe take with it.

The function is plain Python. It walks through one plane's flights, day after day, and says how tired the
plane is before each: every late arrival adds to it, every flight halves it. No library has it built in, and no expression
over whole columns says it. It sees the earlier flights only. The year is asked for as many times over as `COPIES` says, each
copy with planes of its own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fastframe as ff
from flight_delays import cores
from flight_delays.meter import tell

COPIES = 20
CALLS = 5           # of ours, after the first


def tiredness(late):   # no types and no decorator: as a user writes it
    tired = 0.0
    before = np.empty(len(late))
    for flight in range(len(late)):
        before[flight] = tired
        tired = 0.5 * tired + (1.0 if late[flight] else 0.0)
    return before


def flights_of(year: Path) -> pd.DataFrame:
    """``plane``, ``late``: the year's flights that arrived, `COPIES` times over."""
    one = pd.read_parquet(year, columns=["tailnum", "late"]).dropna()
    planes = pd.factorize(one["tailnum"])[0]
    late = one["late"].to_numpy("bool")
    copies = np.arange(COPIES).repeat(len(one))
    return pd.DataFrame({"plane": np.tile(planes, COPIES) + copies * (planes.max() + 1), "late": np.tile(late, COPIES)})


def timed(call: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start


def ours(frame: ff.DataFrame, threads: int) -> tuple[np.ndarray, float, float]:
    """The answer, seconds of the first call and the median of some more, on so many threads."""
    seconds = []
    with ff.option_context(threads=threads):
        for _ in range(CALLS + 1):
            answer, one = timed(lambda: frame.groupby("plane")["late"].transform(tiredness))
            seconds.append(one)
    return answer.to_numpy(), seconds[0], float(np.median(seconds[1:]))


def main(year: Path) -> None:
    flights = flights_of(year)
    tell("start", step="a function of one's own, pandas")
    theirs, pandas_seconds = timed(lambda: flights.groupby("plane")["late"].transform(lambda one: tiredness(one.to_numpy())))
    tell("start", step="a function of one's own, fastframe")
    frame = ff.from_pandas(flights)
    answer, first, on_one = ours(frame, 1)
    n_threads = cores.n_threads()
    on_all = ours(frame, n_threads)
    same = theirs.to_numpy().tobytes() == answer.tobytes() == on_all[0].tobytes()
    tell("own function", rows=len(flights), planes=int(flights["plane"].nunique()), threads=n_threads, same_bits=same, pandas=pandas_seconds,
         first=first, on_one=on_one, on_all=on_all[2])  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
