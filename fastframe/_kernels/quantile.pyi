from typing import Any

from fastframe._threads._drive import Task

def quantiles(physical: int, result: int, values: int, starts: int, *, codes: int, n_groups: int, shift: int, shares: int, n_shares: int, interpolation: int, unit: int, out: int, validity: int, keep_alive: Any) -> Task: ...
