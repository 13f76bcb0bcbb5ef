"""One attempt, as values: the devices that are due, the time of the next attempt, and its lanes."""

from dataclasses import replace

import pytest

from fanfare.domain.addressee import Addressee
from fanfare.domain.content import Content, FcmContent, of_message
from fanfare.domain.device import Device, Environment
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind, PurgeTarget
from fanfare.domain.push import Delivery, Push
from fanfare.domain.retry_state import OpenGroup, Standing, pack
from fanfare.domain.verdict import MAX_UNKNOWN
from fanfare.pipeline.deliver import attempt
from fanfare.pipeline.deliver.devices import Due, Sent, Share
from fanfare.store.ledger import Lease

NOW, LATER = 1_000_000, 4_600_000
MAX_TRIES = 8
BUSY = Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason="busy", retry_after_s=5)
PAYLOADS = of_message("m", "a", Content(fcm=FcmContent(data={"k": "v"})), topic=None, sender=None, at=0)
SECOND = Delivery(push=Push(app="a", id="m", payloads=PAYLOADS, at=0, user="u"), attempt=2)
WAITING, TRIED = (Addressee("u", Device.fcm(token), Environment.PRODUCTION) for token in ("waiting", "tried"))


def lease(standings: dict[Addressee, Standing], *, killed: int = 0, delivery: Delivery = SECOND) -> Lease:
    """An attempt that was taken `killed` times before."""
    return Lease(
        delivery=delivery,
        claim="",
        open=tuple(pack((one.digest, standing) for one, standing in standings.items())),
        counts={},
        failures=(),
        takes=2 + killed,
        ends=1,
        killed=0,
        killed_before=0,
    )


def test_kills_use_up_the_repeats_of_those_who_were_due_and_of_nobody_else() -> None:
    waits = Standing(due=LATER, tries=1)
    taken = lease({WAITING: waits, TRIED: Standing(due=NOW, tries=1)}, killed=MAX_UNKNOWN + 1)
    found = attempt.audience(taken, [WAITING, TRIED], now=NOW, max_tries=MAX_TRIES)
    assert found.due == []
    assert dict(found.later) == {
        WAITING.digest: waits,
        TRIED.digest: Standing(due=NOW, tries=MAX_TRIES),
    }


def test_where_fewer_tries_are_allowed_than_before_the_next_attempt_ends_it() -> None:
    groups = [OpenGroup(Standing(due=LATER, tries=5, waits=2), WAITING.digest)]
    following = attempt.next_attempt(SECOND, groups, 3, ())
    assert (following.attempt, following.not_before, following.waits) == (3, LATER, 2)


def test_a_device_that_was_not_due_may_be_on_any_lane() -> None:
    """A pause of the others' lane must not hold it up."""
    taken = lease({WAITING: Standing(due=LATER, tries=1), TRIED: Standing(due=NOW, tries=1)})
    found = attempt.audience(taken, [WAITING, TRIED], now=NOW, max_tries=MAX_TRIES)
    sent = Sent(Due(TRIED, Standing(tries=1)), BUSY, "fcm", NOW)
    share = Share([sent], [], frozenset())
    assert attempt.result(taken, found, share, now=NOW, max_tries=MAX_TRIES).lanes == ()
    known = replace(taken, delivery=replace(SECOND, lanes=("apns", "fcm")))
    assert attempt.result(known, found, share, now=NOW, max_tries=MAX_TRIES).lanes == ("apns", "fcm")


def test_what_was_lost_in_former_rounds_counts_as_one() -> None:
    again = lease({TRIED: Standing(tries=MAX_TRIES, unknown=3)}, delivery=SECOND.next_round())
    [due] = attempt.audience(again, [TRIED], now=NOW, max_tries=MAX_TRIES).due
    assert due.standing == Standing(silent=1)


@pytest.mark.parametrize("target", list(PurgeTarget))
def test_only_a_proof_about_the_device_token_goes_to_purge(target: PurgeTarget) -> None:
    """A dead Live Activity token or broadcast channel does not delete the device."""
    dead = Outcome(kind=OutcomeKind.PURGE_TOKEN, reason="Unregistered", purge_target=target)
    proofs = attempt.proofs([Sent(Due(TRIED, Standing()), dead, "apns", NOW)])
    assert len(proofs) == (target is PurgeTarget.DEVICE_TOKEN)
