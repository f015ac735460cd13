"""`compare predict`: every contender and model in turn, answers checked against the native model's, one table."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from asv_benchmarks import data
from asv_benchmarks.contenders import thread_environment
from asv_benchmarks.predict.contenders import CONTENDERS, OURS, TOO_LARGE
from asv_benchmarks.predict.models import MODELS, prepare

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 240   # for one contender and model: tl2cgen compiles some forests for hours


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m asv_benchmarks.compare predict", description=__doc__)
    parser.add_argument("--rows", nargs="+", type=lambda text: int(float(text)), default=[1, 100, 10_000, 1_000_000])
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    parser.add_argument("--repeat", type=int, default=5, help="calls after the first")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--json", type=Path, default=data.FOLDER / "results" / "predict.json")
    return parser.parse_args(arguments)


def ask(task: dict[str, Any], environment: str) -> dict[str, Any]:
    """The timings of one contender and model, or what went wrong as ``error``."""
    python = ROOT / environment / "bin" / "python" if environment else Path(sys.executable)
    if not python.exists():
        return {"error": f"not installed: make {environment}"}
    settings = {**thread_environment(task["threads"]), "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run([str(python), "-W", "ignore", "-m", "asv_benchmarks.predict.worker", json.dumps(task)], cwd=ROOT, env=settings,
                              capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {LIMIT_SECONDS} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def difference(native: Path, answer: Path) -> str:
    """How an answer differs from the native one: "same bits", or the largest difference."""
    right, given = np.load(native), np.load(answer)
    if given.ndim != right.ndim:
        given = given.reshape(right.shape)
    if right.dtype == given.dtype and right.tobytes() == given.tobytes():
        return "same bits"
    return f"max |d| {np.abs(right.astype(float) - given.astype(float)).max():.2g}"


def measure(chosen: argparse.Namespace, folder: Path, out: Path) -> list[dict[str, Any]]:
    """One line per model, number of threads and contender."""
    lines = []
    for name in chosen.models:
        for threads in chosen.threads:
            for contender in chosen.contenders:
                _, environment, libraries = CONTENDERS[contender]
                if MODELS[name].library not in libraries or name in TOO_LARGE.get(contender, ()):
                    continue
                print(f"{name} {threads} threads {contender} ...", file=sys.stderr, flush=True)
                answer = out / f"{name}_{threads}_{contender}.npy"
                task = {"contender": contender, "model": name, "threads": threads, "sizes": sorted(chosen.rows), "repeat": chosen.repeat,
                        "folder": str(folder), "answer": str(answer)}  # fmt: skip
                found = ask(task, environment)
                native = out / f"{name}_{threads}_native.npy"
                if "error" not in found and contender != "native" and native.exists():
                    found["difference"] = difference(native, answer)
                lines.append({"model": name, "threads": threads, "contender": contender, **found})
                keep(chosen.json, lines)   # a comparison takes long: what it has found survives it
    return lines


def keep(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write what was measured so far, with the versions it was measured with."""
    libraries = {name: version(name) for name in ("numpy", "pyarrow", "scikit-learn", "xgboost-cpu", "lightgbm")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"versions": libraries, "load": os.getloadavg(), "lines": lines}, indent=1))


def median(line: dict[str, Any], n_rows: int) -> float:
    """Of the calls after the first."""
    seconds = line["rows"][str(n_rows)]
    return statistics.median(seconds[1:] or seconds)


def show(lines: list[dict[str, Any]], sizes: list[int], console: Console) -> None:
    """The table: seconds for the most rows, ratios, microseconds for fewer, and the latency of one row."""
    most = max(sizes)
    table = Table(title=f"predict: medians; load: fitted model to ready; s for {most:,} rows, µs for fewer", title_justify="left", box=SIMPLE_HEAD)
    fewer = [one for one in sorted(sizes) if one != most]
    sizes_left = [f"{one:,} µs" for one in fewer]
    for heading in ("model", "threads", "who", "load s", f"{most:,}", "/ native", "/ best peer", *sizes_left, "row p50 µs", "row p99 µs", "answers"):
        table.add_column(heading, justify="left" if heading in ("model", "who", "answers") else "right", no_wrap=True)
    for line in lines:
        if "error" in line:
            table.add_row(line["model"], str(line["threads"]), line["contender"], *["-"] * (len(table.columns) - 4), line["error"][:60])
            continue
        beside = [one for one in lines if (one["model"], one["threads"]) == (line["model"], line["threads"]) and "error" not in one]
        native = [median(one, most) for one in beside if one["contender"] == "native"]
        peers = [median(one, most) for one in beside if one["contender"] not in OURS]
        own = median(line, most)
        ratios = [f"{own / native[0]:.3f}" if native else "-", f"{own / min(peers):.3f}" if peers and line["contender"] in OURS else "-"]
        one = sorted(line.get("one", []))
        latency = [f"{1e6 * one[int(len(one) * share)]:.1f}" for share in (0.5, 0.99)] if one else ["-", "-"]
        table.add_row(line["model"], str(line["threads"]), line["contender"], f"{line['load']:.2f}", f"{own:.3f}", *ratios,
                      *(f"{1e6 * median(line, size):.1f}" for size in fewer), *latency, line.get("difference", ""))  # fmt: skip
    console.print(table)


def main(arguments: list[str]) -> int:
    """Measure, check, print, write; 1 where our bits are not the native model's."""
    chosen = parse(arguments)
    folder = data.FOLDER / "predict"
    prepare(chosen.models, chosen.rows, folder)
    with tempfile.TemporaryDirectory(prefix="fastframe-predict-") as out:
        lines = measure(chosen, folder, Path(out))
    show(lines, chosen.rows, Console(width=220))
    wrong = [line for line in lines if line["contender"] in OURS and line.get("difference", line.get("error")) != "same bits"]
    return 1 if wrong else 0
