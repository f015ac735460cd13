"""The benchmarks run, at tiny size: every asv method once, the comparison from its command line, and its check of answers."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("polars")
pytest.importorskip("duckdb")

from asv_benchmarks import agreement, cases, compare, data, footprint, runs, scaling, worker
from asv_benchmarks.contenders import CONTENDERS
from asv_benchmarks.questions import FAMILIES, Question

ROOT = Path(__file__).parents[2]
os.environ["ASV_ROWS"] = "1000"   # asv reads the parameters of a class when it is imported
MODULES = ("cases", "groupby", "join", "sort", "filter", "transform", "udf", "rolling", "small", "everyday", "memory", "files", "importing")
TINY = data.Size(1000, 10)


def methods() -> list[Any]:
    found = []
    for module in MODULES:
        loaded = importlib.import_module(f"asv_benchmarks.benchmarks.{module}")
        for owner in [one for one in vars(loaded).values() if isinstance(one, type) and one.__module__ == loaded.__name__]:
            names = [one for one in dir(owner) if one.startswith(("time_", "peakmem_", "timeraw_"))]
            found += [pytest.param(owner, name, id=f"{owner.__name__}.{name}") for name in names]
    return found


def combinations(owner: type) -> list[tuple[Any, ...]]:
    params = getattr(owner, "params", [])
    return list(itertools.product(*(params if params and isinstance(params[0], list | tuple) else [params]))) if params else [()]


@pytest.mark.parametrize(("owner", "name"), methods())
def test_every_asv_method_runs(owner: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    for combination in combinations(owner):
        benchmark = owner()
        if hasattr(benchmark, "setup"):
            benchmark.setup(*combination)
        made = getattr(benchmark, name)(*combination)
        if name.startswith("timeraw_"):
            code = made if isinstance(made, str) else "\n".join(reversed(made))
            subprocess.run([sys.executable, "-c", f"{code}\nfastframe.DataFrame"], cwd=ROOT, check=True)
        if hasattr(benchmark, "teardown"):
            benchmark.teardown(*combination)


# `small` and `cold` start a process per import or answer; the rest one per contender.
COMMANDS = {
    "groupby": ["--contenders", "fastframe", "fastframe-cat", "duckdb", "polars-streaming", "--nulls", "0.05"],
    "join": ["--contenders", "fastframe", "pandas"],
    "sort": ["--contenders", "fastframe-cat", "pandas-cat"],
    "filter": ["--contenders", "fastframe", "pyarrow"],
    "transform": ["--contenders", "fastframe", "polars"],
    "udf": ["--contenders", "fastframe", "polars", "duckdb"],
    "rolling": ["--contenders", "fastframe", "pandas", "bottleneck"],
    "small": ["--contenders", "fastframe", "pandas"],
    "everyday": ["--contenders", "fastframe", "pandas", "polars"],
    "cold": ["--contenders", "fastframe", "duckdb", "--questions", "c1", "c3"],
}


@pytest.mark.parametrize("family", sorted(COMMANDS))
def test_the_comparison_runs_and_answers_agree(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    arguments = [family, "--rows", "1e3", "--groups", "10", "--threads", "2", "--repeat", "1", "--data", str(tmp_path), "--json", str(report)]
    status = compare.main([*arguments, *COMMANDS[family]])
    printed = capsys.readouterr().out
    assert status == 0, printed
    found = json.loads(report.read_text())
    asked = {line["question"] for line in found["lines"]}
    assert asked == ({"c1", "c3"} if family == "cold" else set(FAMILIES[family].by_name))
    for line in found["lines"]:
        ours = COMMANDS[family][1]
        assert line["ratio"][ours] == pytest.approx(line["median"][ours] / peer_median(found["lines"], line))
        assert line["checked"] == FAMILIES[family].by_name[line["question"]].compared
        assert line["question"] in printed


def test_cases_run_and_answers_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cases.CASES, "rows*10", replace(cases.CASES["rows*10"], row_bytes=10**12))
    report = tmp_path / "report.json"
    arguments = ["cases", "--rows", "2e4", "--threads", "2", "--repeat", "1", "--data", str(tmp_path), "--json", str(report)]
    few = ["rows*10", "three keys", "decimals", "dates"]   # `make bench-smoke` asks all: that is two processes for each family of a case
    status = compare.main([*arguments, "--contenders", "fastframe", "duckdb", "--questions", *few])
    printed = capsys.readouterr().out
    assert status == 0, printed
    lines = json.loads(report.read_text())["lines"]
    assert [(line["case"], line.get("question")) for line in lines] == [
        ("rows*10", None), ("three keys", "k3"), ("decimals", "q1"), ("decimals", "q5"), ("dates", "m1"),
    ]  # fmt: skip
    assert "rows*10" in printed
    assert "GB of memory are needed" in printed
    for line in lines:
        if line["case"] != "rows*10":
            assert line["checked"]
            assert line["times"]["fastframe"] == pytest.approx(line["ratio"]["fastframe"] / line["plain_ratio"]["fastframe"])


@pytest.mark.parametrize("case", cases.CASES.values(), ids=lambda case: case.name)
def test_cases_vary_questions_that_there_are(case: cases.Case) -> None:
    plain = runs.Settings("cases", data.Size(10**6), 2, 5, ("fastframe", "duckdb"), [])
    for settings in cases.settings_of(case, plain):
        assert set(settings.questions) <= set(settings.chosen.by_name)
        assert {cases.plain_question(name) for name in settings.questions} <= {name for family in FAMILIES.values() for name in family.by_name}
        used = settings.size, settings.threads, settings.family, list(settings.questions)
        assert used[:2] != (plain.size, 2) or used[2] == "cases" or all("sort=True" in name for name in case.questions[settings.family])
    assert case.text
    assert not case.change.keys() - data.Size.__dataclass_fields__.keys()


def test_a_case_is_worse_where_its_ratio_is_half_as_much_again() -> None:
    line = {"case": "zipf", "question": "q1", "median": {"fastframe": 0.2, "duckdb": 0.1}, "best_peer": "duckdb", "problems": {},
            "ratio": {"fastframe": 2.0}, "plain_ratio": {"fastframe": 1.25}, "times": {"fastframe": 1.6}}  # fmt: skip
    fine = {**line, "times": {"fastframe": 1.4}}
    wrong = {**fine, "problems": {"fastframe": "another answer"}}
    assert [row[-1] for row in cases.rows_of([line, fine, wrong])] == ["worse", "ok", "DIFFERS"]
    assert next(iter(cases.rows_of([line])))[4:9] == ("duckdb", "0.1000", "2.00", "1.25", "1.60")


def test_a_contender_whose_environment_is_missing_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(CONTENDERS, "fireducks", replace(CONTENDERS["fireducks"], environment=str(tmp_path / "nowhere")))
    arguments = ["filter", "--rows", "1e3", "--groups", "10", "--repeat", "1", "--data", str(tmp_path), "--json", str(tmp_path / "report.json")]
    assert compare.main([*arguments, "--contenders", "fastframe", "fireducks", "duckdb"]) == 0
    assert "fireducks is skipped" in capsys.readouterr().err


def peer_median(lines: list[dict[str, Any]], line: dict[str, Any]) -> float:
    """Median of the best peer; of the question that a variant belongs to where it is one."""
    (base,) = [one for one in lines if one["question"] == line["question"].split(" sort=")[0]]
    return base["median"][line["best_peer"]]


def test_a_wrong_answer_fails_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(agreement, "difference", lambda *tables: "made up")
    arguments = ["filter", "--rows", "1e3", "--groups", "10", "--repeat", "1", "--data", str(tmp_path), "--json", str(tmp_path / "report.json")]
    assert compare.main([*arguments, "--contenders", "fastframe", "duckdb"]) == 1
    assert "f1 fastframe: made up" in capsys.readouterr().out


def test_an_unknown_question_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        compare.main(["groupby", "--questions", "q99"])
    assert "q99" in capsys.readouterr().err


def test_scaling_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "scaling.json"
    size = ["--rows", "1e3", "--groups", "10", "--repeat", "2", "--data", str(tmp_path)]
    assert scaling.main(["filter", *size, "--threads", "1", "2", "3", "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    lines = json.loads(report.read_text())["lines"]
    assert [line["question"] for line in lines] == [name for name, one in FAMILIES["filter"].by_name.items() if "fastframe" in one.answers]
    for line in lines:
        assert {threads: len(calls) for threads, calls in line["seconds"].items()} == {"1": 2, "2": 2, "3": 2}
        assert line["ratio"] == pytest.approx(min(line["seconds"]["1"]) / min(line["seconds"]["3"]))
        assert line["question"] in printed


# How answers are compared


KEYED = Question("g", "", {}, keys=1)
COPIED = Question("c", "", {})
SORTED = Question("s", "", {}, order=(0,))
BY_POSITION = Question("p", "", {}, keys=0)


def differ(question: Question, one: dict[str, Any], other: dict[str, Any]) -> str:
    return agreement.difference(agreement.digest(pa.table(one), question), agreement.digest(pa.table(other), question))


def test_answers_agree_whatever_their_row_order_layout_and_way_of_missing() -> None:
    one = {"k": pa.array(["b", None, "a"]).dictionary_encode(), "v": pa.array([1.5, None, 0.1 + 0.2])}
    other = {"name is free": pa.array(["a", "b", None], pa.large_string()), "v": pa.array([0.3, 1.5, float("nan")])}
    assert differ(KEYED, one, other) == ""
    assert differ(COPIED, {"k": pa.array([1, None], pa.int32()), "v": [0.0, 1.0]}, {"k": pa.array([float("nan"), 1.0]), "v": [1.0, -0.0]}) == ""


@pytest.mark.parametrize(
    ("question", "one", "other", "says"),
    [
        (KEYED, {"k": ["a", "b"], "v": [1, 2]}, {"k": ["a"], "v": [1]}, "1 rows instead of 2"),
        (KEYED, {"k": ["a", "b"], "v": [1, 2]}, {"k": ["a", "c"], "v": [1, 2]}, "not those"),
        (KEYED, {"k": ["a", "b"], "v": [1, 2]}, {"k": ["a", "b"], "v": [2, 1]}, "differs in 2 rows"),
        (KEYED, {"k": ["a"], "v": [2**60]}, {"k": ["a"], "v": [2**60 + 1]}, "differs in 1 rows"),
        (KEYED, {"k": ["a"], "v": [1.0]}, {"k": ["a"], "v": [1.0 + 1e-6]}, "differs in 1 rows"),
        (KEYED, {"k": ["a"], "v": [None]}, {"k": ["a"], "v": [0.0]}, "missing in 1 rows"),
        (COPIED, {"k": [1, 2], "v": [1.0, 2.0]}, {"k": [1, 2], "v": [2.0, 1.0]}, "not those"),
        (COPIED, {"k": [1, 1, 2]}, {"k": [1, 2, 2]}, "not those"),
        (SORTED, {"k": [1, 2], "v": [5, 6]}, {"k": [2, 1], "v": [6, 5]}, "row 0 is in another place"),
        (BY_POSITION, {"v": [1.0, 2.0]}, {"v": [2.0, 1.0]}, "differs in 2 rows"),
    ],
)
def test_differences_are_found(question: Question, one: dict[str, Any], other: dict[str, Any], says: str) -> None:
    assert says in differ(question, one, other)


# The data


def test_data_is_the_same_every_time_and_kept(tmp_path: Path) -> None:
    first = data.tables("join", TINY, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert data.tables("join", TINY, tmp_path) == first == data.join_tables(TINY)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    assert not list(tmp_path.glob("*.part"))


def test_size_of_the_data() -> None:
    (x,) = data.groupby_tables(data.Size(10_000, 10)).values()
    assert x.num_rows == 10_000
    assert {name: len(x[name].unique()) for name in ("id1", "id2", "id4", "id5", "id3", "id6")} == {
        "id1": 10, "id2": 10, "id4": 10, "id5": 10, "id3": pytest.approx(1000, abs=3), "id6": pytest.approx(1000, abs=3),
    }  # fmt: skip
    assert not any(one.null_count for one in x.columns)


def test_nulls_and_skew_of_the_data() -> None:
    (x,) = data.groupby_tables(data.Size(20_000, 20, nulls=0.1)).values()
    assert len(x["id1"].drop_null().unique()) == 18
    assert 0.08 < x["v3"].null_count / x.num_rows < 0.12


def test_zipf_keys_have_the_shares_of_their_law() -> None:
    (skewed,) = data.groupby_tables(data.Size(200_000, 20, zipf=1.1)).values()
    found = np.sort(np.unique(skewed["id4"].to_numpy(), return_counts=True)[1])[::-1] / 200_000
    law = np.arange(1, 21) ** -1.1
    assert np.allclose(found, law / law.sum(), atol=0.01)


def test_variants_of_the_data() -> None:
    tables = {variant: data.groupby_tables(data.Size(5000, 50, variant=variant))["x"] for variant in data.VARIANTS}
    plain = data.groupby_tables(data.Size(5000, 50))["x"]
    assert {name: str(tables["int64"][name].type) for name in ("id4", "id6")} == {"id4": "int64", "id6": "int64"}
    assert np.ptp(tables["int64"]["id4"].to_numpy()) > 10**7
    assert tables["float"]["id5"].to_numpy() == pytest.approx(plain["id5"].to_numpy() / 7)
    sorted_keys = [tables["sorted"][f"id{level}"].to_pylist() for level in range(1, 7)]
    assert all(keys == sorted(keys) for keys in sorted_keys)
    lengths = {len(one) for one in tables["long"]["id3"].unique().to_pylist()}
    assert (min(lengths), max(lengths)) == (1, 100)
    assert len(tables["long"]["id3"].unique()) == len(plain["id3"].unique())
    assert [str(tables["decimal"][name].type) for name in ("v1", "v3")] == ["decimal128(9, 2)", "decimal128(12, 6)"]
    assert [float(one) for one in tables["decimal"]["v3"].to_pylist()] == pytest.approx(plain["v3"].to_pylist())
    assert [str(tables["date"][name].type) for name in ("v1", "v3")] == ["date32[day]", "timestamp[us]"]


def test_some_columns_are_those_of_the_whole_table() -> None:
    size = data.Size(1000, 10, columns=("id3", "v3"))
    whole = data.groupby_tables(data.Size(1000, 10))["x"]
    assert data.groupby_tables(size)["x"] == whole.select(["id3", "v3"])


def test_nine_keys_of_ten_match() -> None:
    tables = data.join_tables(data.Size(20_000))
    for key, right in (("id1", "small"), ("id2", "medium"), ("id3", "big")):
        share = np.isin(tables["x"][key].to_numpy(), tables[right][key].to_numpy()).mean()
        assert 0.8 < share < 0.97
        assert len(tables[right][key].unique()) == tables[right].num_rows


def test_footprint_measures_and_judges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = footprint.main(["transform", "--rows", "2000", "--data", str(tmp_path), "--questions", "t1"])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("t1 "))
    assert status == (1 if line.endswith("above") else 0)
    one = footprint.Footprint("t1", used=1000, first=150, again=50, kept=300)
    assert one.shares() == (0.15, 0.35)


def test_the_first_call_does_not_say_how_many_calls_a_loop_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    per_call = 2e-5

    def timed(contender: Any, question: Any, loaded: Any, loops: int) -> tuple[Any, float]:
        asked.append(loops)
        return None, 5.0 if len(asked) == 1 else per_call   # the first call imports a lot

    monkeypatch.setattr(worker, "_timed", timed)
    question = replace(FAMILIES["small"].questions[0], compared=False)
    for family, loops in (("small", 1024), ("groupby", 1)):
        asked.clear()
        task = worker.Task(family, "fastframe", [], {}, threads=1, repeat=3, out=str(tmp_path), folder="")
        timing = worker.ask(task, CONTENDERS["fastframe"], question, None)
        assert timing.seconds == [5.0, *[per_call] * 3] and not timing.error
        assert asked[0] == 1 and asked[-3:] == [loops] * 3
