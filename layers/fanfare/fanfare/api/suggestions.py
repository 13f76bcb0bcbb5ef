"""Suggest the nearest valid name for an unknown one. Loaded only when a name is refused."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("isdevelopment", "sandbox", "issandbox", "dev"), "development"),
    **dict.fromkeys(("sendafter", "deliverat", "deliverafter", "scheduledat", "scheduledfor"), "sendat"),
    **dict.fromkeys(("thread", "threadidentifier"), "threadid"),
    **dict.fromkeys(("token", "devicetoken", "pushtoken", "fcmtoken"), "installationregistrationid"),
    **dict.fromkeys(("registrationid", "registrationtoken"), "installationregistrationid"),
    **dict.fromkeys(("platform", "os"), "devicetype"),
    **dict.fromkeys(("bundleidentifier", "apnstopic"), "bundleid"),
    **dict.fromkeys(("message", "msg", "text", "content"), "body"),
    **dict.fromkeys(("collapseid", "apnscollapseid"), "collapsekey"),
    **dict.fromkeys(("expiration", "expiry", "expiresin", "apnsexpiration", "ttl"), "timetolive"),
    **dict.fromkeys(("android", "firebase"), "fcm"),
    **dict.fromkeys(("ios", "apn", "aps"), "apns"),
    **dict.fromkeys(("payload", "custom", "extra"), "data"),
    **dict.fromkeys(("sort", "sortby", "order"), "orderby"),
    **dict.fromkeys(("limit", "pagesize"), "besteffortlimit"),
    **dict.fromkeys(("filter", "where", "conditions"), "clause"),
    **dict.fromkeys(("users", "userids", "memberids"), "members"),
    **dict.fromkeys(("ownerid", "owneruserid"), "owner"),
    **dict.fromkeys(("groupname", "displayname"), "name"),
    **dict.fromkeys(("email", "mail"), "emailaddress"),
    **dict.fromkeys(("phone", "mobile"), "phonenumber"),
    "timetolive": "ttl",
}
"""Names that other services and clients give a field, folded -> its name here."""

_ALIKE = 0.75
_MOST_PLACES = 3


def cure(name: str, here: Sequence[str], elsewhere: Mapping[str, Sequence[str]], what: str) -> str:
    """Return a text about the unknown name, with the nearest valid one at this place or at another."""
    near = _same(name, here)
    if near is None and (places := elsewhere.get(_same(name, list(elsewhere)) or "")):
        return f"there is no such {what} here; did you mean {listed(places[:_MOST_PLACES])}?"
    near = near or _close(name, here)
    if near is not None:
        return f"there is no such {what}; did you mean {near}?"
    return f"there is no such {what}; there {_are(here)}"


def near(name: str, known: Sequence[str]) -> str | None:
    return _same(name, known) or _close(name, known)


def listed(choices: Sequence[str]) -> str:
    """Return `a, b or c`."""
    *others, last = choices
    comma = "," if others and " or " in last else ""
    return f"{', '.join(others)}{comma} or {last}" if others else last


def _same(name: str, known: Sequence[str]) -> str | None:
    """Return the name that differs in case, underscores and hyphens only, or that has this alias."""
    folded = {_folded(one): one for one in known}
    return folded.get(_folded(name)) or folded.get(_ALIASES.get(_folded(name), ""))


def _close(name: str, known: Sequence[str]) -> str | None:
    folded = {_folded(one): one for one in known}
    found = get_close_matches(_folded(name)[:100], folded, n=1, cutoff=_ALIKE)
    return folded[found[0]] if found else None


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _are(known: Sequence[str]) -> str:
    if not known:
        return "is none to send"
    return f"{'is' if len(known) == 1 else 'are'} {', '.join(known)}"
