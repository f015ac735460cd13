"""Forests of one test per tree, and what each node should say of each row: for tests of the front end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import forest_planes as kernels
from fastframe._threads import run
from fastframe.column import Column
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype, from_arrow
from fastframe.predict import steps
from fastframe.predict.engines.planes import Planes
from fastframe.predict.features import Code, Computed, Feature, Lookup, Number
from fastframe.predict.forest import LEAF, CategoryInput, Forest, Input
from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]


def stumps(domain: str, inputs: Sequence[Input], feature: Any, threshold: Any, missing_left: Any, *, sets: dict[int, Array] | None = None) -> Forest:
    """Tree ``t`` tests ``feature[t]``; ``sets[t]``: of a category node, a bool per code and one for others."""
    n = len(feature)
    node_set, set_start, words = np.full(n, -1, np.int32), [0], [np.empty(0, np.uint32)]
    for number, (tree, members) in enumerate((sets or {}).items()):
        padded = np.zeros(-(-len(members) // 32) * 32, np.bool_)
        padded[: len(members)] = members
        words.append(np.packbits(padded, bitorder="little").view("<u4"))
        node_set[tree] = number
        set_start.append(set_start[-1] + len(words[-1]))

    def nodes(root: Any, leaf: Any, kind: Any) -> Array:
        out = np.full((n, 3), leaf, kind)
        out[:, 0] = root
        return out.ravel()

    return Forest(
        domain=domain, inputs=tuple(inputs), tree_start=np.arange(0, 3 * n + 1, 3), feature=nodes(feature, LEAF, np.int32),
        threshold=nodes(threshold, 0, domain), left=nodes(1, 0, np.int32), right=nodes(2, 0, np.int32),
        missing_left=nodes(missing_left, False, np.bool_), category_set=nodes(node_set, -1, np.int32),
        set_start=np.array(set_start, np.int64), set_words=np.concatenate(words), leaf_values=np.zeros((2 * n, 1)),
        leaf_id=np.zeros(2 * n, np.int32), tree_output=np.zeros(n, np.int32), base=np.zeros(1),
    )  # fmt: skip


def contract_of(arrays: Sequence[pa.Array], n_categories: dict[int, int] | None = None) -> FeatureContract:
    """A contract that takes these arrays; columns named in ``n_categories`` hold int32 codes."""
    fields = []
    for position in range(len(arrays)):
        if position in (n_categories or {}):
            categories = pa.array(range(n_categories[position]), pa.int64())   # type: ignore[index]
            fields.append(Field(f"x{position}", from_arrow(pa.dictionary(pa.int32(), pa.int64())), categories, "model"))
        else:
            fields.append(Field(f"x{position}", dtype("float64")))
    return FeatureContract(tuple(fields), named=False)


def rows_of(arrays: Sequence[pa.Array], contract: FeatureContract) -> Rows:
    return Rows(contract, tuple(Column(array) for array in arrays), len(arrays[0]))


def read(array: pa.Array, casts: Sequence[str]) -> Array:
    """An Arrow array of numbers as floats, NaN where null; the first dtype named is the one that values are rounded to."""
    first = next(cast for cast in casts if cast)
    filled = array.fill_null(False if pa.types.is_boolean(array.type) else 0) if array.null_count else array
    with np.errstate(over="ignore"):
        values = filled.to_numpy(zero_copy_only=False).astype(first)
    values[np.asarray(array.is_null())] = np.nan
    return values


def feature_values(rows: Rows, feature: Feature, casts: Sequence[str]) -> Array:
    """A feature's value in each row, NaN where missing, before what the forest's input does to it."""
    if isinstance(feature, Computed):
        inputs = np.column_stack([feature_values(rows, one, (feature.block.dtype,)) for one in feature.block.inputs])
        return np.ascontiguousarray(feature.block.function(inputs)[:, feature.output])
    array = rows.columns[feature.column].array
    if isinstance(feature, Number):
        named = [feature.via, *(step.name for step in feature.steps[:1] if not feature.via), *casts]
        return steps.apply(feature.steps, read(array, named))
    n_codes = len(rows.contract.fields[feature.column].categories)   # type: ignore[arg-type]
    codes = np.where(np.asarray(array.is_null()), n_codes + 1, np.asarray(array.fill_null(0)))
    if isinstance(feature, Lookup):
        return feature.values[codes]
    assert isinstance(feature, Code)
    return np.where(codes > n_codes, np.nan, codes.astype(np.float64))


def expected(forest: Forest, features: Sequence[Feature], rows: Rows) -> Array:
    """Whether each tree's root sends each row left: bool, (n_rows, n_trees)."""
    out = np.empty((rows.n_rows, forest.n_trees), np.bool_)
    for index in range(forest.n_features):
        source, values = forest.inputs[index], _entered(forest, index, features[index], rows)
        trees = np.flatnonzero(forest.feature[::3] == index)
        missing_left = forest.missing_left[3 * trees]
        if isinstance(source, CategoryInput):
            for tree, side in zip(trees, missing_left, strict=True):
                start = forest.set_start[forest.category_set[3 * tree]]
                bits = np.unpackbits(forest.set_words[start : start + source.n_codes // 32 + 1].view(np.uint8), bitorder="little")
                out[:, tree] = np.where(values > source.n_codes, side, bits[np.minimum(values, source.n_codes)])
        else:
            values = values[:, np.newaxis]
            out[:, trees] = np.where(np.isnan(values), missing_left, values <= forest.threshold[3 * trees])
    return out


def _entered(forest: Forest, index: int, feature: Feature, rows: Rows) -> Array:
    """The forest's input in each row: numbers of its domain, or codes."""
    source = forest.inputs[index]
    if isinstance(source, CategoryInput):
        with np.errstate(over="ignore"):
            return steps.codes(feature_values(rows, feature, (forest.domain,)).astype(forest.domain), source)
    return steps.enter(feature_values(rows, feature, (source.via, forest.domain)), source, forest.domain)


_FORMS = {"u8": 0, "u16": 1, "float32": 2, "float64": 3}
_DTYPES = {"u8": np.uint8, "u16": np.uint16, "float32": np.float32, "float64": np.float64}


def filled(planes: Planes, rows: Rows) -> Array:
    """What kernels write: (n_rows, n_planes)."""
    padded = -(-rows.n_rows // 64) * 64
    out = np.zeros(padded * planes.n_planes, _DTYPES[planes.form])
    if planes.n_planes and rows.n_rows:
        task = kernels.fill(_FORMS[planes.form], planes.front.address, rows.addresses(planes.front), out.ctypes.data, keep_alive=(rows, planes, out))
        assert run(task, rows.n_rows) is None
    if planes.form == "u8":
        return out.reshape(padded // 64, planes.n_planes, 64).transpose(0, 2, 1).reshape(padded, planes.n_planes)[: rows.n_rows]
    return out.reshape(padded, planes.n_planes)[: rows.n_rows]


def answered(forest: Forest, planes: Planes, rows: Rows) -> Array:
    """The same as `expected`, from planes."""
    codes, roots = filled(planes, rows), 3 * np.arange(forest.n_trees)
    if planes.form in ("u8", "u16"):
        assert (codes < planes.n_codes).all()
        out = codes[:, planes.plane[roots]] <= planes.rank[roots]
    else:
        out = codes[:, planes.plane[roots]] <= forest.threshold[roots]
    for tree in np.flatnonzero(planes.node_set[roots] >= 0):
        bits = np.unpackbits(planes.set_of(planes.node_set[3 * tree]).view(np.uint8), bitorder="little")
        out[:, tree] = bits[codes[:, planes.plane[3 * tree]].astype(np.int64)]
    return out
