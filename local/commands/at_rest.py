"""`make at-rest`: what a month costs in which nobody calls, by AWS's list prices in us-east-1."""

import sys
from pathlib import Path

from local.deployment.at_rest import AT_NO_COST, bill
from local.template.intrinsics import read_yaml

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    lines = bill(read_yaml(ROOT / "template.yaml"))
    print(f"{'a month at rest, in dollars':48}{'list price':>12}{'alone in its account':>24}")
    for line in lines:
        print(f"{line.what:48}{line.dollars:>12.2f}{line.least:>24.2f}")
    total, least = sum(line.dollars for line in lines), sum(line.least for line in lines)
    print(f"{'together':48}{total:>12.2f}{least:>24.2f}")
    print(f"Nothing: {AT_NO_COST}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
