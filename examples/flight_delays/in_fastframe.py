"""The demo's frame work in fastframe: pandas' verbs, on every core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

import fastframe as ff
from flight_delays import task

VERSION = ff.__version__


def read(folder: Path) -> dict[str, ff.DataFrame]:
    return {name: ff.read_parquet(folder / name / "*.parquet", columns=task.READ_COLUMNS[name]) for name in task.TABLES}


def join(tables: dict[str, ff.DataFrame]) -> ff.DataFrame:
    return (tables.pop("flights")
            .merge(tables["weather"], on=["origin", "hour_utc"], how="left")
            .merge(tables["planes"], on="tailnum", how="left")
            .merge(tables["airports"], on="dest", how="left")
            .merge(tables["airlines"], on="carrier", how="left"))


def features(df: ff.DataFrame) -> ff.DataFrame:
    departure = df["departure"].dt
    df["day"] = departure.normalize()
    df["month"] = departure.month
    df["weekday"] = departure.weekday
    df["minute_of_day"] = departure.hour * 60 + departure.minute
    df["arrival_hour"] = df["sched_arr_time"] // 100
    df["plane_age"] = departure.year - df["plane_year"]
    df["late"] = (df["arr_delay"] > task.LATE_MINUTES).where(df["arr_delay"].notna())

    df["origin_hour_flights"] = df.groupby(["origin", "hour_utc"])["flight_id"].transform("count").astype("float32")
    df["plane_day_flights"] = df.groupby(["tailnum", "day"])["flight_id"].transform("count").astype("float32")
    df["distance_to_usual"] = (df["distance"] / df.groupby("carrier")["distance"].transform("mean")).astype("float32")
    df["seats_to_usual"] = (df["seats"] / df.groupby("dest")["seats"].transform("mean")).astype("float32")
    del departure  # with the last name for it, the column goes
    df = df.drop(columns=["departure", "hour_utc", "sched_arr_time", "plane_year"])

    for key in task.KEYS:
        df = df.merge(_history(df, key), on=[key, "day"], how="left")
    for key in ("origin", "carrier"):
        df = df.merge(_yesterday(df, key), on=[key, "day"], how="left")
    return df[list(task.RESULT)]


def _history(df: ff.DataFrame, key: str) -> ff.DataFrame:
    """By key and day: how many flights on earlier days, which share of them was late, their mean delay."""
    daily = (df.groupby([key, "day"], as_index=False)
             .agg(flights=("late", "count"), late=("late", "sum"), delay=("arr_delay", "sum")))
    by_key = daily.groupby(key)
    flights = by_key["flights"].cumsum() - daily["flights"]
    late = by_key["late"].cumsum() - daily["late"]
    delay = by_key["delay"].cumsum() - daily["delay"]
    return ff.DataFrame({key: daily[key], "day": daily["day"], f"{key}_flights": flights.astype("float32"),
                         f"{key}_late_share": (late / flights).astype("float32"),
                         f"{key}_mean_delay": (delay / flights).astype("float32")})


def _yesterday(df: ff.DataFrame, key: str) -> ff.DataFrame:
    """By key and day: the share of late flights on the last earlier day."""
    daily = df.groupby([key, "day"], as_index=False).agg(late=("late", "mean"))
    daily[f"{key}_yesterday"] = daily.groupby(key)["late"].shift(1).astype("float32")
    return daily.drop(columns="late")


def collect(df: ff.DataFrame) -> ff.DataFrame:
    return df


def ids(df: ff.DataFrame) -> np.ndarray:
    return df["flight_id"].to_numpy()


def split(df: ff.DataFrame) -> tuple[ff.DataFrame, ff.DataFrame]:
    """The flights that arrived, before and after the day of the split."""
    arrived = df[df["late"].notna()]
    return arrived[arrived["day"] < task.TEST_FROM], arrived[arrived["day"] >= task.TEST_FROM]


def matrix(df: ff.DataFrame) -> np.ndarray:
    return df.to_matrix(list(task.FEATURES), dtype="float32")


def for_xgboost(df: ff.DataFrame) -> pa.Table:
    return df[list(task.FEATURES)].to_arrow()


def target(df: ff.DataFrame) -> np.ndarray:
    return df["late"].to_numpy()


def write(df: ff.DataFrame, file: Path) -> None:
    df.to_parquet(file)
