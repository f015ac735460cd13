"""Columns and tables: immutable Arrow memory, its way in and out."""

from fastframe.column.column import Column, column_from_buffers
from fastframe.column.table import Table

__all__ = ["Column", "Table", "column_from_buffers"]
