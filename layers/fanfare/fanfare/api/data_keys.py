"""Names that the data of any message may not have.

Names that the server adds to some messages are refused where the payload is made.
"""

from collections.abc import Mapping

from fanfare.domain.content import Scalar
from fanfare.domain.device import Network
from fanfare.domain.errors import InvalidInput
from fanfare.domain.server_keys import EVENT_KEYS, EVENT_ORIGIN

# FCM refuses these for every device and in either block, and distinguishes case.
_FCM_PREFIXES = ("google", "gcm")
_FCM_WORDS = frozenset({"from", "message_type"})

# Kii refuses these.
_KII_WORDS = {
    "gcm": frozenset(
        {
            *("registration_ids", "collapse_key", "data", "delay_while_idle", "time_to_live"),
            *("restricted_package_name", "dry_run"),
        }
    ),
    "fcm": frozenset(
        {
            *("collapse_key", "priority", "ttl", "restricted_package_name", "notification"),
            *("fcm_options", "direct_boot_ok"),
        }
    ),
    "apns": frozenset({"aps"}),
}


def require_free(block: str, data: Mapping[str, Scalar]) -> None:
    """Raise InvalidInput for reserved names in `data`, which is all data for the network of this block."""
    reasons = {key: reason for key, value in data.items() if (reason := _reason(block, key, value))}
    if reasons:
        refused = sorted(reasons)
        raise InvalidInput(
            f"data or {block}.data: {reasons[refused[0]]}; choose another name than {', '.join(refused)}",
            invalidFields=refused,
        )


def _reason(block: str, key: str, value: Scalar) -> str:
    """Return the reason why the data may not have this key; empty if it may."""
    network = Network.APNS if block == "apns" else Network.FCM
    if network is Network.FCM and (key.startswith(_FCM_PREFIXES) or key in _FCM_WORDS):
        return "FCM refuses from, message_type and all names that begin with google or gcm"
    if key in _KII_WORDS[block]:
        return "this name is the network's own, for an option of a message"
    if key in EVENT_KEYS[network] or (network is Network.FCM and (key, value) == EVENT_ORIGIN):
        return "Kii's clients take a message with this for a Push to App"
    return ""
