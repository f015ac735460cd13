"""The examples in docstrings run as they are written."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import fastframe as ff

MODULES = sorted(
    one.name for one in pkgutil.walk_packages(ff.__path__, "fastframe.") if not one.name.startswith(("fastframe._kernels", "fastframe._threads._"))
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", ["fastframe", *MODULES])
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=FLAGS, verbose=False)
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples of {name} are wrong; see the output"


def test_the_examples_are_found() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    n_examples = sum(len(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert n_examples > 50
