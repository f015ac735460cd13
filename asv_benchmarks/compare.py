"""fastframe beside pandas, polars, duckdb and pyarrow: one run, equal threads, checked answers, ratios; `predict` beside the models.

    python -m asv_benchmarks.compare groupby --rows 1e7 --threads 2

The exit status is 1 where an answer differs or a contender failed. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from asv_benchmarks import cases, data, runs
from asv_benchmarks.contenders import CONTENDERS
from asv_benchmarks.questions import FAMILIES, Question
from asv_benchmarks.worker import Timing
from fastframe._version import __version__

LIBRARIES = ("numpy", "pyarrow", "pandas", "polars", "duckdb")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m asv_benchmarks.compare", description=__doc__.splitlines()[0])      # type: ignore[union-attr]
    parser.add_argument("family", choices=sorted(FAMILIES), help="or predict, which has options of its own")
    parser.add_argument("--rows", type=lambda text: int(float(text)), help="rows of the main table (default 1e7; small: 1e3)")
    parser.add_argument("--groups", type=lambda text: int(float(text)), help="values of the small keys; the large keys have rows / groups")
    parser.add_argument("--nulls", type=float, default=0.0, help="share of missing values, for example 0.05")
    parser.add_argument("--zipf", type=float, default=0.0, help="0: keys drawn evenly; else the exponent of their Zipf law, 1.1 for example")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--repeat", type=int, default=5, help="calls after the first; at least 5 for figures that are quoted")
    parser.add_argument("--contenders", nargs="+", choices=sorted(CONTENDERS), help="whom to ask (default: all that the family names)")
    parser.add_argument("--questions", nargs="+", metavar="NAME", help="which questions, or which cases (default: all)")
    parser.add_argument("--json", type=Path, help="where the figures go (default: data/bench/results/)")
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="folder of the generated tables")
    chosen = parser.parse_args(arguments)
    family = FAMILIES[chosen.family]
    known = cases.CASES if chosen.family == "cases" else family.by_name
    unknown = [name for name in chosen.questions or () if name not in known]
    if unknown:
        parser.error(f"{chosen.family} has no question {', '.join(unknown)}; it has {', '.join(known)}")
    chosen.rows = chosen.rows or family.rows
    chosen.groups = chosen.groups or family.groups
    return chosen


def settings_of(chosen: argparse.Namespace) -> runs.Settings:
    family = FAMILIES[chosen.family]
    size = data.Size(chosen.rows, chosen.groups, chosen.nulls, chosen.zipf)
    return runs.Settings(
        chosen.family, size, chosen.threads, chosen.repeat, chosen.contenders or family.contenders, chosen.questions or list(family.by_name), chosen.data
    )


def median_seconds(timing: Timing) -> float:
    """Median of the calls after the first."""
    return statistics.median(timing.seconds[1:] or timing.seconds)


def best_peer(question: Question, settings: runs.Settings, timings: runs.Timings) -> tuple[str, float] | None:
    """Name and median of the fastest peer, in whatever layout it is fastest."""
    name = question.base or question.name
    peers = [
        (median_seconds(timings[contender][name]), contender)
        for contender in settings.contenders
        if not CONTENDERS[contender].ours and name in timings[contender] and not timings[contender][name].error
    ]
    return (min(peers)[1], min(peers)[0]) if peers else None


def summary(settings: runs.Settings, timings: runs.Timings, differing: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """One line per question: medians, first calls, the best peer, our ratios to it, and whether the answers agree."""
    lines = []
    for name in settings.questions:
        question = settings.chosen.by_name[name]
        asked = {contender: timings[contender][name] for contender in settings.contenders if name in timings[contender]}
        if not asked:
            continue
        peer = best_peer(question, settings, timings)
        answered = {contender: timing for contender, timing in asked.items() if not timing.error}
        problems = {contender: timing.error for contender, timing in asked.items() if timing.error}
        problems |= {contender: text for contender, text in differing.get(name, {}).items() if text}
        medians = {contender: median_seconds(timing) for contender, timing in answered.items()}
        lines.append({
            "question": name,
            "text": question.text,
            "median": medians,
            "first": {contender: timing.seconds[0] for contender, timing in answered.items()},
            "best_peer": peer[0] if peer else None,
            "ratio": {one: medians[one] / peer[1] for one in medians if CONTENDERS[one].ours} if peer else {},
            "checked": bool(differing.get(name)),
            "problems": problems,
            "runs": {contender: asdict(timing) for contender, timing in asked.items()},
        })  # fmt: skip
    return lines


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def show(settings: runs.Settings, lines: list[dict[str, Any]], console: Console) -> None:
    """The table: under each contender the median, and the first call in brackets."""
    unit, factor, digits = ("µs", 1e6, 1) if settings.chosen.per_call else ("s", 1.0, 4)
    size = settings.size
    title = f"{settings.family}: {size.rows:,} rows, {size.groups} groups, {size.nulls:.0%} missing, zipf {size.zipf:g}, {settings.threads} threads; "
    table = _table(title + f"{unit}, median of {settings.repeat} calls (first call)")
    for heading in ("question", *(name.replace("-", "\n") for name in settings.contenders)):
        table.add_column(heading, justify="left" if heading == "question" else "right", no_wrap=True)
    ours = [name for name in settings.contenders if CONTENDERS[name].ours]
    for heading in ("best peer", *(f"{name.replace('-', chr(10))}\n/ best" for name in ours), "answers"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        cells = [
            f"{line['median'][name] * factor:.{digits}f}\n({line['first'][name] * factor:.{digits}f})"
            if name in line["median"] else "FAILED" if name in line["problems"] else "-"
            for name in settings.contenders
        ]  # fmt: skip
        ratios = [f"{line['ratio'][name]:.2f}" if name in line["ratio"] else "-" for name in ours]
        verdict = "[red]DIFFERS[/]" if line["problems"] else "ok" if line["checked"] else "-"
        table.add_row(f"{line['question']}\n[dim]{line['text']}[/]", *cells, (line["best_peer"] or "-").replace("-", "\n"), *ratios, verdict)
    console.print(table)
    for line in lines:
        for contender, text in line["problems"].items():
            console.print(f"[red]{line['question']} {contender}: {text}[/]")


def show_cases(settings: runs.Settings, lines: list[dict[str, Any]], console: Console) -> None:
    """One row per case, question and layout of ours."""
    size = settings.size
    table = _table(f"cases of {size.rows:,} rows, {settings.threads} threads; medians of {settings.repeat} calls, s; worse: more than {cases.WITHIN} times")
    for heading in ("case", "question", "who", "s", "best peer", "s", "ratio", "plain ratio", "times", "verdict"):
        table.add_column(heading, justify="left" if heading in ("case", "question", "who", "best peer") else "right", no_wrap=True)
    for row in cases.rows_of(lines):
        table.add_row(*row)
    console.print(table)
    for line in lines:
        for contender, text in line.get("problems", {}).items():
            console.print(f"[red]{line['case']}, {line['question']}, {contender}: {text}[/]")


def show_cold_parts(lines: list[dict[str, Any]], console: Console) -> None:
    """Of each cold answer: seconds of the import and of the question."""
    table = _table("cold: medians apart, import + answer, seconds")
    names = list(lines[0]["runs"])
    for heading in ("question", *names):
        table.add_column(heading, justify="left" if heading == "question" else "right")
    for line in lines:
        cells = []
        for name in names:
            parts = line["runs"][name]["parts"]
            cells.append(" + ".join(f"{statistics.median(parts[part][1:] or parts[part] or [float('nan')]):.3f}" for part in ("import", "answer")))
        table.add_row(line["question"], *cells)
    console.print(table)


def show_imports(found: dict[str, list[dict[str, float]]], console: Console) -> None:
    """Milliseconds of importing each library in a fresh process."""
    table = _table("import in a fresh process, ms, median")
    for heading in ("library", "after numpy and pyarrow", "with them"):
        table.add_column(heading, justify="right")
    for module, several in found.items():
        medians = [statistics.median(one[part] for one in several[1:] or several) for part in ("after numpy and pyarrow", "all")]
        table.add_row(module, *(f"{1000 * one:.1f}" for one in medians))
    console.print(table)


def environment(settings: runs.Settings) -> dict[str, Any]:
    """What a reader needs to know about where the figures come from."""
    return {
        "family": settings.family,
        "size": asdict(settings.size),
        "threads": settings.threads,
        "repeat": settings.repeat,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "load_at_start": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {"fastframe": __version__, **{name: version(name) for name in LIBRARIES}},
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, compare, print, write; 1 where an answer differs or a contender failed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["predict"]:   # models instead of tables: a comparison of its own
        from asv_benchmarks.predict import report as predict

        return predict.main(arguments[1:])
    chosen = parse(arguments)
    settings = settings_of(chosen)
    console = Console(width=max(Console().width, 250))     # rows are worth more than a fit to the terminal
    report = {"environment": environment(settings)}

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if settings.family == "cases":
        lines = cases.measure(settings, chosen.questions or list(cases.CASES), summary, say)
        show_cases(settings, lines, console)
    else:
        with tempfile.TemporaryDirectory(prefix="fastframe-compare-") as out:
            timings = runs.measure(settings, Path(out), say)
            lines = summary(settings, timings, runs.disagreements(settings, timings, Path(out)))
        show(settings, lines, console)
    report["lines"] = lines
    if settings.family == "cold" and lines:
        show_cold_parts(lines, console)
    if settings.family == "small":
        report["imports"] = runs.measure_imports(("fastframe", "pandas", "polars"), settings.repeat, settings.threads)
        show_imports(report["imports"], console)
    target = chosen.json or data.FOLDER / "results" / f"{settings.family}_{settings.size.name}_{settings.threads}threads.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1))
    console.print(f"written to {target}")
    return 1 if any(line.get("problems") for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
