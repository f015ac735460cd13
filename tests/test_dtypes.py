"""Names of dtypes: what users of NumPy, Arrow and pandas write, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import fastframe as ff
from fastframe.errors import DTypeError


@pytest.mark.parametrize("code", [
    "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "<i4", ">f8", "=u2", "|i1", "U", "U5", "S", "S3",
    "M8[s]", "M8[ms]", "M8[us]", "M8[ns]", "M8[D]", "m8[us]",
])
def test_numpys_short_codes_mean_what_numpys_dtypes_mean(code: str) -> None:
    assert ff.dtypes.dtype(code) is ff.dtypes.dtype(np.dtype(code))


@pytest.mark.parametrize(("name", "arrow"), [
    ("int", "int64"), ("float", "float64"), ("double", "float64"), ("boolean", "bool"), ("str", "string"),
    ("datetime64[ms]", "timestamp[ms]"), ("timestamp[us, UTC]", "timestamp[us, UTC]"), ("decimal(7, 2)", "decimal128(7, 2)"),
])
def test_other_names_of_a_dtype(name: str, arrow: str) -> None:
    assert str(ff.dtypes.dtype(name)) == arrow


@pytest.mark.parametrize("name", ["i3", "f16", "c8", "V4", "O8", "i", "8", "", "M8", "M8[Y]", "i8 ,f4", "i4,i4"])
def test_what_is_no_dtype_of_ours_is_refused(name: str) -> None:
    with pytest.raises(DTypeError, match=r"is not a dtype that fastframe knows\..* Known are, among others: 'binary', 'bool'"):
        ff.dtypes.dtype(name)


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(DTypeError, match=r"^'int46' is not a dtype that fastframe knows. Did you mean 'int64'"):
        ff.Series([1]).astype("int46")
