"""How much faster two threads are than one, question by question, and what keeps them from twice.

    python -m asv_benchmarks.scaling groupby --rows 1e7

One process asks each question with every number of threads in turn, so a machine that gets busy gets busy for all of them;
the ratio is that of the fastest calls. Then the question is asked under `ff.profile`, with the fewest and with the most
threads. Where the ratio is below Amdahl's, time went into helpers' late start and early end, to other programs ("no core"),
or the work itself grew: threads that share caches and memory take longer for the same ("work", time on cores over that of
the fewest threads).
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import fastframe as ff
from asv_benchmarks import data
from asv_benchmarks.contenders import CONTENDERS, Contender, as_dictionaries, limit_threads
from asv_benchmarks.questions import FAMILIES, Family, Question
from fastframe.profiling import Profile

LEAST_SECONDS = 0.01   # a question that takes one thread less is not held to the target
TARGET = 1.75          # of two threads over one
OURS = [name for name, one in CONTENDERS.items() if one.ours]


@dataclass
class Scaling:
    """Of one question: seconds of every call by number of threads, and what the profile says about the most threads."""

    question: str
    seconds: dict[int, list[float]]
    serial: float
    start: float
    imbalance: float
    no_core: float
    law: float
    work: float
    memory: float

    def best(self, threads: int) -> float:
        return min(self.seconds[threads])

    @property
    def ratio(self) -> float:
        """The fastest call with the fewest threads over that with the most."""
        return self.best(min(self.seconds)) / self.best(max(self.seconds))

    @property
    def is_short(self) -> bool:
        return self.best(min(self.seconds)) < LEAST_SECONDS


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m asv_benchmarks.scaling", description=__doc__.splitlines()[0])      # type: ignore[union-attr]
    parser.add_argument("family", choices=sorted(name for name, one in FAMILIES.items() if not one.per_call and name != "cold"))
    parser.add_argument("--rows", type=lambda text: int(float(text)), help="rows of the main table (default 1e7)")
    parser.add_argument("--groups", type=lambda text: int(float(text)), help="values of the small keys")
    parser.add_argument("--nulls", type=float, default=0.0, help="share of missing values")
    parser.add_argument("--skew", type=float, default=0.0, help="0: keys drawn evenly; 1: a key's rank is an even draw squared; ...")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads (default: 1 2)")
    parser.add_argument("--repeat", type=int, default=7, help="calls with each number of threads, after one to warm up")
    parser.add_argument("--contender", choices=OURS, default="fastframe-cat", help="layout of text columns")
    parser.add_argument("--questions", nargs="+", metavar="NAME", help="which questions (default: all)")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="folder of the generated tables")
    chosen = parser.parse_args(arguments)
    family = FAMILIES[chosen.family]
    unknown = [name for name in chosen.questions or () if name not in family.by_name]
    if unknown:
        parser.error(f"{chosen.family} has no question {', '.join(unknown)}; it has {', '.join(family.by_name)}")
    chosen.rows = chosen.rows or family.rows
    chosen.groups = chosen.groups or family.groups
    return chosen


def measure(question: Question, contender: Contender, loaded: Any, threads: list[int], repeat: int) -> Scaling:
    """Ask a question with each number of threads in turn, ``repeat`` times, and once under a profile."""
    seconds: dict[int, list[float]] = {n: [] for n in threads}
    for turn in range(repeat + 1):
        for n in threads:
            gc.collect()
            with ff.option_context(threads=n):
                begin = time.perf_counter()
                answer = contender.run(question, loaded)
                passed = time.perf_counter() - begin
            del answer
            if turn:
                seconds[n].append(passed)
    fewest, profile = (_profiled(question, contender, loaded, n) for n in (min(threads), max(threads)))
    whole, waits = profile.whole, profile.whole.waits
    moved = [one.operation for one in profile.operations]
    least = profile.memory.seconds(sum(one.bytes_read for one in moved), sum(one.bytes_written for one in moved))
    law = whole.seconds_on(min(threads)) / whole.seconds_on(max(threads))
    work = sum(whole.busy.values()) / sum(fewest.whole.busy.values())
    return Scaling(question.name, seconds, whole.serial, waits.start, waits.imbalance, waits.core, law, work, least / whole.wall)


def _profiled(question: Question, contender: Contender, loaded: Any, threads: int) -> Profile:
    with ff.option_context(threads=threads), ff.profile() as profile:
        contender.run(question, loaded)
    return profile


def ask_all(family: Family, chosen: argparse.Namespace) -> list[Scaling]:
    """One process, all questions."""
    contender = CONTENDERS[chosen.contender]
    limit_threads(max(chosen.threads))
    tables = data.tables(family.data, data.Size(chosen.rows, chosen.groups, chosen.nulls, chosen.skew), chosen.data)
    if contender.layout == "category":
        tables = {name: as_dictionaries(table) for name, table in tables.items()}
    found = []
    for question in family.questions:
        if question.name not in (chosen.questions or family.by_name) or contender.api not in question.answers:
            continue
        print(f"{question.name} ...", file=sys.stderr, flush=True)
        loaded = contender.load(tables, max(chosen.threads))   # fresh columns: none knows what another question found out
        found.append(measure(question, contender, loaded, chosen.threads, chosen.repeat))
    return found


def show(chosen: argparse.Namespace, found: list[Scaling], console: Console) -> None:
    """The table; ratios of two threads below the target are marked where the question is long enough to count."""
    title = f"{chosen.family}, {chosen.contender}: {chosen.rows:,} rows; ms, fastest of {chosen.repeat} calls (median)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    most = max(chosen.threads)
    headings = ["question", *(f"{n} thread{'s' * (n > 1)}" for n in chosen.threads), "ratio", "Amdahl", "serial", "late start", "early end",
                "no core", "work", "of memory"]  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "question" else "right", no_wrap=True)
    for one in found:
        times = [f"{1000 * one.best(n):.1f} ({1000 * statistics.median(one.seconds[n]):.1f})" for n in chosen.threads]
        low = most == 2 and one.ratio < TARGET and not one.is_short
        ratio = f"[red]{one.ratio:.2f}[/]" if low else f"[dim]{one.ratio:.2f}[/]" if one.is_short else f"{one.ratio:.2f}"
        parts = [f"{1000 * part:.2f}" for part in (one.serial, one.start, one.imbalance, one.no_core)]
        table.add_row(one.question, *times, ratio, f"{one.law:.2f}", *parts, f"{one.work:.2f}", f"{one.memory:.0%}")
    console.print(table)
    long = [one for one in found if not one.is_short]
    if most == 2 and long:
        enough = sum(one.ratio >= TARGET for one in long)
        console.print(f"{enough} of {len(long)} questions that take one thread {1000 * LEAST_SECONDS:.0f} ms or more reach {TARGET} on two")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    chosen = parse(sys.argv[1:] if arguments is None else arguments)
    found = ask_all(FAMILIES[chosen.family], chosen)
    show(chosen, found, Console(width=max(Console().width, 160)))
    if chosen.json:
        lines = [{**asdict(one), "ratio": one.ratio} for one in found]
        chosen.json.write_text(json.dumps({"arguments": {name: str(value) for name, value in vars(chosen).items()}, "lines": lines}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
