"""``python -m fastframe.predict model.ffp in.parquet out.parquet``: predict a Parquet file of any size in bounded memory."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from fastframe._threads.progress import progress
from fastframe.column.arrow import array_to_arrow
from fastframe.errors import ArgumentError, ColumnNotFound, ContractError, DuplicateColumn, FastFrameError
from fastframe.io.paths import expand, reading, whole_file
from fastframe.options import option_context
from fastframe.predict.predictor import Predictor, load_predictor

BATCH_ROWS = 1 << 18


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's arguments; argparse ends the process with status 2 where they are wrong."""
    parser = argparse.ArgumentParser("python -m fastframe.predict", description="Predict a Parquet file with a saved predictor.")
    parser.add_argument("model", help="a file that Predictor.save wrote")
    parser.add_argument("source", help="a Parquet file, folder or glob")
    parser.add_argument("target", help="the Parquet file to write, whole or not at all")
    parser.add_argument("--method", default="predict", help="predict, predict_proba, decision_function, margin ... (default: predict)")
    parser.add_argument("--keep", default="", help="columns of the source to copy, comma separated, or * for all")
    parser.add_argument("--into", default="prediction", help="the new column's name, or the start of several names (default: prediction)")
    parser.add_argument("--batch-rows", type=int, default=BATCH_ROWS, help=f"rows in memory at a time (default: {BATCH_ROWS})")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parsed = parser.parse_args(given)
    if parsed.batch_rows < 1:
        parser.error("--batch-rows must be at least 1")
    return parsed


def predict_file(predictor: Predictor, given: argparse.Namespace) -> int:
    """Stream the source through the predictor; the number of rows written."""
    import pyarrow.parquet as pq

    paths = expand(given.source)
    n_rows = 0
    for path in paths:
        if os.path.exists(given.target) and os.path.samefile(path, given.target):
            raise ArgumentError.because("predict", f"{given.target} is also what is read", "Write to another file.")
        with reading(path, "Parquet"):
            n_rows += pq.read_metadata(path).num_rows
    schema: pa.Schema = pq.read_schema(paths[0])
    keep = _kept(given.keep, schema.names)
    done = 0
    with whole_file(given.target) as temporary, progress(n_rows, f"predicting {given.source}") as bar:
        writer: Any = None
        try:
            for batch in _batches(paths, predictor, schema, keep, given.batch_rows):
                out = _answered(predictor, batch, keep, given)
                if writer is None:
                    writer = pq.ParquetWriter(temporary, out.schema)
                writer.write_table(out)
                done += out.num_rows
                bar.advance(out.num_rows)
        finally:
            if writer is not None:
                writer.close()
    return done


def _kept(text: str, names: Sequence[str]) -> list[str]:
    keep = list(names) if text.strip() == "*" else [one.strip() for one in text.split(",") if one.strip()]
    missing = [name for name in keep if name not in names]
    if missing:
        raise ColumnNotFound.all_of(missing, list(names))
    return keep


def _wanted(predictor: Predictor, schema: pa.Schema, keep: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns to read, and which of them come as dictionaries: text that is looked up among categories."""
    contract = predictor.contract
    if not contract.named:
        return list(schema.names), []
    missing = [name for name in contract.names if name not in schema.names]
    if missing:
        raise ContractError.of([ContractError.missing_column(name, schema.names) for name in missing])
    texts = (pa.string(), pa.large_string())
    encoded = [one.name for one in contract.fields if one.categories is not None and schema.field(one.name).type in texts]
    return [name for name in schema.names if name in set(contract.names) | set(keep)], [name for name in encoded if name not in keep]


def _batches(paths: Sequence[str], predictor: Predictor, schema: pa.Schema, keep: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of the columns that are needed, at least one (of no rows, where there are none)."""
    import pyarrow.parquet as pq

    columns, encoded = _wanted(predictor, schema, keep)
    n_batches = 0
    for path in paths:
        with reading(path, "Parquet"), pq.ParquetFile(path, read_dictionary=encoded, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_rows, columns=columns):
                n_batches += 1
                yield batch
    if not n_batches:
        yield pa.RecordBatch.from_pylist([], schema=pa.schema([schema.field(name) for name in columns]))


def _answered(predictor: Predictor, batch: pa.RecordBatch, keep: Sequence[str], given: argparse.Namespace) -> pa.Table:
    fed = batch if predictor.contract.named else batch.select([name for name in batch.schema.names if name not in keep])
    columns = predictor.columns(fed, given.into, method=given.method)
    twice = [name for name in columns if name in keep]
    if twice:
        raise DuplicateColumn.of(twice)
    kept = {name: batch.column(name) for name in keep}
    made = {name: array_to_arrow(column) for name, column in columns.items()}
    return pa.table({**kept, **made})


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line; 0 where all went well, 1 with a message where not."""
    parsed = arguments(given)
    try:
        with option_context(progress=not parsed.quiet):
            predict_file(load_predictor(parsed.model), parsed)
    except (FastFrameError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was written\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
