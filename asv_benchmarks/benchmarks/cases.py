"""Seconds of the questions that only cases ask."""

from asv_benchmarks.benchmarks.asked import Asked


class Cases(Asked):
    """Seconds of the questions that only cases ask, of plain data."""

    family = "cases"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
