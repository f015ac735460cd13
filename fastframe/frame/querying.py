"""``df.eval`` and ``df.query``: expressions as text. What reads them is imported by the first call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from fastframe.frame.core import Frame


class FrameQuery(Frame):
    """Expressions as text."""

    def eval(self, expr: str, *, inplace: bool = False, local_dict: Mapping[str, Any] | None = None) -> Any:
        """Compute an expression, or assign some.

        Parameters
        ----------
        expr : str
            ``"a * 2 - b"``, or an assignment ``"c = a * 2 - b"``, or several of those, on a line each; later lines see the
            columns of earlier ones. docs/expressions.md has the language: it is that of `query`.
        inplace : bool
            Assign to this frame and return None, rather than a new frame.
        local_dict : dict, optional
            What ``@name`` finds, instead of the variables where `eval` is called.

        Returns
        -------
        Series, or DataFrame where the text assigns; one value where the text aggregates everything, as in ``"a.sum() / 2"``.

        Raises
        ------
        QueryError
            The text holds something that is not allowed; nothing was computed.
        ColumnNotFound

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2], "b": [3, None]})
        >>> df.eval("c = a * 2 - b").to_dict("list")
        {'a': [1, 2], 'b': [3, None], 'c': [-1, None]}
        >>> df.eval("a + b.mean()").tolist()
        [4.0, 5.0]
        """
        from fastframe.frame.evaluating import evaluated_text

        return _placed(self, evaluated_text(self, expr, local_dict, inplace=inplace), inplace=inplace)

    def query(self, expr: str, *, inplace: bool = False, local_dict: Mapping[str, Any] | None = None) -> Self | None:
        """The rows where a condition, given as text, is true.

        Parameters
        ----------
        expr : str
            ``"a > 1 and b == 'x'"``. Names are columns, then row labels; other names stand in backticks. Comparisons, also
            chained ones, ``and or not``, ``in [1, 2]``, arithmetic, functions such as ``sqrt(a)`` and methods such as
            ``name.str.contains('x')`` or ``a.mean()``: docs/expressions.md lists them. Nothing else is looked up or called, so
            a text from outside is safe.
        inplace : bool
            Keep only those rows in this frame and return None.
        local_dict : dict, optional
            What ``@name`` finds, instead of the variables where `query` is called: one value or a list of values each.

        Raises
        ------
        QueryError
            The text holds something that is not allowed; nothing was computed.
        ColumnNotFound, DTypeError

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2, 3], "first name": ["x", "y", "x"]})
        >>> df.query("a > 1 and `first name` in ['x', 'z']")["a"].tolist()
        [3]
        """
        from fastframe.frame.evaluating import chosen_rows

        return _placed(self, chosen_rows(self, expr, local_dict), inplace=inplace)  # type: ignore[no-any-return]


def _placed(frame: Any, new: Any, *, inplace: bool) -> Any:
    """The new frame, or None where the old one takes its table."""
    if not inplace:
        return new
    frame._table = new._table
    return None
