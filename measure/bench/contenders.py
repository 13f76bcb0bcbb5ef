"""The senders and their settings: each with the pushes, connections and streams that show it at its best."""

from dataclasses import dataclass

from measure.bench.command import AIOAPNS, FIREBASE, HTTPX, NODE_APN
from measure.bench.comparison import OURS, PYCURL, REFERENCE
from measure.bench.job import Case


@dataclass(frozen=True, slots=True)
class Contender:
    sender: str
    case: Case
    share: float
    """A part of REQUESTS: slow ones get fewer pushes, for none to take longer than a few seconds."""
    least: int = 500
    """Fewer would show how a sender starts and ends, not how it sends."""
    connections: int = 4
    streams: int = 1000

    def pushes(self, requests: int) -> int:
        return max(self.least, round(self.share * requests))


def _apns_like(sender: str, share: float, least: int) -> list[Contender]:
    """h2load builds nothing."""
    cases = [case for case in Case if case is not Case.FCM_LIKE]
    return [
        Contender(sender, case, share, least) for case in cases if (sender, case) != (REFERENCE, Case.BUILT)
    ]


def _fcm_like(sender: str, share: float) -> Contender:
    """As many pushes at the least as fill all streams six times."""
    return Contender(sender, Case.FCM_LIKE, share, least=20_000, connections=32, streams=100)


_EACH = (
    *_apns_like(REFERENCE, 2.0, least=300_000),
    *_apns_like(OURS, 1.0, least=20_000),
    *_apns_like(PYCURL, 0.2, least=20_000),
    _fcm_like(REFERENCE, 0.4),
    _fcm_like(OURS, 0.4),
    _fcm_like(PYCURL, 0.2),
    Contender(NODE_APN, Case.BATCHED, 0.1, connections=1),
    Contender(AIOAPNS, Case.BATCHED, 0.02),
    Contender(FIREBASE, Case.BATCHED, 0.005, connections=1),
    Contender(HTTPX, Case.BATCHED, 0.005, connections=1),
)

CONTENDERS = tuple(sorted(_EACH, key=lambda one: list(Case).index(one.case)))
"""Case by case: compared senders are measured one after the other."""
