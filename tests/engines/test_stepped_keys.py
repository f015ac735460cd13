"""Keys that are whole steps apart (days among microseconds) get small codes; values between the steps are not mistaken."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column
from fastframe.engines.cpu.facts import value_step
from fastframe.engines.cpu.keys import group_rows
from tests.engines.joining import join_rows

DAY = 86_400_000_000


def stamps(values: list[int | None], offset: int = 0) -> Column:
    array = pa.array([None] * offset + values, pa.int64()).cast(pa.timestamp("us"))
    return Column(array.slice(offset))


@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([5 * DAY, 7 * DAY, None, -3 * DAY], 2 * DAY),
        ([1, 1 + DAY, 1 + 3 * DAY], DAY),
        ([0, DAY, DAY + 1], 1),
        ([4, 4, None], 1),
        ([None, None], 1),
        ([], 1),
        ([-(2**63), 2**63 - 1], 2**64 - 1),
    ],
)
def test_step(values: list[int | None], step: int, offset: int) -> None:
    assert value_step(stamps(values, offset)) == step


def test_step_that_a_sample_suggests_and_the_rest_refutes() -> None:
    values = np.arange(300_000) * DAY
    values[250_001] += DAY // 24
    assert value_step(Column(pa.array(values).cast(pa.timestamp("us")))) == DAY // 24


@pytest.mark.parametrize("sort", [True, False, None])
def test_groups_by_day(sort: bool | None) -> None:
    days = [3, 1, None, 3, 10_000, 1]
    groups = group_rows([stamps([None if day is None else day * DAY + 5 for day in days])], dropna=False, sort=sort)
    assert "in steps of" in groups.plan.keys
    found: dict[int | None, set[int]] = {}
    for day, code in zip(days, groups.codes.tolist(), strict=True):
        found.setdefault(day, set()).add(code)
    assert all(len(codes) == 1 for codes in found.values())
    assert groups.n_groups == 4
    if sort:
        assert [days[row] for row in groups.first_rows] == [1, 3, 10_000, None]


def test_join_of_values_between_the_steps() -> None:
    left = stamps([DAY, DAY + 1, None, 9 * DAY, 2 * DAY - 1, -DAY])
    right = stamps([None, 10**6 * DAY, 9 * DAY, DAY])
    assert [row for _, row in join_rows([left], [right], "left")] == [3, -1, 0, 2, -1, -1]
