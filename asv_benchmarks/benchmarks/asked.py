"""What all benchmarks of questions share: the family's questions as parameter, the tables loaded before the clock."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import pyarrow as pa

from asv_benchmarks import data
from asv_benchmarks.contenders import CONTENDERS, as_dictionaries
from asv_benchmarks.questions import FAMILIES


def rows(default: int = 10**6) -> int:
    """Rows of the main table."""
    return int(float(os.environ.get("ASV_ROWS", default)))


@lru_cache(maxsize=2)
def tables(kind: str, n_rows: int, groups: int, category: bool) -> dict[str, pa.Table]:
    """The generated tables, text columns as strings or as dictionaries."""
    found = data.tables(kind, data.Size(n_rows, groups), data.FOLDER)
    return {name: as_dictionaries(one) for name, one in found.items()} if category else found


class Asked:
    """Every question of a family, on strings and on categories; subclasses name the family and what is measured."""

    family = ""
    params: Any
    param_names = ("question", "layout")
    timeout = 600

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        layouts = ["strings"] if FAMILIES[cls.family].per_call else ["strings", "category"]
        cls.params = ([question.name for question in FAMILIES[cls.family].questions], layouts)

    def setup(self, question: str, layout: str) -> None:
        family = FAMILIES[self.family]
        n_rows = min(rows(), family.rows)
        self.contender = CONTENDERS["fastframe" if layout == "strings" else "fastframe-cat"]
        self.question = family.by_name[question]
        loaded = tables(family.data, n_rows, min(family.groups, n_rows), layout == "category")
        self.loaded = self.contender.load(loaded, os.cpu_count() or 1)

    def answer(self) -> None:
        self.contender.run(self.question, self.loaded)
