"""`Concat`: the rows of several tables, one after the other."""

from __future__ import annotations

from fastframe import dtypes
from fastframe.dtypes import DType
from fastframe.errors import DTypeError
from fastframe.ops.base import Schema, Spec
from fastframe.records import record


@record(frozen=True, eq=False, repr=False)
class Concat(Spec):
    """All rows in input order, columns in order of first appearance.

    A column that an input lacks is missing in its rows; ``inner`` keeps only the columns that all have. Dtypes widen
    to a common one (integers stay integers, equal categories stay a category, else they become ``string``).
    """

    inner: bool = False

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        found: dict[str, DType] = {}
        for schema in schemas:
            for name, dtype in schema.items():
                if name not in found:
                    found[name] = dtype
                    continue
                if found[name] is dtype:
                    continue
                common = dtypes.common(found[name], dtype)
                if common is None:
                    raise DTypeError.of_pair(f"concat of column {name!r}", found[name], dtype)
                found[name] = common
        if self.inner:
            return {name: dtype for name, dtype in found.items() if all(name in schema for schema in schemas)}
        return found
