"""New York's flights of 2013, from Parquet to predicted delays: pandas, lazy polars and fastframe side by side.

    python examples/flights.py

joins 336,776 flights, and twenty shifted copies of them, with weather, planes, airports and airlines, makes features
that know only earlier days, trains scikit-learn's and XGBoost's gradient boosting, checks that all contenders agree,
prints seconds and peak memory, and writes report.html.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flight_delays import task
from flight_delays.run import run

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Read the command line and run the demo; 1 where a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contenders", nargs="+", choices=task.CONTENDERS, default=list(task.CONTENDERS),
                        help="whom to run; the first one is what the others are compared with")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "flights", help="folder for the Parquet files")
    parser.add_argument("--report", type=Path, default=Path("report.html"), help="where the report goes")
    arguments = parser.parse_args()
    return 0 if run(arguments.contenders, arguments.data, arguments.report) else 1


if __name__ == "__main__":
    sys.exit(main())
