"""Seconds of ``import fastframe`` in a fresh process, once numpy and pyarrow are imported."""


class Import:
    """asv runs the text in a new interpreter each time."""

    def timeraw_import(self) -> tuple[str, str]:
        return "import fastframe", "import numpy, pyarrow"

    def timeraw_import_with_numpy_and_pyarrow(self) -> str:
        return "import fastframe"
