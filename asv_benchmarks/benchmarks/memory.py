"""Peak memory of the questions about large tables."""

from asv_benchmarks.benchmarks.asked import Asked


class GroupByMemory(Asked):
    """Peak memory of the process: the tables, and what the answer takes on top."""

    family = "groupby"

    def peakmem_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()


class JoinMemory(Asked):
    """Peak memory of the process: the tables, and what the answer takes on top."""

    family = "join"

    def peakmem_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()


class SortMemory(Asked):
    """Peak memory of the process: the tables, and what the answer takes on top."""

    family = "sort"

    def peakmem_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()


class FilterMemory(Asked):
    """Peak memory of the process: the tables, and what the answer takes on top."""

    family = "filter"

    def peakmem_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()


class TransformMemory(Asked):
    """Peak memory of the process: the tables, and what the answer takes on top."""

    family = "transform"

    def peakmem_answer(self, question: str, n_rows: int, n_threads: int, layout: str) -> None:
        self.answer()
