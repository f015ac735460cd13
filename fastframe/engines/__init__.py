"""Engines turn a spec and its input tables into a table; `base.py` finds them by name."""
