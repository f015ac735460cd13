"""Runs the contenders one after another, each in processes of its own, shows progress, checks and reports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from flight_delays import checks, cores, data, report, results, table, task

EXAMPLES = Path(__file__).resolve().parent.parent

LOG_WIDTH = 120
"""Columns of the table where the output is no terminal."""

SET_TITLES = {"twenty": "twenty years", "year": "one year"}


def run(contenders: list[str], data_folder: Path, report_file: Path) -> bool:
    """The whole demo. Returns whether every check passed."""
    console, started = Console(), time.perf_counter()
    if not console.is_terminal:
        console = Console(width=LOG_WIDTH)
    with console.status("Writing New York's flights of 2013, and twenty shifted copies of them, as Parquet"):
        description = data.prepare(data_folder)
    n_rows = {name: description[name]["rows"] for name in results.SETS}
    console.print(f"{n_rows['year']:,} flights and, twenty times shifted, {n_rows['twenty']:,}, in {data_folder}")
    runs: results.Runs = {}
    found: list[checks.Check] = []
    handed_over = data_folder / "handed_over"
    shutil.rmtree(handed_over, ignore_errors=True)
    try:
        with _progress(console) as progress:
            for name in contenders:
                runs[name] = _run_contender(name, data_folder, handed_over, progress)
                found += _check(name, contenders[0], runs, handed_over, description)
            year = handed_over / contenders[0] / "year.parquet"
            own_function = _run_own_function(year, progress)
            models = _run_models(year, progress)
            found += [checks.same_function(own_function), *map(checks.same_bits, models.compiled), checks.stranger_refused(models.stranger)]
    finally:
        shutil.rmtree(handed_over, ignore_errors=True)
    sections = results.sections(runs, n_rows)
    seconds = time.perf_counter() - started
    extras = results.Extras(own_function, models.compiled)
    table.show(console, sections, contenders, extras, found)
    report_file.write_text(report.page(sections, found, runs, extras=extras, seconds=seconds), encoding="utf-8")
    console.print(f"\n{seconds:.0f} seconds in all. The report: {report_file.resolve().as_uri()}")
    return all(check.passed for check in found)


def _progress(console: Console) -> Progress:
    """A line with a spinner per running worker; it gives way to a lasting line when the worker is done."""
    return Progress(SpinnerColumn(), TextColumn("{task.fields[who]}: {task.description}"), MofNCompleteColumn(),
                    TimeElapsedColumn(), console=console, transient=True)


def _run_contender(name: str, data_folder: Path, handed_over: Path, progress: Progress) -> dict[str, results.Run]:
    (handed_over / name).mkdir(parents=True)
    return {set_name: _run_worker(name, set_name, data_folder, handed_over, progress) for set_name in results.SETS}


def _run_worker(name: str, set_name: str, data_folder: Path, handed_over: Path, progress: Progress) -> results.Run:
    """One contender on one set."""
    arguments = ["flight_delays.worker", name, set_name, str(data_folder), str(handed_over / name)]
    found, who = results.Run(), f"{name}, {SET_TITLES[set_name]}"
    _listen(arguments, who, progress, total=_n_steps(name, set_name), take=lambda event, bar: _take_event(event, found, progress, bar))
    seconds = f"{found.frame_seconds():.1f} s of frame work, {sum(found.seconds.values()):.1f} s in all"
    progress.console.print(f"{who}: {seconds}", highlight=False)
    return found


def _run_own_function(year: Path, progress: Progress) -> results.OwnFunction:
    """A plain Python function by plane, in pandas and in fastframe."""
    found: list[results.OwnFunction] = []

    def take(event: dict[str, Any], bar: TaskID) -> None:
        match event:
            case {"event": "start", "step": step}:
                progress.update(bar, description=step)
            case {"event": "own function", **facts}:
                found.append(results.OwnFunction(**facts))
                progress.advance(bar)

    _listen(["flight_delays.own_function", str(year)], "own function", progress, total=1, take=take)
    return found[0]


def _run_models(year: Path, progress: Progress) -> results.Models:
    """Fitted models by themselves and compiled, on the features that a contender left."""
    found = results.Models()

    def take(event: dict[str, Any], bar: TaskID) -> None:
        match event:
            case {"event": "start", "step": step}:
                progress.update(bar, description=step)
            case {"event": "compiled", **facts}:
                found.compiled.append(results.Compiled(**facts))
                progress.advance(bar)
            case {"event": "stranger", **facts}:
                found.stranger = facts

    _listen(["flight_delays.compiled", str(year)], "compiled models", progress, total=len(results.MODELS) + 1, take=take)
    return found


def _listen(arguments: list[str], who: str, progress: Progress, *, total: int, take: Callable[[dict[str, Any], TaskID], None]) -> None:
    """One process, its events read line by line as they come."""
    path = os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")])
    environment = cores.environment() | {"PYTHONPATH": path}
    bar = progress.add_task("imports", who=who, total=total)
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as worker:
            assert worker.stdout is not None
            for line in worker.stdout:
                take(json.loads(line), bar)
        if worker.returncode:
            errors.seek(0)
            progress.stop()
            raise SystemExit(f"{errors.read()}\n{who}: failed; see above.")
    progress.remove_task(bar)


def _n_steps(name: str, set_name: str) -> int:
    frame_steps = 1 if name in task.ONE_PLAN else len(results.FRAME_STEPS) - 1
    return frame_steps if set_name == "twenty" else frame_steps + len(results.STEPS) - len(results.FRAME_STEPS)


def _take_event(event: dict[str, Any], found: results.Run, progress: Progress, bar: TaskID) -> None:
    match event:
        case {"event": "start", "step": step}:
            progress.update(bar, description=results.STEPS.get(step, step))
        case {"event": "step", "step": step, "seconds": seconds}:
            found.seconds[step] = seconds
            progress.advance(bar)
        case {"event": "peak", "mib": mib, "version": version}:
            found.peak_mib, found.version = mib, version
        case {"event": "scores", **scores}:
            found.scores = scores


def _check(name: str, reference: str, runs: results.Runs, handed_over: Path,
           description: dict[str, Any]) -> list[checks.Check]:
    ours, theirs = handed_over / name, handed_over / reference
    found = [checks.joins(name, ours, description), checks.no_leak(name, ours)]
    if name != reference:
        scores = runs[name]["year"].scores, runs[reference]["year"].scores
        found += [checks.same_year(name, ours, theirs, reference), checks.same_twenty(name, ours, theirs, reference),
                  checks.same_scores(name, *scores, reference)]
        shutil.rmtree(ours)
    return found
