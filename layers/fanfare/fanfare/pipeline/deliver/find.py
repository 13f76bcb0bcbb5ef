"""Find the recipients on an arc and their devices, at the last moment before the send."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.errors import Busy
from fanfare.domain.push import Delivery, Push, Way
from fanfare.domain.ring import Arc
from fanfare.runtime.concurrency import Once, together
from fanfare.store import members, recipients, subscriptions
from fanfare.store.recipients import Recipient

SHARDS_AT_A_TIME = 4

HANGS_S = 20.0
"""After this time no further read is begun for a delivery. A call to a table that accepts
connections and never answers takes 27 seconds, with its five tries: two use up the function's time."""

MAX_DEVICES = 20_000
"""Most devices of one delivery: if all are open, their digests still fit into the ledger's row."""


class ArcTooLarge(Exception):
    """The arc holds far more subscribers or devices than an arc should: it has to be halved."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at the tables, at one time, shared by the deliveries of a wave.

    Deliveries to the same subscribers share the rows: changes of one bucket come by the hundred.
    `seconds_left` is the function's: tables that hang must not use it up.
    """

    seconds_left: Callable[[], float] = lambda: inf
    _looks: Once[object, list[Recipient]] = field(default_factory=Once)

    def addressees(self, delivery: Delivery, limit: int | None) -> list[Addressee]:
        """Return the devices of the delivery's recipients for this push, as they are owned now.

        Raises ArcTooLarge if the arc has more than `limit` subscribers, or too many devices, never without
        a limit; and Busy if the tables hang.
        """
        push = delivery.push
        same = (push.app, push.target, push.user, push.gate, delivery.arc, delivery.way, limit)
        began_s = self.seconds_left()

        def go_on() -> None:
            took_s = began_s - self.seconds_left()
            if took_s > HANGS_S:
                raise Busy(f"the tables hang: {took_s:.0f} s of reading")

        found = self._looks.get(same, lambda: _within_bounds(_recipients(delivery, limit, go_on), limit))
        return [device for recipient in found for device in _devices(recipient, push)]


def _within_bounds(read: Iterator[Recipient], limit: int | None) -> list[Recipient]:
    found: list[Recipient] = []
    devices = 0
    for recipient in read:
        found.append(recipient)
        devices += len(recipient.production) + len(recipient.sandbox)
        if limit is not None and devices > MAX_DEVICES:
            raise ArcTooLarge
    return found


def _recipients(delivery: Delivery, limit: int | None, go_on: Callable[[], None]) -> Iterator[Recipient]:
    """`go_on` is called before each part is read; an error that it raises ends the reading."""
    push = delivery.push
    if delivery.arc is None or push.target is None:
        assert push.user is not None, "a push is for a target or for a user"
        return recipients.by_key(push.app, [push.user])
    target, most = push.target, None if limit is None else limit + 1
    subscribers = _by_shard(
        lambda part: islice(subscriptions.on_arc(target, part), most),
        [delivery.arc] if len(target.scope.shards) == 1 else delivery.arc.by_shard(),
        go_on,
    )
    if limit is not None and len(subscribers) > limit:
        raise ArcTooLarge
    if push.gate is not None:
        subscribers = members.let_through(push.gate, push.app, subscribers, delivery.arc)
    if delivery.way is Way.BY_KEY:
        return recipients.by_key(push.app, subscribers)
    wanted = set(subscribers)
    return iter(
        _by_shard(
            lambda part: (one for one in recipients.on_arc(push.app, part) if one.user in wanted),
            delivery.arc.by_shard(),
            go_on,
        )
    )


def _by_shard[T](
    read: Callable[[Arc], Iterable[T]], parts: Sequence[Arc], go_on: Callable[[], None]
) -> list[T]:
    """Read several parts at a time; return all rows in order. Even a small send asks all shards."""

    def part_of(part: Arc) -> list[T]:
        go_on()
        return list(read(part))

    found = together(part_of, parts, SHARDS_AT_A_TIME)
    return [one for of_part in found for one in of_part]


def _devices(recipient: Recipient, push: Push) -> Iterator[Addressee]:
    for wanted, packed_devices, environment in (
        (push.to_production, recipient.production, Environment.PRODUCTION),
        (push.to_development, recipient.sandbox, Environment.SANDBOX),
    ):
        if not wanted:
            continue
        for packed in packed_devices:
            device = Device.unpack(packed)
            payload = push.payloads.fcm if device.network is Network.FCM else push.payloads.apns
            if payload is not None:
                yield Addressee(recipient.user, device, environment)
