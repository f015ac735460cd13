"""Default labels whose selection is found when somebody looks at them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import fastframe as ff
from fastframe.column.range import RangeColumn


def selected(*rows: int) -> tuple[RangeColumn, list[int]]:
    """Rows of 100, 102, 104, ..., and a list that grows whenever they are looked for."""
    looked: list[int] = []

    def find() -> np.ndarray:
        looked.append(1)
        return np.array(rows, np.int32)

    return RangeColumn(50, 100, 2).take_later(len(rows), find), looked


def test_rows_are_found_once_and_only_when_asked_for() -> None:
    labels, looked = selected(3, 5, 8)
    assert (labels.length, labels.null_count, labels.nbytes, labels.is_range, labels.is_default) == (3, 0, 24, False, False)
    assert looked == []
    assert labels.array.to_pylist() == [106, 110, 116]
    assert labels.slice(1, 2).array.to_pylist() == [110, 116]
    assert labels.take(np.array([2, 0], np.int32)).array.to_pylist() == [116, 106]
    assert looked == [1]


def test_a_selection_of_a_selection_does_not_wait_for_another() -> None:
    labels, looked = selected(3, 5, 8)
    again = labels.take_later(2, lambda: np.array([0, 2], np.int32))
    assert looked == [1]
    assert again.array.to_pylist() == [106, 116]


def test_pickle() -> None:
    labels, _ = selected(1, 2)
    assert pickle.loads(pickle.dumps(labels)).array.to_pylist() == [102, 104]


def test_equality_is_known_only_of_ranges_and_of_one_selection() -> None:
    labels, looked = selected(1, 2)
    assert labels.equals(labels)
    assert not labels.equals(selected(1, 2)[0])
    assert not labels.equals(RangeColumn(2, 102, 2))
    assert looked == []


@pytest.mark.parametrize("n_rows", [1, 63, 64, 1000, 200_001])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 1.0])
def test_labels_of_filtered_frames(n_rows: int, share: float) -> None:
    kept = np.random.default_rng(n_rows).random(n_rows) < share
    frame = ff.DataFrame({"x": np.arange(n_rows)})
    once = frame[kept]
    assert once.index.tolist() == np.flatnonzero(kept).tolist()
    odd = once[once["x"] % 2 == 1]
    assert odd.index.tolist() == odd["x"].tolist() == [row for row in np.flatnonzero(kept).tolist() if row % 2]
    assert (frame[kept]["x"] - once["x"]).tolist() == [0] * len(once)   # whose labels are found apart
