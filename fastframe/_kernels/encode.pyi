from typing import Any

from fastframe._threads._drive import Task

N_BUCKETS: int
SEED: int
ENCODE: int
BUCKET: int
UNIFY: int
COUNT: int
PLACE: int
LINK: int
RESOLVE: int
SETTLED: int
RANK_KEY_BYTES: int
SHARED_PREFIX: int
SORT_RUNS: int
MERGE_RUNS: int
WRITE_RANKS: int

class TextTables:
    n_slices: int
    n_tables: int
    n_seeds: int
    settled: int | None
    def __init__(self, view: tuple[int, int, int, int, int, bool], n_slices: int, keep: Any) -> None: ...
    def phase(self, phase: int, *, codes: int = 0, counts: int = 0, first_rows: int = 0, keep: Any) -> Task: ...

def translate(codes: int, places: int, n_places: int, keep: Any) -> Task: ...
def rank(
    phase: int,
    view: tuple[int, int, int, int, int, bool],
    keep: Any,
    *,
    prefix: int = 0,
    prefixes: int = 0,
    keys: int = 0,
    merged: int = 0,
    run_rows: int = 0,
    ranks: int = 0,
) -> Task: ...
