"""What every contender is asked to do: names, columns, label, split and tolerances in one place.

No data frame library is imported here, so that each contender's process holds its own library only.
"""

from __future__ import annotations

import datetime as dt

CONTENDERS = ("pandas", "polars", "fastframe")

ONE_PLAN = {"polars"}
"""Contenders that read, join and make features in one lazy plan, timed as a whole."""

LATE_MINUTES = 15
"""A flight is late when it arrives more than this many minutes after its schedule."""

TEST_FROM = dt.datetime(2013, 10, 1)
"""Models learn from the flights before this day and are judged on the others."""

FLIPPED_DAY = dt.datetime(2013, 7, 15)
"""The day whose labels the leak check turns round."""

TABLES = ("flights", "weather", "planes", "airports", "airlines")

READ_COLUMNS = {
    "flights": ["flight_id", "departure", "hour_utc", "carrier", "tailnum", "origin", "dest", "distance",
                "sched_arr_time", "arr_delay"],
    "weather": ["origin", "hour_utc", "temp", "humid", "wind_speed", "precip", "pressure", "visib"],
    "planes": ["tailnum", "plane_year", "manufacturer", "model", "engines", "seats"],
    "airports": ["dest", "airport", "lat", "lon", "alt"],
    "airlines": ["carrier", "airline"],
}

MATCH_COLUMN = {"weather": "precip", "planes": "seats", "airports": "lat", "airlines": "airline"}
"""A column of each joined table that is never missing there: where it is set, the join found a row."""

KEYS = ("carrier", "dest", "tailnum")
"""Each of them gets its history: how many flights before today, which share of them late, how late on average."""

SCHEDULE = ("month", "weekday", "minute_of_day", "arrival_hour", "distance")
WEATHER = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
PLANE = ("plane_age", "seats", "engines")
AIRPORT = ("lat", "lon", "alt")
TRAFFIC = ("origin_hour_flights", "plane_day_flights", "distance_to_usual", "seats_to_usual")
HISTORY = tuple(f"{key}_{what}" for key in KEYS for what in ("flights", "late_share", "mean_delay"))
YESTERDAY = ("origin_yesterday", "carrier_yesterday")

FEATURES = SCHEDULE + WEATHER + PLANE + AIRPORT + TRAFFIC + HISTORY + YESTERDAY

NAMES = ("carrier", "airline", "tailnum", "manufacturer", "model", "origin", "dest", "airport")

RESULT = ("flight_id", "day", *NAMES, "late", *FEATURES)
"""The columns of the table that the frame work ends with: what a person or a model would look at."""

TOLERANCE = 1e-6
"""Features of two contenders agree where both are missing or they differ by at most this, relative or absolute:
most are kept as float32, and the contenders sum in different orders."""

AUC_TOLERANCE = 1e-3
