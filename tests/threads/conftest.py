"""Every test here starts with no thread setting and leaves none behind."""

from collections.abc import Iterator

import pytest

from fastframe.options import option_context


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FASTFRAME_THREADS", raising=False)
    with option_context(threads=None):
        yield
