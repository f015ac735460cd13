"""Selecting, joining and replacing rows: what the other handlers use of this machine's take, filter, concat and put."""

from fastframe.engines.cpu.concat import concat, concat_tables
from fastframe.engines.cpu.dictionaries import same_categories, unified
from fastframe.engines.cpu.filter import (
    FilterPlan,
    count_true,
    filter_column,
    filter_columns,
    filter_plan,
    filter_table,
    mask_ranks,
    mask_rows,
)
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.put import constant, fill_null, is_missing, is_missing_rows, put, repeat, where
from fastframe.engines.cpu.take import TakePlan, code_rows, decode, take, take_codes, take_planned
from fastframe.engines.cpu.take_table import take_table

__all__ = [
    "FilterPlan",
    "TakePlan",
    "code_rows",
    "concat",
    "concat_tables",
    "constant",
    "count_true",
    "decode",
    "fill_null",
    "filter_column",
    "filter_columns",
    "filter_plan",
    "filter_table",
    "is_missing",
    "is_missing_rows",
    "mask_ranks",
    "mask_rows",
    "nulls",
    "put",
    "repeat",
    "same_categories",
    "take",
    "take_codes",
    "take_planned",
    "take_table",
    "unified",
    "where",
]
