"""More than 2 GiB of text in one column: offsets become int64, and every byte is where it belongs. Needs 8 GB."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff

pytestmark = pytest.mark.slow

WIDTH = 1000                # bytes of each text: seven digits, then letters that depend on the row
N_ROWS = 2_200_000          # 2.2 GB
HALF = N_ROWS // 2
PROBES = [0, 1, 2_147_482, 2_147_483, 2_147_484, N_ROWS - 1, HALF - 1, HALF]   # also the rows around byte 2**31


def text(row: int) -> str:
    return f"{row:07d}" + chr(97 + row % 26) * (WIDTH - 7)


def texts(start: int, stop: int) -> pa.Array:
    """The texts of some rows, by one pass of NumPy over bytes; under 2 GiB, so with int32 offsets."""
    rows = np.arange(start, stop)
    data = np.repeat((97 + rows % 26).astype(np.uint8), WIDTH).reshape(-1, WIDTH)
    for place in range(7):
        data[:, place] = 48 + rows // 10 ** (6 - place) % 10
    offsets = (np.arange(len(rows) + 1) * WIDTH).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


@pytest.fixture(scope="module")
def halves() -> Iterator[tuple[ff.DataFrame, ff.DataFrame]]:
    parts = [pa.table({"t": texts(start, stop), "row": np.arange(start, stop)}) for start, stop in ((0, HALF), (HALF, N_ROWS))]
    assert parts[0]["t"][1].as_py() == text(1)
    yield ff.from_arrow(parts[0]), ff.from_arrow(parts[1])
    ff.options.pool_bytes = ff.options.pool_bytes   # gives kept blocks back


@pytest.fixture(scope="module")
def whole(halves: tuple[ff.DataFrame, ff.DataFrame]) -> ff.DataFrame:
    return ff.concat(halves, ignore_index=True)


def check(df: ff.DataFrame, n_rows: int, places: list[int]) -> None:
    """Each row's text is what its number says; more than 2 GiB have large offsets, and the type is string all the same."""
    array = df["t"].to_arrow()
    assert len(array) == n_rows
    large = n_rows * WIDTH > 2**31 - 1
    assert array.type == (pa.large_string() if large else pa.string())
    assert df["t"].dtype == "string"
    width = np.int64 if large else np.int32
    offsets = np.frombuffer(array.buffers()[1], width)[array.offset : array.offset + n_rows + 1]
    assert (np.diff(offsets) == WIDTH).all()
    rows = df["row"].to_numpy()
    for place in places:
        assert array[place].as_py() == text(int(rows[place])), place
    firsts = np.frombuffer(array.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(n_rows, WIDTH)[:, [0, 1, 2, 3, 4, 5, 6]]
    digits = (firsts - 48).astype(np.int64) @ 10 ** np.arange(6, -1, -1)
    assert np.array_equal(digits, rows)


def test_concat_passes_two_gib(whole: ff.DataFrame) -> None:
    assert whole["row"].to_numpy()[[0, HALF, N_ROWS - 1]].tolist() == [0, HALF, N_ROWS - 1]
    check(whole, N_ROWS, PROBES)


def test_chunks_of_others_pass_two_gib(halves: tuple[ff.DataFrame, ff.DataFrame]) -> None:
    check(ff.from_arrow(pa.concat_tables([one.to_arrow() for one in halves])), N_ROWS, PROBES)


def test_take_of_two_gib(whole: ff.DataFrame) -> None:
    taken = whole.iloc[np.arange(N_ROWS - 1, -1, -1)]
    assert taken["row"].to_numpy()[0] == N_ROWS - 1
    check(taken, N_ROWS, PROBES)


def test_filter_of_two_gib(whole: ff.DataFrame) -> None:
    most = whole[whole["row"] % 100 != 3]
    check(most, N_ROWS - N_ROWS // 100, [one for one in PROBES if one < len(most)])


def test_little_of_two_gib_has_small_offsets(whole: ff.DataFrame) -> None:
    check(whole[whole["row"] >= N_ROWS - 1000], 1000, [0, 999])
    check(whole.iloc[[N_ROWS - 1, 5, N_ROWS - 2]], 3, [0, 1, 2])
