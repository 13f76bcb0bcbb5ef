"""The two delivery queues: which of them takes a delivery, and the message that it becomes there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from fanfare.domain.push import Delivery, Pace
from fanfare.domain.ring import Arc
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing


class Urls(Protocol):
    """The settings of whoever queues deliveries."""

    @property
    def express_queue_url(self) -> str: ...
    @property
    def bulk_queue_url(self) -> str: ...


def url_for(delivery: Delivery, urls: Urls) -> str:
    return urls.express_queue_url if delivery.pace is Pace.EXPRESS else urls.bulk_queue_url


def message(delivery: Delivery, delay_s: int = 0) -> Outgoing:
    return Outgoing(codec.encode(delivery), delay_s, delivery.group)


def send_all(deliveries: Iterable[Delivery], urls: Urls, delay_s: int = 0) -> None:
    """Queue the deliveries; raises QueueError."""
    by_url: dict[str, list[Outgoing]] = {}
    for one in deliveries:
        by_url.setdefault(url_for(one, urls), []).append(message(one, delay_s))
    for url, messages in by_url.items():
        queues.send_all(url, messages)


@dataclass(frozen=True, slots=True)
class _Push:
    app: str
    id: str


@dataclass(frozen=True, slots=True)
class _Cut:
    bits: int


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a delivery or in a coarse arc; only a coarse arc has a cut."""

    push: _Push
    arc: Arc | None = None
    attempt: int = 1
    round: int = 1
    cut: _Cut | None = None


def names_in(body: str) -> Names | None:
    """None where the message is neither a delivery nor a coarse arc."""
    try:
        return codec.decode(Names, body)
    except codec.DecodeError:
        return None
