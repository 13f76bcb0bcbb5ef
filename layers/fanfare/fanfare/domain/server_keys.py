"""The keys that the server adds to a message, with Kii's names: long ones for FCM, short ones for APNs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fanfare.domain.device import Network

EVENT_KEYS = {
    Network.FCM: frozenset({"bucketID", "bucketType"}),
    Network.APNS: frozenset({"bi", "bt", "oi", "om"}),
}
"""Keys from which Kii's clients conclude that a message is a Push to App."""

EVENT_ORIGIN = ("origin", "EVENT")
"""A key and its value from which Kii's clients conclude the same on FCM."""

type Value = str | int | None


class DataKeysTaken(ValueError):
    """The sender's data contains keys that the server adds to this message."""

    def __init__(self, network: Network, taken: Collection[str], cures: Collection[str]) -> None:
        super().__init__(
            f"data: the server itself adds {', '.join(taken)} to this message for {network}; "
            f"choose another name, or send {' and '.join(cures)}"
        )
        self.keys = list(taken)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key's name on each network. `cure`: the field that keeps it out of messages other than a Push to
    App."""

    fcm: str
    apns: str
    cure: str = ""

    def on(self, network: Network) -> str:
        return self.fcm if network is Network.FCM else self.apns


_NO_SCOPE = '"sendObjectScope": false'
_KEYS = {
    "app_id": _Key("appID", "a", '"sendAppID": false'),
    "sender": _Key("sender", "s", '"sendSender": false'),
    "origin": _Key("origin", "o", '"sendOrigin": false'),
    "when": _Key("when", "w", '"sendWhen": false'),
    "type": _Key("type", "t", "no pushMessageType"),
    "topic": _Key("topic", "to", '"sendTopicID": false'),
    "scope_app": _Key("objectScopeAppID", "sa", _NO_SCOPE),
    "scope_user": _Key("objectScopeUserID", "su", _NO_SCOPE),
    "scope_group": _Key("objectScopeGroupID", "sg", _NO_SCOPE),
    "scope_type": _Key("objectScopeType", "st", _NO_SCOPE),
    "bucket": _Key("bucketID", "bi"),
    "bucket_type": _Key("bucketType", "bt"),
    "object": _Key("objectID", "oi"),
    "modified_at": _Key("objectModifiedAt", "om"),
}


def named(network: Network, added: Mapping[str, Value], data: Collection[str]) -> dict[str, str | int]:
    """Return the values that the server adds to a message, by the network's keys; None adds none.

    `data` holds the sender's own keys. Raises DataKeysTaken if one is among the server's: of two values under
    one key, one would be dropped silently.
    """
    values = {_KEYS[name]: value for name, value in added.items() if value is not None}
    taken = {key.on(network): key.cure for key in values if key.on(network) in data}
    if taken:
        raise DataKeysTaken(network, sorted(taken), sorted(set(taken.values())))
    return {key.on(network): value for key, value in values.items()}
