"""fastframe and pandas agree, method by method, over dtypes, missing values, slices, chunks and labels (see `parity.py`)."""

from __future__ import annotations

import pytest

from tests.frame import parity_frame, parity_series
from tests.frame.compare import RTOL, assert_same
from tests.frame.parity import Case, both_frames, both_series, forms


def assert_case(case: Case, mine: object, theirs: object, one: object) -> None:
    expected = (case.expected or case.run)(theirs, one)
    single = getattr(theirs, "dtype", "") == "float[pyarrow]"   # ours stays float32, pandas' means are doubles
    assert_same(case.run(mine, one), expected, types=case.types, rtol=1e-6 if single else RTOL)


@pytest.mark.parametrize("case", parity_series.CASES, ids=lambda case: case.name)
def test_series(case: Case) -> None:
    for form in forms(case, dtypes=case.on):
        mine, theirs, one = both_series(form)
        try:
            assert_case(case, mine, theirs, one)
        except Exception as error:
            raise AssertionError(f"{case.name} of {form} (one = {one!r}): {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("case", parity_frame.CASES, ids=lambda case: case.name)
def test_frame(case: Case) -> None:
    for form in forms(case, dtypes=("frame",)):
        mine, theirs, one = both_frames(form, case.on)
        try:
            assert_case(case, mine, theirs, one)
        except Exception as error:
            raise AssertionError(f"{case.name} of {form} (one = {one!r}): {type(error).__name__}: {error}") from error
