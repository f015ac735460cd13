"""`available_bytes`: how much memory this process may still take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fastframe._kernels.memory import held_bytes

_ALL_ADDRESSES = 1 << 47
_NO_LIMIT = 1 << 62   # version 1 of cgroups says "none" by the largest number of whole pages
_MOUNT = Path("/sys/fs/cgroup")
# Per version of cgroups: files of the limit and of what is used, and the entry of memory.stat that may be dropped at once.
_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}


def available_bytes() -> int:
    """What the system has left, or the cgroups of this process, whichever is least, and what our pool holds unused.

    Where neither says (not on Linux), as much as addresses reach. About 0.1 ms.
    """
    found = [_left_by_system(), *(_left_by_cgroup(folder, version) for folder, version in _cgroups())]
    return min((one for one in found if one is not None), default=_ALL_ADDRESSES) + held_bytes()


def _left_by_system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith(("MemAvailable:", "SwapFree:"))]
    return 1024 * sum(kilobytes) if kilobytes else None


def _cgroups() -> Iterator[tuple[Path, int]]:
    """This process's memory cgroup and those above it. (In a container its own is the top, whatever its name.)"""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, version = (_MOUNT / "memory", 1) if controllers else (_MOUNT, 2)
        yield top, version
        parts = Path(name).parts[1:]
        for depth in range(len(parts)):
            yield top.joinpath(*parts[: depth + 1]), version


def _left_by_cgroup(folder: Path, version: int) -> int | None:
    limit_file, used_file, droppable = _FILES[version]
    try:
        limit = (folder / limit_file).read_text().strip()
        if limit == "max" or int(limit) >= _NO_LIMIT:
            return None   # as most are: the other files, slower to read, need not be
        used = int((folder / used_file).read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return max(0, int(limit) - used + int(stat.get(droppable, 0)))
