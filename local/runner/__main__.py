"""python -m local.runner FILE: runs the stack that FILE, a Config in JSON, describes."""

import asyncio
import logging
import sys
from pathlib import Path

from local.runner.config import read
from local.runner.supervisor import run


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m local.runner FILE")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run(read(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
