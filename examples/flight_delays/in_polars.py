"""The demo's frame work in lazy polars: `read`, `join` and `features` only build the plan that `collect` runs.

The joins keep the flights' order, as those of pandas and fastframe do. That costs polars some time and saves it a
third of its peak memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from flight_delays import task

VERSION = pl.__version__


def read(folder: Path) -> dict[str, pl.LazyFrame]:
    return {name: pl.scan_parquet(folder / name / "*.parquet").select(task.READ_COLUMNS[name]) for name in task.TABLES}


def join(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    return (tables["flights"]
            .join(tables["weather"], on=["origin", "hour_utc"], how="left", maintain_order="left")
            .join(tables["planes"], on="tailnum", how="left", maintain_order="left")
            .join(tables["airports"], on="dest", how="left", maintain_order="left")
            .join(tables["airlines"], on="carrier", how="left", maintain_order="left"))


def features(df: pl.LazyFrame) -> pl.LazyFrame:
    departure = pl.col("departure").dt
    df = df.with_columns(
        day=departure.truncate("1d"),
        month=departure.month(),
        weekday=departure.weekday() - 1,
        minute_of_day=departure.hour().cast(pl.Int32) * 60 + departure.minute(),
        arrival_hour=pl.col("sched_arr_time") // 100,
        plane_age=departure.year() - pl.col("plane_year"),
        late=pl.col("arr_delay") > task.LATE_MINUTES,
    ).with_columns(
        origin_hour_flights=pl.len().over("origin", "hour_utc").cast(pl.Float32),
        plane_day_flights=pl.when(pl.col("tailnum").is_not_null())
        .then(pl.len().over("tailnum", "day").cast(pl.Float32)),
        distance_to_usual=(pl.col("distance") / pl.col("distance").mean().over("carrier")).cast(pl.Float32),
        seats_to_usual=(pl.col("seats") / pl.col("seats").mean().over("dest")).cast(pl.Float32),
    )
    tables = [(key, _history(df, key)) for key in task.KEYS]
    tables += [(key, _yesterday(df, key)) for key in ("origin", "carrier")]
    for key, table in tables:
        df = df.join(table, on=[key, "day"], how="left", maintain_order="left")
    return df.select(task.RESULT)


def _history(df: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """By key and day: how many flights on earlier days, which share of them was late, their mean delay."""
    daily = (df.drop_nulls(key).group_by(key, "day")
             .agg(flights=pl.col("late").count(), late=pl.col("late").sum(), delay=pl.col("arr_delay").sum())
             .sort(key, "day"))
    counted = ("flights", "late", "delay")
    earlier = daily.with_columns((pl.col(name).cum_sum() - pl.col(name)).over(key) for name in counted)
    flights = pl.when(pl.col("flights") > 0).then(pl.col("flights"))
    return earlier.select(key, "day", pl.col("flights").cast(pl.Float32).alias(f"{key}_flights"),
                          (pl.col("late") / flights).cast(pl.Float32).alias(f"{key}_late_share"),
                          (pl.col("delay") / flights).cast(pl.Float32).alias(f"{key}_mean_delay"))


def _yesterday(df: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """By key and day: the share of late flights on the last earlier day."""
    daily = df.group_by(key, "day").agg(late=pl.col("late").mean()).sort(key, "day")
    return daily.select(key, "day", pl.col("late").shift(1).over(key).cast(pl.Float32).alias(f"{key}_yesterday"))


def collect(df: pl.LazyFrame) -> pl.DataFrame:
    return df.collect()


def ids(df: pl.DataFrame) -> np.ndarray:
    return df["flight_id"].to_numpy()


def split(df: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The flights that arrived, before and after the day of the split."""
    arrived = df.filter(pl.col("late").is_not_null())
    return arrived.filter(pl.col("day") < task.TEST_FROM), arrived.filter(pl.col("day") >= task.TEST_FROM)


def matrix(df: pl.DataFrame) -> np.ndarray:
    return df.select(pl.col(task.FEATURES).cast(pl.Float32)).to_numpy()


def for_xgboost(df: pl.DataFrame) -> pl.DataFrame:
    return df.select(task.FEATURES)


def target(df: pl.DataFrame) -> np.ndarray:
    return df["late"].to_numpy()


def write(df: pl.DataFrame, file: Path) -> None:
    df.write_parquet(file)
