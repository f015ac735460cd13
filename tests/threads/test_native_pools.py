"""Other libraries' thread pools are small while tasks run beside each other, and as before afterwards."""

import ctypes
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController

from fastframe._threads import _drive, budget, native_pools
from fastframe._threads.native_pools import hold_blas, libraries, loaded_libraries, openmp, release_blas

sklearn_openmp = pytest.importorskip("sklearn.utils._openmp_helpers")


@pytest.fixture(autouse=True)
def two_threads_each() -> Iterator[None]:
    """Whatever the machine, and whatever limit the environment sets."""
    libraries.refresh()
    before = [(library, library.get_num_threads()) for library in [*libraries.openmp, *libraries.blas]]
    for library, _ in before:
        library.set_num_threads(2)
    yield
    for library, n in before:
        library.set_num_threads(n)


def blas_threads() -> set[int]:
    return {library.get_num_threads() for library in libraries.blas}


def openmp_threads() -> set[int]:
    return {library.get_num_threads() for library in libraries.openmp}


def test_all_libraries_are_found() -> None:
    found = {one.filepath for one in ThreadpoolController().lib_controllers}
    assert {one.filepath for one in [*libraries.openmp, *libraries.blas]} == found
    assert libraries.openmp   # scikit-learn's
    assert libraries.blas     # NumPy's


def test_a_library_that_is_loaded_later_is_noticed(tmp_path: Path) -> None:
    before = loaded_libraries()
    assert loaded_libraries() == before
    copy = shutil.copy(_drive.__file__, tmp_path / "another.so")
    ctypes.CDLL(str(copy))
    assert loaded_libraries() != before


def test_nothing_is_searched_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    own = native_pools._Libraries()
    own.refresh()
    monkeypatch.setattr("threadpoolctl.ThreadpoolController", None)   # would raise
    own.refresh()
    assert own.openmp


def test_openmp_is_limited_for_one_thread_only() -> None:
    seen = []
    with openmp(1):
        assert openmp_threads() == {1}
        other = threading.Thread(target=lambda: seen.append(1 in openmp_threads()))
        other.start()
        other.join()
    assert openmp_threads() == {2}
    assert seen == [False]


def test_limits_never_raise() -> None:
    hold_blas(50)
    try:
        with openmp(50):
            assert openmp_threads() == {2}
            assert blas_threads() == {2}
    finally:
        release_blas(50)


def test_the_least_limit_counts_and_all_is_as_before_in_the_end() -> None:
    hold_blas(1)
    hold_blas(2)
    assert blas_threads() == {1}
    release_blas(1)
    assert blas_threads() == {2}
    for library in libraries.blas:
        library.set_num_threads(3)   # somebody else's will while we hold
    release_blas(2)
    assert blas_threads() == {2}
    release_blas(2)                  # once too often: nothing
    assert blas_threads() == {2}


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_tasks_run_under_limits(return_as: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 2)

    def limits() -> tuple[set[int], set[int], int]:
        return openmp_threads(), blas_threads(), sklearn_openmp._openmp_effective_n_threads()

    with joblib.parallel_config("fastframe", n_jobs=2):
        found = list(Parallel(return_as=return_as)(delayed(limits)() for _ in range(8)))
    assert found == [({1}, {1}, 1)] * 8
    assert (openmp_threads(), blas_threads()) == ({2}, {2})


def test_limits_end_with_a_failed_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 2)

    def fail() -> None:
        raise LookupError

    with joblib.parallel_config("fastframe", n_jobs=2):
        for tasks in ((delayed(fail)() for _ in range(9)), 17):
            with pytest.raises((LookupError, TypeError)):
                Parallel()(tasks)
            assert (openmp_threads(), blas_threads()) == ({2}, {2})


def test_a_share_of_several_threads_is_given_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 4)
    with joblib.parallel_config("fastframe", n_jobs=2):
        assert Parallel()(delayed(openmp_threads)() for _ in range(4)) == [{2}] * 4


def test_without_threadpoolctl_tasks_run_uncapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "threadpoolctl", None)
    own = native_pools._Libraries()
    own.refresh()
    assert (own.openmp, own.blas) == ([], [])
