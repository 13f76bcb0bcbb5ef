"""`python -m tests.fuzz [seconds]`: look for bytes that break the reading of frames and headers."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris  # type: ignore[import-untyped]  # it is installed in .venv-fuzz

CORPUS = Path(__file__).parent / "corpus"
SECONDS = "60"


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else SECONDS
    with atheris.instrument_imports(include=["fanfare.networks.http2", "tests.fuzz"]):
        from tests.fuzz.target import judge
    options = [f"-max_total_time={seconds}", "-max_len=2048", f"-artifact_prefix={CORPUS}/"]
    with TemporaryDirectory() as new:  # inputs that are merely new stay out of the repository
        atheris.Setup([sys.argv[0], *options, new, str(CORPUS)], judge)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
