"""`Function`: one row of the table of elementwise functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastframe.dtypes import DType
from fastframe.errors import ArgumentError
from fastframe.records import record

# (operation, dtypes of the arguments, options) -> dtype of the result; raises DTypeError naming the operation
ResultRule = Callable[[str, Sequence[DType], Mapping[str, Any]], DType]
REQUIRED = object()   # the default of an option that must be given


@record(frozen=True)
class Function:
    """An elementwise function.

    Parameters
    ----------
    name : str
    result : callable
        ``(operation, dtypes, options) -> DType``.
    handler : str
        Which handler of an engine evaluates it.
    doc : str
        One line: value, missing values, errors.
    least, most : int
        How many arguments; ``most`` None for any number.
    options : tuple of (name, default)
        What does not vary by row; `REQUIRED` where there is no default.
    exact : bool
        Literals keep their own number type, so that nothing is rounded before it is compared.
    anchors_from : int
        First argument whose dtype counts for the dtype of literals.
    """

    name: str
    result: ResultRule
    handler: str
    doc: str
    least: int = 2
    most: int | None = 2
    options: tuple[tuple[str, Any], ...] = ()
    exact: bool = False
    anchors_from: int = 0

    def check_arity(self, given: int) -> None:
        """Raise `ArgumentError` for a wrong number of arguments."""
        if given < self.least or (self.most is not None and given > self.most):
            count = str(self.least) if self.least == self.most else f"{self.least} to {self.most or 'any number of'}"
            raise ArgumentError.because(self.name, f"{given} arguments were given", f"It takes {count}.")

    def fill_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options, defaults included; `ArgumentError` for one that is not known or not given."""
        known = dict(self.options)
        for name in given:
            if name not in known:
                raise ArgumentError.of(self.name, "option", name, list(known))
        filled = {**known, **given}
        for name, value in filled.items():
            if value is REQUIRED:
                raise ArgumentError.because(self.name, f"the option {name!r} was not given", "It has no default.")
        return filled
