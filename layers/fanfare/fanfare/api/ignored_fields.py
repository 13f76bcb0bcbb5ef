"""Fields that recorded clients of Kii send beyond the contract: they are accepted, without effect."""

from collections.abc import Mapping

IGNORED_FIELDS: Mapping[str, Mapping[str, str]] = {
    "Message": {
        "jpush": "kii-cloud-sdk, kii-rest-client4j",
        "mqtt": "kii-cloud-sdk, kii-rest-client4j, the Unity SDK",
    },
    "BucketQuery": {
        "decending": "kiilib_python",
        "limit": "kiilib_python",
    },
}
"""{part of a body, by its class: {name: the clients that send it}}. Everything below such a field is
accepted, too."""
