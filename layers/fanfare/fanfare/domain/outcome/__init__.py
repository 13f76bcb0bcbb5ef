"""Answers of the networks and their consequences: one table a file."""
