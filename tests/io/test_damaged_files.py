"""Truncated and damaged files raise our errors, give the right data where the damage does no harm, and never crash.

Each kind is read in a child process, so that a crash is a failed test and not a dead run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fastframe as ff

ROOT = Path(__file__).parents[2]

CHILD = """
import sys, pathlib, faulthandler
faulthandler.enable()
import fastframe as ff
from tests.io.damage import damaged
kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
read = {"parquet": ff.read_parquet, "feather": ff.read_feather, "csv": ff.read_csv}[kind]
content = (folder / f"whole.{kind}").read_bytes()
refused = 0
for what, changed in damaged(content):
    path = folder / f"damaged.{kind}"
    path.write_bytes(changed)
    try:
        frame = read(path)
        frame.to_arrow().validate(full=True)
        frame.describe() if len(frame.columns) and len(frame) else None
        len(repr(frame))
    except (ff.errors.FastFrameError, MemoryError) as error:
        assert str(error), what
        refused += 1
print(refused)
"""


@pytest.fixture
def frame() -> ff.DataFrame:
    rows = 2000
    return ff.DataFrame(
        {
            "n": [None if row % 7 == 0 else row for row in range(rows)],
            "x": [row * 0.5 for row in range(rows)],
            "s": [f"name {row % 13}" for row in range(rows)],
            "b": [row % 3 == 0 for row in range(rows)],
        }
    )


@pytest.mark.parametrize(("kind", "least_refused"), [("parquet", 5), ("feather", 3), ("csv", 1)])
def test_damage_raises_or_does_no_harm(tmp_path: Path, frame: ff.DataFrame, kind: str, least_refused: int) -> None:
    getattr(frame, f"to_{kind}")(tmp_path / f"whole.{kind}")
    child = subprocess.run([sys.executable, "-c", CHILD, kind, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert child.returncode == 0, child.stderr[-3000:]
    assert int(child.stdout) >= least_refused


@pytest.mark.parametrize("read", [ff.read_parquet, ff.read_feather, ff.read_csv], ids=lambda read: read.__name__)
def test_missing_file(read: object, tmp_path: Path) -> None:
    with pytest.raises(ff.errors.FileMissing, match="no file matches"):
        read(tmp_path / "none.bin")  # type: ignore[operator]
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none*.bin")  # type: ignore[operator]


def test_message_names_the_file_and_what_it_should_be(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(ff.errors.InvalidData, match=r"x\.parquet could not be read as Parquet: .*truncated or damaged"):
        ff.read_parquet(path)


def test_failed_write_leaves_nothing(tmp_path: Path, frame: ff.DataFrame) -> None:
    target = tmp_path / "out.parquet"
    frame.to_parquet(target)
    before = target.read_bytes()
    with pytest.raises(Exception, match="compression|codec|Unsupported"):
        frame.to_parquet(target, compression="no such codec")
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
    with pytest.raises(ff.errors.FileMissing):
        frame.to_parquet(tmp_path / "no such folder" / "out.parquet")
