"""Seconds of the transform questions."""

from asv_benchmarks.benchmarks.asked import Asked


class Transform(Asked):
    """Seconds of the transform questions."""

    family = "transform"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
