"""Slow twins of take, filter, concat, where, fill and put: Python lists, None where null."""

import math


def take(values, rows):
    return [None if row < 0 else values[row] for row in rows]


def filter_rows(values, mask):
    return [value for value, keep in zip(values, mask, strict=True) if keep is True]


def mask_rows(mask):
    return [row for row, keep in enumerate(mask) if keep is True]


def mask_ranks(mask):
    selected = mask_rows(mask)
    return [selected.index(row) if keep is True else -1 for row, keep in enumerate(mask)]


def concat(lists):
    return [value for values in lists for value in values]


def is_missing(values):
    return [value is None or (isinstance(value, float) and math.isnan(value)) for value in values]


def at(values, row):
    """A list of one value stands for that value in every row."""
    return values[0] if len(values) == 1 else values[row]


def where(mask, yes, no):
    return [at(yes, row) if keep is True else at(no, row) for row, keep in enumerate(mask)]


def fill_null(values, fill):
    return [at(fill, row) if lost else value for row, (value, lost) in enumerate(zip(values, is_missing(values), strict=True))]


def put_rows(values, rows, new):
    out = list(values)
    for position, row in enumerate(rows):
        out[row] = at(new, position)
    return out


def bit_operation(op, first, second, third):
    return {
        "copy": lambda a, b, c: a,
        "not": lambda a, b, c: not a,
        "and": lambda a, b, c: a and b,
        "or": lambda a, b, c: a or b,
        "xor": lambda a, b, c: a != b,
        "and_not": lambda a, b, c: a and not b,
        "select": lambda a, b, c: b if a else c,
    }[op](first, second, third)
