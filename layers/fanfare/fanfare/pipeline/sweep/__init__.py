"""Deletion of rows that depended on something deleted."""
