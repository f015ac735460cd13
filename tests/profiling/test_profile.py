"""`ff.profile`: rows and bytes of every spec, the report, the trace, errors."""

import json
import threading
from pathlib import Path

import joblib
import pytest

import fastframe as ff
from fastframe._threads import record
from fastframe.errors import ProfileError
from fastframe.profiling import Profile
from fastframe.profiling import bandwidth as bandwidths
from fastframe.profiling.bandwidth import Bandwidth
from fastframe.profiling.figures import Figures
from fastframe.profiling.report import HEADINGS, Line, as_html, as_text, cells, summary
from fastframe.testing import assert_frame_equal
from tests.profiling.made import operation, phase, stint

MEMORY = Bandwidth(20.0, 40.0)


@pytest.fixture(autouse=True)
def known_bandwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastframe.profiling.block.bandwidth", lambda n_threads, again=False: MEMORY)


@pytest.fixture
def df() -> ff.DataFrame:
    return ff.DataFrame({"k": [1, 2, 1, 2], "v": [1.0, 2.0, 3.0, 4.0], "w": [1, 2, 3, 4]})


def of(profile: Profile, name: str) -> list[tuple[str, int, int, int]]:
    found = [one.operation for one in profile.operations if one.operation.name == name]
    return [(one.detail, one.n_rows, one.bytes_read, one.bytes_written) for one in found]


@pytest.mark.parametrize(
    ("ask", "name", "expected"),
    [
        (lambda df: df.groupby("k")["v"].sum(), "GroupBy", ("sum v by k", 4, 64, 32)),
        (lambda df: df.groupby("k").agg(a=("v", "sum"), b=("w", "max")), "GroupBy", ("sum v, max w by k", 4, 96, 48)),
        (lambda df: df.groupby("k")["v"].transform("mean"), "Window", ("mean v by k", 4, 64, 32)),
        (lambda df: df.groupby("k")["v"].nlargest(1), "TopK", None),
        (lambda df: df["v"].sum(), "Reduce", ("sum value", 4, 32, 8)),
        (lambda df: df["v"] + df["w"], "Project", None),
        (lambda df: df[df["v"] > 2], "Filter", None),
        (lambda df: df.sort_values("v"), "Sort", ("by v", 4, 96, 128)),
        (lambda df: df.merge(df[["k", "w"]], on="k"), "Join", None),
        (lambda df: ff.concat([df, df]), "Concat", ("", 4, 256, 256)),
        (lambda df: df.iloc[[0, 1]], "Take", None),
    ],
)
def test_operations(df: ff.DataFrame, ask: object, name: str, expected: tuple[str, int, int, int] | None) -> None:
    with ff.profile() as p:
        ask(df)
    found = of(p, name)
    assert len(found) >= 1
    if expected is not None:
        assert found == [expected]
    for _, n_rows, n_read, n_written in found:
        assert n_rows == 4
        assert n_read >= 32
        assert n_written >= 1


def test_columns_that_are_shared_are_not_made(df: ff.DataFrame) -> None:
    with ff.profile() as p:
        df.assign(x=df["v"])
        df.head(2)
    assert [one.operation.bytes_written for one in p.operations] == [0] * len(p.operations)


def test_every_spec_has_its_bytes() -> None:
    """A new spec must say what it reads: `bytes_used` raises for those that it does not know."""
    import inspect

    from fastframe.engines import recorded
    from fastframe.engines.cpu.engine import ENGINE

    source = inspect.getsource(recorded.bytes_used)
    assert [spec.__name__ for spec in ENGINE.handlers if f"{spec.__name__}()" not in source] == []


def test_files(df: ff.DataFrame, tmp_path: Path) -> None:
    with ff.profile() as p:
        for kind in ("parquet", "feather", "csv"):
            path = tmp_path / f"a.{kind}"
            getattr(df, f"to_{kind}")(path)
            getattr(ff, f"read_{kind}")(path)
        ff.read_parquet(tmp_path / "a.parquet", columns=["v"])
        text = df.to_csv()
    sizes = {kind: (tmp_path / f"a.{kind}").stat().st_size for kind in ("parquet", "feather", "csv")}
    for kind in ("feather", "csv"):
        ((_, n_rows, _, n_written), *_) = of(p, f"write_{kind}")
        assert (n_rows, n_written) == (4, sizes[kind])
        assert of(p, f"read_{kind}") == [(f"a.{kind}", 4, sizes[kind], 96)]
    whole, one = of(p, "read_parquet")
    assert 0 < one[2] < whole[2] < sizes["parquet"]   # without the footer
    assert 96 <= whole[3] <= 99   # validity bitmaps may come along
    assert 32 <= one[3] <= 33
    assert of(p, "write_csv")[1][3] == len(text)


def test_a_failed_operation(df: ff.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ff.errors.FileMissing), ff.profile() as p:
        ff.read_csv(tmp_path / "nowhere.csv")
    assert [one.operation.failed for one in p.operations] == [True]
    assert "read_csv nowhere.csv FAILED" in repr(p)


def test_results_are_the_same_with_and_without(df: ff.DataFrame) -> None:
    expected = df.groupby("k").mean()
    with ff.profile():
        found = df.groupby("k").mean()
    assert_frame_equal(found, expected)


def test_joblib_tasks_are_indented(df: ff.DataFrame) -> None:
    with ff.profile() as p, joblib.parallel_config("fastframe", n_jobs=2):
        joblib.Parallel()(joblib.delayed(df["v"].sum)() for _ in range(3))
    lines = repr(p).splitlines()
    assert lines[1].startswith("joblib.Parallel ")
    assert [line.split()[:2] for line in lines[2:5]] == [["Reduce", "sum"]] * 3
    assert all(line.startswith("  Reduce") for line in lines[2:5])
    assert lines[5].startswith("1 operations took ")


def test_threads_apart(df: ff.DataFrame) -> None:
    with ff.profile() as p:
        other = threading.Thread(target=lambda: df["v"].sum())
        other.start()
        other.join()
    assert p.operations == []


def test_misuse(df: ff.DataFrame) -> None:
    p = ff.profile()
    assert repr(p) == "<fastframe profile: its block has not ended>"
    with pytest.raises(ProfileError, match=r"^the profile's block has not ended\. Look at it after: with ff\.profile\(\) as p: \.\.\.$"):
        _ = p.operations
    with p:
        with pytest.raises(ProfileError, match="has not ended"):
            p.to_chrome_trace("nowhere.json")
        with pytest.raises(ProfileError, match=r"^the profile has recorded a block already\. Call ff\.profile\(\) for each block\.$"), p:
            pass
    assert record.n_profiles == 0


def made() -> Line:
    one = phase(100, 1, 9, [stint(1, 1, 9), stint(2, 2, 6)])
    whole = operation(0, 10, 10, [one], name="Sort", detail="by <a>", n_rows=1_234_567, bytes_read=80_000_000, bytes_written=1500, process=16)
    whole.peak = 2_500_000
    return Line(1, Figures(whole, 2))


def test_a_line() -> None:
    assert dict(zip(HEADINGS, cells(made(), MEMORY), strict=True)) == {
        "operation": "  Sort by <a>", "rows": "1,234,567", "ms": "10.0", "read": "80 MB", "made": "1.5 kB", "GB/s": "8.0", "of memory": "40%",
        "busy ms by thread": "10.0 + 4.0, others 2.0", "serial ms": "2.0", "waited ms": "start 1.0, imbalance 3.0", "2x cores": "1.60",
        "most": "3.8", "peak": "2.5 MB", "limit": "cores",
    }  # fmt: skip


def test_text_and_html() -> None:
    below = summary(Figures(operation(0, 20, 10), 2), 1, MEMORY, "A & B")
    assert below == "1 operations took 0.00 of 20.0 ms, on 2 threads of A & B; its memory gives 20.0 GB/s read, 40.0 GB/s copied"
    text = as_text([made()], below, MEMORY).splitlines()
    assert [len(text), text[0].split()[0], text[2]] == [3, "operation", below]
    assert text[0].index("rows") + 4 == text[1].index("1,234,567") + 9   # right-aligned
    html = as_html([made()], below, MEMORY)
    assert "Sort by &lt;a&gt;" in html
    assert "A &amp; B" in html
    assert html.count("<tr>") == 2


def test_a_profile_shows_in_a_notebook(df: ff.DataFrame) -> None:
    with ff.profile() as p:
        df["v"].sum()
    assert "Reduce sum value" in p._repr_html_()


def test_chrome_trace(df: ff.DataFrame, tmp_path: Path) -> None:
    with ff.profile() as p, joblib.parallel_config("fastframe", n_jobs=2):
        joblib.Parallel()(joblib.delayed(df["v"].sum)() for _ in range(3))
        df.sort_values("v")
    p.to_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert names[0] == threading.current_thread().name
    spans = [event for event in events if event["ph"] == "X"]
    assert {"profile", "joblib.Parallel", "tasks", "Reduce", "Sort"} <= {event["name"] for event in spans}
    for event in spans:
        assert set(event) == {"name", "cat", "ph", "pid", "tid", "ts", "dur", "args"}
        assert event["tid"] in names
        assert event["ts"] >= 0
        assert event["dur"] >= 0
    # A viewer draws spans of one thread inside each other: none may overlap another in part.
    for thread in names:
        own = sorted(((one["ts"], one["ts"] + one["dur"]) for one in spans if one["tid"] == thread), key=lambda span: (span[0], -span[1]))
        open_until: list[float] = []
        for begin, end in own:
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            assert not open_until or end <= open_until[-1] + 1e-6
            open_until.append(end)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(bandwidths, "_known", {})
    return tmp_path / "fastframe" / "bandwidth.json"


def test_bandwidth_is_measured_once_and_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(Bandwidth(5.0, 7.0), True), (Bandwidth(6.0, 8.0), True)])
    monkeypatch.setattr(bandwidths, "measure", lambda n_threads: next(answers))
    assert bandwidths.bandwidth(2) == bandwidths.bandwidth(2) == (5.0, 7.0)
    monkeypatch.setattr(bandwidths, "_known", {})   # another process
    assert bandwidths.bandwidth(2) == (5.0, 7.0)
    assert list(json.loads(cache.read_text())) == [f"{bandwidths.cpu_name()}, 2 threads"]
    assert bandwidths.bandwidth(2, again=True) == (6.0, 8.0)


def test_bandwidth_of_a_busy_machine_is_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "measure", lambda n_threads: (Bandwidth(1.0, 1.0), False))
    assert bandwidths.bandwidth(2) == (1.0, 1.0)
    assert not cache.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"KEY": [1]}', '{"KEY": ["a", "b"]}', '{"KEY": [0.0, -1.0]}', '{"KEY": 3}'])
def test_a_damaged_file_is_measured_over(cache: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "measure", lambda n_threads: (Bandwidth(5.0, 7.0), True))
    cache.parent.mkdir()
    cache.write_text(text.replace("KEY", f"{bandwidths.cpu_name()}, 2 threads"))
    assert bandwidths.bandwidth(2) == (5.0, 7.0)


def test_no_place_for_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(bandwidths, "_known", {})
    monkeypatch.setattr(bandwidths, "measure", lambda n_threads: (Bandwidth(5.0, 7.0), True))
    assert bandwidths.bandwidth(3) == (5.0, 7.0)


def test_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "_WORDS", 1 << 18)
    monkeypatch.setattr(bandwidths, "_MOST_PASSES", 3)
    with record.recording() as root:
        found, _ = bandwidths.measure(1)
    assert 0 < found.read < 10_000
    assert 0 < found.copy < 10_000
    assert len(root.children) >= 1   # `bandwidth` measures where no profile sees it


def test_least_seconds() -> None:
    assert MEMORY.seconds(20_000_000_000, 0) == 1.0
    assert MEMORY.seconds(20_000_000_000, 60_000_000_000) == 2.0


def test_the_bandwidth_is_measured_again_where_it_was_surpassed(df: ff.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "fastframe.profiling.block.bandwidth", lambda n_threads, again=False: asked.append(again) or Bandwidth(1e-9 if not again else 1e3, 1e3)
    )
    with ff.profile() as p:
        df["v"].sum()
    repr(p)
    assert asked == [False, True]
