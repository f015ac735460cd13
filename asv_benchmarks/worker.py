"""One contender asked all questions of a family, in a process of its own; started by `compare`.

    python -m asv_benchmarks.worker '{"family": "groupby", "contender": "polars", ...}'

writes ``<contender>.json`` and one digest per answer into the folder it is given.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.feather as feather

from asv_benchmarks import agreement, data
from asv_benchmarks.contenders import CONTENDERS, Contender, as_dictionaries, limit_threads
from asv_benchmarks.questions import FAMILIES, Question

LOOP_SECONDS = 0.02


@dataclass
class Task:
    """What a worker is told."""

    family: str
    contender: str
    questions: list[str]
    size: dict[str, Any]
    threads: int
    repeat: int
    out: str
    folder: str


@dataclass
class Timing:
    """Seconds of one question by one contender: of the first call, then of each later one, or a call's mean in each loop."""

    seconds: list[float] = field(default_factory=list)
    peak_bytes: int | None = None
    "Most memory the process had while it answered, the tables included; Linux only."
    error: str = ""
    parts: dict[str, list[float]] = field(default_factory=dict)


def ask(task: Task, contender: Contender, question: Question, loaded: Any) -> Timing:
    """Time one question, and write the digest of its answer."""
    timing = Timing()
    try:
        forget_peak()
        answer, loops = None, 1
        for turn in range(task.repeat + 1):
            if turn == 1 and FAMILIES[task.family].per_call:
                loops = _loops(contender, question, loaded)
            del answer
            gc.collect()
            answer, seconds = _timed(contender, question, loaded, loops)
            timing.seconds.append(seconds)
        timing.peak_bytes = peak_bytes()
        if question.compared:
            table = contender.to_arrow(answer, loaded)
            if contender.environment:     # the digest's hashes are of one version of one library: whoever started us makes it
                feather.write_feather(table, answer_file(task, question.name), compression="uncompressed")
            else:
                feather.write_feather(agreement.digest(table, question), digest_file(task, question.name), compression="uncompressed")
    except Exception as error:     # reported in the table and by the exit status
        timing.error = f"{type(error).__name__}: {error}"
    return timing


def _loops(contender: Contender, question: Question, loaded: Any) -> int:
    """How many calls in a row take `LOOP_SECONDS` once all is warm: a first call, which may import a lot, does not say."""
    loops = 1
    while True:
        _, seconds = _timed(contender, question, loaded, loops)
        if seconds * loops >= LOOP_SECONDS:
            return loops
        loops *= 2


def _timed(contender: Contender, question: Question, loaded: Any, loops: int) -> tuple[Any, float]:
    start = time.perf_counter()
    for _ in range(loops):
        answer = contender.run(question, loaded)
    return answer, (time.perf_counter() - start) / loops


def digest_file(task: Task, question: str) -> Path:
    return Path(task.out) / f"{task.contender}_{question}.feather"


def answer_file(task: Task, question: str) -> Path:
    return Path(task.out) / f"{task.contender}_{question}_answer.feather"


def forget_peak() -> None:
    """Start the kernel's record of this process's peak memory anew."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int | None:
    """Peak resident memory since `forget_peak`."""
    try:
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    except (OSError, ValueError):
        return None
    return int(line.split()[1]) * 1024


def main() -> None:
    """Answer the questions of the task in turn."""
    task = Task(**json.loads(sys.argv[1]))
    family, contender = FAMILIES[task.family], CONTENDERS[task.contender]
    limit_threads(task.threads)
    tables = data.tables(family.data, data.size_of(task.size), Path(task.folder))
    if contender.layout == "category":
        tables = {name: as_dictionaries(table) for name, table in tables.items()}
    loaded = None
    found = {}
    for question in (family.by_name[name] for name in task.questions):
        if contender.api not in question.answers:
            continue
        if loaded is None or contender.ours:
            # Our columns keep facts and dictionaries that a question has computed: each question gets fresh ones.
            loaded = contender.load(tables, task.threads)
        found[question.name] = asdict(ask(task, contender, question, loaded))
    (Path(task.out) / f"{task.contender}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
