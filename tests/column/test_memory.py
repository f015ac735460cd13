"""What a failed allocation does before it gives up."""

from __future__ import annotations

import pytest

from fastframe.column import memory
from fastframe.column.memory import allocate, allocate_all, on_pressure
from fastframe.errors import OutOfMemory
from tests.threads.probing import python


def test_a_failed_allocation_asks_the_caches_first_and_is_tried_again() -> None:
    code = """
import resource
from fastframe.column.memory import allocate, allocate_all, on_pressure
cache = [allocate(200 << 20, "a cache")]
asked = []
on_pressure(lambda: asked.append(len(cache)))
on_pressure(cache.clear)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (150 << 20),) * 2)
block = allocate(100 << 20, "fits")
print(asked, len(cache))
more = allocate(200 << 20, "fits without the cache")
print(asked, len(cache), len(more) >> 20)
"""
    done = python(code)
    assert done.stdout.splitlines() == ["[] 1", "[1] 0 200"], done.stderr


def test_where_the_caches_do_not_help_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_under_pressure", [])
    asked = []
    on_pressure(lambda: asked.append("one"))
    on_pressure(lambda: asked.append("two"))
    with pytest.raises(OutOfMemory, match="a test needs"):
        allocate(2**47, "a test")
    assert asked == ["one", "two"]


@pytest.mark.parametrize("sizes", [[], [0], [8, 0, 1000], [1 << 20, 9 << 20]])
def test_several_blocks_at_once(sizes: list[int]) -> None:
    assert [len(block) for block in allocate_all(sizes, "a test")] == sizes


def test_where_one_of_several_does_not_fit_the_caches_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(sizes: list[int]) -> None:
        raise MemoryError

    monkeypatch.setattr(memory, "blocks", none)
    assert [len(block) for block in allocate_all([8, 16], "a test")] == [8, 16]
    monkeypatch.setattr(memory, "_under_pressure", [])
    asked: list[str] = []
    on_pressure(lambda: asked.append("one"))
    with pytest.raises(OutOfMemory, match="a test needs"):
        allocate_all([8, 2**47], "a test")
    assert asked == ["one"]
