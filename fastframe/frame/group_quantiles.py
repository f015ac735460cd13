"""Several quantiles of each group at once, and the summary that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.column import Column, Table
from fastframe.column.arrow import column_from
from fastframe.dtypes import Kind
from fastframe.errors import ArgumentError
from fastframe.frame.calls import aggregation
from fastframe.frame.labels import default_labels, label_key, with_labels
from fastframe.frame.run import run
from fastframe.ops.concat import Concat
from fastframe.ops.groups import GroupBy as GroupBySpec
from fastframe.ops.groups import Output
from fastframe.ops.rows import Take

if TYPE_CHECKING:
    from fastframe.frame.groupby import GroupBy

_QUARTILES = (0.25, 0.5, 0.75)
_SUMMED = (Kind.INT, Kind.UINT, Kind.FLOAT)


def quantiles(groups: GroupBy, names: Sequence[str], shares: Sequence[float], interpolation: str) -> Any:
    """A row for each group and share: the shares are one more label (or the column ``level_n``), within those of the keys."""
    if not len(shares):
        raise ArgumentError.because("quantile", "q is empty", "Give at least one share, for example q=[0.25, 0.75].")
    calls = [{"q": float(share), "interpolation": interpolation} for share in shares]
    outputs = [groups._output(f"\1{at}{name}", name, "quantile", call) for at, call in enumerate(calls) for name in names]
    hidden = tuple(Output(output.name, output.column, output.call) for output in outputs)
    found = run(GroupBySpec(groups._internal_keys, hidden, groups._sort, groups._dropna), groups._table)
    parts = [Table({name: found[f"\1{at}{name}"] for name in names}, found.n_rows) for at in range(len(shares))]
    values = _taken(run(Concat(), *parts), np.arange(len(shares) * found.n_rows).reshape(len(shares), -1).T.ravel())
    keys = _taken(Table({key: found[key] for key in groups._internal_keys}), np.repeat(np.arange(found.n_rows), len(shares)))
    level = column_from(np.tile(np.asarray(shares, np.float64), found.n_rows))
    return _labelled(groups, list(keys.columns.values()), level, values)


def _taken(table: Table, rows: Any) -> Table:
    return run(Take(), table, Table({"row": column_from(rows.astype(np.int32))}))


def _labelled(groups: GroupBy, keys: Sequence[Column], level: Column, values: Table) -> Any:
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.series import Series

    if not groups._as_index:
        named = {groups._key_column(at): key for at, key in enumerate(keys)}
        columns = {**named, f"level_{len(keys)}": level, **values.columns}
        return DataFrame._of(with_labels(default_labels(values.n_rows), columns, values.n_rows))
    labels = {label_key(at): one for at, one in enumerate([*keys, level])}
    names = (*(name for name, _ in groups._keys), None)
    if groups._one:
        ((name, column),) = values.columns.items()
        return Series._of(labels, column, groups._series_name(name), names)
    return DataFrame._of(with_labels(labels, values.columns, values.n_rows), names)


def described(groups: GroupBy, percentiles: Sequence[float] | None) -> Any:
    """The columns of the summary of each numeric column, named after it unless it was chosen alone."""
    columns = groups._table.columns
    names = groups._chosen if groups._one else [name for name in groups._chosen if columns[name].dtype.kind in _SUMMED]
    shares = sorted(set(_QUARTILES if percentiles is None else percentiles))
    functions = [("count", "count", {}), ("mean", "mean", {}), ("std", "std", {}), ("min", "min", {}),
                 *((f"{share * 100:g}%", "quantile", {"q": float(share)}) for share in shares), ("max", "max", {})]  # fmt: skip
    outputs = []
    for column in names:
        for label, function, options in functions:
            call = aggregation(function, groups._options(column, options))
            outputs.append(Output(label if groups._one else f"{column}_{label}", column, call))
    return groups._aggregated(outputs)
