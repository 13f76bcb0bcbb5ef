"""A population as items, by the million: what installing and subscribing through the API would have left.

IDs and tokens have the length of real ones, since AWS charges by size: a user ID of Kii's form, for each
second user an FCM registration token of 163 characters, for the others an APNs token of 64.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import shake_128
from itertools import batched
from typing import Any

import requests

from fanfare.domain.device import Device
from fanfare.domain.ring import place, ring_key
from fanfare.domain.scope import Target
from fanfare.domain.user import ID_RANDOM_BYTES, user_id
from local.waiting import NO_ANSWER_S

type Item = dict[str, Any]

_BATCH = 10_000
_REGISTERED_AT = 1_795_000_000_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """`size` users of an app with a device each; the same for the same app and size."""

    app: str
    size: int

    def users(self, every: int = 1) -> Iterator[str]:
        """All of them, or one in `every`."""
        for number in range(0, self.size, every):
            yield user_id(shake_128(f"{self.app}.{number}".encode()).digest(ID_RANDOM_BYTES))

    def recipients(self) -> Iterator[Item]:
        for number, user in enumerate(self.users()):
            device = device_of(user, number)
            yield {
                "pk": {"S": f"{self.app}#{place(user)[0]}"},
                "sk": {"S": ring_key(user)},
                "production": {"SS": [device.packed]},
                "devices": {"N": "1"},
            }

    def installations(self, owned_since: int) -> Iterator[Item]:
        """`owned_since` in epoch ms: the breaker counts nobody who owns a device for less than a day."""
        for number, user in enumerate(self.users()):
            device = device_of(user, number)
            yield {
                "pk": {"S": f"{self.app}#{device.installation_id}"},
                "owner": {"S": f"{self.app}#{user}"},
                "device": {"S": device.packed},
                "sandbox": {"BOOL": False},
                "registered_at": {"N": str(_REGISTERED_AT)},
                "owned_since": {"N": str(owned_since)},
                "generation": {"S": device.token_digest},
            }

    def subscriptions(self, target: Target, every: int = 1) -> Iterator[Item]:
        """To a target in the app's scope."""
        for user in self.users(every):
            yield {
                "pk": {"S": f"{self.app}#{target.ref}#{place(user)[0]}"},
                "sk": {"S": ring_key(user)},
                "user": {"S": f"{self.app}#{user}"},
                "target": {"S": f"{target.kind}#app#{target.name}"},
                "at": {"N": str(_REGISTERED_AT)},
            }


def device_of(user: str, number: int) -> Device:
    """By turns on FCM and on APNs, in the whole crowd and among each hundredth of it."""
    if (number + number // 100) % 2:
        return Device.apns(shake_128(user.encode()).hexdigest(32))
    secret = urlsafe_b64encode(shake_128(user.encode()).digest(117)).decode()
    return Device.fcm(f"{secret[:22]}:APA91b{secret[22:]}"[:163])


def load(rows: str, table: str, items: Iterator[Item]) -> None:
    """Into the emulator, at `rows` (see local/aws/large_tables.py)."""
    with requests.Session() as session:
        for batch in batched(items, _BATCH, strict=False):
            session.put(f"{rows}/{table}", data=json.dumps(batch), timeout=NO_ANSWER_S).raise_for_status()
