from fastframe._threads._drive import Task

TREE_BYTES: int
SMALL: int
MEDIUM: int
LARGE: int
NODE_BYTES: tuple[int, int, int]

def count_places(form: int, forest: tuple[int, ...], n_places: int, *, keep_alive: object) -> Task: ...
def pack(form: int, forest: tuple[int, ...], first: int, trees: int, nodes: int, *, keep_alive: object) -> Task: ...
def sums(
    packed: tuple[int, ...],
    source: tuple[int, ...],
    values: tuple[int, ...],
    out: int,
    *,
    narrow: bool,
    divide: float,
    every: int,
    keep_alive: object,
) -> Task: ...
def leaves(packed: tuple[int, ...], source: tuple[int, ...], leaf_id: int, out: int, *, keep_alive: object) -> Task: ...
def linear_sums(
    linear: tuple[int, ...],
    rows: tuple[int, ...],
    shape: tuple[int, ...],
    out: int,
    *,
    divide: float,
    keep_alive: object,
) -> Task: ...
