"""What is asked: one table of questions per family, used by the asv classes and by the comparison alike."""

from asv_benchmarks.questions import cases, cold, everyday, frame, groupby, join, rolling, small, udf
from asv_benchmarks.questions.base import Family, Question

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        groupby.FAMILY, join.FAMILY, frame.SORT, frame.FILTER, frame.TRANSFORM, udf.FAMILY, rolling.FAMILY, small.FAMILY, everyday.FAMILY, cold.FAMILY,
        cases.FAMILY,
    )
}

__all__ = ["FAMILIES", "Family", "Question"]
