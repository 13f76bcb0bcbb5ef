"""The two delivery queues: which of them takes a delivery, and the message that it becomes there."""

from collections.abc import Iterable
from typing import Protocol

from fanfare.domain.push import Delivery, Pace
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
