"""What was measured: steps, seconds, memory and scores of each contender, and the rows that show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

SETS = ("twenty", "year")

STEPS = {
    "read": "Read Parquet",
    "join": "Join the other four tables",
    "features": "Make features",
    "plan": "All in one lazy plan",
    "matrix": "Split by time, make matrices",
    "sklearn fit": "Fit, HistGradientBoosting",
    "sklearn predict": "Predict, HistGradientBoosting",
    "xgboost fit": "Fit, XGBoost",
    "xgboost predict": "Predict, XGBoost",
}
"""Steps in the table's order. A new step of a worker needs its line here."""

FRAME_STEPS = ("read", "join", "features", "plan")

MODELS = {"sklearn": "HistGradientBoosting", "xgboost": "XGBoost"}


@dataclass
class Run:
    """One contender on one set."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: float = 0.0
    version: str = ""
    scores: dict[str, float] = field(default_factory=dict)

    def frame_seconds(self) -> float:
        return sum(seconds for step, seconds in self.seconds.items() if step in FRAME_STEPS)


@dataclass(frozen=True)
class Compiled:
    """One fitted model, by itself (``native``) and compiled (``ours``): seconds for all rows and for one, of which bits agree."""

    model: str
    rows: int
    same_bits: bool
    compile: float
    native: float
    ours: float
    native_row: float
    our_row: float

    HEADINGS: ClassVar[tuple[str, ...]] = ("Model", "itself", "compiled", "itself / compiled", "one row, itself", "one row, compiled", "compiling")

    @property
    def cells(self) -> tuple[str, ...]:
        return (f"{self.model}, {self.rows:,} rows", f"{self.native:.3f} s", f"{self.ours:.4f} s", f"{self.native / self.ours:.1f}x",
                f"{1e6 * self.native_row:,.0f} µs", f"{1e6 * self.our_row:.1f} µs", f"{self.compile:.2f} s")


@dataclass(frozen=True)
class OwnFunction:
    """One plain Python function by plane: seconds of pandas, of our first call, and of ours on one thread and on all."""

    rows: int
    planes: int
    threads: int
    same_bits: bool
    pandas: float
    first: float
    on_one: float
    on_all: float

    @property
    def headings(self) -> tuple[str, ...]:
        return ("Function of one's own", "pandas", "fastframe, first call", "1 thread", f"{self.threads} threads", "pandas / fastframe")

    @property
    def cells(self) -> tuple[str, ...]:
        return (f"by plane: {self.rows:,} rows, {self.planes:,} planes", f"{self.pandas:.2f} s", f"{self.first:.2f} s", f"{self.on_one:.3f} s",
                f"{self.on_all:.3f} s", f"{self.pandas / self.on_all:.0f}x")


@dataclass
class Models:
    """What the worker of compiled models told."""

    compiled: list[Compiled] = field(default_factory=list)
    stranger: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extras:
    """What is shown below the table of steps."""

    own_function: OwnFunction
    compiled: list[Compiled]


Runs = dict[str, dict[str, Run]]
"""contender -> set -> run"""


@dataclass(frozen=True)
class Row:
    """One line of the table: a value per contender, None where a contender has none."""

    title: str
    values: dict[str, float | None]
    unit: str
    is_total: bool = False

    def text(self, contender: str) -> str:
        value = self.values.get(contender)
        if value is None:
            return "in the plan" if self.unit == "s" else ""
        return {"s": f"{value:.2f} s", "MiB": f"{value:,.0f} MiB", "AUC": f"{value:.4f}"}[self.unit]

    def ratio(self, other: str, contender: str = "fastframe") -> str:
        """How many times `contender` fits into `other`; empty for scores and where one of them has no value."""
        theirs, ours = self.values.get(other), self.values.get(contender)
        return "" if self.unit == "AUC" or not theirs or not ours else f"{theirs / ours:.1f}x"


@dataclass(frozen=True)
class Section:
    """The rows of one set."""

    title: str
    rows: list[Row]


def sections(runs: Runs, n_rows: dict[str, int]) -> list[Section]:
    """The table: frame work on twenty years, then frame work and models on one year."""
    frames = _by_step(runs, "twenty", ("read", "join", "features"))
    frames += [Row("Frame work in all", {name: of["twenty"].frame_seconds() for name, of in runs.items()}, "s", True),
               _peak(runs, "twenty")]
    models = [Row("Frame work in all", {name: of["year"].frame_seconds() for name, of in runs.items()}, "s")]
    models += _by_step(runs, "year", tuple(step for step in STEPS if step not in FRAME_STEPS))
    models += [Row("From Parquet to predictions", {name: sum(of["year"].seconds.values()) for name, of in runs.items()},
                   "s", True), _peak(runs, "year")]
    models += [Row(f"ROC AUC, {title}", {name: of["year"].scores[model] for name, of in runs.items()}, "AUC")
               for model, title in MODELS.items()]
    return [Section(f"Frame work on {n_rows['twenty']:,} flights", frames),
            Section(f"Models on {n_rows['year']:,} flights", models)]


def _by_step(runs: Runs, set_name: str, steps: tuple[str, ...]) -> list[Row]:
    return [Row(STEPS[step], {name: of[set_name].seconds.get(step) for name, of in runs.items()}, "s")
            for step in steps]


def _peak(runs: Runs, set_name: str) -> Row:
    return Row("Peak memory above imports", {name: of[set_name].peak_mib for name, of in runs.items()}, "MiB", True)
