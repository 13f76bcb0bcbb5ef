"""One sender each, in a process of its own, that tells the time that it used.

Peers live in .venv-bench: their modules import nothing of ours but the job and the measuring.
"""
