"""deliver does not start where its time limits are in no order."""

from dataclasses import fields

import pytest

from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.runtime import settings
from fanfare.runtime.settings import SettingsError


def environment(timeout: int, lease: int, visibility: int) -> dict[str, str]:
    given = {field.name.upper(): "1" for field in fields(DeliverSettings)}
    times = {"TIMEOUT_SECONDS": timeout, "LEASE_SECONDS": lease, "VISIBILITY_SECONDS": visibility}
    return given | {name: str(seconds) for name, seconds in times.items()}


@pytest.mark.parametrize("times", [(60, 60, 370), (80, 75, 370), (60, 370, 370), (60, 75, 70)])
def test_a_broken_order_is_told_by_the_names_of_the_parameters(times: tuple[int, int, int]) -> None:
    with pytest.raises(SettingsError, match="DeliverTimeout, DeliverLease, DeliveryVisibility"):
        settings.read(DeliverSettings, environment(*times))


def test_timeout_lease_and_visibility_in_order_are_taken() -> None:
    assert settings.read(DeliverSettings, environment(60, 75, 370)).lease_seconds == 75
