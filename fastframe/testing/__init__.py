"""For tests of code that uses fastframe, and of fastframe itself: exact comparisons, and data that covers the corners.

`fastframe.testing.strategies` has hypothesis strategies; import it by name, it needs hypothesis.
"""

from fastframe.testing.asserts import assert_column_equal, assert_frame_equal
from fastframe.testing.data import DTYPES, NULLS, column, covering, table

__all__ = ["DTYPES", "NULLS", "assert_column_equal", "assert_frame_equal", "column", "covering", "table"]
