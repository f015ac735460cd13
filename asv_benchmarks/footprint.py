"""Memory beyond input and output, question by question: the peak of each call, and what stays for the next one.

    python -m asv_benchmarks.footprint groupby --rows 1e7 --questions q5 q10

Every question has a process of its own, in which it is first asked of a few rows, so that what is imported and started
once is not counted; then three times of all, as what is large is kept from the second time on. No memory is pooled. The
peak is the kernel's record of resident memory; what the answer itself takes, and what was kept before, is subtracted.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asv_benchmarks import data
from asv_benchmarks.contenders import CONTENDERS, as_dictionaries, thread_environment
from asv_benchmarks.questions import FAMILIES
from asv_benchmarks.worker import forget_peak, peak_bytes

BOUND = 0.20    # of the bytes of the columns used
EXCEPTED = {"q6": "median", "s1": "sort", "s2": "sort", "t6": "sorts by group"}
_FEW_ROWS = 1000
_CALLS = 3
_ALL = ("id1", "id2", "id3", "id4", "id5", "id6")
USED = {
    "q1": ("id1", "v1"), "q2": ("id1", "id2", "v1"), "q3": ("id3", "v1", "v3"), "q4": ("id4", "v1", "v2", "v3"),
    "q5": ("id6", "v1", "v2", "v3"), "q6": ("id4", "id5", "v3"), "q7": ("id3", "v1", "v2"), "q8": ("id6", "v3"),
    "q9": ("id2", "id4", "v1", "v2"), "q10": (*_ALL, "v3"), "t2": ("id1", "v3"), "t7": ("id6",),
    **{f"t{number}": ("id6", "v3") for number in (1, 3, 4, 5, 6, 8)},
}  # fmt: skip


@dataclass
class Footprint:
    """Bytes of one question: of the columns it reads; beyond input and output at the peak of the first call and of one when all
    that is ever kept is there; and that."""

    question: str
    used: int
    first: int
    again: int
    kept: int

    def shares(self) -> tuple[float, float]:
        """Of the bytes used, what was needed at the first call and at a later one, what is kept included."""
        return self.first / self.used, (self.again + self.kept) / self.used


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m asv_benchmarks.footprint", description=__doc__.splitlines()[0])      # type: ignore[union-attr]
    parser.add_argument("family", choices=("groupby", "join", "transform", "sort", "filter"))
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10**7, help="rows of the main table (default 1e7)")
    parser.add_argument("--groups", type=lambda text: int(float(text)), default=100, help="values of the small keys")
    parser.add_argument("--nulls", type=float, default=0.0, help="share of missing values")
    parser.add_argument("--variant", default="", choices=("", *data.VARIANTS), help="another kind of keys or values")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--questions", nargs="+", metavar="NAME", help="which questions (default: all)")
    parser.add_argument("--contender", choices=("fastframe", "fastframe-cat"), default="fastframe-cat", help="layout of text columns")
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="folder of the generated tables")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)   # in this process, for one question
    return parser.parse_args(arguments)


def _tables(chosen: argparse.Namespace, rows: int) -> dict[str, pa.Table]:
    size = data.Size(rows, min(chosen.groups, rows), chosen.nulls, variant=chosen.variant)
    found = data.tables(FAMILIES[chosen.family].data, size, chosen.data)
    return {name: as_dictionaries(one) for name, one in found.items()} if chosen.contender == "fastframe-cat" else found


def _used_bytes(question: str, tables: dict[str, pa.Table]) -> int:
    """Of the columns that the question reads; all of both tables in a join, of the table in a sort or filter."""
    if question[0] == "j":
        right = {"j1": "small", "j5": "big"}.get(question, "medium")
        return sum(tables[name].nbytes for name in ("x", right))
    return sum(tables["x"][name].nbytes for name in USED.get(question, tables["x"].column_names))


def measure(chosen: argparse.Namespace, name: str) -> Footprint:
    """Ask the question in this process: of few rows, then three times of all."""
    import fastframe as ff
    from fastframe.column import cache

    ff.options.pool_bytes = 0
    contender, question = CONTENDERS[chosen.contender], FAMILIES[chosen.family].by_name[name]
    contender.run(question, contender.load(_tables(chosen, _FEW_ROWS), chosen.threads))
    tables = _tables(chosen, chosen.rows)
    loaded = contender.load(tables, chosen.threads)
    used = _used_bytes(name, tables)
    del tables
    peaks = []
    for _ in range(_CALLS):
        gc.collect()
        pa.default_memory_pool().release_unused()
        held = cache.held_bytes()
        before = _resident_bytes()
        forget_peak()
        answer: Any = contender.run(question, loaded)
        peak = (peak_bytes() or 0) - before
        after, kept = _resident_bytes(), cache.held_bytes() - held
        peaks.append(peak - max(after - before - kept, 0))
        del answer
    return Footprint(name, used, peaks[0], peaks[-1], cache.held_bytes())


def _resident_bytes() -> int:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024


def _in_a_process(chosen: argparse.Namespace, arguments: list[str], name: str) -> Footprint:
    cut = arguments[: arguments.index("--questions")] if "--questions" in arguments else arguments
    command = [sys.executable, "-m", "asv_benchmarks.footprint", *cut, "--here", "--questions", name]
    done = subprocess.run(command, env=thread_environment(chosen.threads), stdout=subprocess.PIPE, check=True)
    return Footprint(**json.loads(done.stdout))


def main(arguments: list[str] | None = None) -> int:
    """Measure, print; 1 where a question that is held to the bound passes it."""
    given = sys.argv[1:] if arguments is None else arguments
    chosen = parse(given)
    names = chosen.questions or [name for name in FAMILIES[chosen.family].by_name if " " not in name]
    if chosen.here:
        print(json.dumps(asdict(measure(chosen, names[0]))))
        return 0
    print("question  used MB  first call  share    later  + kept  share")
    worst = True
    for name in names:
        one = _in_a_process(chosen, given, name)
        first, later = one.shares()
        verdict = f"excepted: {EXCEPTED[name]}" if name in EXCEPTED else "ok" if max(first, later) <= BOUND else "above"
        used, peak, again, kept = np.array([one.used, one.first, one.again, one.kept]) / 1e6
        print(f"{name:8} {used:8.1f} {peak:11.1f} {first:6.0%} {again:8.1f} {kept:7.1f} {later:6.0%}  {verdict}", flush=True)
        worst &= verdict != "above"
    return 0 if worst else 1


if __name__ == "__main__":
    sys.exit(main())
