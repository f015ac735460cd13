"""The examples in docstrings run as they are written."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fastframe as ff

MODULES = sorted(
    one.name for one in pkgutil.walk_packages(ff.__path__, "fastframe.") if not one.name.startswith(("fastframe._kernels", "fastframe._threads._"))
)
PAGES = [page for page in sorted((Path(__file__).parents[1] / "docs").glob("*.md")) if "```python\n>>> " in page.read_text()]   # not the made ones
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", ["fastframe", *MODULES])
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=FLAGS, verbose=False)
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples of {name} are wrong; see the output"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page(page: Path) -> None:
    """The fenced blocks of a page are one session."""
    blocks = re.findall(r"```python\n(>>> .*?)```", page.read_text(), flags=re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    found = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test)
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples of {page.name} are wrong; see the output"


def test_the_examples_are_found() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    n_examples = sum(len(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert n_examples > 50
    assert PAGES
