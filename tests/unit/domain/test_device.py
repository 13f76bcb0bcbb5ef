"""Device tokens: one canonical form, one installation ID, one digest for a user's device."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain.device import Device, DeviceType, Network, device, named, open_digest

FIREBASE_ID = "c-Xy_Z0123456789abcdEF"
TOKEN = f"{FIREBASE_ID}:APA91bT-x:y"
ANDROID, IOS = DeviceType.ANDROID, DeviceType.IOS
FCM, APNS = Network.FCM, Network.APNS


@pytest.mark.parametrize(
    ("network", "text", "token"),
    [
        (APNS, "<0A1b 2C3d>", "0a1b2c3d"),
        (APNS, "0a1b2c3d", "0a1b2c3d"),
        (APNS, "xyz", None),
        (APNS, TOKEN, None),
        (APNS, "", None),
        (FCM, "cXyZ:APA91b_-", "cXyZ:APA91b_-"),
        (FCM, "Upper", "Upper"),
        (FCM, "two words", None),
        (FCM, "", None),
        (FCM, "x" * 1025, None),
    ],
)
def test_canonical_form(network: Network, text: str, token: str | None) -> None:
    made = device(network, IOS, text)
    assert (made.token if made else None) == token


def test_upper_and_lower_case_are_one_installation_on_apns_only() -> None:
    def installation(network: Network, text: str) -> str:
        made = device(network, IOS, text)
        assert made is not None
        return made.installation_id

    assert installation(APNS, "ABCD") == installation(APNS, "abcd")
    assert installation(FCM, "ABCD") != installation(FCM, "abcd")
    assert installation(APNS, "abcd") != installation(FCM, "abcd")


@pytest.mark.parametrize(
    ("token", "identity"),
    [
        (TOKEN, FIREBASE_ID),
        (f"{FIREBASE_ID}:x", FIREBASE_ID),
        (FIREBASE_ID, FIREBASE_ID),
        (f"{FIREBASE_ID}:", f"{FIREBASE_ID}:"),
        (f"{FIREBASE_ID[1:]}:APA91b", f"{FIREBASE_ID[1:]}:APA91b"),
        (f"x{FIREBASE_ID}:APA91b", f"x{FIREBASE_ID}:APA91b"),
        (f"{FIREBASE_ID[1:]}+:APA91b", f"{FIREBASE_ID[1:]}+:APA91b"),
        ("legacy-token", "legacy-token"),
    ],
)
def test_fcm_devices_are_known_by_their_firebase_installation_id_where_they_have_one(
    token: str, identity: str
) -> None:
    assert Device.fcm(token).identity == identity


def test_the_id_follows_from_network_and_identity_and_nothing_else() -> None:
    one = Device.fcm(TOKEN).installation_id

    assert one == Device.fcm(f"{FIREBASE_ID}:another").installation_id
    assert one == Device.fcm(FIREBASE_ID, IOS).installation_id
    assert one != replace(Device.fcm(TOKEN), whole_token=True).installation_id
    assert Device.apns("ab").installation_id == Device.apns("ab", "com.example.dev").installation_id
    assert Device.apns("ab").installation_id != Device.fcm("ab").installation_id
    # An APNs token of this shape has no part that is the identity.
    assert Device.apns(TOKEN).identity == TOKEN


def test_whole_tokens_are_kept_apart_only_where_they_hold_a_firebase_installation_id() -> None:
    kept = device(FCM, ANDROID, TOKEN, whole_token=True)
    assert kept is not None
    assert (kept.identity, kept.other_identity) == (TOKEN, Device.fcm(TOKEN))
    assert Device.fcm(TOKEN).other_identity == kept
    for token in (FIREBASE_ID, "legacy"):
        assert device(FCM, ANDROID, token, whole_token=True) == Device.fcm(token)
        assert Device.fcm(token).other_identity is None
    assert Device.apns("ab").other_identity is None


@pytest.mark.parametrize(
    ("one", "packed"),
    [
        (Device.fcm("a:b:c"), "fcm:a:b:c"),
        (Device.fcm("=@.:x", IOS), "fcm.ios:=@.:x"),
        (Device.apns("abcd"), "apns:abcd"),
        (Device.apns("abcd", "com.example.dev"), "apns@com.example.dev:abcd"),
        (Device(FCM, ANDROID, TOKEN, whole_token=True), f"fcm=:{TOKEN}"),
        (Device(FCM, IOS, TOKEN, whole_token=True), f"fcm.ios=:{TOKEN}"),
    ],
)
def test_the_packed_form_is_short_and_says_all(one: Device, packed: str) -> None:
    assert one.packed == packed
    assert Device.unpack(packed) == one


@given(
    network=st.sampled_from(Network),
    platform=st.sampled_from(DeviceType),
    token=st.text("abXY019:=@._-", min_size=1, max_size=40),
    bundle_id=st.none() | st.from_regex(r"\A[A-Za-z0-9.-]{1,20}\Z"),
    whole_token=st.booleans(),
)
def test_whatever_is_packed_is_unpacked(
    network: Network, platform: DeviceType, token: str, bundle_id: str | None, whole_token: bool
) -> None:
    one = Device(network, platform, token, bundle_id, whole_token)
    assert Device.unpack(one.packed) == one


def test_only_a_firebase_installation_id_alone_is_a_bare_one() -> None:
    assert Device.fcm(FIREBASE_ID).is_bare_fid
    assert not Device.fcm(TOKEN).is_bare_fid
    assert not Device.fcm(FIREBASE_ID[1:]).is_bare_fid
    assert not Device.apns("ab" * 11).is_bare_fid


def test_a_path_with_ios_can_mean_either_network() -> None:
    assert named(IOS, "<AB CD>") == [Device.apns("abcd")]
    assert named(IOS, "ABCD") == [Device.apns("abcd"), Device.fcm("ABCD", IOS)]
    assert named(IOS, TOKEN) == [Device.fcm(TOKEN, IOS)]
    assert named(ANDROID, "abcd") == [Device.fcm("abcd")]
    assert named(ANDROID, "two words") == []


def test_a_digest_stands_for_the_installation_of_one_user() -> None:
    one = Device.fcm(TOKEN)
    assert len(open_digest("u1", one)) == 8
    assert open_digest("u1", one) == open_digest("u1", Device.fcm(f"{FIREBASE_ID}:refreshed"))
    assert open_digest("u1", one) != open_digest("u2", one)
    assert open_digest("u1", one) != open_digest("u1", Device.fcm("other"))
    assert open_digest("u1", Device.fcm("ab")) != open_digest("u1", Device.apns("ab"))


def test_the_digest_of_a_token_is_of_the_token_alone() -> None:
    one = Device.fcm(TOKEN)
    assert len(one.token_digest) == 16
    assert one.token_digest == Device.fcm(TOKEN, IOS).token_digest
    assert one.token_digest != Device.fcm(f"{FIREBASE_ID}:refreshed").token_digest
