"""The façade: pandas-like classes whose methods normalise arguments, build a spec and run it."""
