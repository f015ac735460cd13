"""Errors of deferred expressions and of the texts of ``eval`` and ``query``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastframe.errors.base import FastFrameError, listed, suggestion

_TEXT_SHOWN = 60   # characters of a text around the place that a message is about


class ExpressionError(FastFrameError, TypeError):
    """An expression is used where its values do not exist yet, or where it has no meaning."""

    @classmethod
    def of_truth(cls, shown: str) -> ExpressionError:
        return cls(
            f"the expression {shown} has no truth value: it has no values before a frame computes it. Write & | ~ instead of and, or, not "
            "(with brackets around comparisons), .between(a, b) instead of a < x < b, and ff.when(...).then(...).otherwise(...) instead of if."
        )

    @classmethod
    def of_membership(cls, shown: str) -> ExpressionError:
        return cls(f"'in' does not work on the expression {shown}: it has no values yet. Write {shown}.isin([...]).")

    @classmethod
    def no_values(cls, shown: str) -> ExpressionError:
        return cls(
            f"the expression {shown} has no values before a frame computes it. Use it in df.assign(name=...), df.filter(...), df[...], "
            "df.loc[...] or groupby(...).agg(name=...); df.assign(name=...)['name'] has its values."
        )

    @classmethod
    def of_values(cls, given: Any) -> ExpressionError:
        return cls(
            f"an expression was combined with values of type {type(given).__name__}, but it takes one value or another expression. "
            "Make them a column first (df['x'] = values), or compute with df['x'] instead of ff.col('x')."
        )

    @classmethod
    def of_operand(cls, owner: str, shown: str) -> ExpressionError:
        return cls(
            f"a {owner} was combined with the expression {shown}, which has no values before a frame computes it. "
            "Use ff.col(...) on both sides, or df[...] on both sides."
        )

    @classmethod
    def of_name(cls, given: Any) -> ExpressionError:
        return cls(f"ff.col was given {given!r} of type {type(given).__name__}. Give the name of one column.")

    @classmethod
    def of_series(cls, shown: str) -> ExpressionError:
        return cls(f"the expression {shown} names columns, and a Series has none. Use it on a DataFrame, or compute with the series itself.")

    @classmethod
    def not_a_condition(cls, method: str, given: Any) -> ExpressionError:
        return cls(f"{method} was given {given!r} beside an expression. Give expressions only, or combine conditions with &.")

    @classmethod
    def too_deep(cls, limit: int) -> ExpressionError:
        return cls(f"the expression is more than {limit} operations deep. Assign a part of it as a column first, then go on from that column.")

    @classmethod
    def not_aggregated(cls, shown: str, names: Sequence[str]) -> ExpressionError:
        return cls(
            f"agg({shown}): outside of an aggregation it uses {listed(names)}, which has a value per row, not per group. "
            "Aggregate it, for example with .sum(), .mean() or .first()."
        )

    @classmethod
    def no_aggregation(cls, shown: str) -> ExpressionError:
        return cls(f"agg({shown}): the expression does not aggregate. End it with .sum(), .mean() or another aggregation.")

    @classmethod
    def unnamed(cls, shown: str) -> ExpressionError:
        return cls(f"agg was given the expression {shown} without a name for its result. Write agg(name=...).")

    @classmethod
    def beside_expressions(cls, name: str, given: Any) -> ExpressionError:
        return cls(
            f"agg was given {name}={given!r} beside expressions, which it can only take alone. Write it as an expression, too: "
            f"{name}=ff.col('x').sum()."
        )

    @classmethod
    def of_rows(cls, shown: str) -> ExpressionError:
        return cls(
            f"transform was given the expression {shown}, but takes a name or a function of arrays. Aggregate with transform first and "
            "write the rest outside, as in df['x'] - df.groupby(keys)['x'].transform('mean'), or pass a function."
        )

    @classmethod
    def of_option(cls, method: str, argument: str, given: Any, wanted: str) -> ExpressionError:
        return cls(f"{method} was given {argument}={given!r}, but it must be {wanted}: it is one setting for all rows.")


class QueryError(FastFrameError, ValueError):
    """A text given to ``query`` or ``eval`` is refused; nothing was computed."""

    @classmethod
    def because_of(cls, error: ExpressionError) -> QueryError:
        """The same message about the expression that a text makes."""
        return cls(str(error))

    @classmethod
    def not_text(cls, given: Any) -> QueryError:
        return cls(f"an expression as text is needed, but {type(given).__name__} was given. Use df[mask], or df.filter(expression), for those.")

    @classmethod
    def empty(cls) -> QueryError:
        return cls("the text holds no expression. Give for example 'a > 1' or 'c = a + b'.")

    @classmethod
    def too_long(cls, what: str, given: int, limit: int) -> QueryError:
        return cls(f"the text has {given} {what}, more than the {limit} that are read. Pass long lists as @name, and long formulas as several lines.")

    @classmethod
    def too_deep(cls, limit: int) -> QueryError:
        return cls(f"the text is nested more than {limit} deep. Compute a part of it as a column first, on a line of its own: 'part = ...'.")

    @classmethod
    def at(cls, text: str, position: int, what: str, instead: str) -> QueryError:
        return cls(f"{what} at position {position} of the text, {_around(text, position)}. {instead}")

    @classmethod
    def syntax(cls, text: str, position: int) -> QueryError:
        return cls.at(text, position, "the text is not an expression: it does not read on", "Check brackets, operators and commas.")

    @classmethod
    def assignment(cls, text: str, position: int) -> QueryError:
        return cls.at(text, position, "'=' does not stand after one column name", "Compare with '=='; assign with 'name = ...', on a line each.")

    @classmethod
    def in_query(cls, name: str) -> QueryError:
        return cls(f"query was given an assignment to {name!r}. Compare with '==', or use eval to assign.")

    @classmethod
    def several(cls) -> QueryError:
        return cls("the text has several expressions. Write one, or an assignment 'name = ...' on each line.")

    @classmethod
    def nothing_in_place(cls) -> QueryError:
        return cls("eval(inplace=True) was given a text that assigns nothing. Write 'name = ...', or leave inplace out.")

    @classmethod
    def unknown_function(cls, name: str, known: Sequence[str]) -> QueryError:
        return cls(f"there is no function {name!r} here.{suggestion(name, known)} The functions are: {listed(known, 40)}.")

    @classmethod
    def aggregate_call(cls, name: str) -> QueryError:
        return cls(f"{name}(...) is not a function here. Write it after its column: x.{name}().")

    @classmethod
    def unknown_method(cls, name: str, known: Sequence[str]) -> QueryError:
        return cls(f"'.{name}' is not allowed in a text.{suggestion(name, known)} Allowed are: {listed(known, 60)}.")

    @classmethod
    def family_alone(cls, name: str) -> QueryError:
        example = ".str.upper()" if name == "str" else ".dt.year"
        return cls(f"'.{name}' stands after a column and before what is wanted of it. Write for example {example}.")

    @classmethod
    def not_a_field(cls, name: str) -> QueryError:
        return cls(f"'.{name}' is a method. Call it: .{name}(...).")

    @classmethod
    def not_a_method(cls, name: str) -> QueryError:
        return cls(f"'.{name}' is no method, so it is not called. Write .{name} without brackets.")

    @classmethod
    def of_call(cls, name: str, detail: str) -> QueryError:
        return cls(f"{name} was called in a way that it does not know: {detail}. Its arguments are those of the method of a Series.")

    @classmethod
    def of_argument(cls, name: str, argument: str, wanted: str) -> QueryError:
        return cls(f"{name} was given {argument} that is not {wanted}. Write it out, or pass it as @name.")

    @classmethod
    def not_a_list(cls) -> QueryError:
        return cls("'in' takes a list of values, [1, 2] or @name. To compare with another column, use df[df['a'].isin(df['b'].unique())].")

    @classmethod
    def list_elsewhere(cls) -> QueryError:
        return cls("a list stands where one value is needed. Lists are for 'in', 'not in', '==', '!=' and .isin(...).")

    @classmethod
    def unknown_local(cls, name: str, known: Sequence[str], *, given: bool) -> QueryError:
        where = "local_dict" if given else "the caller's variables"
        return cls(f"@{name} is not among {where}.{suggestion(name, known)} Define it, or pass local_dict={{{name!r}: ...}}.")

    @classmethod
    def of_local(cls, name: str, given: Any) -> QueryError:
        return cls(f"@{name} is of type {type(given).__name__}, but one value or a list of values is needed. Only those can be used in a text.")

    @classmethod
    def hidden_local(cls, name: str) -> QueryError:
        return cls(f"@{name} is refused: names with two underscores in front are Python's own. Use another name.")


def _around(text: str, position: int) -> str:
    start = max(0, position - _TEXT_SHOWN // 2)
    shown = text[start : start + _TEXT_SHOWN]
    return f"near {shown!r}"
