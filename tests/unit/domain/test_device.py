"""Device tokens: one canonical form, one installation ID, one digest for a user's device."""

import pytest

from fanfare.domain.device import Device, DeviceType, Network, device, open_digest


@pytest.mark.parametrize(
    ("type", "text", "token"),
    [
        (DeviceType.IOS, "<0A1b 2C3d>", "0a1b2c3d"),
        (DeviceType.IOS, "0a1b2c3d", "0a1b2c3d"),
        (DeviceType.IOS, "xyz", None),
        (DeviceType.IOS, "", None),
        (DeviceType.ANDROID, "cXyZ:APA91b_-", "cXyZ:APA91b_-"),
        (DeviceType.ANDROID, "Upper", "Upper"),
        (DeviceType.ANDROID, "two words", None),
        (DeviceType.ANDROID, "", None),
        (DeviceType.ANDROID, "x" * 1025, None),
    ],
)
def test_canonical_form(type: DeviceType, text: str, token: str | None) -> None:
    made = device(type, text)
    assert (made.token if made else None) == token


def test_upper_and_lower_case_are_one_installation_on_ios_only() -> None:
    def installation(type: DeviceType, text: str) -> str:
        made = device(type, text)
        assert made is not None
        return made.installation_id

    assert installation(DeviceType.IOS, "ABCD") == installation(DeviceType.IOS, "abcd")
    assert installation(DeviceType.ANDROID, "ABCD") != installation(DeviceType.ANDROID, "abcd")
    assert installation(DeviceType.IOS, "abcd") != installation(DeviceType.ANDROID, "abcd")


def test_a_token_with_colons_survives_packing() -> None:
    one = Device(Network.FCM, "a:b:c")
    assert Device.unpack(one.packed) == one


def test_a_digest_stands_for_the_device_of_one_user() -> None:
    one = Device(Network.FCM, "t")
    assert len(open_digest("u1", one)) == 8
    assert open_digest("u1", one) == open_digest("u1", Device(Network.FCM, "t"))
    assert open_digest("u1", one) != open_digest("u2", one)
    assert open_digest("u1", one) != open_digest("u1", Device(Network.APNS, "t"))
