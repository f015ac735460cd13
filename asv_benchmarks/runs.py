"""Runs: starts the processes that measure, one after another, and gathers their timings and digests."""

from __future__ import annotations

import compileall
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.feather as feather

from asv_benchmarks import agreement, data
from asv_benchmarks.contenders import CONTENDERS, thread_environment
from asv_benchmarks.questions import FAMILIES, Family
from asv_benchmarks.worker import Task, Timing, answer_file, digest_file

ROOT = Path(__file__).resolve().parent.parent
FRESH = Path(__file__).with_name("fresh_process.py")
REFERENCES = ("duckdb", "pandas", "polars", "pyarrow")
"Whose answer the others are compared with: the first of these that has one."
Timings = dict[str, dict[str, Timing]]


@dataclass(frozen=True)
class Settings:
    """One comparison: what is asked, of whom, on how much data, on how many threads."""

    family: str
    size: data.Size
    threads: int
    repeat: int
    contenders: Sequence[str]
    questions: Sequence[str]
    folder: Path = data.FOLDER

    @property
    def chosen(self) -> Family:
        return FAMILIES[self.family]


def measure(settings: Settings, out: Path, say: Callable[[str], None]) -> Timings:
    """Timings by contender and question; digests of the answers lie in ``out``."""
    data.tables(settings.chosen.data, settings.size, settings.folder)       # made before anybody is timed
    ask = _measure_cold if settings.family == "cold" else _measure_warm
    _byte_compile()
    for name in settings.contenders:
        if not CONTENDERS[name].is_installed:
            say(f"{name} is skipped: there is no {CONTENDERS[name].python}")
    return {name: ask(settings, name, out, say) if CONTENDERS[name].is_installed else {} for name in settings.contenders}


def _measure_warm(settings: Settings, contender: str, out: Path, say: Callable[[str], None]) -> dict[str, Timing]:
    say(f"{contender} ...")
    task = Task(settings.family, contender, list(settings.questions), asdict(settings.size), settings.threads, settings.repeat,
                str(out), str(settings.folder))  # fmt: skip
    _process(["-m", "asv_benchmarks.worker", json.dumps(asdict(task))], settings.threads, CONTENDERS[contender].python)
    found = {name: Timing(**one) for name, one in json.loads((out / f"{contender}.json").read_text()).items()}
    for name, timing in found.items():
        if CONTENDERS[contender].environment and settings.chosen.by_name[name].compared and not timing.error:
            answer = answer_file(task, name)
            digest = agreement.digest(feather.read_table(answer, memory_map=False), settings.chosen.by_name[name])
            feather.write_feather(digest, digest_file(task, name), compression="uncompressed")
            answer.unlink()
    return found


def _measure_cold(settings: Settings, contender: str, out: Path, say: Callable[[str], None]) -> dict[str, Timing]:
    say(f"{contender} ...")
    files = data.parquet_files(settings.chosen.data, settings.size, settings.folder)
    for path in files.values():
        path.read_bytes()       # all contenders find the file in the page cache
    found = {}
    for name in settings.questions:
        timing = found[name] = Timing(parts={"import": [], "answer": []})
        task = {
            "contender": contender, "question": name, "files": {table: str(path) for table, path in files.items()},
            "threads": settings.threads, "root": str(ROOT), "digest": str(out / f"{contender}_{name}.feather"),
        }  # fmt: skip
        for _ in range(settings.repeat + 1):
            try:
                seconds = json.loads(_process([str(FRESH), "answer", json.dumps(task)], settings.threads))
            except RuntimeError as error:
                timing.error = str(error)
                break
            timing.seconds.append(seconds["all"])
            for part, several in timing.parts.items():
                several.append(seconds[part])
    return found


def measure_imports(modules: Sequence[str], repeat: int, threads: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of fresh processes that import one module; the first of each also warms the disk cache."""
    _byte_compile()
    return {
        module: [json.loads(_process([str(FRESH), "import", module], threads)) for _ in range(repeat + 1)] for module in modules
    }


def _byte_compile() -> None:
    """As pip does when it installs a package, ours and the peers': where PYTHONDONTWRITEBYTECODE is set, Python itself would not."""
    compileall.compile_dir(ROOT / "fastframe", quiet=1)


def _process(arguments: Sequence[str], threads: int, python: Path = Path(sys.executable)) -> str:
    environment = thread_environment(threads)
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run([str(python), *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no message'}")
    return done.stdout


def disagreements(settings: Settings, timings: Timings, out: Path) -> dict[str, dict[str, str]]:
    """By question and contender: how an answer differs from the reference's, empty where it agrees."""
    found: dict[str, dict[str, str]] = {}
    for name in settings.questions:
        question = settings.chosen.by_name[name]
        if not question.compared:
            continue
        of_base = question.base or name
        reference = reference_of(settings, timings, of_base)
        if reference is None:
            continue
        right = feather.read_table(out / f"{reference}_{of_base}.feather")
        found[name] = {}
        for contender in settings.contenders:
            timing = timings[contender].get(name)
            if timing is not None and not timing.error and (contender, name) != (reference, of_base):
                answer = feather.read_table(out / f"{contender}_{name}.feather")
                found[name][contender] = agreement.difference(right, answer, question.relative, question.absolute)
    return found


def reference_of(settings: Settings, timings: Timings, question: str) -> str | None:
    """The contender whose answer to a question the others are compared with: a peer in plain strings where there is one."""
    answered = [name for name in settings.contenders if question in timings[name] and not timings[name][question].error]
    plain = [name for name in REFERENCES if name in answered]
    return (plain or [name for name in answered if not CONTENDERS[name].ours] or [None])[0]     # type: ignore[list-item]
