"""The documents say what is so: pages made from the code are current, links resolve, the README's example runs."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import re
from pathlib import Path
from types import ModuleType

import pytest

import fastframe as ff
import fastframe.testing
from fastframe.frame.groupby import GroupBy

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MADE = re.compile(r"^<!-- Written by docs/make_api\.py")

_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:[\w.]+/)*[\w.]+(?:\.(?:py|pyx|pxd|hpp|pyi|md|toml)|/))(?:::\w+)?`")


def load_make_api() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    """What `#...` can name in a document, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", _CODE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_made_pages_are_current() -> None:
    pages = load_make_api().made_pages()
    stale = [path for path, text in pages.items() if not (ROOT / "docs" / path).exists() or (ROOT / "docs" / path).read_text() != text]
    assert not stale, "run: make docs"
    committed = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md") if MADE.match(path.read_text())}
    assert committed == set(pages)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("dataframe", [f"DataFrame.{name}" for name in dir(ff.DataFrame)]),
        ("series", [f"Series.{name}" for name in dir(ff.Series)]),
        ("groupby", [f"GroupBy.{name}" for name in dir(GroupBy)]),
        ("expr", [f"Expr.{name}" for name in dir(ff.Expr)]),
        ("index", [f"Index.{name}" for name in dir(ff.Index)]),
        ("accessors", [f"Series.str.{name}" for name in dir(ff.Series(["a"]).str)]),
        ("accessors", [f"Series.dt.{name}" for name in dir(ff.Series([0]).astype("timestamp[us]").dt)]),
        ("accessors", [f"Series.cat.{name}" for name in dir(ff.Series(["a"], dtype="category").cat)]),
        ("errors", [f"ff.errors.{name}" for name, one in vars(ff.errors).items() if inspect.isclass(one) and issubclass(one, ff.errors.FastFrameError)]),
        ("functions", [f"ff.{name}" for name in ff.__all__ if name not in ("DataFrame", "Series", "Index", "Expr", "FeatureContract", "Predictor", "errors")]),
        ("predictor", [f"Predictor.{name}" for name in dir(ff.Predictor)]),
        ("contract", [f"FeatureContract.{name}" for name in dir(ff.FeatureContract)]),
        ("testing", fastframe.testing.__all__),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_every_public_name_is_documented(page: str, names: list[str]) -> None:
    text = (ROOT / "docs" / "api" / f"{page}.md").read_text()
    named = set(re.findall(r"^(?:### |\| )`([\w.]+)`", text, re.MULTILINE))
    for names_too in re.findall(r"^Also called (.*)\.$", text, re.MULTILINE):
        named |= {f"{page.title()}.{name}" for name in re.findall(r"`(\w+)`", names_too)}
    named |= {name.replace("Dataframe.", "DataFrame.").replace("Groupby.", "GroupBy.") for name in named}
    public = {name for name in names if not name.rpartition(".")[2].startswith("_") or name == "ff.__version__"}
    assert len(public) > 2
    assert public <= named


def test_options_are_documented() -> None:
    text = (ROOT / "docs" / "api" / "functions.md").read_text()
    for name in vars(ff.options):
        assert f"`{name}`" in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_resolve(path: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", path.read_text())):
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{relative(path)} links to {link}"
        assert not anchor or anchor in anchors(found), f"{relative(path)} links to {link}"


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if not MADE.match(path.read_text())], ids=relative)
def test_paths_that_are_named_exist(path: Path) -> None:
    """A file or folder in backticks is named from the root, from the package, or from the document."""
    places = (ROOT, ROOT / "fastframe", ROOT / "fastframe" / "engines" / "cpu", path.parent)
    for named in _PATH.findall(_CODE.sub("", path.read_text())):
        if named not in ("report.html", "data/bench", "data/bench/results/", "utils.py"):   # made when asked for, or never
            assert any((place / named).exists() for place in places), f"{relative(path)} names {named}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)(?=`|  | *$)", path.read_text(), re.MULTILINE))
    assert named <= targets


def test_example_of_the_readme_runs() -> None:
    text = (ROOT / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert example is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example[1], "README.md", "exec"), {})
    assert printed.getvalue() == example[2]
    assert len(example[1].splitlines()) <= 10
