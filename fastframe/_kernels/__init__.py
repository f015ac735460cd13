"""Compiled loops over row ranges; they know addresses, not frames."""
