"""Sizes of a Parquet file's column chunks, read from its footer here: pyarrow's objects for them end the process over a damaged one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import parquet_footer as kernels
from fastframe._kernels.memory import address_of
from fastframe.errors import InvalidData

_END = 8   # bytes after the footer: its length and the magic word

Facts = np.ndarray[Any, np.dtype[np.int64]]


class ChunkFacts(NamedTuple):
    """What a file's footer says of its column chunks: int64, a row for each row group and a column for each leaf column."""

    has_dictionary: Facts   # 1 where the chunk has a page of a dictionary
    stored: Facts           # bytes in the file
    size: Facts             # bytes once decompressed
    n_values: Facts         # nulls included


def chunk_facts(path: str, metadata: Any) -> ChunkFacts:
    """Of a file that pyarrow has opened.

    Raises
    ------
    InvalidData
        Where row groups have more or fewer columns than the schema.
    """
    file = pa.memory_map(path).read_buffer()
    content = np.frombuffer(file, np.uint8)
    n_bytes = int(content[-_END : -_END + 4].view("<u4")[0])
    n_groups, n_columns = metadata.num_row_groups, metadata.num_columns
    facts = np.empty((n_groups, n_columns, kernels.FACT_WORDS), np.int64)
    found = kernels.chunk_facts(file.address + len(content) - _END - n_bytes, n_bytes, address_of(facts), n_groups * n_columns)
    if found != n_groups * n_columns:
        raise InvalidData.in_file(path, "Parquet", f"its footer describes {found} column chunks, not {n_groups} row groups of {n_columns} columns")
    return ChunkFacts(*np.moveaxis(facts, 2, 0))
