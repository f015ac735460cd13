from typing import Any

from fastframe._threads._drive import Task

OUTPUT_WORDS: int
RECORD_WORDS: int
PROBE: int
BUILD: int

Codes = tuple[int, int, int, bool, bool]
Occurrence = tuple[int, int, int]

def mark_codes(codes: Codes, arrays: tuple[int, int, int, int], *, prefetch: bool, keep_alive: Any) -> tuple[Task, Task]: ...
def fill_map(codes: Codes, row_of_code: int, *, prefetch: bool, keep_alive: Any) -> Task: ...
def scatter_records(codes: Codes, records: int, *, keep_alive: Any) -> Task: ...
def probe_map(codes: Codes, build: Occurrence, words: int, n_matches: int, *, keep_alive: Any) -> Task: ...
def count_matches(codes: Codes, offsets: int, n_results: int, n_unmatched: int, *, prefetch: bool, keep_alive: Any) -> Task: ...
def emit_pairs(
    codes: Codes, index: tuple[int, int, int], words: int, starts: int, outputs: tuple[int, int], records: tuple[int, int], *,
    build: Occurrence, found: tuple[int, int], keeps_unmatched: bool, misses: bool, prefetch: bool, streams: bool, keep_alive: Any,
) -> Task: ...  # fmt: skip
def count_outer(left: tuple[int, int], right: tuple[int, int], n_results: int, *, keep_alive: Any) -> Task: ...
def fill_outer(
    left: tuple[int, int], right: tuple[int, int], starts: int, left_out: int, right_out: int, *, keep_alive: Any
) -> Task: ...
