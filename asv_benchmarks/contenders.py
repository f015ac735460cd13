"""Who is compared: how each library is limited to the threads, is given the tables, and hands its answer over."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asv_benchmarks.questions.base import Question

ROOT = Path(__file__).resolve().parent.parent
Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Contender:
    """One library in one layout of text columns.

    Attributes
    ----------
    name : str
    api : str
        Key of `Question.answers`.
    load : callable
        Tables to whatever the library computes on; not timed.
    run : callable
        ``run(question, data)`` computes and materialises the answer; this is what is timed.
    to_arrow : callable
        ``to_arrow(answer, data)``; not timed.
    layout : {"strings", "category"}
        How text columns are held: as strings, or as the library's category dtype (`as_dictionaries` first, untimed).
    environment : str
        Folder, beside this repository's, of the virtual environment that it runs in; empty for the one that we run in.
    """

    name: str
    api: str
    load: Callable[[Tables, int], Any]
    run: Callable[[Question, Any], Any]
    to_arrow: Callable[[Any, Any], pa.Table]
    layout: str = "strings"
    environment: str = ""

    @property
    def python(self) -> Path:
        """The interpreter that it runs in."""
        return ROOT / self.environment / "bin" / "python" if self.environment else Path(sys.executable)

    @property
    def is_installed(self) -> bool:
        """Whether its environment is there (see the Makefile); that of ours is."""
        return self.python.exists()

    @property
    def ours(self) -> bool:
        return self.api == "fastframe"


def thread_environment(threads: int) -> dict[str, str]:
    """Environment of a contender's process: every pool of every library gets the same number of threads."""
    names = ("POLARS_MAX_THREADS", "FASTFRAME_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS",
             "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")  # fmt: skip
    return {**os.environ, **dict.fromkeys(names, str(threads))}


def limit_threads(threads: int) -> None:
    """What has no environment variable: pyarrow's pools (pandas' text columns and file readers run on them)."""
    pa.set_cpu_count(threads)
    pa.set_io_thread_count(max(threads, 1))


def as_dictionaries(table: pa.Table) -> pa.Table:
    """Text columns dictionary-encoded, categories in sorted order as pandas' ``astype("category")`` has them."""
    texts = [one.name for one in table.schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
    for name in texts:
        encoded = table[name].combine_chunks().dictionary_encode()
        order = pc.sort_indices(encoded.dictionary)
        place = np.empty(len(order), np.int32)
        place[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
        codes = pa.array(place).take(encoded.indices)
        in_order = pa.DictionaryArray.from_arrays(codes, encoded.dictionary.take(order))
        table = table.set_column(table.schema.get_field_index(name), name, in_order)
    return table


def _call(question: Question, data: Any) -> Any:
    return question.answers[data.api](data)    # type: ignore[operator]


def _namespace(api: str, frames: Mapping[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(api=api, **frames)


# fastframe


def _load_ours(tables: Tables, threads: int) -> SimpleNamespace:
    import fastframe as ff

    ff.options.threads = threads
    return _namespace("fastframe", {name: ff.from_arrow(one) for name, one in tables.items()})


def _ours_to_arrow(answer: Any, data: Any) -> pa.Table:
    found = answer.to_arrow()
    return found if isinstance(found, pa.Table) else pa.table({"values": found})


# pandas


def _load_pandas(tables: Tables, threads: int) -> SimpleNamespace:
    return _namespace("pandas", {name: one.to_pandas() for name, one in tables.items()})


def _load_pandas_with_numba(tables: Tables, threads: int) -> SimpleNamespace:
    return _namespace("pandas-numba", {name: one.to_pandas() for name, one in tables.items()})


def _pandas_to_arrow(answer: Any, data: Any) -> pa.Table:
    frame = answer.to_frame("values") if answer.ndim == 1 else answer
    return pa.Table.from_pandas(frame, preserve_index=False)


# fireducks


def _load_fireducks(tables: Tables, threads: int) -> SimpleNamespace:
    import fireducks.pandas as pd

    if hasattr(os, "sched_setaffinity"):     # whatever its own settings are
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    frames = {name: pd.from_pandas(one.to_pandas()) for name, one in tables.items()}
    for one in frames.values():
        one._evaluate()
    return _namespace("pandas", frames)


def _run_fireducks(question: Question, data: Any) -> Any:
    """It is lazy: an answer is there when it has been evaluated."""
    answer = _call(question, data)
    if hasattr(answer, "_evaluate"):
        answer._evaluate()
    return answer


def _fireducks_to_arrow(answer: Any, data: Any) -> pa.Table:
    return _pandas_to_arrow(answer.to_pandas() if hasattr(answer, "_evaluate") else answer, data)


# polars


def _load_polars(tables: Tables, threads: int) -> SimpleNamespace:
    import polars as pl

    if pl.thread_pool_size() != threads:
        raise RuntimeError(f"polars runs on {pl.thread_pool_size()} threads instead of {threads}: set POLARS_MAX_THREADS before it is imported")
    return _namespace("polars", {name: pl.from_arrow(one) for name, one in tables.items()})


def _load_lazy_polars(tables: Tables, threads: int) -> SimpleNamespace:
    frames = vars(_load_polars(tables, threads))
    return _namespace(frames.pop("api"), {name: one.lazy() for name, one in frames.items()})


def _run_streaming(question: Question, data: Any) -> Any:
    return _call(question, data).collect(engine="streaming")


def _polars_to_arrow(answer: Any, data: Any) -> pa.Table:
    import polars as pl

    frame = answer.to_frame() if isinstance(answer, pl.Series) else answer
    if "group" in frame.columns:      # of a question by key, whose answers are in the order of the keys
        frame = frame.sort("group", maintain_order=True).drop("group")
    return frame.to_arrow()


# duckdb


def _load_duckdb(tables: Tables, threads: int) -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    for name, table in tables.items():
        connection.register("arriving", table)
        connection.execute(f"create table {name} as select * from arriving")
        connection.unregister("arriving")
    return SimpleNamespace(api="duckdb", connection=connection)


def _run_duckdb(question: Question, data: Any) -> str:
    data.connection.execute(f"create or replace table answer as {question.answers['duckdb']}")
    return "answer"


def _duckdb_to_arrow(answer: str, data: Any) -> pa.Table:
    names = [row[0] for row in data.connection.execute(f"describe {answer}").fetchall()]
    in_order = f"select * exclude (row) from {answer} order by row" if "row" in names else f"select * from {answer}"
    return data.connection.execute(in_order).to_arrow_table()


# loops of one's own, and libraries of loops


def _load_for_loops(tables: Tables, threads: int) -> SimpleNamespace:
    """What `by_hand` computes on: brought into the order of id6 here, untimed."""
    from asv_benchmarks.questions.by_hand import in_group_order

    found = in_group_order(tables["x"], "id6", ["v1", "v3"])
    found.rows_v3 = tables["x"]["v3"].combine_chunks().to_numpy(zero_copy_only=False)
    return found


def _loops_to_arrow(answer: Any, data: Any) -> pa.Table:
    """Values of groups get their keys, values in group order go back to the order of rows; neither is timed."""
    kind, values = answer
    if kind == "groups":
        return pa.table({"key": pa.array(data.keys), "value": pa.array(values)})
    if kind == "rows in group order":
        back = np.empty_like(values)
        back[data.rows] = values
        values = back
    return pa.table({"value": pa.array(values)})


def _load_arrays(tables: Tables, threads: int) -> SimpleNamespace:
    (table,) = tables.values()
    arrays = {name: table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in ("x", "y")}
    return SimpleNamespace(api="bottleneck", **arrays)


def _array_to_arrow(answer: Any, data: Any) -> pa.Table:
    return pa.table({"values": pa.array(answer)})


# pyarrow


def _load_pyarrow(tables: Tables, threads: int) -> SimpleNamespace:
    return _namespace("pyarrow", tables)


def _arrow_itself(answer: Any, data: Any) -> pa.Table:
    return answer


CONTENDERS: dict[str, Contender] = {
    one.name: one
    for one in (
        Contender("fastframe", "fastframe", _load_ours, _call, _ours_to_arrow),
        Contender("fastframe-cat", "fastframe", _load_ours, _call, _ours_to_arrow, "category"),
        Contender("pandas", "pandas", _load_pandas, _call, _pandas_to_arrow),
        Contender("pandas-cat", "pandas", _load_pandas, _call, _pandas_to_arrow, "category"),
        Contender("fireducks", "pandas", _load_fireducks, _run_fireducks, _fireducks_to_arrow, environment=".venv-fireducks"),
        Contender("polars", "polars", _load_polars, _call, _polars_to_arrow),
        Contender("polars-cat", "polars", _load_polars, _call, _polars_to_arrow, "category"),
        Contender("polars-streaming", "polars", _load_lazy_polars, _run_streaming, _polars_to_arrow),
        Contender("polars-cat-streaming", "polars", _load_lazy_polars, _run_streaming, _polars_to_arrow, "category"),
        Contender("duckdb", "duckdb", _load_duckdb, _run_duckdb, _duckdb_to_arrow),
        Contender("pandas-numba", "pandas-numba", _load_pandas_with_numba, _call, _pandas_to_arrow),
        Contender("numba", "numba", _load_for_loops, _call, _loops_to_arrow),
        Contender("bottleneck", "bottleneck", _load_arrays, _call, _array_to_arrow),
        Contender("pyarrow", "pyarrow", _load_pyarrow, _call, _arrow_itself),
    )
}
