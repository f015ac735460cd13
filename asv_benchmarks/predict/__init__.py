"""Compiled models beside the models themselves and other compilers: ``python -m asv_benchmarks.compare predict``."""
