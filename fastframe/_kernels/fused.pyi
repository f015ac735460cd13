from fastframe._threads._drive import Task

# (task, size of its context, patches: (offset in the context, in the scratch, bits per row), words: (offset, 8 bytes))
Step = tuple[Task, int, list[tuple[int, int, int]], list[tuple[int, int]]]

def program(steps: list[Step], block_rows: int, scratch_bytes: int, *, n_before: int = 0, n_after: int = 0) -> Task: ...
