"""Seconds of the join questions."""

from asv_benchmarks.benchmarks.asked import Asked


class Join(Asked):
    """Seconds of the join questions."""

    family = "join"

    def time_answer(self, question: str, layout: str) -> None:
        self.answer()
