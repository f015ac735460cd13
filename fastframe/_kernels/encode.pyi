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
NUMBER_COUNT: int
NUMBER_FIRST: int
NUMBER_RESOLVE: int
KEY_BYTES: int
SHARED_PREFIX: int
SORT_RUNS: int
MERGE_RUNS: int
WRITE_RANKS: int

class TextTables:
    n_slices: int
    n_tables: int
    n_seeds: int
    settled: int | None
    def __init__(self, n_slices: int) -> None: ...
    def over_rows(
        self, phase: int, view: tuple[int, int, int, int, int, bool] | None, codes: int, *, first_slice: int = 0, first_row: int = 0, keep: Any
    ) -> Task: ...
    def phase(self, phase: int, *, counts: int = 0, first_rows: int = 0, homes: int = 0, keep: Any) -> Task: ...
    def members(self, view: tuple[int, int, int, int, int, bool], out: int, *, keep: Any) -> Task: ...
    def texts_bytes(self, homes: int, n_texts: int) -> int: ...
    def write_texts(self, homes: int, n_texts: int, offsets: int, data: int, large: bool) -> None: ...

class TextIndex:
    def __init__(self, view: tuple[int, int, int, int, int, bool], keys: int, part_bits: int, missing: int, keep: Any) -> None: ...
    def keys(self) -> Task: ...
    def fill(self, rows: int, keep: Any) -> Task: ...
    def find(self, view: tuple[int, int, int, int, int, bool], missing: int, rows: int, keep: Any) -> Task: ...

def number(phase: int, first_rows: int, missing: int, *, counts: int = 0, distinct: int = 0, codes: int = 0, keep: Any) -> Task: ...
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
