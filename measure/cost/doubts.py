"""The costs of doubtful answers beyond the send: a device's first one, and one after it is marked."""

from dataclasses import dataclass
from statistics import median

import requests

from fanfare.runtime import clock
from local.waiting import NO_ANSWER_S
from measure.cost.acts import MESSAGE
from measure.cost.measure import measured
from measure.cost.prices import MILLION
from measure.cost.stage import CrowdAudience, MeasuredStack
from measure.population import load

RECIPIENTS = 5_000
ANSWERS = {"fcm": "fcm_sender_id_mismatch", "apns": "apns_bad_device_token"}


@dataclass(frozen=True, slots=True)
class Doubts:
    """Dollars for a million doubtful answers."""

    first: float
    marked: float


def doubts(stage: MeasuredStack, audience: CrowdAudience | None = None) -> Doubts:
    """Send twice to a crowd that gets doubtful answers alone, and compare with a send that arrives."""
    audience = stage.audience(RECIPIENTS, 1) if audience is None else audience
    # New owners: an open breaker would keep the pushes, and retries would be on the bill.
    rows = audience.crowd.installations(owned_since=clock.now())
    load(stage.rows, stage.resources["InstallationsTable"], rows)
    stage.warm(audience, MESSAGE)
    usual = median(_dollars(stage, audience) for _ in range(3))
    rules = [{"network": network, "preset": preset} for network, preset in ANSWERS.items()]
    requests.post(f"{stage.values['fakes']}/answers", json=rules, timeout=NO_ANSWER_S).raise_for_status()
    first, marked = _dollars(stage, audience), _dollars(stage, audience)
    requests.post(f"{stage.values['fakes']}/reset", timeout=NO_ANSWER_S).raise_for_status()
    stage.set()
    million = MILLION / audience.recipients
    return Doubts((first - usual) * million, (marked - usual) * million)


def _dollars(stage: MeasuredStack, audience: CrowdAudience) -> float:
    return measured(stage, lambda: audience.send(MESSAGE)).bill.dollars
