"""Seconds of one call on a thousand rows."""

from asv_benchmarks.benchmarks.asked import Asked


class Small(Asked):
    """Seconds of one call on a thousand rows."""

    family = "small"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
