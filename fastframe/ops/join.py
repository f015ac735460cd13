"""`Join`: rows of two tables whose keys are equal."""

from __future__ import annotations

from fastframe import dtypes
from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError, MergeError
from fastframe.ops.base import Schema, Spec, require, unique
from fastframe.records import record

HOW = ("inner", "left", "right", "outer")
VALIDATE = {
    "one_to_one": (True, True), "1:1": (True, True), "one_to_many": (True, False), "1:m": (True, False),
    "many_to_one": (False, True), "m:1": (False, True), "many_to_many": (False, False), "m:m": (False, False),
}  # fmt: skip


@record(frozen=True, eq=False, repr=False)
class Join(Spec):
    """Pairs of rows with equal keys; missing keys equal each other, as in pandas.

    Inner and left keep the left order (matches in right order), right keeps the right order, outer is sorted by key.
    A key with one name on both sides comes out once; other columns that clash get the suffixes.

    Parameters
    ----------
    left_on, right_on : tuple of str
        Keys, pairwise; each pair needs a common dtype.
    how : {"inner", "left", "right", "outer"}
    suffixes : tuple of two str
    validate : str or None
        ``one_to_one``, ``one_to_many``, ``many_to_one``: checked before the join.
    """

    left_on: tuple[str, ...]
    right_on: tuple[str, ...]
    how: str = "inner"
    suffixes: tuple[str, str] = ("_x", "_y")
    validate: str | None = None

    def resolve(self, *schemas: Schema) -> dict[str, DType]:
        left, right = schemas
        if self.how not in HOW:
            raise ArgumentError.of("merge", "how", self.how, HOW)
        if self.validate is not None and self.validate not in VALIDATE:
            raise ArgumentError.of("merge", "validate", self.validate, VALIDATE)
        require(self.left_on, left)
        require(self.right_on, right)
        for left_key, right_key in zip(self.left_on, self.right_on, strict=True):
            self.key_dtype(left_key, left, right_key, right)
        names = self.names(left, right)
        unique([out for _, _, out in names], "Pass other suffixes=.")
        found = {}
        for side, name, out in names:
            if side == "both":
                found[out] = self.key_dtype(name, left, name, right)
            else:
                found[out] = (left if side == "left" else right)[name]
        return found

    def key_dtype(self, left_key: str, left: Schema, right_key: str, right: Schema) -> DType:
        """The dtype in which a pair of keys is compared."""
        one, other = left[left_key], right[right_key]
        found = dtypes.common(one, other)
        if found is None or found.kind in (Kind.NESTED, Kind.OTHER):
            raise MergeError.of_dtypes(left_key, one, right_key, other)
        return found

    def names(self, left: Schema, right: Schema) -> list[tuple[str, str, str]]:
        """Result columns as ``(side, name there, name in the result)``; side ``both`` is a key of one name."""
        shared = {one for one, other in zip(self.left_on, self.right_on, strict=True) if one == other}
        clash = {name for name in left if name in right and name not in shared}
        out = [("both" if name in shared else "left", name, name + self.suffixes[0] if name in clash else name) for name in left]
        out += [("right", name, name + self.suffixes[1] if name in clash else name) for name in right if name not in shared]
        return out
