"""Seconds of the sort questions."""

from asv_benchmarks.benchmarks.asked import Asked


class Sort(Asked):
    """Seconds of the sort questions."""

    family = "sort"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
