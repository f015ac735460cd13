"""Seconds of the transform questions."""

from asv_benchmarks.benchmarks.asked import Asked


class Transform(Asked):
    """Seconds of the transform questions."""

    family = "transform"

    def time_answer(self, question: str, layout: str) -> None:
        self.answer()
