"""Seconds of the join questions."""

from asv_benchmarks.benchmarks.asked import Asked


class Join(Asked):
    """Seconds of the join questions."""

    family = "join"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
