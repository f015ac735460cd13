"""A `Model` as plain values and arrays, and back: what `file.py` writes as a header and sections.

The expressions become a list of objects, each after those it holds, so nothing can hold itself. Reading believes nothing:
kinds of objects, names of fields and the type of every value are checked against the dataclasses' own annotations, then
`model_checks.check_model` looks at what the parts say.
"""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.errors import ModelError, ModelFileError
from fastframe.predict import features, forest
from fastframe.predict.model import Model, Source
from fastframe.predict.model_checks import check_model
from fastframe.predict.scores import NODES, Score

Array = np.ndarray[Any, Any]

PARTS: dict[str, type] = {
    one.__name__: one
    for one in (
        features.Step, features.Number, features.Code, features.Lookup, features.Computed, features.Block,
        forest.NumberInput, forest.CategoryInput, forest.LinearLeaves, forest.Forest,
    )
}  # fmt: skip
SCALARS = (str, bool, int, float)
DTYPES = frozenset({"<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"})
NODE_MODULES = ("links", "decide", "outputs", "isolation", "dense", "ensembles")   # that register kinds of nodes when imported


def kind_of(name: Any) -> type | None:
    """The kind of object of that name; None where there is none. Imports modules until one has it: most files need few."""
    modules = iter(NODE_MODULES)
    while (found := PARTS.get(name) or NODES.get(name)) is None:
        module = next(modules, None)
        if module is None:
            return None
        importlib.import_module(f"fastframe.predict.{module}")
    return found


# ---- out ------------------------------------------------------------------------------------------------------------


class Encoder:
    """Turns objects into entries of `objects`, and their arrays into `arrays`, each once."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.arrays: list[Array] = []
        self._places: dict[int, int] = {}
        self._array_places: dict[int, int] = {}
        self._held: list[Any] = []   # so that no id is used again

    def value(self, value: Any) -> Any:
        """A field's value as JSON can hold it."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, SCALARS):
            return value
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, tuple | list):
            return [self.value(one) for one in value]
        if isinstance(value, Mapping):
            return {"map": {str(key): self.value(one) for key, one in value.items()}}
        if is_dataclass(value) and not isinstance(value, type):
            return {"object": self._object(value)}
        raise ModelFileError.cannot_keep(type(value).__name__)

    def _object(self, value: Any) -> int:
        place = self._places.get(id(value))
        if place is None:
            kind = type(value).__name__
            if kind_of(kind) is not type(value):
                raise ModelFileError.cannot_keep(kind)
            cls: Any = type(value)
            names = [field.name for field in fields(cls) if field.name != "function"]
            held = {name: self.value(getattr(value, name)) for name in names}
            if isinstance(value, features.Block):
                _maker(value.name)
            place = self._places[id(value)] = len(self.objects)
            self._held.append(value)
            self.objects.append({"is": kind, **held})
        return place

    def _array(self, value: Array) -> dict[str, Any]:
        if value.dtype.kind in "UO":
            texts = value.tolist()
            if value.ndim != 1 or not all(isinstance(one, str) for one in texts):
                raise ModelFileError.cannot_keep(f"an array of {value.dtype} values that are not all text")
            return {"texts": texts, "dtype": value.dtype.str}
        if np.dtype(value.dtype).newbyteorder("<").str not in DTYPES:
            raise ModelFileError.cannot_keep(f"an array of {value.dtype}")
        place = self._array_places.get(id(value))
        if place is None:
            place = self._array_places[id(value)] = len(self.arrays)
            self._held.append(value)
            self.arrays.append(value)
        return {"array": place}


def _maker(name: str) -> None:
    """Refuse a block whose function this library does not know by name."""
    try:
        from fastframe.predict import blocks
    except ImportError:   # no kind of block exists then
        raise ModelFileError.unknown_function(name) from None
    if name not in blocks._KINDS:
        raise ModelFileError.unknown_function(name)


def encode(model: Model) -> tuple[dict[str, Any], list[Array]]:
    """The model as a dict that JSON can hold, and the arrays that it refers to by number.

    Raises
    ------
    ModelFileError
        Where a part cannot be kept, such as a user's function.
    """
    encoder = Encoder()
    methods = {name: encoder.value(score) for name, score in model.methods.items()}
    source = model.source
    described = {
        "task": model.task, "notes": list(model.notes), "source": [source.library, source.version, source.model],
        "contract": model.contract.to_dict(), "objects": encoder.objects, "methods": methods,
    }  # fmt: skip
    return described, encoder.arrays


# ---- in -------------------------------------------------------------------------------------------------------------


class Decoder:
    """Makes objects of entries; each may hold those before it."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.arrays = arrays
        self.objects: list[Any] = []

    def value(self, data: Any) -> Any:
        if data is None or isinstance(data, SCALARS):
            return data
        if isinstance(data, list):
            return tuple(map(self.value, data))
        if not isinstance(data, dict) or len(data) not in (1, 2):
            raise ModelError.bad_part("a value", f"{type(data).__name__} of {len(data)}")
        if "object" in data:
            return self.objects[_index(data["object"], len(self.objects), "object")]
        if "array" in data:
            return self.arrays[_index(data["array"], len(self.arrays), "array")]
        if "texts" in data:
            return _texts(data)
        return {str(key): self.value(one) for key, one in data["map"].items()}

    def add(self, entry: dict[str, Any]) -> None:
        """Make the next object."""
        cls = kind_of(entry["is"])
        if cls is None:
            raise ModelError.bad_part(str(entry["is"]), "this version knows no such part")
        given = {name: self.value(one) for name, one in entry.items() if name != "is"}
        if cls is features.Block:
            given["function"] = _function(given)
        hints = _hints(cls)
        known = {field.name: field for field in fields(cls)}
        for name, one in given.items():
            if name not in known or (name != "function" and not fits(one, hints[name])):
                raise ModelError.bad_part(cls.__name__, f"{name} of type {type(one).__name__}")
            if hints[name] is float and isinstance(one, int):
                given[name] = float(one)
        self.objects.append(cls(**given))


def _texts(data: dict[str, Any]) -> Array:
    texts, dtype = data["texts"], data["dtype"]
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts) or not isinstance(dtype, str):
        raise ModelError.bad_part("an array of texts", "some are none")
    if dtype == "|O":
        out = np.empty(len(texts), object)
        out[:] = texts
        return out
    made = np.array(texts, dtype="U")
    wanted = np.dtype(dtype) if dtype[:2] == "<U" and len(dtype) < 12 else made.dtype
    if (wanted.itemsize < made.dtype.itemsize and len(texts)) or wanted.itemsize > made.dtype.itemsize + (1 << 20):
        raise ModelError.bad_part("an array of texts", f"dtype {dtype}")
    return made.astype(wanted) if wanted.itemsize else made


def _index(place: Any, count: int, what: str) -> int:
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < count:
        raise ModelError.bad_part(what, f"number {place!r} of {count}")
    return place


def _function(given: dict[str, Any]) -> Any:
    """The function of a block, made again from its name and arrays, and called on no rows."""
    from fastframe.predict import blocks

    _maker(given["name"])
    arrays = given["arrays"]
    if not fits(arrays, dict[str, Array]):
        raise ModelError.bad_part("Block", "arrays")
    function = blocks.function(given["name"], arrays)
    shape = function(np.empty((0, len(given["inputs"])), given.get("dtype", "float64"))).shape
    if shape != (0, given["n_outputs"]):
        raise ModelError.bad_part("Block", f"{given['n_outputs']} outputs, but its function gives {shape[1:]}")
    return function


@cache
def _hints(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type (of those that parts of models use)."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(fits(one, inner[0]) for one in value)
        return len(value) == len(inner) and all(map(fits, value, inner))
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, dict) and all(fits(one, inner[1]) for one in value.values())
    if origin is not None:
        return isinstance(value, origin)
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if hint is None:
        return value is None
    return isinstance(value, hint)


def decode(described: Mapping[str, Any], arrays: Sequence[Array]) -> Model:
    """The model that `encode` described, checked.

    Raises
    ------
    ModelError
        Where it is no such description; other exceptions are possible for damaged ones, and the caller's to translate.
    """
    decoder = Decoder(arrays)
    for entry in described["objects"]:
        decoder.add(entry)
    methods = {name: decoder.value(one) for name, one in described["methods"].items()}
    if not fits(methods, dict[str, Score]):
        raise ModelError.bad_part("methods", "not all of them are scores")
    notes, source, task = decoder.value(described["notes"]), decoder.value(described["source"]), described["task"]
    if not (fits(notes, tuple[str, ...]) and fits(source, tuple[str, str, str]) and isinstance(task, str)):
        raise ModelError.bad_part("notes, source or task", "not all of them are text")
    contract = FeatureContract.from_dict(described["contract"])
    return check_model(Model(contract, methods, task, Source(*source), {}, notes))
