"""Seconds of users' own functions and of expressions."""

from asv_benchmarks.benchmarks.asked import Asked


class OwnFunctions(Asked):
    """Seconds of users' own functions and of expressions."""

    family = "udf"

    def time_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
