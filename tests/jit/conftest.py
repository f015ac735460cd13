"""Kernels of tests are kept in a folder of their own, and not found by later runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For this session, child processes included."""
    before = os.environ.get("FASTFRAME_CACHE_DIR")
    folder = tmp_path_factory.mktemp("kernels")
    os.environ["FASTFRAME_CACHE_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["FASTFRAME_CACHE_DIR"]
    else:
        os.environ["FASTFRAME_CACHE_DIR"] = before
