"""Seconds of the questions about windows."""

from asv_benchmarks.benchmarks.asked import Asked


class Rolling(Asked):
    """Seconds of the questions about windows."""

    family = "rolling"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
