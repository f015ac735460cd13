"""One contender's share of the demo, in a process of its own: `python -m flight_delays.worker pandas twenty DATA OUT`.

On the set `twenty` it does the frame work; on the set `year` it trains and judges the models as well. It leaves in
OUT what the checks compare, outside the measured steps.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from flight_delays import task
from flight_delays.meter import Meter, tell


def main(contender_name: str, set_name: str, data: Path, out: Path) -> None:
    contender = importlib.import_module(f"flight_delays.in_{contender_name}")
    if set_name == "twenty":
        work_on_twenty_years(contender, data, out)
    else:
        from flight_delays import training  # here: scikit-learn and XGBoost are no part of the frame work's process

        work_on_one_year(contender, training, data, out)


def work_on_twenty_years(contender: ModuleType, data: Path, out: Path) -> None:
    meter = Meter()
    frame = frame_work(contender, data / "twenty", meter)
    tell("peak", mib=meter.peak_mib(), version=contender.VERSION)
    tell("start", step="hand over")
    ids, matrix = contender.ids(frame), contender.matrix(frame)
    if not (ids[1:] > ids[:-1]).all():
        raise AssertionError("The joins changed the order of the flights.")
    np.save(out / "ids.npy", ids)
    np.save(out / "matrix.npy", np.asfortranarray(matrix))


def work_on_one_year(contender: ModuleType, training: ModuleType, data: Path, out: Path) -> None:
    meter = Meter()
    frame = frame_work(contender, data / "year", meter)
    scores = training.train(contender, frame, meter)
    tell("peak", mib=meter.peak_mib(), version=contender.VERSION)
    tell("scores", **scores)
    tell("start", step="hand over")
    contender.write(frame, out / "year.parquet")
    tables = contender.read(data / "flipped")
    contender.write(contender.collect(contender.features(contender.join(tables))), out / "flipped.parquet")


def frame_work(contender: ModuleType, folder: Path, meter: Meter) -> Any:
    """Read, join and make features; a contender that plans first is timed as a whole."""
    if contender.__name__.rpartition("in_")[2] in task.ONE_PLAN:
        with meter.step("plan"):
            return contender.collect(contender.features(contender.join(contender.read(folder))))
    held = [folder]  # handed from step to step by pop, so that a contender can free what it no longer needs
    for step in ("read", "join", "features"):
        with meter.step(step):
            held.append(getattr(contender, step)(held.pop()))
    return held.pop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
