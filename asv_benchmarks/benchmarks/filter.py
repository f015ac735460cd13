"""Seconds of the filter question."""

from asv_benchmarks.benchmarks.asked import Asked


class Filter(Asked):
    """Seconds of the filter question."""

    family = "filter"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
