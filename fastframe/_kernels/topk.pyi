from fastframe._threads._drive import Task

MOST: int

def top_k(
    physical: int, view: tuple[int, int, int, int], rows: int, offsets: int, *, k: int, smallest: bool, best: int, counts: int, keep_alive: object
) -> Task: ...
