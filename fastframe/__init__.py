"""fastframe: a pandas-like, Arrow-backed DataFrame whose kernels use every core without the GIL.

>>> import fastframe as ff
>>> df = ff.DataFrame({"city": ["Rome", "Oslo", "Rome"], "sold": [3, 1, 2]})
>>> df.groupby("city")["sold"].sum().to_dict()
{'Oslo': 1, 'Rome': 5}
"""

from typing import TYPE_CHECKING

from fastframe._collector import paused as _paused

with _paused():
    from fastframe import errors
    from fastframe._version import __version__
    from fastframe.frame.combine import concat, merge
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.expression import Expr, col, lit, when
    from fastframe.frame.index import Index
    from fastframe.frame.intake import from_arrow, from_dict, from_numpy, from_pandas
    from fastframe.frame.readers import read_csv, read_feather, read_parquet
    from fastframe.frame.series import Series
    from fastframe.options import option_context, options

if TYPE_CHECKING:
    from fastframe._jit.decorator import jit
    from fastframe.contract import FeatureContract
    from fastframe.predict.predictor import Predictor, can_compile, compile, load_predictor  # noqa: A004
    from fastframe.profiling import profile
    from fastframe.versions import show_versions

__all__ = [
    "DataFrame",
    "Expr",
    "FeatureContract",
    "Index",
    "Predictor",
    "Series",
    "__version__",
    "can_compile",
    "col",
    "compile",
    "concat",
    "errors",
    "from_arrow",
    "from_dict",
    "from_numpy",
    "from_pandas",
    "jit",
    "lit",
    "load_predictor",
    "merge",
    "option_context",
    "options",
    "profile",
    "read_csv",
    "read_feather",
    "read_parquet",
    "show_versions",
    "when",
]


_LATE = {
    "jit": "fastframe._jit.decorator",
    "profile": "fastframe.profiling",
    "FeatureContract": "fastframe.contract",
    "show_versions": "fastframe.versions",
    **dict.fromkeys(("Predictor", "can_compile", "compile", "load_predictor"), "fastframe.predict.predictor"),
}


def __getattr__(name: str) -> object:
    """What is imported late; pandas' functions that do not exist here say what to write instead."""
    if name.startswith("_"):
        raise AttributeError(name)
    if name in _LATE:       # imported when first asked for: most processes never do
        import importlib

        return getattr(importlib.import_module(_LATE[name]), name)
    from fastframe.frame.unsupported import MODULE_HINTS

    if name in MODULE_HINTS:
        raise errors.MissingAttribute.unsupported("fastframe", name, MODULE_HINTS[name])
    raise errors.MissingAttribute.of("fastframe", name, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)
