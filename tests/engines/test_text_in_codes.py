"""Text functions of plain text whose values repeat: what they give value by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.engines.cpu import keys_text

FUNCTIONS = {
    "contains": lambda s: s.str.contains("1"),
    "contains, na": lambda s: s.str.contains("1", na=True),
    "len": lambda s: s.str.len(),
    "upper": lambda s: s.str.upper(),
    "first letter": lambda s: s.str[:1],
    "replace": lambda s: s.str.replace("a", ""),
    "startswith": lambda s: s.str.startswith("b"),
}


def column(n_distinct: int, n_rows: int = 3000) -> Any:
    """Texts with nulls and empty ones; a slice that begins within a byte of its validity."""
    rng = np.random.default_rng(n_distinct)
    texts = np.array(["", *[f"{'ab'[n % 2]}{n}" for n in range(n_distinct)]], dtype=object)[rng.integers(0, n_distinct + 1, n_rows)]
    array = pa.array(texts, pa.string(), mask=rng.random(n_rows) < 0.1)
    return pa.table({"s": array.slice(3)})


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("n_distinct", [1, 40, 10_000])
def test_results(name: str, n_distinct: int, monkeypatch: pytest.MonkeyPatch) -> None:
    table = column(n_distinct)
    wanted = FUNCTIONS[name](ff.from_arrow(table)["s"])
    monkeypatch.setattr(keys_text, "_SHORT_ROWS", 1)
    series = ff.from_arrow(table)["s"]
    found = FUNCTIONS[name](series)
    assert found.dtype == wanted.dtype
    assert found.tolist() == wanted.tolist()
    assert (series._column.known("encoded") is not None) == (n_distinct <= 40)


@pytest.mark.parametrize("n_rows", [4, 5])
def test_few_rows_and_no_values(n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_text, "_SHORT_ROWS", 1)
    series = ff.from_arrow(pa.table({"s": pa.nulls(n_rows, pa.string())}))["s"]
    assert series.str.upper().tolist() == [None] * n_rows
    assert series.str.contains("a").tolist() == [False] * n_rows


def test_several_quantiles_are_those_one_by_one() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=1000), rng.integers(0, 9, 50), np.array([np.nan, 1.0]), np.array([], float)):
        series = ff.Series(values)
        shares = [0.0, 0.1, 0.5, 0.5, 1.0]
        assert series.quantile(shares).tolist() == [series.quantile(one) for one in shares]
