"""Seconds of reading and writing the group-by table as Parquet, feather and CSV."""

from __future__ import annotations

import tempfile
from pathlib import Path

import fastframe as ff
from asv_benchmarks.benchmarks.asked import rows, tables

FORMATS = ("parquet", "feather", "csv")


class Files:
    """Nine columns; CSV has a tenth of the rows."""

    params = (list(FORMATS), rows())
    param_names = ("format", "rows")
    timeout = 600

    def setup(self, format: str, n_rows: int) -> None:
        n_rows = n_rows // 10 if format == "csv" else n_rows
        self.frame = ff.from_arrow(tables("groupby", n_rows, min(100, n_rows), False)["x"])
        self.folder = tempfile.TemporaryDirectory(prefix="fastframe-asv-")
        self.path = Path(self.folder.name) / f"x.{format}"
        self.write = getattr(self.frame, f"to_{format}")
        self.read = getattr(ff, f"read_{format}")
        self.write(self.path)

    def teardown(self, format: str, n_rows: int) -> None:
        self.folder.cleanup()

    def time_read(self, format: str, n_rows: int) -> None:
        self.read(self.path)

    def time_write(self, format: str, n_rows: int) -> None:
        self.write(self.path)

    def peakmem_read(self, format: str, n_rows: int) -> None:
        self.read(self.path)
