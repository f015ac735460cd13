"""Operations made by hand, whose figures can be told by looking; times in milliseconds."""

from typing import Any

from fastframe._threads.record import Operation, Phase, Stint

MS = 1_000_000


def stint(thread: int, begin: float, end: float, core: float | None = None, queued: float = 0) -> Stint:
    return Stint(thread, int(begin * MS), int(end * MS), int((end - begin if core is None else core) * MS), int(queued * MS))


def phase(n_slices: int, begin: float, end: float, stints: list[Stint], *, calls: bool = False) -> Phase:
    return Phase("made", n_slices, int(begin * MS), int(end * MS), stints, calls)


def operation(begin: float, end: float, core: float, phases: list[Phase] = (), **others: Any) -> Operation:
    """On thread 1; ``queued`` in milliseconds, too."""
    others = {**others, "queued": int(others.get("queued", 0) * MS), "process": int(others.get("process", core) * MS)}
    others.setdefault("thread", 1)
    others.setdefault("name", "Made")
    return Operation(begin=int(begin * MS), end=int(end * MS), core=int(core * MS), phases=list(phases), thread_name="caller", **others)
