"""`make rehearse`: deploys a build to an emulator's CloudFormation, again and again, as releases do.

A first deployment; the same again; a change of the layer alone; a change of a parameter alone; a deployment
that fails and is rolled back; the first build again. After each it looks at the functions' aliases. At
last it deletes the stack and begins one of its name over the tables and buckets that stayed.

It cannot show, since MiniStack cannot: alarms by metric math and saved queries (both left out),
CodeDeploy's gradual releases, routes of the HTTP API, whose body it does not read, rights of roles, and
waiting for anything.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local.releases.account import Differs, EmulatedAccount, Release, emulated


def rehearse(account: EmulatedAccount) -> Iterator[str]:
    """Yield a line for each release that succeeded. Raises Differs."""
    first = account.release()
    _expect(len(first.versions) > 0 and all(version.isdigit() for version in first.versions.values()), first)
    yield f"first deployment: {len(first.versions)} functions, each behind its alias"
    again = account.release()
    _expect(again.versions == first.versions, again)
    yield "the same again: nothing moved"
    change = account.build / "FanfareLayer" / "python" / "fanfare" / "released.py"
    change.write_text('"""Another release."""\n')
    layered = account.release()
    _expect(layered.moved(first) == set(first.versions), layered)
    _expect(all(layered.layers[name] != first.layers[name] for name in first.layers), layered)
    yield "the layer alone changed: every function moved, to a version with the new layer"
    parameter = account.release(ArcSize="501")
    _expect(parameter.moved(layered) == {"DispatchFunction", "DeliverFunction"}, parameter)
    yield "ArcSize alone changed: dispatch and deliver moved, which read it"
    change.write_text('"""A release that fails."""\n')
    failed = account.release(broken=True, ArcSize="501")
    _expect(failed.versions == parameter.versions and failed.layers == parameter.layers, failed)
    _expect("ROLLBACK_COMPLETE" in failed.status, failed)
    yield "a release that fails: rolled back, every alias where it was"
    change.unlink()
    back = account.release()
    _expect(back.moved(failed) == set(first.versions), back)
    yield "the first build again: every function moved, as with any release"
    refused, calls = account.refused_to_deployer(), len(account.deployers_calls)
    if refused or not calls:
        raise Differs(f"the deployer's policy does not allow {sorted(refused)}, of {calls} kinds of calls")
    yield f"the deployer's policy allows the {calls} kinds of calls that sam deploy made"
    stayed = account.left_behind()
    account.imported(stayed)
    account.release()
    _expect_same(stayed, account.outlasting())
    yield f"deleted and begun anew over what stayed: {len(stayed)} tables and buckets are the old ones"


def _expect(holds: bool, seen: Release) -> None:
    if not holds:
        raise Differs(f"not as expected: {seen}")


def _expect_same(stayed: Mapping[str, str], now: Mapping[str, str]) -> None:
    if stayed != now:
        raise Differs(f"{stayed} stayed, and the stack has {now}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.releases", description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the folder of `sam build`")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, emulated(options.build, Path(folder)) as account:
        try:
            for line in rehearse(account):
                print(line, flush=True)
        except Differs as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
