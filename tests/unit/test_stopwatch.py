"""A stopwatch counts the time that a process could run."""

import os
import signal
import subprocess
import sys
import time

from tests.stopwatch import Stopwatch


def test_it_counts_while_the_process_waits() -> None:
    with Stopwatch() as watch:
        time.sleep(0.3)

    assert 0 < watch.s < 0.6


def test_it_does_not_count_while_the_process_is_stopped() -> None:
    program = (
        "import time\nfrom tests.stopwatch import Stopwatch\n"
        "with Stopwatch() as watch:\n    print(flush=True)\n    time.sleep(0.4)\nprint(watch.s)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(process.pid, signal.SIGCONT)
        counted = float(process.stdout.read())

    assert counted < 0.5
