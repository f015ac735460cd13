"""Benchmarks: classes for asv in `benchmarks/`, and ``python -m asv_benchmarks.compare``; see docs/benchmarks.md."""
