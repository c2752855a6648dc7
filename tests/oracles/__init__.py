"""Slow, obvious programs that the package is checked against; nothing here imports precipice."""
