"""`make request-costs`: the reads and writes of each route, computed from item sizes by AWS's rules."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fanfare.store import apps
from local.openapi import Served, served
from local.processes import ROOT
from local.rehearsal.api import RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.requests import request_of
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import Part, Stage, prepared
from measure.cost import prices
from measure.cost.charge import Charge
from measure.cost.units import Item
from measure.request_charges import Charges
from operate.template import load


@dataclass(frozen=True, slots=True)
class Cost:
    """The charges of a request that succeeds, the app's row not yet known to the function."""

    route: Served
    part: Part
    charges: tuple[Charge, ...]

    @property
    def reads(self) -> float:
        return sum(one.reads for one in self.charges)

    @property
    def writes(self) -> float:
        return sum(one.writes for one in self.charges)

    @property
    def authentication(self) -> list[Charge]:
        """The read that tells the caller: a session's row, or the app's where there is none."""
        read = [one for one in self.charges if one.operation == "GetItem"]
        sessions = [one for one in read if any(map(_is_session, one.keys))]
        return sessions or [one for one in read if any(map(_is_app, one.keys))]


def costs(stage: Stage, charges: Charges, state: Snapshot) -> Iterator[Cost]:
    """Each route once, as the first caller that may: the owner, the administrator, anybody."""
    for route in served(ROOT):
        for part in (Part.OWNER, Part.ADMIN, Part.ANYBODY):
            path, body, headers = request_of(route, stage)
            apps.forget()
            with charges.noted() as noted:
                answer = stage.ask(part, route.method, path, body, headers)
            state.restore()
            if answer.status < 300:
                yield Cost(route, part, tuple(noted))
                break
        else:
            raise LookupError(f"{route.method} {route.path} succeeds for nobody: {answer.body!r}")


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print("usage: make request-costs", file=sys.stderr)
        return 2
    template = load(ROOT / "template.yaml")
    with emulated(template) as resources:
        stage = prepared(RehearsedApi(template, handler), resources)
        found = list(costs(stage, Charges(template, resources), Snapshot(resources)))
    print(f"{'reads':>6} {'who asks':>9} {'writes':>6} {'$ a million':>11}  route")
    for one in found:
        unit_dollars = one.reads * prices.DYNAMODB_READ + one.writes * prices.DYNAMODB_WRITE
        dollars = unit_dollars * prices.MILLION
        path = one.route.path.removeprefix("/api")
        who = sum(charge.reads for charge in one.authentication)
        print(f"{one.reads:6.1f} {who:9.1f} {one.writes:6.1f} {dollars:11.2f}  {one.route.method} {path}")
    print(
        "\nRequest units of DynamoDB on demand: a read is 4 KB, half of one where it need not be consistent,"
        "\na write 1 KB; transactions double. Who asks: the reads that authentication needs. For small"
        "\nitems, and for one who may. Streams, queues and Lambda are not in it."
    )
    return 0


def _is_session(key: Item) -> bool:
    return "session#" in str(key.get("sk"))


def _is_app(key: Item) -> bool:
    return "sk" not in key and "#" not in str(key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
