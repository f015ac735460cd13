"""What a failed allocation does before it gives up."""

from __future__ import annotations

import pytest

from fastframe.column import memory
from fastframe.column.memory import allocate, on_pressure
from fastframe.errors import OutOfMemory
from tests.threads.probing import python


def test_a_failed_allocation_asks_the_caches_first_and_is_tried_again() -> None:
    code = """
import resource
from fastframe.column.memory import allocate, on_pressure
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
