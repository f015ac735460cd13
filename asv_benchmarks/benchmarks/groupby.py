"""Seconds of the group-by questions."""

from asv_benchmarks.benchmarks.asked import Asked


class GroupBy(Asked):
    """Seconds of the group-by questions."""

    family = "groupby"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
