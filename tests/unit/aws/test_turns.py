"""A heavy reader at the emulator lets others go in between."""

import asyncio
from contextlib import suppress

import pytest

from local.aws.call import of_target
from local.aws.turns import Turns, whose


async def queue(turns: Turns, askers: list[str | None], went: list[str | None]) -> list[asyncio.Task[None]]:
    """Ask for turns in this order; each turn takes a little time."""

    async def ask(asker: str | None) -> None:
        async with turns.turn(asker):
            went.append(asker)
            await asyncio.sleep(0.001)

    tasks = []
    for asker in askers:
        tasks.append(asyncio.create_task(ask(asker)))
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize(
    ("at_a_time", "askers", "order"),
    [
        (1, ["large"] * 4 + ["small"] * 2, ["large", "large", "small", "large", "small", "large"]),
        (2, ["large"] * 5 + ["small"], ["large", "large", "large", "small", "large", "large"]),
        (1, ["large", "large", None], ["large", None, "large"]),
    ],
)
def test_who_waits_is_let_in_by_turns(
    at_a_time: int, askers: list[str | None], order: list[str | None]
) -> None:
    went: list[str | None] = []

    async def run() -> None:
        await asyncio.gather(*await queue(Turns(at_a_time), askers, went))

    asyncio.run(run())
    assert went == order


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    went: list[str | None] = []

    async def run() -> None:
        turns = Turns(1)
        first, second, third = await queue(turns, ["a", "b", "c"], went)
        second.cancel()
        await asyncio.gather(first, third)
        with suppress(asyncio.CancelledError):
            await second
        async with asyncio.timeout(1), turns.turn("d"):
            went.append("d")

    asyncio.run(run())
    assert went == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("operation", "partition", "expected"),
    [
        ("Query", "app1#ref1#3", "SubscriptionsTable app1#ref1#"),
        ("Query", "app1#f", "SubscriptionsTable app1#"),
        ("GetItem", "app1#f", None),
    ],
)
def test_queries_are_told_apart_by_what_is_read_shard_aside(
    operation: str, partition: str, expected: str | None
) -> None:
    body = (
        b'{"TableName":"SubscriptionsTable","ExpressionAttributeValues":{":pk":{"S":"'
        + partition.encode()
        + b'"}}}'
    )
    assert whose(of_target(f"DynamoDB_20120810.{operation}", "", body)) == expected
