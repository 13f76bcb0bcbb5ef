"""purge's messages when something is wrong: they come again, or end as dead letters."""

from collections.abc import Callable, Iterator

import pytest

from fanfare.domain.proof import Report
from fanfare.pipeline import purge
from fanfare.pipeline.purge import PurgeSettings
from fanfare.runtime import clients, codec, settings
from tests.integration.pipeline.conftest import APP, World
from tests.integration.pipeline.simulated_sqs import SimulatedSqs, refused, simulated_sqs
from tests.integration.pipeline.test_purge import certain, stays


@pytest.fixture
def sqs(world: World) -> Iterator[SimulatedSqs]:
    with simulated_sqs(world.clock, visibility_s=180) as simulated:
        yield simulated


@pytest.fixture
def run(
    world: World, sqs: SimulatedSqs, environment: Callable[[str], dict[str, str]]
) -> Callable[[float], None]:
    read = settings.read(PurgeSettings, environment("purge"))
    handler = lambda records: purge.purge_all(records, read, world.clock)  # noqa: E731
    return lambda seconds: sqs.run(world.resources["PurgeQueue"], handler, seconds, batch_size=2)


def queue(world: World, sqs: SimulatedSqs, body: str) -> None:
    sqs.send_message_batch(world.resources["PurgeQueue"], [{"Id": "1", "MessageBody": body}])


def test_a_proof_waits_for_tables_that_cannot_be_reached_for_a_day(
    world: World, sqs: SimulatedSqs, run: Callable[[float], None]
) -> None:
    device = world.install("u1", "a")
    queue(world, sqs, codec.encode(Report(app=APP, proofs=[certain(device, world)])).decode())
    with refused(clients.dynamodb()):
        run(86_400)
    assert stays(device)
    run(1_200)
    assert not stays(device)
    assert sqs.bodies(world.resources["PurgeDeadLetters"]) == []


def test_what_cannot_be_read_is_a_dead_letter_at_once_and_holds_up_no_other(
    world: World, sqs: SimulatedSqs, run: Callable[[float], None]
) -> None:
    device = world.install("u1", "a")
    readable = codec.encode(Report(app=APP, proofs=[certain(device, world)])).decode()
    newer = readable.removesuffix('"format":1}') + '"format":2}'
    queue(world, sqs, newer)
    queue(world, sqs, readable)
    run(1)
    assert not stays(device)
    assert sqs.bodies(world.resources["PurgeDeadLetters"]) == [newer]
    assert sqs.queues[world.resources["PurgeQueue"]] == []
