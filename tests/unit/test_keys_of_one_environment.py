"""APNs keys that Apple limits to one environment: two are live in each."""

import json

import pytest

from fanfare.domain.device import Environment, Network
from fanfare.networks.credentials import apns_credential, key_id
from fanfare.networks.failures import CredentialMalformed
from fanfare.networks.live import Live, from_text, to_text
from operate.errors import Declined
from operate.live_credentials import Stored, with_new, without
from tests.integration.pipeline.keyed_networks import signing_key

PRODUCTION, SANDBOX = Environment.PRODUCTION, Environment.SANDBOX


def live(key: str, only: Environment | None = None, *topics: str) -> Live:
    return Live(apns_credential(signing_key(key, *topics)), 1, only)


def stored(*entries: Live) -> Stored:
    return Stored("app", Network.APNS, "/s/apps/app/apns", "/s/apps/app/apns", live=entries)


def keys(entries: list[Live]) -> list[str]:
    return [key_id(one.credential) for one in entries]


def test_two_are_live_in_each_environment_and_a_third_is_none() -> None:
    entries = [live("P1", PRODUCTION)]
    for new in (live("S1", SANDBOX), live("S2", SANDBOX), live("P2", PRODUCTION)):
        entries = with_new(stored(*entries), new, replace=False)
    assert keys(entries) == ["P2", "S2", "S1", "P1"]
    assert from_text(Network.APNS, to_text(entries))[0].only is PRODUCTION
    with pytest.raises(Declined, match="S2 and S1 are live already"):
        with_new(stored(*entries), live("S3", SANDBOX), replace=False)
    with pytest.raises(Declined, match="P2 and P1 are live already"):
        with_new(stored(*entries), live("B1"), replace=False)
    assert keys(with_new(stored(*entries), live("S3", SANDBOX), replace=True)) == ["S3", "P2", "P1"]
    assert keys(with_new(stored(*entries), live("B1"), replace=True)) == ["B1"]
    other = live("S3", SANDBOX, "com.example.other")
    with pytest.raises(Declined, match="without --only that one ends"):
        with_new(stored(*entries), other, replace=True)


def test_one_is_retired_where_another_does_its_work() -> None:
    four = [live("P2", PRODUCTION), live("S2", SANDBOX), live("S1", SANDBOX), live("P1", PRODUCTION)]
    with pytest.raises(Declined, match="which one, S1 or P1"):
        without(stored(*four), None)
    gone, kept = without(stored(*four), "S2")
    assert (key_id(gone.credential), keys(kept)) == ("S2", ["P2", "S1", "P1"])
    gone, kept = without(stored(*kept), None)
    assert (key_id(gone.credential), keys(kept)) == ("P1", ["P2", "S1"])
    with pytest.raises(Declined, match="no two credentials"):
        without(stored(*kept), None)
    with pytest.raises(Declined, match="S1 is live alone"):
        without(stored(*kept), "S1")


def test_two_limited_keys_relieve_one_for_both() -> None:
    entries = [live("S1", SANDBOX), live("B1")]
    with pytest.raises(Declined, match="no two credentials"):
        without(stored(*entries), None)
    gone, kept = without(stored(live("P1", PRODUCTION), *entries), None)
    assert (key_id(gone.credential), keys(kept)) == ("B1", ["P1", "S1"])


def test_a_text_by_hand_names_an_environment_that_there_is_and_not_too_many_keys() -> None:
    text = json.loads(to_text([live("P1", PRODUCTION)]))
    text["live"][0]["only"] = "staging"
    with pytest.raises(CredentialMalformed, match="only: production or sandbox"):
        from_text(Network.APNS, json.dumps(text))
    three = to_text([live("B1"), live("P1", PRODUCTION), live("P2", PRODUCTION)])
    with pytest.raises(CredentialMalformed, match="3 credentials are live"):
        from_text(Network.APNS, three)
