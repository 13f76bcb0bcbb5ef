"""The HTTP API in one process, as tests know it."""

from local.rehearsal.front import HOST, Answer, Front

__all__ = ["HOST", "Answer", "Front"]
