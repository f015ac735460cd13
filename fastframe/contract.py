"""`FeatureContract`: what a model is fed; made at fit or read from a fitted model, enforced at predict by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column import Column
from fastframe.column.plain import array_of, text_array_of
from fastframe.dtypes import DType, Kind
from fastframe.errors import ContractError, DTypeError, ModelError
from fastframe.predict.records import record

Unseen = Literal["error", "missing", "model"]
UNSEEN: tuple[Unseen, ...] = ("error", "missing", "model")
NUMBER_KINDS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT})


@record(frozen=True)
class Field:
    """One feature.

    Attributes
    ----------
    name : str
    dtype : DType
        What the model was fitted on: a number dtype, or ``category`` for fields with `categories`. Which columns are taken for
        it is in `FeatureContract.apply`.
    categories : pyarrow.Array, optional
        Unique, without nulls, in the model's code order: frozen. Text, bools or numbers.
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

    @property
    def n_categories(self) -> int:
        return len(self.categories) if self.categories is not None else 0

    def validate(self) -> None:
        """Raise `ModelError` where the field contradicts itself."""
        if self.unseen not in UNSEEN:
            raise ModelError.bad_field(self.name, f"unseen={self.unseen!r} is none of {', '.join(UNSEEN)}")
        if self.categories is None:
            if self.dtype.kind not in NUMBER_KINDS or self.dtype.physical is None:
                raise ModelError.bad_field(self.name, f"dtype {self.dtype} is no number dtype, and there are no categories")
            return
        if self.dtype.kind is not Kind.CATEGORY:
            raise ModelError.bad_field(self.name, f"it has categories, but dtype {self.dtype}")
        kind = dtypes.from_arrow(self.categories.type).kind
        if kind is not Kind.STRING and kind not in NUMBER_KINDS:
            raise ModelError.bad_field(self.name, f"its categories are {self.categories.type}, not text, bools or numbers")
        if self.categories.null_count or len(self.categories.unique()) != len(self.categories):
            raise ModelError.bad_field(self.name, "its categories are not unique, or some are null")


@record(frozen=True)
class FeatureContract:
    """Fields in the model's order.

    ``named``: False where the model was fitted on arrays: its fields are called ``x0``, ``x1`` ... and matched by position.

    Examples
    --------
    >>> import fastframe as ff
    >>> contract = FeatureContract.of_frame(ff.DataFrame({"city": ["Rome", "Oslo"], "degrees": [21.5, 3.0]}))
    >>> [column.array.to_pylist() for column in contract.apply({"degrees": [4, 5], "city": ["Oslo", "Rome"]})]
    [[0, 1], [4, 5]]
    >>> contract.apply({"city": ["Rom"], "degree": [4]})
    Traceback (most recent call last):
    ...
    fastframe.errors.models.ContractError: the data do not fit what the model was fitted on:
    - column 'city': 1 value is no category of the model: 'Rom'. Did you mean 'Rome'? Compile with unseen='missing' to treat such values as missing.
    - there is no column 'degrees'. Did you mean 'degree'?
    """

    fields: tuple[Field, ...]
    named: bool = True
    _places: dict[int, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]

    def __len__(self) -> int:
        return len(self.fields)

    def __reduce__(self) -> tuple[Any, ...]:   # without the codes that this process remembers
        return FeatureContract, (self.fields, self.named)

    def validate(self) -> FeatureContract:
        """This contract, if no field contradicts itself or another one.

        Raises
        ------
        ModelError
        """
        if len(set(self.names)) != len(self.fields):
            raise ModelError.bad_field(next(name for name in self.names if self.names.count(name) > 1), "its name occurs twice")
        for one in self.fields:
            one.validate()
        return self

    @classmethod
    def of_frame(cls, data: Any, *, unseen: Unseen = "error", nullable: bool | None = None, named: bool = True) -> FeatureContract:
        """The contract of a model that would be fitted on ``data`` (anything that a predictor takes).

        Parameters
        ----------
        unseen : {"error", "missing", "model"}
            Of all fields with categories. Text columns get their values as categories, ascending.
        nullable : bool, optional
            None: where a column of ``data`` has missing values.

        Raises
        ------
        DTypeError
            For columns that are neither numbers, bools, text nor categories.
        """
        from fastframe.engines.cpu.facts import value_range
        from fastframe.predict.intake import table_of

        fields = []
        for name, column in table_of(data, None).shown.items():
            categories = _categories_of(name, column)
            missing = bool(column.null_count) if categories is not None else bool(value_range(column).n_missing)
            dtype = column.dtype if categories is None else dtypes.from_arrow(pa.dictionary(pa.int32(), categories.type))
            fields.append(Field(name, dtype, categories, unseen, missing if nullable is None else nullable))
        return cls(tuple(fields), named).validate()

    def with_unseen(self, unseen: Unseen) -> FeatureContract:
        """The same fields under another policy for values that are no category.

        Raises
        ------
        ContractError
            Where the model has no answer of its own, and ``"model"`` is asked for.
        """
        if unseen not in UNSEEN:
            raise ContractError.bad_policy(unseen, UNSEEN)
        without = [one.name for one in self.fields if one.categories is not None and one.unseen != "model"]
        if unseen == "model" and without:
            raise ContractError.no_answer_of_its_own(without)
        return replace(self, fields=tuple(replace(one, unseen=unseen) if one.categories is not None else one for one in self.fields))

    def apply(self, data: Any) -> tuple[Column, ...]:
        """The columns that the model is fed, in the contract's order; by position where it has no names.

        ``data`` is a frame of any library, a table, a 2-D array (by position) or a dict of arrays: see `predict.intake.table_of`.

        Returns
        -------
        tuple of Column
            For a number field the column as it lies in memory, of its own number dtype (bool, int8 to uint64, float32,
            float64), every value of which is a value of the field's dtype, so that whatever a model casts it to rounds once, from
            the same number. For a field with categories a null-or-int32 column of the contract's codes; unseen values are null
            or ``len(categories)``, by its policy.

        Raises
        ------
        ContractError
            One line for each difference: missing columns, wrong dtypes, values that the dtype does not have, missing values
            and categories that the model does not take.

        Notes
        -----
        ================== =============================================================================================
        field              takes
        ================== =============================================================================================
        float64, float32   bools; integers and floats that the dtype holds exactly (2**53 + 1 is refused, not rounded)
        integers           bools; integers in its range; floats that are whole numbers in its range, NaN as missing
        bool               bools; numbers that are 0 or 1
        categories         categories, text or numbers, whose values are looked up among the model's
        any                a column of dtype null, where missing values are allowed
        ================== =============================================================================================

        Other columns are ignored, except by position, where the number of columns must be the model's.
        """
        from fastframe.predict.matching import match

        return match(self, data)

    def explain(self) -> str:
        """One line per field: what it takes."""
        lines = [f"{len(self.fields)} features, matched by {'name' if self.named else 'position'}"]
        width = max((len(name) for name in self.names), default=0)
        for one in self.fields:
            what = f"{one.dtype}" if one.categories is None else _category_text(one)
            lines.append(f"  {one.name:<{width}}  {what}{'' if one.nullable else ', no missing values'}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The contract as what JSON can hold; see `from_dict`."""
        return {"named": self.named, "fields": [_field_to_dict(one) for one in self.fields]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureContract:
        """The contract that `to_dict` described.

        Raises
        ------
        ModelError
            Where it is not such a description.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("fields"), list) or not isinstance(data.get("named"), bool):
            raise ModelError.bad_field("*", "the contract is no list of fields")
        return cls(tuple(map(_field_from_dict, data["fields"])), data["named"]).validate()


def _categories_of(name: str, column: Column) -> pa.Array | None:
    """The categories that a column would freeze; None for numbers."""
    if column.dtype.kind is Kind.CATEGORY:
        return column.dictionary
    if column.dtype.kind is Kind.STRING:
        import pyarrow.compute as pc

        values = column.dictionary if column.is_encoded else column.array
        values = values.unique().drop_null().cast(pa.string())
        return values.take(pc.array_sort_indices(values))
    if column.dtype.kind not in NUMBER_KINDS or column.dtype.physical is None:
        raise DTypeError.of_operation("a feature contract", column.dtype, name, "numbers, bools, text and categories")
    return None


def _category_text(one: Field) -> str:
    policy = {"error": "others are refused", "missing": "others are missing", "model": "others as the model has it"}[one.unseen]
    return f"category of {one.n_categories} ({one.categories.type}), {policy}"   # type: ignore[union-attr]


def _field_to_dict(one: Field) -> dict[str, Any]:
    out: dict[str, Any] = {"name": one.name, "dtype": one.dtype.name, "unseen": one.unseen, "nullable": one.nullable}
    if one.categories is not None:
        out |= {"category_type": dtypes.from_arrow(one.categories.type).name, "categories": one.categories.to_pylist()}
    return out


def _categories_from(values: list[Any], dtype: DType) -> pa.Array:
    """The array that a list of texts, bools or numbers was; no value is rounded."""
    if dtype.kind is Kind.STRING:
        return text_array_of(values)
    made = np.array(values, dtype.numpy)
    if dtype.kind not in NUMBER_KINDS or dtype.physical is None or made.ndim != 1 or made.tolist() != values:
        raise ModelError.bad_field("*", f"its categories are no {dtype}")
    return array_of(made)


def _field_from_dict(data: Any) -> Field:
    kinds = {"name": str, "dtype": str, "unseen": str, "nullable": bool}
    if not isinstance(data, Mapping) or any(not isinstance(data.get(key), kind) for key, kind in kinds.items()):
        raise ModelError.bad_field("*", "a field has no name, dtype, unseen or nullable")
    name = data["name"]
    if "categories" not in data:
        try:
            return Field(name, dtypes.dtype(data["dtype"]), None, data["unseen"], data["nullable"])
        except DTypeError as error:
            raise ModelError.bad_field(name, str(error)) from None
    try:
        categories = _categories_from(data["categories"], dtypes.dtype(data["category_type"]))
    except (pa.ArrowException, DTypeError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ModelError.bad_field(name, f"its categories cannot be read: {error}") from None
    if data["dtype"] != "category":
        raise ModelError.bad_field(name, f"it has categories, but dtype {data['dtype']}")
    return Field(name, dtypes.from_arrow(pa.dictionary(pa.int32(), categories.type)), categories, data["unseen"], data["nullable"])
