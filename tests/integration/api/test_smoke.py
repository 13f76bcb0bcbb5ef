import pytest
from tests.integration.api.conftest import World

@pytest.mark.parametrize("n", range(6))
def test_x(world: World, n: int, everything) -> None:
    a = world.alice("GET", "/users/me")
    everything()
