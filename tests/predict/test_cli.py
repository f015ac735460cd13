"""``python -m fastframe.predict``: what it writes, what it says, and that it leaves nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastframe.predict.__main__ import main
from fastframe.predict.predictor import Predictor
from tests.predict.small import small_model
from tests.predict.test_predictor import frame_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Predictor(small_model()).save(tmp_path / "m.ffp")
    table = pa.Table.from_pandas(frame_of(1000), preserve_index=False)
    kind = table.column("kind").cast(pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("kind"), "kind", kind), tmp_path / "in.parquet", row_group_size=300)
    return tmp_path


def run(folder: Path, *more: str, source: str = "in.parquet", target: str = "out.parquet", model: str = "m.ffp") -> int:
    return main([str(folder / model), str(folder / source), str(folder / target), "--quiet", *more])


@pytest.mark.parametrize("batch_rows", ["1000000", "128", "7"])
def test_a_file_is_predicted(folder: Path, batch_rows: str) -> None:
    assert run(folder, "--batch-rows", batch_rows) == 0
    out = pq.read_table(folder / "out.parquet")
    assert out.column_names == ["prediction"]
    assert out["prediction"].to_pylist() == Predictor(small_model()).predict(frame_of(1000)).tolist()


def test_columns_are_kept_and_named(folder: Path) -> None:
    assert run(folder, "--method", "predict_proba", "--keep", "extra, kind", "--into", "p") == 0
    out = pq.read_table(folder / "out.parquet")
    assert out.column_names == ["extra", "kind", "p_no", "p_yes"]
    assert out["extra"].to_pylist() == list(range(1000))
    assert out["p_yes"].to_numpy().tobytes() == Predictor(small_model()).predict_proba(frame_of(1000))[:, 1].tobytes()
    assert run(folder, "--keep", "*", "--method", "margin") == 0
    assert pq.read_table(folder / "out.parquet").column_names == ["extra", "kind", "size", "flag", "prediction"]


def test_a_folder_and_no_rows(folder: Path) -> None:
    table = pq.read_table(folder / "in.parquet")
    (folder / "many").mkdir()
    for part in range(3):
        pq.write_table(table.slice(400 * part, 400), folder / "many" / f"{part}.parquet")
    assert run(folder, source="many") == 0
    assert pq.read_table(folder / "out.parquet").num_rows == 1000
    pq.write_table(table.slice(0, 0), folder / "empty.parquet")
    assert run(folder, "--method", "margin", source="empty.parquet") == 0
    assert pq.read_table(folder / "out.parquet").schema == pa.schema([("prediction", pa.float64())])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "none.ffp"}, "none.ffp"),
        ({"source": "none.parquet"}, "none.parquet"),
        ({"source": "m.ffp"}, "Parquet"),
        ({"model": "in.parquet"}, "not a saved predictor"),
        ({"target": "no/where.parquet"}, "no"),
        ({"more": ("--method", "transform")}, "no transform"),
        ({"more": ("--keep", "exta")}, "'extra'"),
    ],
)
def test_errors_are_said_and_nothing_is_left(folder: Path, capsys: pytest.CaptureFixture[str], arguments: dict, message: str) -> None:
    before = sorted(folder.iterdir())
    assert run(folder, *arguments.pop("more", ()), **arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert sorted(folder.iterdir()) == before


def test_rows_that_are_refused_leave_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = pd.read_parquet(folder / "in.parquet")
    late["flag"] = late["flag"].astype(object)
    late.loc[900, "flag"] = None
    late.to_parquet(folder / "late.parquet", row_group_size=100)
    assert run(folder, source="late.parquet") == 1
    assert "'flag' has 1 missing value" in capsys.readouterr().err
    late.drop(columns="size").assign(sizes=1.0).to_parquet(folder / "late.parquet")
    assert run(folder, source="late.parquet") == 1
    assert "no column 'size'. Did you mean 'sizes'" in capsys.readouterr().err
    assert not (folder / "out.parquet").exists()


def test_wrong_usage_is_status_two(folder: Path) -> None:
    for given in ([], ["a", "b", "c", "--batch-rows", "0"], ["a", "b", "c", "--what"]):
        with pytest.raises(SystemExit) as caught:
            main(given)
        assert caught.value.code == 2


def test_as_a_process(folder: Path) -> None:
    command = [sys.executable, "-m", "fastframe.predict", "m.ffp", "in.parquet", "out.parquet", "--method", "margin"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "1,000 of 1,000" in done.stderr
    found = pq.read_table(folder / "out.parquet")["prediction"].to_numpy()
    assert np.array_equal(found, Predictor(small_model()).margin(frame_of(1000)))
    done = subprocess.run([*command[:-2], "--batch-rows", "x"], cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "batch-rows" in done.stderr
