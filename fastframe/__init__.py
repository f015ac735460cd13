"""fastframe: a pandas-like, Arrow-backed DataFrame whose kernels use every core without the GIL."""

from fastframe._version import __version__
from fastframe.options import option_context, options

__all__ = ["__version__", "option_context", "options"]
