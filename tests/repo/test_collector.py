"""Garbage is not collected during imports, and afterwards as before."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from fastframe._collector import paused


@pytest.mark.parametrize("collects", [True, False])
def test_it_is_as_before_afterwards_also_after_an_error(collects: bool) -> None:
    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with paused():
            assert not gc.isenabled()
            with paused():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert gc.isenabled() is collects
        with pytest.raises(ImportError), paused():
            raise ImportError
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()


def test_an_import_leaves_it_as_it_was() -> None:
    code = "import gc; {}; import fastframe as ff; ff.DataFrame({{'a': [1]}}).groupby('a').size(); print(gc.isenabled())"
    for setting, shown in (("gc.enable()", "True"), ("gc.disable()", "False")):
        done = subprocess.run([sys.executable, "-c", code.format(setting)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == shown


def test_objects_are_old_afterwards_and_their_garbage_is_still_collected() -> None:
    code = """
import gc, weakref
class Ring: pass
gc.enable(); gc.collect(); gc.set_threshold(10**6)
from fastframe._collector import paused
with paused():
    kept = [[] for _ in range(1000)]
    ring = Ring(); ring.itself = ring; seen = weakref.ref(ring); del ring
assert len(gc.get_objects(0)) < 500 and any(one is kept for one in gc.get_objects(2)), len(gc.get_objects(0))
gc.collect(1); assert seen() is not None
gc.collect(); assert seen() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_frozen_stays_frozen() -> None:
    code = """
import gc
from fastframe._collector import paused
gc.enable(); gc.freeze(); frozen = gc.get_freeze_count()
with paused():
    pass
assert gc.get_freeze_count() == frozen
"""
    subprocess.run([sys.executable, "-c", code], check=True)
