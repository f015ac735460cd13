"""`FeatureContract`: what a model is fed; made at fit or read from a fitted model, enforced at predict by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from fastframe.dtypes import DType

Unseen = Literal["error", "missing", "model"]


@dataclass(frozen=True)
class Field:
    """One feature.

    Attributes
    ----------
    name : str
    dtype : DType
        What the model was fitted on: other dtypes are cast to it where no value changes. ``category`` for fields with
        `categories`, which also take text and numbers that equal a category.
    categories : pyarrow.Array, optional
        Unique, without nulls, in the model's code order: frozen.
    unseen : str
        A value that is no category: ``"error"`` refuses it and names it, ``"missing"`` treats it as missing, ``"model"``
        gives it code ``len(categories)``, for which the model itself has an answer (an encoder told to ignore it).
    nullable : bool
        False where the model was fitted without missing values and refuses them.
    """

    name: str
    dtype: DType
    categories: pa.Array | None = None
    unseen: Unseen = "error"
    nullable: bool = True


@dataclass(frozen=True)
class FeatureContract:
    """Fields in the model's order.

    ``named``: False where the model was fitted on arrays: its fields are called ``x0``, ``x1`` ... and matched by position.
    """

    fields: tuple[Field, ...]
    named: bool = True

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]
