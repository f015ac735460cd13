"""The tables that every question is asked of: made once from a seed and kept under ``data/bench``, which git ignores.

After the database-like ops benchmark (github.com/duckdblabs/db-benchmark): the same distributions, not the same draws.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather

SEED = 108
FOLDER = Path(__file__).resolve().parent.parent / "data" / "bench"


VARIANTS = {
    "int64": "id4, id5, id6 are int64, far apart",
    "float": "id4, id5, id6 are float64",
    "sorted": "every key column is in ascending order",
    "long": "texts have 1 to 100 bytes",
    "decimal": "v1, v2 are decimals of 2 digits behind the point, v3 of 6",
    "date": "v1, v2 are dates, v3 are timestamps",
}


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
    zipf : float
        0 draws keys evenly; else the n-th most frequent of them has a share proportional to ``n ** -zipf``.
    variant : str
        Of the group-by table, one of `VARIANTS`; empty for the plain one.
    columns : tuple of str
        The only columns that are made, for tables that would not fit otherwise; empty for all.
    """

    rows: int
    groups: int = 100
    nulls: float = 0.0
    zipf: float = 0.0
    variant: str = ""
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        extras = [f"nulls{self.nulls:g}"] * (self.nulls > 0) + [f"zipf{self.zipf:g}"] * (self.zipf > 0)
        return "_".join([str(self.rows), str(self.groups), *extras, *([self.variant] if self.variant else []), *self.columns])


def size_of(fields: Mapping[str, Any]) -> Size:
    """The size of these fields, which have been through JSON."""
    return Size(**{**fields, "columns": tuple(fields["columns"])})


def groupby_tables(size: Size) -> dict[str, pa.Table]:
    """``x``: id1, id2 (few texts), id3 (many texts), id4, id5, id6 (the same as int32), v1, v2 (int32), v3 (float64).

    Every column has a stream of random numbers of its own, so that it does not depend on which others are made.
    """
    few, many = size.groups, max(size.rows // size.groups, 1)
    makers: dict[str, Callable[[np.random.Generator], pa.Array]] = {
        "id1": lambda random: _keys(size, random, _texts("id%03d", few, size.variant)),
        "id2": lambda random: _keys(size, random, _texts("id%03d", few, size.variant)),
        "id3": lambda random: _keys(size, random, _texts("id%010d", many, size.variant)),
        "id4": lambda random: _keys(size, random, _numbers(few, size.variant)),
        "id5": lambda random: _keys(size, random, _numbers(few, size.variant)),
        "id6": lambda random: _keys(size, random, _numbers(many, size.variant)),
        "v1": lambda random: _values(size, random, random.integers(1, 6, size.rows, np.int32)),
        "v2": lambda random: _values(size, random, random.integers(1, 16, size.rows, np.int32)),
        "v3": lambda random: _values(size, random, np.round(random.uniform(0, 100, size.rows), 6)),
    }
    names = size.columns or tuple(makers)
    return {"x": pa.table({name: makers[name](np.random.default_rng([SEED, place])) for place, name in enumerate(makers) if name in names})}


def _texts(pattern: str, n_keys: int, variant: str) -> pa.Array:
    if variant != "long":
        return pa.array([pattern % (key + 1) for key in range(n_keys)])
    digits = [f"{key:x}" for key in range(n_keys)]
    return pa.array([one.ljust(max(len(one), 1 + key * 37 % 100), "-") for key, one in enumerate(digits)])


def _numbers(n_keys: int, variant: str) -> pa.Array:
    keys = np.arange(1, n_keys + 1, dtype=np.int64)
    if variant == "int64":
        return pa.array(keys * 1_000_003 - 2**40)
    return pa.array(keys / 7 if variant == "float" else keys.astype(np.int32))


def _keys(size: Size, random: np.random.Generator, distinct: pa.Array) -> pa.Array:
    n_keys = len(distinct)
    if size.nulls:
        hidden = np.zeros(n_keys, bool)
        hidden[random.permutation(n_keys)[: max(round(size.nulls * n_keys), 1)]] = True
        distinct = pc.if_else(pa.array(hidden), None, distinct)
    if size.zipf:
        shares = np.cumsum(np.arange(1, n_keys + 1, dtype=np.float64) ** -size.zipf)
        ranks = np.searchsorted(shares, random.random(size.rows) * shares[-1]).astype(np.int32)
        drawn = random.permutation(n_keys).astype(np.int32)[np.minimum(ranks, n_keys - 1)]   # frequent keys lie anywhere
    else:
        drawn = random.integers(0, n_keys, size.rows, np.int32)
    return distinct.take(pa.array(np.sort(drawn) if size.variant == "sorted" else drawn))


def _values(size: Size, random: np.random.Generator, values: np.ndarray[Any, Any]) -> pa.Array:
    is_float = values.dtype.kind == "f"
    if size.variant == "decimal":
        scale, digits = (6, 12) if is_float else (2, 9)
        values = np.round(values * 10**scale).astype(np.int64)
        words = np.empty((len(values), 2), np.int64)   # a decimal is 128 bits, low word first
        words[:, 0], words[:, 1] = values, values >> 63
        column = pa.Array.from_buffers(pa.decimal128(digits, scale), len(values), [None, pa.py_buffer(words)])
        return pc.if_else(pa.array(random.random(len(values)) < size.nulls), None, column) if size.nulls else column
    if size.variant == "date":
        values = np.datetime64("2000-01-01", "us") + (values * 864e8).astype(np.int64) if is_float else values.astype("datetime64[D]")
    return _hide_rows(values, size.nulls, random)


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


def series_tables(size: Size) -> dict[str, pa.Table]:
    """``x``: t (ascending timestamps, some 10 s apart), k (``rows // groups`` keys, drawn evenly), x and y (random walks).

    Only x and y are ever missing.
    """
    random = np.random.default_rng(SEED)
    seconds = np.cumsum(random.integers(1, 20, size.rows))
    walks = [1000 + np.cumsum(random.normal(size=size.rows)) for _ in range(2)]
    return {"x": pa.table({
        "t": pa.array(np.datetime64("2000-01-01", "us") + seconds.astype("timedelta64[s]")),
        "k": pa.array(random.integers(0, max(size.rows // size.groups, 1), size.rows, np.int32)),
        **{name: _hide_rows(np.round(walk, 6), size.nulls, random) for name, walk in zip("xy", walks)},
    })}  # fmt: skip


WORDS = ("the", "rain", "in", "Spain", "stays", "mainly", "on", "plains", "of", "élan")


def everyday_tables(size: Size) -> dict[str, pa.Table]:
    """``x``: k (integers of ``groups`` values), i (nearly all distinct), s (texts of as many values as k), a, b (normal;
    b has missing values), p (positive), cents (two digits), w (texts of one to six words, 20,000 distinct), u (nearly all distinct),
    digits, t (timestamps), flag.
    """
    random = np.random.default_rng(SEED)
    keys = random.integers(1, size.groups + 1, (2, size.rows))
    words = np.array(WORDS)[random.integers(0, len(WORDS), (20_000, 6))]
    sentences = pa.array([" ".join(row[: 1 + place % 6]) + " " * (place % 3) for place, row in enumerate(words)])
    normal = np.round(random.normal(size=(3, size.rows)), 6)
    whole = random.integers(0, 2**40, size.rows)
    microseconds = random.integers(0, 10**15, size.rows)
    return {"x": pa.table({
        "k": pa.array(keys[0]),
        "i": pa.array(whole),
        "s": pa.array([f"id{key:03d}" for key in range(size.groups + 1)]).take(pa.array(keys[1])),
        "a": pa.array(normal[0]),
        "b": _hide_rows(normal[1], size.nulls or 0.05, random),
        "p": pa.array(np.abs(normal[2]) + 1),
        "cents": pa.array(random.integers(0, 10_000, size.rows) / 100),
        "w": sentences.take(pa.array(random.integers(0, len(sentences), size.rows))),
        "u": pc.binary_join_element_wise(
            "user", pa.array(whole // 4096).cast(pa.string()), "@mail", pa.array(keys[0] % 40).cast(pa.string()), ".example.com", ""
        ),
        "digits": pa.array(whole // 997).cast(pa.string()),
        "t": pa.array(np.datetime64("2000-01-01", "us") + microseconds.astype("timedelta64[us]")),
        "flag": pa.array(random.random(size.rows) < 0.3),
    })}  # fmt: skip


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


MAKERS: dict[str, Callable[[Size], dict[str, pa.Table]]] = {
    "groupby": groupby_tables, "join": join_tables, "small": small_tables, "series": series_tables, "everyday": everyday_tables,
}  # fmt: skip


def _files(kind: str, size: Size, folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    names = {"join": ["x", "small", "medium", "big"], "small": ["x", "keys"]}.get(kind, ["x"])
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
