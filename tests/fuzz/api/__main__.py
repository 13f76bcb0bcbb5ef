"""`python -m tests.fuzz.api [seconds] [first seed]`: look for requests that break the API's rules.

Finds are written to corpus/, which the tests judge in each run: commit them with the correction.
"""

import io
import logging
import sys
import time
from contextlib import redirect_stdout
from hashlib import sha256
from itertools import count
from pathlib import Path

from local.rehearsal.api import RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import prepared
from operate.template import load
from tests.contract.declared import ROOT
from tests.fuzz.api.described import routes, sound
from tests.fuzz.api.judge import Guilty, Judge
from tests.fuzz.api.mutate import case

CORPUS = Path(__file__).parent / "corpus"


def kept(text: str, corpus: Path = CORPUS) -> Path:
    """Write a find to the corpus, under a name that follows from it."""
    corpus.mkdir(parents=True, exist_ok=True)
    path = corpus / f"{sha256(text.encode()).hexdigest()[:16]}.json"
    path.write_text(text, encoding="utf-8")
    return path


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    first = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1_000_000_000
    logging.disable(logging.CRITICAL)
    template, found, tried = load(ROOT / "template.yaml"), 0, 0
    with emulated(template) as resources:
        stage = prepared(RehearsedApi(template, handler), resources)
        judge, sounds = Judge(stage, Snapshot(resources)), [sound(route, stage) for route in routes()]
        deadline = time.monotonic() + seconds
        for seed in count(first):
            if time.monotonic() > deadline:
                break
            made, tried = case(seed, sounds), tried + 1
            try:
                with redirect_stdout(io.StringIO()):  # the functions' logs
                    judge.hear(made)
            except Guilty as guilty:
                found += 1
                text = made.stored(stage)
                kept(text)
                print(f"{guilty}\n")
    print(f"{tried} requests from seed {first} on: {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
