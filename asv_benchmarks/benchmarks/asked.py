"""What all benchmarks of questions share: the family's questions as parameter, the tables loaded before the clock."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import pyarrow as pa

from asv_benchmarks import data
from asv_benchmarks.contenders import CONTENDERS, as_dictionaries
from asv_benchmarks.questions import FAMILIES
from fastframe._threads.budget import cpu_count


def rows(most: int = 10**9) -> list[int]:
    """Rows of the main table: those of ``ASV_ROWS``, such as 1e6 or 1e5,1e7, but at most ``most``."""
    given = [int(float(one)) for one in os.environ.get("ASV_ROWS", "1e5,1e6").split(",")]
    return sorted({min(one, most) for one in given})


def threads() -> list[int]:
    """One thread, and as many as this process has CPUs."""
    return sorted({1, cpu_count()})


@lru_cache(maxsize=2)
def tables(kind: str, n_rows: int, groups: int, category: bool) -> dict[str, pa.Table]:
    """The generated tables, text columns as strings or as dictionaries."""
    found = data.tables(kind, data.Size(n_rows, groups), data.FOLDER)
    return {name: as_dictionaries(one) for name, one in found.items()} if category else found


class Asked:
    """Every question of a family by rows, threads and layout of texts; subclasses name the family and what is measured."""

    family = ""
    params: Any
    param_names = ("question", "rows", "threads", "layout")
    timeout = 600

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        family = FAMILIES[cls.family]
        layouts = ["strings", "category"] if "fastframe-cat" in family.contenders else ["strings"]
        cls.params = ([question.name for question in family.questions], rows(family.rows), threads(), layouts)

    def setup(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        family = FAMILIES[self.family]
        self.contender = CONTENDERS["fastframe" if layout == "strings" else "fastframe-cat"]
        self.question = family.by_name[question]
        loaded = tables(family.data, n_rows, min(family.groups, n_rows), layout == "category")
        self.loaded = self.contender.load(loaded, n_threads)

    def answer(self) -> None:
        self.contender.run(self.question, self.loaded)
