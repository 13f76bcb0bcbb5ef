"""Callers, rights and access lists."""
