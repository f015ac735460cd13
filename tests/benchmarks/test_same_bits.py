"""Every benchmark question has one answer, to the last bit: for 1, 2 and 4 threads, with and without kept codes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from asv_benchmarks import data
from asv_benchmarks.contenders import CONTENDERS, as_dictionaries
from asv_benchmarks.questions import FAMILIES
from fastframe.options import option_context

SIZE = data.Size(300_000, 100, nulls=0.05)   # several slices, so several threads
NOTHING_KEPT, KEPT = 0, 1 << 30


def bits(answer: pa.Table) -> list[tuple[str, bytes]]:
    """The columns as Arrow's stream format writes them, text decoded: how it is held may differ."""
    found = []
    for name, column in zip(answer.column_names, answer.columns, strict=True):
        array = column.combine_chunks()
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        batch = pa.record_batch({name: pa.concat_arrays([array, array.slice(0, 0)])})   # from row 0 on
        found.append((name, batch.serialize().to_pybytes()))
    return found


@pytest.mark.parametrize("layout", ["fastframe", "fastframe-cat"])
@pytest.mark.parametrize("family", ["groupby", "transform", "sort", "filter", "join"])
def test_bits(family: str, layout: str, tmp_path: Path) -> None:
    contender, questions = CONTENDERS[layout], FAMILIES[family].by_name
    tables = data.tables(FAMILIES[family].data, SIZE, tmp_path)
    if contender.layout == "category":
        tables = {name: as_dictionaries(table) for name, table in tables.items()}
    expected: dict[str, list[tuple[str, bytes]]] = {}
    for threads in (1, 2, 4):
        for cache_bytes in (NOTHING_KEPT, KEPT):
            with option_context(cache_bytes=cache_bytes):
                loaded = contender.load(tables, threads)
                for name, question in questions.items():
                    for _ in range(1 if cache_bytes == NOTHING_KEPT else 2):   # the second finds what the first kept
                        answer = bits(contender.to_arrow(contender.run(question, loaded), loaded))
                        assert expected.setdefault(name, answer) == answer, f"{name}: {threads} threads, {cache_bytes} kept"
    assert len(expected) == len(questions)
