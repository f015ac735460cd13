"""What a group-by would do, in words: the plan of its keys, why, and the bytes of codes and states."""

from __future__ import annotations

from collections.abc import Sequence

from fastframe.column import Table
from fastframe.engines.cpu.groups import code_dtype
from fastframe.engines.cpu.keys import cached_groups, plan_groups
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import GroupBy, Output

_FIELD_BYTES = 8   # of one field of a group's state
_ORDERS = {True: "ascending keys", False: "first appearance", None: "as the plan finds them"}


def explain_groups(spec: GroupBy, table: Table, names: Sequence[str]) -> str:
    """The plan for ``spec``, whose keys users call ``names``. Text keys are encoded for it, and the codes kept."""
    keys = [table[key] for key in spec.keys]
    kept = cached_groups(keys, dropna=spec.dropna, sort=spec.sort)
    plan = kept.plan if kept is not None else plan_groups(keys, dropna=spec.dropna)
    n_groups = kept.n_groups if kept is not None else plan.n_most_groups
    count = f"{n_groups:,} groups" if kept is not None else f"at most {n_groups:,} groups" if plan.n_expected is None else f"about {n_groups:,} groups"
    n_bytes = kept.codes.nbytes if kept is not None else plan.code_bytes
    state = "kept from an earlier call" if kept is not None else f"to be found, with {_bytes(plan.scratch_bytes)} of scratch"
    lines = [
        f"group by {', '.join(names)}: {table.n_rows:,} rows",
        f"  plan    {plan.method.value}: {plan.keys}",
        f"  why     {plan.reason}",
        f"  order   {_ORDERS[spec.sort]}",
        f"  codes   {count}, {code_dtype(n_groups).name}, {_bytes(n_bytes)}; {state}",
    ]
    return "\n".join(lines + [_states(spec.outputs, n_groups)] * bool(spec.outputs))


def _states(outputs: Sequence[Output], n_groups: int) -> str:
    calls = [output.call for output in outputs if isinstance(output.call, AggregationCall)]
    width = sum(_FIELD_BYTES * len(call.aggregation.state) for call in calls if not call.aggregation.needs_all_values)
    whole = sorted({call.name for call in calls if call.aggregation.needs_all_values})
    line = f"  states  {width} bytes per group, {_bytes(width * n_groups)}"
    return line + (f"; {', '.join(whole)}: all values, by group" if whole else "")


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"
