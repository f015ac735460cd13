from typing import Any

from fastframe._kernels.arithmetic import View
from fastframe._threads._drive import Task

def matrix_column(physical: int, view: View, out: int, keep: Any, *, is_double: bool, streams: bool) -> Task: ...
