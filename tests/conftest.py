"""Settings of hypothesis for all tests: ``FASTFRAME_HYPOTHESIS`` names a profile of `fastframe.testing.strategies`.

``fast`` is the default; ``slow`` tries many more examples, and others in each run; ``checked`` tries few, for builds whose
kernels are many times slower (`tests/repo/checked_builds.py`).
"""

import os
from collections.abc import Iterator
from dataclasses import fields

import pytest
from hypothesis import settings

from fastframe.options import option_context, options
from fastframe.testing.strategies import register_profiles

register_profiles()
settings.load_profile(os.environ.get("FASTFRAME_HYPOTHESIS", "fast"))


@pytest.fixture(autouse=True)
def options_come_back() -> Iterator[None]:
    """No test sees the options that another one set (the benchmarks set theirs for the whole process)."""
    with option_context(**{field.name: getattr(options, field.name) for field in fields(options)}):
        yield
