"""Settings of hypothesis for all tests: ``FASTFRAME_HYPOTHESIS`` names a profile of `fastframe.testing.strategies`.

``fast`` is the default; ``slow`` tries many more examples, and others in each run; ``checked`` tries few, for builds whose
kernels are many times slower (`tests/repo/checked_builds.py`).
"""

import os

from hypothesis import settings

from fastframe.testing.strategies import register_profiles

register_profiles()
settings.load_profile(os.environ.get("FASTFRAME_HYPOTHESIS", "fast"))
