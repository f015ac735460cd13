"""The engine of this machine's cores."""
