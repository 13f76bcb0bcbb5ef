"""Fanfare: the package that all functions share."""
