"""`make simulate`: the time and the costs on AWS of a send to up to 100 million users."""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import msgspec

from local.processes import ROOT
from local.stack.stack import TEMPLATE
from measure import documents
from measure.cost import prices
from measure.cost.figures import Density, Send
from measure.cost.kept import FILE, kept
from measure.cost.measure import MOST
from measure.simulation import scale_page
from measure.simulation.neighbours import BATCH_S, Flood, waited_for
from measure.simulation.outlook import Outlook, outlook
from measure.simulation.plan import NobodyThere
from measure.simulation.unit_costs import NotMeasured
from operate.template import Template, TemplateError, load
from operate.template.intrinsics import read_yaml

PAGE = ROOT / "docs" / "scale.md"
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
DENSE, SPARSE = 1.0, 0.01
SETTINGS = (
    *((1_000_000, 600_000, bulk) for bulk in (2, 4, 5, 10, 50)),
    *((10_000_000, 600_000, bulk) for bulk in (2, 4, 6, 7, 10, 50)),
    *((10_000_000, 6_000_000, bulk) for bulk in (40, 200)),
    *(
        (100_000_000, quota, bulk)
        for quota, bulk in ((600_000, 20), (1_200_000, 8), (6_000_000, 40), (6_000_000, 200))
    ),
)
"""Users, FcmQuotaPerMinute, BulkConcurrency."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        sends = kept()
        if options.flood is not None:
            return _flood(options.flood, _parameters(options.parameters))
        if options.users is None:
            return _page(sends, _parameters(options.parameters))
        found = _one(sends, _parameters(options.parameters), options.users, options.share)
    except (OSError, msgspec.DecodeError) as error:
        print(f"{FILE.relative_to(ROOT)} cannot be read ({error}): `make cost` writes it", file=sys.stderr)
        return 1
    except (NobodyThere, NotMeasured, TemplateError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n\n".join(scale_page.lines(found)))
    print(json.dumps(scale_page.summary(found)))
    return 0


def _flood(per_s: float, parameters: Mapping[str, str]) -> int:
    """Print the wait of another app's push beside a minute of one app's small sends."""
    template = load(TEMPLATE, parameters=parameters)
    express = next(one for one in template.functions["deliver"].queues if one.queue == "ExpressQueue")
    flood = Flood(per_s, 60.0, express.max_concurrency or MOST, BATCH_S)
    waits = {name: waited_for(flood, fair=fair) for name, fair in (("fair", True), ("one_group", False))}
    print(
        f"{per_s:,.0f} deliveries a second of one app for a minute, {flood.of_capacity:.2f} times what "
        f"{flood.environments} environments take with {BATCH_S} s for a batch."
    )
    print(
        f"Another app's push at its end waits for {waits['fair']:,} of them; without message groups it would "
        f"wait for {waits['one_group']:,}."
    )
    print(json.dumps({"flood_per_s": per_s, "of_capacity": round(flood.of_capacity, 3), **waits}))
    return 0


def _page(sends: Sequence[Send], parameters: Mapping[str, str]) -> int:
    text = "\n\n".join(_parts(sends, parameters)) + "\n"
    print(text)
    if not parameters:
        documents.write_run(PAGE, "make simulate", text)
        print(f"written: {PAGE.relative_to(ROOT)}")
    print(json.dumps(scale_page.summary(_one(sends, parameters, SIZES[-1], DENSE))))
    return 0


def _parts(sends: Sequence[Send], parameters: Mapping[str, str]) -> Iterator[str]:
    today = datetime.datetime.now(datetime.UTC).date()
    yield f"{today}; prices of {prices.REGION} as of {prices.AS_OF}, no free tier; half of all devices: FCM."
    for name, share in (("Dense: everybody subscribes.", DENSE), ("Sparse: one in a hundred does.", SPARSE)):
        found = [_one(sends, parameters, users, share) for users in SIZES]
        yield f"{name} By the number of users:"
        yield scale_page.sizes(found)
        yield "What they wait for:"
        yield "\n".join(f"- {one.users:,}: {scale_page.binding(one)}." for one in found)
    yield "With another quota of FCM and other limits of concurrency, dense:"
    yield scale_page.settings(list(_otherwise(sends, parameters)))
    yield "Beside the meter, the largest send of each kind, computed from what the next smaller one cost:"
    yield scale_page.check(list(checked(sends)))


def _otherwise(
    sends: Sequence[Send], parameters: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], Outlook]]:
    for users, quota, bulk in SETTINGS:
        changed = {"FcmQuotaPerMinute": str(quota), "BulkConcurrency": str(bulk)}
        yield changed, _one(sends, {**parameters, **changed}, users, DENSE)


def checked(sends: Sequence[Send]) -> Iterator[tuple[Send, Outlook]]:
    """The largest measured send of each kind, and its computation from smaller ones."""
    for kind, share in ((Density.DENSE, DENSE), (Density.SPARSE, SPARSE)):
        largest = max((one for one in sends if one.share is kind), key=lambda one: one.recipients)
        users = largest.recipients * kind.every
        yield largest, outlook(sends, with_room(largest), users, share, below=largest.recipients)


def with_room(send: Send) -> Template:
    """The template with a limit of concurrency that lets as many environments start as the meter saw."""
    return load(TEMPLATE, parameters={"BulkConcurrency": str(max(2, ceil(send.reached["deliver"])))})


def _one(sends: Sequence[Send], parameters: Mapping[str, str], users: int, share: float) -> Outlook:
    return outlook(sends, load(TEMPLATE, parameters=parameters), users, share)


def _parameters(given: Sequence[str]) -> dict[str, str]:
    """`Name=value`, as `make deploy` takes them; numbers alone bear on a send. Raises ValueError."""
    declared = read_yaml(TEMPLATE)["Parameters"]
    numbers = [name for name, one in declared.items() if one["Type"] == "Number"]
    found = {}
    for one in given:
        name, _, value = one.partition("=")
        lowest, highest = (int(declared.get(name, {}).get(end, 0)) for end in ("MinValue", "MaxValue"))
        if name not in numbers or not value.isdecimal() or int(value) < lowest or 0 < highest < int(value):
            raise ValueError(
                f"{one}: wanted is Name=number, within what template.yaml allows: {', '.join(numbers)}"
            )
        found[name] = value
    return found


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--users", type=int, help="all of an app; without it docs/scale.md is written anew")
    parser.add_argument("--share", type=float, default=DENSE, help="of them subscribe, from above 0 to 1")
    parser.add_argument(
        "--flood",
        type=float,
        metavar="PER_S",
        help="instead: one app's small sends beside another's push",
    )
    parser.add_argument("parameters", nargs="*", help="parameters of template.yaml: BulkConcurrency=200")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
