"""Cases off the beaten track: does the benchmark's speed hold for other sizes, dtypes, skew, nulls and orders?

    python -m asv_benchmarks.compare cases --rows 1e7

asks questions of the other families of data that differ in one thing each. Beside our ratio to the best peer stands the
ratio of the plain question that the case varies, from the same run, and how many times worse the case is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from asv_benchmarks import runs
from asv_benchmarks.contenders import CONTENDERS
from asv_benchmarks.questions import FAMILIES

WITHIN = 1.5   # so many times the plain ratio is what a case may have
Summary = Callable[[runs.Settings, runs.Timings, dict[str, dict[str, str]]], list[dict[str, Any]]]

GROUPS = ("q1", "q3", "q5", "q6")
EVERYTHING = {"groupby": ("q1", "q2", "q3", "q5", "q6", "q10"), "transform": ("t1",), "sort": ("s1",), "filter": ("f1",), "join": ("j2", "j4")}
PLAIN = {"k3": "q2", "m1": "q7"}   # of questions that only cases ask, the plain one that they vary


@dataclass(frozen=True)
class Case:
    """One thing that differs.

    Attributes
    ----------
    name, text : str
    questions : mapping of family to names
    change : mapping
        Fields of `data.Size` that differ from the plain ones.
    threads : int, optional
    contenders : tuple of str
        Who alone can be asked; empty for all.
    row_bytes : int
        Of the tables in memory, where that is worth asking before they are made.
    """

    name: str
    text: str
    questions: Mapping[str, tuple[str, ...]]
    change: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    contenders: tuple[str, ...] = ()
    row_bytes: int = 0


_EXACT = ("fastframe", "fastframe-cat", "polars", "polars-cat", "duckdb")   # pandas holds decimals and dates as Python objects
CASES = {
    case.name: case
    for case in (
        Case("rows/10", "a tenth of the rows", EVERYTHING, {"rows": 0.1}),
        Case("rows*10", "ten times the rows", {"groupby": ("q1", "q4", "q5")},
             {"rows": 10, "columns": ("id1", "id4", "id6", "v1", "v2", "v3")}, contenders=("fastframe", "polars", "duckdb"), row_bytes=38),
        Case("groups", "10 small groups, and a tenth as many large ones as rows", {"groupby": (*GROUPS, "q2"), "transform": ("t1",)}, {"groups": 10}),
        Case("zipf", "keys by Zipf's law, exponent 1.1", {"groupby": (*GROUPS, "q2", "q10"), "transform": ("t1",)}, {"zipf": 1.1}),
        Case("nulls", "5 % of keys and values missing", {**EVERYTHING, "groupby": GROUPS, "join": ("j2",)}, {"nulls": 0.05}),
        Case("int64", "int64 keys, far apart", {"groupby": ("q4", "q5", "q6"), "transform": ("t1",)}, {"variant": "int64"}),
        Case("float", "float64 keys", {"groupby": ("q4", "q5", "q6"), "transform": ("t1",)}, {"variant": "float"}),
        Case("sorted", "keys in ascending order", {"groupby": GROUPS, "transform": ("t1",)}, {"variant": "sorted"}),
        Case("long", "texts of 1 to 100 bytes", {"groupby": ("q1", "q2", "q3"), "filter": ("f1",), "sort": ("s2",)}, {"variant": "long"}),
        Case("three keys", "one of them text", {"cases": ("k3",)}),
        Case("ordered", "sort=True", {"groupby": tuple(f"{name} sort=True" for name in ("q1", "q2", "q3", "q5", "q6", "q10"))}),
        Case("one thread", "one thread", EVERYTHING, threads=1),
        Case("decimals", "decimals as values", {"groupby": ("q1", "q5")}, {"variant": "decimal"}, contenders=_EXACT),
        Case("dates", "dates and timestamps as values", {"cases": ("m1",)}, {"variant": "date"}, contenders=_EXACT),
    )
}  # fmt: skip


def plain_question(name: str) -> str:
    """The question of the plain data that a case's question varies."""
    return PLAIN.get(name, name.split(" sort=")[0])


def settings_of(case: Case, plain: runs.Settings) -> Iterator[runs.Settings]:
    """What is measured for a case: one comparison per family."""
    change = dict(case.change)
    if "rows" in change:
        change["rows"] = int(plain.size.rows * change["rows"])
    size = replace(plain.size, **change)
    contenders = [name for name in plain.contenders if not case.contenders or name in case.contenders]
    for family, questions in case.questions.items():
        bases = [question.base for name, question in FAMILIES[family].by_name.items() if name in questions and question.base]
        yield replace(
            plain, family=family, size=size, threads=case.threads or plain.threads, contenders=contenders, questions=[*dict.fromkeys(bases), *questions]
        )


def lack_of_memory(case: Case, rows: int) -> str:
    """Why a case cannot be asked on this machine; empty where it can: a peer holds the tables twice, and its answers."""
    needed, free = 4 * case.row_bytes * rows, _free_bytes()
    return f"{needed / 1e9:.0f} GB of memory are needed, {free / 1e9:.0f} GB are free" if needed > free else ""


def _free_bytes() -> int:
    try:
        (line,) = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable")]
    except (OSError, ValueError):
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return int(line.split()[1]) * 1024


def measure(plain: runs.Settings, names: Sequence[str], summary: Summary, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One line per case and question: as `compare` has them, with the plain question's ratios beside ours.

    A case that this machine has no memory for has one line with the reason as ``skipped``.
    """
    chosen = [CASES[name] for name in names]
    wanted: dict[str, set[str]] = {}
    for case in chosen:
        for questions in case.questions.values():
            for name in map(plain_question, questions):
                family = next(one.name for one in FAMILIES.values() if name in one.by_name and one.name != "cold")
                wanted.setdefault(family, set()).add(name)
    usual = {}
    for family, names_of_family in wanted.items():
        say(f"plain {family}:")
        one = replace(plain, family=family, questions=[name for name in FAMILIES[family].by_name if name in names_of_family])
        usual.update({line["question"]: line for line in _compared(one, summary, say)})
    lines = []
    for case in chosen:
        lack = lack_of_memory(case, int(plain.size.rows * case.change.get("rows", 1))) if case.row_bytes else ""
        if lack:
            say(f"{case.name}: skipped, {lack}")
            lines.append({"case": case.name, "skipped": lack})
            continue
        for settings in settings_of(case, plain):
            say(f"{case.name}, {settings.family}:")
            asked = case.questions[settings.family]
            lines += [_beside(case, line, usual) for line in _compared(settings, summary, say) if line["question"] in asked]
    return lines


def _compared(settings: runs.Settings, summary: Summary, say: Callable[[str], None]) -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix="fastframe-cases-") as out:
        timings = runs.measure(settings, Path(out), say)
        return summary(settings, timings, runs.disagreements(settings, timings, Path(out)))


def _beside(case: Case, line: dict[str, Any], usual: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    plain = usual[plain_question(line["question"])]["ratio"]
    times = {name: ratio / plain[name] for name, ratio in line["ratio"].items() if plain.get(name)}
    return {"case": case.name, "case_text": case.text, **line, "plain_question": plain_question(line["question"]), "plain_ratio": plain, "times": times}


def rows_of(lines: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The cells of the table: case, question, who of us, seconds, best peer and its seconds, ratio, plain ratio, times, verdict."""
    for line in lines:
        if "skipped" in line:
            yield (line["case"], f"skipped: {line['skipped']}", *[""] * 8)
            continue
        for name in (one for one in line["median"] if CONTENDERS[one].ours):
            ratio, plain, times = line["ratio"].get(name), line["plain_ratio"].get(name), line["times"].get(name)
            peer = line["best_peer"]
            seconds = line["median"].get(peer, line["median"][name] / ratio if ratio else None)
            yield (
                line["case"], line["question"], name, f"{line['median'][name]:.4f}", peer or "-", _number(seconds, 4), _number(ratio, 2),
                _number(plain, 2), _number(times, 2), _verdict(line, times),
            )  # fmt: skip


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _verdict(line: Mapping[str, Any], times: float | None) -> str:
    if line["problems"]:
        return "DIFFERS"
    return "-" if times is None else "ok" if times <= WITHIN else "worse"
