"""`make deployer`: the IAM policy of whoever deploys, as JSON, made from template.yaml."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from operate import stack_name
from operate.deployment.policy import policy
from operate.template.intrinsics import read_yaml

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m operate.commands.deployer", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack's name, such as fanfare-prod")
    parser.add_argument("--account", default="*", help="the account's 12 digits; without it, any")
    parser.add_argument("--region", default="*", help="without it, any")
    options = parser.parse_args(arguments)
    if refusal := stack_name.refusal(options.stack):
        print(refusal, file=sys.stderr)
        return 2
    document = read_yaml(ROOT / "template.yaml")
    made = policy(document, stack=options.stack, account=options.account, region=options.region)
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
