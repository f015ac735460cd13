"""When a function is compiled again, and when it is not: captured values, threads, the bounded table, other processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastframe as ff
from fastframe._jit import disk
from fastframe._jit import kernel as kernel_module
from fastframe._jit.cache import KernelCache
from fastframe._jit.fingerprint import fingerprint
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import Pending, compile_runs
from fastframe.dtypes import dtype
from fastframe.errors import JITError
from tests.jit.running import results

FLOAT = dtype("float64")
ONE = np.array([0, 4])
factor = 2.0
steps = np.array([1, 2])
settings = type(sys)("settings")
settings.limit = 5


def doubled(v):
    return v * 2


def by_globals(x):
    return doubled(x.sum()) * factor + steps[1] + settings.limit


def value_of(function: Any, values: np.ndarray | None = None) -> float:
    return float(results(function, [np.ones(4) if values is None else values], ONE)[0][0])


def test_captured_values_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def tripled(v):
        return v * 3

    assert value_of(by_globals) == 8 * 2 + 2 + 5
    monkeypatch.setitem(globals(), "factor", 3.0)
    assert value_of(by_globals) == 8 * 3 + 2 + 5
    monkeypatch.setitem(globals(), "doubled", tripled)
    assert value_of(by_globals) == 12 * 3 + 2 + 5
    steps[1] = 9
    assert value_of(by_globals) == 12 * 3 + 9 + 5
    steps[1] = 2
    monkeypatch.setattr(settings, "limit", 6)
    assert value_of(by_globals) == 12 * 3 + 2 + 6


def test_closures() -> None:
    def scaled_by(scale):
        return lambda x: x.sum() * scale

    assert [value_of(scaled_by(scale)) for scale in (1, 2, 1.5)] == [4, 8, 6]
    offsets = np.array([1.0, 2.0])

    def shifted(x):
        return x.sum() + offsets[1]

    assert value_of(shifted) == 6
    offsets[1] = 5
    assert value_of(shifted) == 9


def digest(function: Any) -> bytes:
    return fingerprint(function).digest


def test_fingerprints() -> None:
    assert digest(lambda x: x + 1) == digest(lambda x: x + 1)
    different = [
        lambda x: x + 1, lambda x: x + 2, lambda x: x + 1.0, lambda x: x - 1, lambda y: y + 1, lambda x, y=2: x + 1, lambda x: x + True,
        lambda x: (lambda y: y + 1)(x), lambda x: (lambda y: y + 2)(x),
    ]  # fmt: skip
    assert len({digest(one) for one in different}) == len(different)
    assert fingerprint(by_globals).portable
    unknown = object()
    assert not fingerprint(lambda x: unknown).portable
    assert digest(lambda x: -0.0 + x) != digest(lambda x: 0.0 + x)
    nested = [(1, 2), (3,)]
    first = digest(lambda x: nested)
    nested[:] = [(1,), (2, 3)]
    assert digest(lambda x: nested) != first


def test_functions_that_contain_themselves() -> None:
    def ring(x):
        return ring2(x)

    def ring2(x):
        return ring(x)

    assert digest(ring) == digest(ring)
    assert digest(ring) != digest(ring2)


def test_same_function_is_compiled_once() -> None:
    function = UserFunction.of(by_globals)
    assert compile_runs(function, [FLOAT]) is compile_runs(UserFunction.of(by_globals), [FLOAT])
    assert compile_runs(function, [dtype("int64")]) is not compile_runs(function, [FLOAT])


def test_two_threads_compile_once() -> None:
    made, cache = [], KernelCache[int](lambda: 4)
    begun = threading.Event()

    def make() -> int:
        made.append(threading.get_ident())
        begun.set()
        time.sleep(0.05)
        return 7

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get("k", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 4
    assert len(made) == 1


def test_cache_is_bounded_and_keeps_no_errors() -> None:
    cache = KernelCache[int](lambda: 2)
    for key in (1, 2, 1, 3):
        cache.get(key, lambda key=key: key * 10)
    assert len(cache) == 2
    assert cache.get(1, lambda: -1) == 10
    assert cache.get(2, lambda: -1) == -1

    def refuse() -> int:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.get("bad", refuse)
    assert cache.get("bad", lambda: 5) == 5


def test_option_bounds_the_table() -> None:
    with ff.option_context(jit_cache=1):
        for power in range(3):
            compile_runs(UserFunction.of(eval(f"lambda x: x.sum() + {power}")), [FLOAT])
        assert len(kernel_module.kernels) == 1


def test_pending() -> None:
    pending = Pending(lambda: compile_runs(UserFunction.of(by_globals), [FLOAT]))
    assert pending.result() is compile_runs(UserFunction.of(by_globals), [FLOAT])
    with pytest.raises(JITError, match="is not defined"):
        Pending(lambda: compile_runs(UserFunction.of(lambda x: not_there), [FLOAT])).result()   # noqa: F821


def test_compilations_are_profiled() -> None:
    with ff.profile() as profile:
        for _ in range(2):   # the second finds it
            Pending(lambda: compile_runs(UserFunction.of(lambda x: x.sum() * 123), [FLOAT])).result()
    (compiled,) = profile.operations
    assert (compiled.operation.name, compiled.operation.detail) == ("compile", "the lambda")
    assert compiled.wall > 0


# -- on disk


def forget() -> None:
    kernel_module.kernels.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTFRAME_CACHE_DIR", str(tmp_path))
    forget()
    return tmp_path / "jit"


@pytest.fixture
def no_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it to make every further compilation fail."""

    def refuse(*_: Any) -> None:
        raise AssertionError("compiled again")

    return lambda: monkeypatch.setattr("fastframe._jit.glue.compile_kernel", refuse)


def kept(x):
    return {"low": x.min() * factor, "n": len(x)}


def none_for_few(x):
    return None if len(x) < 5 else np.exp(x).sum()


def test_next_process_compiles_nothing(folder: Path, no_compiler: Any) -> None:
    before = [one.tolist() for one in results(kept, [np.arange(4.0) + 1], ONE)]
    assert len(list(folder.iterdir())) == 1
    results(none_for_few, [np.ones(4)], ONE)
    forget()
    no_compiler()
    assert [one.tolist() for one in results(kept, [np.arange(4.0) + 1], ONE)] == before
    kernel = compile_runs(UserFunction.of(kept), [FLOAT])
    assert [(one.name, one.dtype.name, one.nullable) for one in kernel.results] == [("low", "float64", False), ("n", "int64", False)]
    assert results(none_for_few, [np.zeros(4)], ONE)[0].tolist() == [0.0]
    assert compile_runs(UserFunction.of(none_for_few), [FLOAT]).results[0].nullable


def test_captured_values_are_part_of_the_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert results(kept, [np.ones(4)], ONE)[0][0] == 2.0
    monkeypatch.setitem(globals(), "factor", 7.0)
    forget()
    assert results(kept, [np.ones(4)], ONE)[0][0] == 7.0
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "code", "facts", "empty", "text", "other"])
def test_damaged_files_are_compiled_anew(folder: Path, damage: str) -> None:
    results(kept, [np.ones(4)], ONE)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    head, _, code = whole.partition(b"\n")
    facts = json.loads(head)
    path.write_bytes({
        "cut": whole[:-100],
        "code": head + b"\n" + code[:500] + bytes([code[500] ^ 1]) + code[501:],
        "facts": json.dumps({**facts, "results": [[None, "float64", False, "<f8"]]}).encode() + b"\n" + code,
        "empty": b"",
        "text": b"[1]\n",
        "other": json.dumps({**facts, "key": "0" * 64}).encode() + b"\n" + code,
    }[damage])  # fmt: skip
    assert disk.load(path.name) is None
    forget()
    assert results(kept, [np.ones(4)], ONE)[0][0] == 2.0
    assert disk.load(path.name) is not None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files")
def test_files_that_others_may_write_are_not_run(folder: Path) -> None:
    results(kept, [np.ones(4)], ONE)
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert disk.load(path.name) is not None
    path.chmod(0o666)
    assert disk.load(path.name) is None
    path.chmod(0o600)
    folder.chmod(0o777)
    assert disk.load(path.name) is None


def test_what_is_not_kept(folder: Path) -> None:
    unknown = object()
    from_text: dict[str, Any] = {}
    exec(compile("def text(x):\n    return x.sum() + 41", "<text>", "exec"), from_text)
    value_of(from_text["text"])
    with ff.option_context(jit_disk=False):
        value_of(lambda x: x.sum() + 42)
    with pytest.raises(JITError):
        compile_runs(UserFunction.of(lambda x: unknown), [FLOAT])
    assert not folder.exists() or not list(folder.iterdir())


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTFRAME_CACHE_DIR", str(tmp_path / "file"))
    forget()
    assert value_of(lambda x: x.sum() + 43) == 47


def test_oldest_files_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_FILES", 2)
    for number, key in enumerate(("a", "b", "c")):
        disk.save(key, {}, b"code")
        os.utime(folder / key, (number, number))
    assert {one.name for one in folder.iterdir()} == {"b", "c"}


CHILD = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
from user_module import standardised
from tests.jit.running import results
x = np.arange(1000.0)
for _ in range(3):
    found = results(standardised, [x], np.arange(0, 1001, 100))[0]
print(found.tobytes().hex()[:64], "fastframe._jit.glue" in sys.modules and "compiled" or "loaded")
"""


def test_processes_share_kernels(folder: Path) -> None:
    """Several begin at once, all write; a later one finds the kernel and does not import the compiler's glue."""
    module = folder.parent / "user_module.py"
    module.write_text("import numpy as np\n\ndef standardised(x):\n    return np.clip((x - x.mean()) / x.std(), -3, 3)\n")
    command = [sys.executable, "-c", CHILD.format(folder=str(folder.parent))]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    first = [one.communicate(timeout=120)[0].split() for one in [start(), start()]]
    later = start().communicate(timeout=120)[0].split()
    assert {one[0] for one in [*first, later]} == {later[0]}
    assert later[1] == "loaded"
    assert len(list(folder.iterdir())) == 1
