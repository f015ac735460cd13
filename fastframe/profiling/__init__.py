"""`profile`: what operations did with this machine's cores and memory, and what would make them faster."""

from fastframe.profiling.block import Profile, profile

__all__ = ["Profile", "profile"]
