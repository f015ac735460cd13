"""Seconds of the calls that scripts make all day."""

from asv_benchmarks.benchmarks.asked import Asked


class Everyday(Asked):
    """Seconds of the calls that scripts make all day."""

    family = "everyday"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
