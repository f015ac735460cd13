"""Ranks are exact wherever thresholds lie: spread evenly, clustered, in tails, next to each other, at the ends of the dtype."""

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import forest_planes as kernels
from fastframe.predict.engines.grid import grid_of
from fastframe.predict.engines.planes import lay_out
from fastframe.predict.features import Number
from fastframe.predict.forest import NumberInput
from tests.predict.stumps import contract_of, filled, rows_of, stumps

RNG = np.random.default_rng(8)
SPREADS = {
    "even": np.linspace(-3, 5, 255),
    "normal": RNG.normal(size=500),
    "tails": RNG.standard_cauchy(300),
    "lognormal": np.exp(RNG.normal(size=300) * 5),
    "neighbours": 1.0 + np.arange(300) * np.finfo(np.float64).eps,
    "cluster": np.concatenate([RNG.normal(size=200), 1e6 + RNG.normal(size=200)]),
    "whole": np.arange(100) + 0.5,
    "denormal": np.arange(1, 300) * 5e-324,
    "extremes": np.array([-np.inf, -np.finfo(np.float64).max, -1e300, -1.0, -0.0, 5e-324, 1.0, 1e300, np.finfo(np.float64).max, np.inf]),
    "many": RNG.normal(size=70_000),
    "two": np.array([1.0, 2.0]),
    "three": np.array([-np.inf, 0.0, np.inf]),
    "equal ends": np.array([0.0, 1.0, 1.0 + 2**-52, 1.0 + 2**-51]),
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("domain", ["float32", "float64"])
@pytest.mark.parametrize("wide", sorted({False, kernels.WIDE}))
def test_ranks_are_numpys(spread, domain, wide, monkeypatch):
    monkeypatch.setattr(kernels, "WIDE", wide)
    with np.errstate(over="ignore"):
        thresholds = np.unique(SPREADS[spread].astype(domain))
        near = np.concatenate([np.nextafter(thresholds, -np.inf, dtype=domain), thresholds, np.nextafter(thresholds, np.inf, dtype=domain)])
    values = np.concatenate([near, RNG.normal(size=1000).astype(domain), np.array([np.inf, -np.inf, 0.0, -0.0, np.nan], domain)])
    for missing_left in (True, False):
        n = len(thresholds)
        forest = stumps(domain, [NumberInput(via="")], np.zeros(n, int), thresholds, np.full(n, missing_left))
        rows = rows_of([pa.array(values)], contract_of([pa.array(values)]))
        codes = filled(lay_out(forest, (Number(0, via=""),), rows.contract, "u16"), rows)
        wanted = np.searchsorted(thresholds, values)
        for plane in range(codes.shape[1]):
            inside = np.clip(wanted - 65535 * plane, 0, 65535)
            np.testing.assert_array_equal(codes[:-1, plane], inside[:-1])
            assert (codes[-1, plane] == 0) if missing_left else (codes[-1, plane] >= np.clip(n - 65535 * plane, 0, 65535))


@pytest.mark.parametrize(("spread", "levels"), [("even", 1), ("normal", 3), ("whole", 1), ("neighbours", 1), ("two", 2), ("cluster", 9)])
def test_grids_leave_little_to_search(spread, levels):
    assert grid_of(np.sort(SPREADS[spread])).levels <= levels


def test_clustered_thresholds_have_no_grid():
    grid = grid_of(np.sort(SPREADS["lognormal"]))
    assert len(grid.starts) == 0 and grid.levels == 9
