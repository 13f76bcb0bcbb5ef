"""Who is measured at what: each with as many pushes, connections and streams as shows it at its best."""

from dataclasses import dataclass

from local.bench.command import AIOAPNS, FIREBASE, HTTPX, NODE_APN
from local.bench.figures import OURS, PYCURL, REFERENCE
from local.bench.job import Case


@dataclass(frozen=True, slots=True)
class Contender:
    sender: str
    case: Case
    share: float
    """Of REQUESTS: slow ones get fewer pushes, so that none takes longer than a few seconds."""
    connections: int = 4
    streams: int = 1000

    def pushes(self, requests: int) -> int:
        return max(self.connections, 10, round(self.share * requests))


def _all() -> tuple[Contender, ...]:
    made = [
        Contender(sender, case, share)
        for case in (Case.BATCHED, Case.SINGLE, Case.BUILT)
        for sender, share in ((REFERENCE, 2.0), (OURS, 1.0), (PYCURL, 0.25))
        if (sender, case) != (REFERENCE, Case.BUILT)
    ]
    made += [
        Contender(sender, Case.FCM_LIKE, share, connections=32, streams=100)
        for sender, share in ((REFERENCE, 0.4), (OURS, 0.4), (PYCURL, 0.2))
    ]
    made += [
        Contender(NODE_APN, Case.BATCHED, 0.1, connections=1),
        Contender(AIOAPNS, Case.BATCHED, 0.02),
        Contender(FIREBASE, Case.BATCHED, 0.005, connections=1),
        Contender(HTTPX, Case.BATCHED, 0.005, connections=1),
    ]
    return tuple(made)


CONTENDERS = _all()
