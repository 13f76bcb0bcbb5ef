"""One local stack for the journeys of a session; a test that needs other settings starts its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports
from local.stack import Stack
from tests.e2e.world import World

PARAMETERS = {"DeliverTimeout": "20", "DeliverLease": "25", "DeliveryVisibility": "120"}


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    state: Path = tmp_path_factory.mktemp("stack")
    with Stack(port=ports.free(), state=state, parameters=PARAMETERS) as stack:
        # Tests install by the hundred. Set before any function has looked at the app.
        World(stack.values).set_parameter("userInstallsPerDay", "0")
        yield stack


@pytest.fixture
def world(running_stack: Stack) -> World:
    return World(running_stack.values)
