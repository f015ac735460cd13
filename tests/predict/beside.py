"""Rows asked one by one by eight threads at once."""

from __future__ import annotations

import threading
from typing import Any

from fastframe.predict.predictor import Predictor


def rows_that_differ(p: Predictor, rows: list[tuple[Any, ...]]) -> list[int]:
    """The rows whose answer among eight threads was not the one that they get alone."""
    expected, wrong, started = [p.predict_row(row) for row in rows], [], threading.Barrier(8)

    def work(number: int) -> None:
        started.wait()
        for turn in range(300):
            at = (turn * 7 + number) % len(rows)
            if p.predict_row(rows[at]) != expected[at]:
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong
