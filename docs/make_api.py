"""Writes docs/api/*.md from the docstrings and signatures of everything public, and docs/support.md from the tables.

    PYTHONPATH=. .venv/bin/python docs/make_api.py            # write; `make docs` does it too
    PYTHONPATH=. .venv/bin/python docs/make_api.py --check    # 1 where a committed page is not what this would write

The output depends on the code alone, so tests/repo/test_docs.py can compare it with what is committed.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fastframe as ff
import fastframe.testing
from fastframe.contract import FeatureContract, Field
from fastframe.engines.base import MODULES, get_engine
from fastframe.frame.accessors import CategoryAccessor, Split, TextAccessor, TimeAccessor
from fastframe.frame.expression import Then, When
from fastframe.frame.groupby import GroupBy
from fastframe.frame.index import Names
from fastframe.frame.row import Row
from fastframe.ops.aggregations import AGGREGATIONS
from fastframe.ops.base import Spec
from fastframe.ops.function import REQUIRED
from fastframe.ops.functions import FUNCTIONS
from fastframe.ops.windows import WINDOWS
from fastframe.predict.predictor import Predictor, Report
from fastframe.predict.readers import READERS

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/make_api.py: change the docstrings, then `make docs`. -->"

# Headings by the module that a method is defined in, in this order; a module that is not named here comes last.
TOPICS = {
    "dataframe": "Shape, names and labels", "series": "Shape, names and labels", "core": "Shape, names and labels",
    "display": "Looking at it",
    "indexers": "Rows and values by label or position",
    "selection": "Choosing rows and columns", "querying": "Choosing rows and columns",
    "reshape": "Sorting, labels and grouping",
    "combine": "Joining",
    "missing": "Missing values",
    "arithmetic": "Arithmetic, comparisons and functions of values",
    "expression": "Functions of values",
    "reductions": "Aggregations and summaries", "expression_aggregations": "Aggregations and summaries",
    "mapping": "Functions of your own",
    "windows": "From row to row",
    "convert": "Converting, copying and writing",
    "groupby": "Groups and general methods",
    "group_methods": "Functions of groups",
}  # fmt: skip

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_LISTS = {"Parameters", "Attributes", "Returns", "Raises", "Yields"}


def rendered(docstring: str | None) -> str:
    """A numpydoc docstring as Markdown: sections in bold, parameters as lists, examples as code."""
    text = inspect.cleandoc(docstring or "").replace("``", "`")
    parts = _SECTION.split(text)
    out = [_with_examples(parts[0].strip())]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title == "Examples":
            out.append(_with_examples(body.strip()))
        elif title in _LISTS:
            out.append(f"**{title}**\n\n" + "\n".join(_entries(body, title)))
        else:
            out.append(f"**{title}**\n\n{body.strip()}")
    return "\n\n".join(part for part in out if part)


def _with_examples(text: str) -> str:
    """Blocks of ``>>>`` as code."""
    blocks = []
    for block in re.split(r"\n\s*\n", text):
        start = block.find(">>> ")
        if start < 0:
            blocks.append(block)
            continue
        prose, code = block[:start].strip(), block[start:].replace("<BLANKLINE>", "")
        blocks += [prose] if prose else []
        blocks.append(f"```python\n{code}\n```")
    return "\n\n".join(blocks)


def _entries(body: str, section: str) -> Iterator[str]:
    """The entries of a section as list items."""
    for line in inspect.cleandoc(body).splitlines():
        if not line.strip():
            continue
        if line.startswith(" "):
            yield "  " + line.strip()
        elif section == "Returns":
            yield f"- {line}"
        else:
            names, _, kind = line.partition(" : ")
            yield "- " + ", ".join(f"`{name}`" for name in names.split(", ")) + (f" ({kind})" if kind else "")


def signature(function: Callable[..., Any], *, method: bool) -> str:
    """Parameters with their types and defaults, and the result's type; `Any` is left out."""
    found = inspect.signature(function)
    parameters = list(found.parameters.values())[1 if method else 0 :]
    bare = [one.replace(annotation=_shown(one.annotation)) for one in parameters]
    result = _shown(found.return_annotation)
    text = str(inspect.Signature(bare, return_annotation=result if result is not inspect.Signature.empty else inspect.Signature.empty))
    return text.replace("'", '"') if '"' not in text else text


class _Bare:
    """An annotation that prints without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _shown(annotation: Any) -> Any:
    empty = inspect.Signature.empty
    if annotation is empty or annotation in ("Any", "None", Any, None):
        return empty
    return _Bare(annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation)))


def public(owner: type) -> list[str]:
    """Names of the public members."""
    return [name for name in dir(owner) if not name.startswith("_")]


def _plain(owner: type, name: str) -> Any:
    """What stands behind a member: the function of a property or of a wrapped method."""
    member = inspect.getattr_static(owner, name)
    member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.unwrap(member) if callable(member) else member


def members(owner: type) -> dict[str, list[list[str]]]:
    """Public members by topic; each is a list of names for one thing, the shortest of them its own."""
    same: dict[int, list[str]] = {}
    for name in public(owner):
        if not (getattr(_plain(owner, name), "__module__", None) or "").startswith(("collections", "typing")):   # inherited from Python
            same.setdefault(id(_plain(owner, name)), []).append(name)
    topics: dict[str, list[list[str]]] = {}
    order = list(dict.fromkeys(TOPICS.values()))
    for names in same.values():
        plain = _plain(owner, names[0])
        own = getattr(plain, "__name__", names[0])
        names.sort(key=lambda name, own=own: (name != own, name))
        module = (getattr(plain, "__module__", None) or "").rpartition(".")[2]
        topics.setdefault(TOPICS.get(module, module.replace("_", " ").capitalize()), []).append(names)
    return {topic: sorted(topics[topic]) for topic in sorted(topics, key=lambda one: (order.index(one) if one in order else len(order), one))}


def entry(owner: type | None, names: list[str], shown_as: str) -> str:
    """One member or function: heading, signature, docstring."""
    static = inspect.getattr_static(owner, names[0]) if owner is not None else None
    found = getattr(owner, names[0]) if owner is not None else None
    plain = _plain(owner, names[0]) if owner is not None else None
    text = [f"### `{shown_as}{names[0]}`"]
    if not isinstance(static, property) and callable(found):
        text.append(f"```python\n{shown_as}{names[0]}{signature(plain, method=not isinstance(static, staticmethod))}\n```")
    if len(names) > 1:
        text.append("Also called " + ", ".join(f"`{name}`" for name in names[1:]) + ".")
    text.append(rendered(getattr(plain, "__doc__", None) if plain is not None else None))
    return "\n\n".join(part for part in text if part)


def class_page(title: str, owner: type, shown_as: str, *, constructor: bool = True) -> str:
    """A class: docstring, then its members by topic."""
    out = [NOTE, f"# `{title}`"]
    if constructor:
        out.append(f"```python\n{title}{signature(owner.__init__, method=True)}\n```")
    out.append(rendered(owner.__doc__))
    found = members(owner)
    for topic, several in found.items():
        if len(found) > 1:
            out.append(f"## {topic}")
        out += [entry(owner, names, shown_as) for names in several]
    return "\n\n".join(out) + "\n"


def function_text(name: str, function: Callable[..., Any]) -> str:
    return "\n\n".join([f"### `{name}`", f"```python\n{name}{signature(function, method=False)}\n```", rendered(function.__doc__)])


def functions_page() -> str:
    """The functions of the package, and its options."""
    groups = {
        "Making frames": ["from_arrow", "from_pandas", "from_numpy", "from_dict"],
        "Reading files": ["read_parquet", "read_csv", "read_feather"],
        "Combining": ["concat", "merge"],
        "Expressions": ["col", "lit", "when"],
        "Fitted models": ["compile", "can_compile", "load_predictor"],
        "Settings": ["option_context", "show_versions"],
    }
    named = {name for several in groups.values() for name in several}
    others = [name for name in ff.__all__ if inspect.isfunction(getattr(ff, name)) and name not in named]
    out = [NOTE, "# Functions and settings"]
    for title, names in {**groups, "Others": others}.items():
        out += [f"## {title}"] * bool(names) + [function_text(f"ff.{name}", getattr(ff, name)) for name in names]
    out += ["### `ff.options`", rendered(type(ff.options).__doc__), "### `ff.__version__`", "The version, as text."]
    return "\n\n".join(out) + "\n"


def expression_page() -> str:
    """Deferred expressions, and what `ff.when` gives."""
    out = [class_page("Expr", ff.Expr, "Expr.", constructor=False).rstrip()]
    for title, owner, names in (("ff.when(...)", When, ["then"]), ("ff.when(...).then(...)", Then, ["when", "otherwise"])):
        out += [f"## What `{title}` gives", rendered(owner.__doc__)]
        out += [entry(owner, [name], "when." if owner is When else "then.") for name in names]
    return "\n\n".join(out) + "\n"


def accessors_page() -> str:
    """`.str`, `.dt`, `.cat` of a series, and what `str.split` gives."""
    out = [NOTE, "# Accessors of a series"]
    for title, owner in (("str", TextAccessor), ("dt", TimeAccessor), ("cat", CategoryAccessor)):
        out += [f"## `Series.{title}`", rendered(owner.__doc__)]
        if owner is TimeAccessor:
            out += [_time_fields()]
        out += [entry(owner, names, f"Series.{title}.") for several in members(owner).values() for names in several]
    out += ["## What `Series.str.split` gives", rendered(Split.__doc__)]
    out += [entry(Split, names, "split.") for several in members(Split).values() for names in several]
    return "\n\n".join(out) + "\n"


def _time_fields() -> str:
    rows = []
    for name in sorted(TimeAccessor._FIELDS):
        function = FUNCTIONS.get(f"time.{TimeAccessor._OTHER_NAMES.get(name, name)}")
        rows.append((f"`Series.dt.{name}`", function.doc if function is not None else ""))
    return table(("field", "value"), rows)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(heads), *(list(row) for row in rows)]
    text = ["| " + " | ".join(cell.replace("``", "`").replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(lines[0]), *text[1:]])


def errors_page() -> str:
    """The tree of errors."""
    found = [one for one in vars(ff.errors).values() if isinstance(one, type) and issubclass(one, ff.errors.FastFrameError)]
    rows = []
    for one in found:
        builtins = [base.__name__ for base in one.__mro__ if base.__module__ == "builtins" and base not in (object, BaseException, Exception)]
        rows.append((f"`ff.errors.{one.__name__}`", ", ".join(f"`{name}`" for name in builtins), inspect.getdoc(one) or ""))
    intro = (
        "Every error that fastframe raises on purpose is an `ff.errors.FastFrameError` and also the builtin that pandas code\n"
        "would catch. A message says what happened, what was given, and what to do."
    )
    return "\n\n".join([NOTE, "# Errors", intro, table(("error", "is also", "when"), rows)]) + "\n"


def contract_page() -> str:
    """What a model is fed, what is known of a model before it is compiled, and what a predictor says of itself."""
    out = [NOTE, "# `FeatureContract`", rendered(FeatureContract.__doc__)]
    out += [entry(FeatureContract, names, "FeatureContract.") for several in members(FeatureContract).values() for names in several]
    for name, one in (("Field", Field), ("Report", Report)):
        out += [f"## `{name}`", rendered(one.__doc__)]
    return "\n\n".join(out) + "\n"


def testing_page() -> str:
    """`fastframe.testing`."""
    out = [NOTE, "# `fastframe.testing`", rendered(fastframe.testing.__doc__)]
    for name in fastframe.testing.__all__:
        one = getattr(fastframe.testing, name)
        out.append(function_text(name, one) if inspect.isfunction(one) else f"### `{name}`\n\n{_listed(one)}")
    return "\n\n".join(out) + "\n"


def _listed(values: Any) -> str:
    return ", ".join(f"`{one}`" for one in values) if isinstance(values, Iterable) else f"`{values!r}`"


def options_of(options: Iterable[tuple[str, Any]]) -> str:
    """Names and defaults of options, for a cell."""
    return ", ".join(f"`{name}`" if default is REQUIRED else f"`{name}={default!r}`" for name, default in options)


def support_page() -> str:
    """Which engine runs what, and the tables of functions."""
    engines = [get_engine(name) for name in MODULES]
    specs = sorted((one for one in Spec.__subclasses__() if one.__module__.startswith("fastframe.")), key=lambda one: one.__name__)
    rows = []
    for spec in specs:
        runs = ["yes" if spec in engine.handlers else engine.not_supported[spec] for engine in engines]
        rows.append((f"`{spec.__name__}`", (inspect.getdoc(spec) or "").partition("\n")[0], *runs))
    out = [
        NOTE, "# What runs where",
        "Every verb is one of these specs or a composition of them. An engine runs a spec, or lists why it does not.",
        table(("spec", "what it gives", *(engine.name for engine in engines)), rows),
        "## Aggregations", "Of all rows, or of each group. Missing values are skipped unless `skipna=False`.",
        table(("name", "result", "options"), [(f"`{one.name}`", one.doc, options_of(one.options.items())) for one in AGGREGATIONS.values()]),
        "## Window functions", "One value per row, from the rows of its group (or all rows) in row order.",
        table(("name", "result", "options"), [(f"`{one.name}`", one.doc, options_of(one.options.items())) for one in WINDOWS.values()]),
        "## Functions of values", "Missing in, missing out, unless a row says otherwise. `text.` is `Series.str`, `time.` is `Series.dt`.",
        table(("name", "result", "options"), [(f"`{one.name}`", one.doc, options_of(one.options)) for one in FUNCTIONS.values()]),
        "## Models that compile", "What `ff.compile` reads; see [predict.md](predict.md).",
        table(("library", "classes"), _readable_models()),
    ]  # fmt: skip
    return "\n\n".join(out) + "\n"


def _readable_models() -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for name in READERS:
        library, _, model = name.partition(".")
        found.setdefault(library, []).append(f"`{model}`")
    return [(library, ", ".join(models)) for library, models in found.items()]


def index_page(pages: dict[str, str]) -> str:
    """All pages, and under each the names that are on it."""
    out = [NOTE, "# The public interface", "What fastframe computes, and on which engine: [support.md](support.md)."]
    for path, text in pages.items():
        if not path.startswith("api/"):
            continue
        title = re.search(r"^# (.*)$", text, re.MULTILINE)
        names = re.findall(r"^### `(?:\w+\.)*(\w+)`$", text, re.MULTILINE) or re.findall(r"^\| `ff\.errors\.(\w+)`", text, re.MULTILINE)
        assert title is not None
        out.append(f"**[{title[1]}]({path})**: " + ", ".join(f"`{name}`" for name in dict.fromkeys(names)))
    return "\n\n".join(out) + "\n"


def made_pages() -> dict[str, str]:
    """Every page by its path under docs/."""
    pages = {
        "api/functions.md": functions_page(),
        "api/dataframe.md": class_page("DataFrame", ff.DataFrame, "DataFrame."),
        "api/series.md": class_page("Series", ff.Series, "Series."),
        "api/groupby.md": class_page("GroupBy", GroupBy, "GroupBy.", constructor=False),
        "api/accessors.md": accessors_page(),
        "api/expr.md": expression_page(),
        "api/index.md": class_page("Index", ff.Index, "Index."),
        "api/names.md": class_page("Names", Names, "Names.", constructor=False),
        "api/row.md": class_page("Row", Row, "Row.", constructor=False),
        "api/predictor.md": class_page("Predictor", Predictor, "Predictor.", constructor=False),
        "api/contract.md": contract_page(),
        "api/errors.md": errors_page(),
        "api/testing.md": testing_page(),
        "support.md": support_page(),
    }
    return {"api.md": index_page(pages), **pages}


def main() -> int:
    """Write or check; 1 where a page was to be checked and differs."""
    differing = []
    for path, text in made_pages().items():
        target = DOCS / path
        if target.exists() and target.read_text() == text:
            continue
        differing.append(path)
        if "--check" not in sys.argv:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
    print("\n".join(differing) or "all pages are up to date")
    return 1 if differing and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
