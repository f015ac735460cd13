"""The tables that every question is asked of: made once from a seed and kept under ``data/bench``, which git ignores.

After the database-like ops benchmark (github.com/duckdblabs/db-benchmark): the same distributions, not the same draws.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather

SEED = 108
FOLDER = Path(__file__).resolve().parent.parent / "data" / "bench"


@dataclass(frozen=True)
class Size:
    """How much data, and of what kind.

    Attributes
    ----------
    rows : int
    groups : int
        Distinct values of the small keys (id1, id2, id4, id5); the large keys (id3, id6) have ``rows // groups``.
    nulls : float
        Share of missing values: of the distinct values of each key, and of the rows of each value column.
    skew : float
        0 draws keys evenly; with 1 a key's rank is the square of an even draw, with 2 the cube, and so on.
    """

    rows: int
    groups: int = 100
    nulls: float = 0.0
    skew: float = 0.0

    @property
    def name(self) -> str:
        extras = [f"nulls{self.nulls:g}"] * (self.nulls > 0) + [f"skew{self.skew:g}"] * (self.skew > 0)
        return "_".join([str(self.rows), str(self.groups), *extras])


def groupby_tables(size: Size) -> dict[str, pa.Table]:
    """``x``: id1, id2 (few texts), id3 (many texts), id4, id5, id6 (the same as int32), v1, v2 (int32), v3 (float64)."""
    random = np.random.default_rng(SEED)
    few, many = size.groups, max(size.rows // size.groups, 1)

    def draw(n_keys: int) -> np.ndarray[Any, Any]:
        if not size.skew:
            return random.integers(0, n_keys, size.rows)
        return (n_keys * random.random(size.rows) ** (1 + size.skew)).astype(np.int64)

    def texts(pattern: str, n_keys: int) -> pa.Array:
        pool = pa.array([pattern % (key + 1) for key in range(n_keys)])
        return _hide_keys(pool, size.nulls, random).take(pa.array(draw(n_keys).astype(np.int32)))

    def numbers(n_keys: int) -> pa.Array:
        pool = pa.array(np.arange(1, n_keys + 1, dtype=np.int32))
        return _hide_keys(pool, size.nulls, random).take(pa.array(draw(n_keys).astype(np.int32)))

    columns = {"id1": texts("id%03d", few), "id2": texts("id%03d", few), "id3": texts("id%010d", many)}
    columns |= {"id4": numbers(few), "id5": numbers(few), "id6": numbers(many)}
    values = {
        "v1": random.integers(1, 6, size.rows).astype(np.int32),
        "v2": random.integers(1, 16, size.rows).astype(np.int32),
        "v3": np.round(random.uniform(0, 100, size.rows), 6),
    }
    return {"x": pa.table(columns | {name: _hide_rows(one, size.nulls, random) for name, one in values.items()})}


def join_tables(size: Size) -> dict[str, pa.Table]:
    """``x`` of ``rows`` rows, ``small`` of a millionth, ``medium`` of a thousandth, ``big`` of as many; 9 keys of 10 match.

    id1, id2, id3 are int32, id4, id5, id6 the same as text. Only values are ever missing: SQL and pandas differ on whether
    missing keys match.
    """
    random = np.random.default_rng(SEED)
    sizes = (max(size.rows // 10**6, 10), max(size.rows // 1000, 10), size.rows)
    sides = [_overlapping_keys(n_keys, random) for n_keys in sizes]

    def value(n_rows: int) -> pa.Array:
        return _hide_rows(np.round(random.uniform(0, 100, n_rows), 6), size.nulls, random)

    def table(keys: dict[str, np.ndarray[Any, Any]], value_name: str) -> pa.Table:
        texts = {f"id{int(name[2]) + 3}": _as_text(one) for name, one in keys.items()}
        n_rows = len(next(iter(keys.values())))
        return pa.table({**{name: pa.array(one) for name, one in keys.items()}, **texts, value_name: value(n_rows)})

    left = [one for one, _ in sides]
    right = [other for _, other in sides]
    tables = {"x": table({f"id{level + 1}": _spread(keys, size.rows, random) for level, keys in enumerate(left)}, "v1")}
    for level, name in enumerate(("small", "medium", "big")):
        n_rows = len(right[level])
        keys = {f"id{lower + 1}": _spread(right[lower], n_rows, random) for lower in range(level)}
        tables[name] = table({**keys, f"id{level + 1}": random.permutation(right[level])}, "v2")
    return tables


def small_tables(size: Size) -> dict[str, pa.Table]:
    """The group-by table, and ``keys``: one row and one weight per value of id4."""
    (x,) = groupby_tables(size).values()
    ids = np.arange(1, size.groups + 1, dtype=np.int32)
    return {"x": x, "keys": pa.table({"id4": ids, "weight": ids / 2})}


def _hide_keys(pool: pa.Array, share: float, random: np.random.Generator) -> pa.Array:
    if not share:
        return pool
    hidden = np.zeros(len(pool), bool)
    hidden[random.permutation(len(pool))[: max(round(share * len(pool)), 1)]] = True
    return pa.compute.if_else(pa.array(hidden), None, pool)


def _hide_rows(values: np.ndarray[Any, Any], share: float, random: np.random.Generator) -> pa.Array:
    return pa.array(values, mask=random.random(len(values)) < share) if share else pa.array(values)


def _overlapping_keys(n_keys: int, random: np.random.Generator) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Distinct keys of the left and of the right side; nine tenths of each are on both."""
    keys = (random.permutation(int(n_keys * 1.1)) + 1).astype(np.int32)
    both = keys[: int(n_keys * 0.9)]
    return np.concatenate([both, keys[int(n_keys * 0.9) : n_keys]]), np.concatenate([both, keys[n_keys:]])


def _spread(keys: np.ndarray[Any, Any], n_rows: int, random: np.random.Generator) -> np.ndarray[Any, Any]:
    """``n_rows`` keys: each at least once where there is room, in random order."""
    if n_rows <= len(keys):
        return random.permutation(keys)[:n_rows]
    return random.permutation(np.concatenate([keys, random.choice(keys, n_rows - len(keys))]))


def _as_text(keys: np.ndarray[Any, Any]) -> pa.Array:
    distinct, codes = np.unique(keys, return_inverse=True)
    return pa.array([f"id{key}" for key in distinct]).take(pa.array(codes.astype(np.int32)))


MAKERS: dict[str, Callable[[Size], dict[str, pa.Table]]] = {"groupby": groupby_tables, "join": join_tables, "small": small_tables}


def _files(kind: str, size: Size, folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    names = {"groupby": ["x"], "join": ["x", "small", "medium", "big"], "small": ["x", "keys"]}[kind]
    return ((name, folder / f"{kind}_{size.name}_{name}.{ending}") for name in names)


def tables(kind: str, size: Size, folder: Path) -> dict[str, pa.Table]:
    """The tables of one kind, in memory (so that no contender's first call reads from the disk); made on first use."""
    files = dict(_files(kind, size, folder, "feather"))
    if not all(path.exists() for path in files.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in MAKERS[kind](size).items():
            _publish(files[name], lambda path, table=table: feather.write_feather(table, path, compression="uncompressed"))
    return {name: feather.read_table(path, memory_map=False) for name, path in files.items()}


def parquet_files(kind: str, size: Size, folder: Path) -> dict[str, Path]:
    """The same tables as Parquet files (snappy, row groups of at most a million rows)."""
    import pyarrow.parquet as parquet

    files = dict(_files(kind, size, folder, "parquet"))
    if not all(path.exists() for path in files.values()):
        for name, table in tables(kind, size, folder).items():
            _publish(files[name], lambda path, table=table: parquet.write_table(table, path, row_group_size=10**6))
    return files


def _publish(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside, then rename: an interrupted run leaves no half file behind."""
    part = path.with_suffix(f".{os.getpid()}.part")
    write(part)
    part.replace(path)
