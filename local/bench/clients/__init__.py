"""One sender each, in a process of its own, that says what it used. Peers live in .venv-bench: their modules import
nothing but themselves, the job and the measuring."""
