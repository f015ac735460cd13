"""One contender asked one model, in a process of its own; started by `report`.

    python -m asv_benchmarks.predict.worker '{"contender": "native", "model": "xgb", "sizes": [1000000], ...}'

prints the timings as JSON and writes the answers for the most rows beside them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from asv_benchmarks.predict.contenders import CONTENDERS
from asv_benchmarks.predict.models import MODELS

SECONDS = 1.0       # for many calls of few rows
LONG_SECONDS = 8.0  # from where three calls are enough


def rows_of(name: str, n_rows: int, folder: Path) -> Any:
    """The rows that a model predicts."""
    if not MODELS[name].takes_frames:
        return np.load(folder / f"rows_{n_rows}.npy")
    import pandas as pd

    return pd.read_parquet(folder / f"rows_{n_rows}.parquet")


def timed(call: Any, repeat: int) -> list[float]:
    """Seconds of the first call and of those after it: ``repeat`` of them, more where they are short."""
    seconds: list[float] = []
    began = time.perf_counter()
    while len(seconds) <= repeat or (time.perf_counter() - began < SECONDS and len(seconds) < 20_000):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
        if time.perf_counter() - began > LONG_SECONDS and len(seconds) > 3:
            break
    return seconds


def main() -> None:
    task = json.loads(sys.argv[1])
    folder, name = Path(task["folder"]), task["model"]
    contender = CONTENDERS[task["contender"]][0]()
    start = time.perf_counter()
    contender.load(name, folder, task["threads"])
    found: dict[str, Any] = {"load": time.perf_counter() - start, "rows": {}}
    for n_rows in task["sizes"]:
        rows = contender.feed(rows_of(name, n_rows, folder))
        found["rows"][n_rows] = timed(lambda rows=rows: contender.predict(rows), task["repeat"])
    found["one"] = timed(contender.one(rows), 200)
    np.save(task["answer"], np.asarray(contender.answer(rows)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
