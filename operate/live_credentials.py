"""An app's live credentials in SSM: read, changed within their rules, and written whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from fanfare.domain.device import Network
from fanfare.networks.credentials import Credential, key_id
from fanfare.networks.failures import CredentialMalformed
from fanfare.networks.live import MOST_LIVE, Live, difference, from_text, of_environment, to_text
from fanfare.runtime import clients
from fanfare.store import apps
from operate.errors import Declined
from operate.profile import Profile

PARAMETER_BYTES = 4096
"""The size of a standard parameter of SSM."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The credentials of an app for a network, as its parameter holds them now."""

    app: str
    network: Network
    name: str | None
    """None where the app has no credential for the network yet."""
    new_name: str
    text: str | None = field(default=None, repr=False)
    version: int = 0
    modified: int = 0
    """Epoch ms."""
    live: Sequence[Live] = field(default=(), repr=False)
    fault: str | None = None
    """The reason for which the text cannot be read."""

    @staticmethod
    def of(profile: Profile, app_id: str, network: Network) -> "Stored":
        """Raises Declined where there is no such app."""
        app = apps.find(app_id)
        if app is None:
            raise Declined(f"there is no app {app_id} on {profile.stack}")
        name = app.credential_parameter(network)
        new_name = profile.credentials_parameter(app_id, network)
        if name is None:
            return Stored(app_id, network, None, new_name)
        try:
            found = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            return Stored(app_id, network, name, new_name)
        live, fault = _read(network, found["Value"])
        modified = int(found["LastModifiedDate"].timestamp() * 1000)
        return Stored(
            app_id, network, name, new_name, found["Value"], found["Version"], modified, live, fault
        )

    def put(self, live: Sequence[Live]) -> None:
        """Raises Declined where somebody else changed it at the same moment."""
        name = self.name or self.new_name
        text = _fitting(live)
        put = clients.ssm().put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True)
        if self.name is None:
            apps.set_credential_parameter(self.app, self.network, name)
        if self.version and put["Version"] != self.version + 1:
            raise Declined(f"{name} was changed by somebody else meanwhile: look at it with `show`")


def with_new(stored: Stored, new: Live, *, replace: bool) -> list[Live]:
    """Return the live credentials, the new one first; the others must be of its kind. Raises Declined.

    With `replace` whatever is live in an environment of the new one ends.
    """
    if replace:
        live = [new, *(one for one in stored.live if not one.environments & new.environments)]
    elif stored.fault is not None:
        raise Declined(
            f"what is stored cannot be read ({stored.fault}): --replace puts the new one in its place"
        )
    else:
        others = [one for one in stored.live if key_id(one.credential) != key_id(new.credential)]
        for environment in sorted(new.environments):
            beside = of_environment(others, environment)
            if len(beside) >= MOST_LIVE:
                keys = " and ".join(key_id(one.credential) for one in beside)
                raise Declined(f"the keys {keys} are live already: retire one of them first")
        live = [new, *others]
    for other in live[1:]:
        _same_audience(other.credential, new.credential, "without --only" if replace else "with --replace")
    _fitting(live)
    return live


def without(stored: Stored, key: str | None) -> tuple[Live, list[Live]]:
    """The one that goes (the older, or that of the key) and those that stay. Raises Declined.

    One can go where each of its environments has another.
    """
    if key is not None:
        going = [one for one in stored.live if key_id(one.credential) == key]
        if not going:
            raise Declined(f"{stored.network}: no key {key} is live")
        if not _has_others(going[0], [one for one in stored.live if one is not going[0]]):
            raise Declined(f"{stored.network}: {key} is live alone; nothing can be retired")
    else:
        going = [one for place, one in enumerate(stored.live) if _has_others(one, stored.live[:place])]
        if not going:
            raise Declined(f"{stored.network}: there are no two credentials live; nothing can be retired")
        if len(going) > 1:
            keys = " or ".join(key_id(one.credential) for one in going)
            raise Declined(f"{stored.network}: which one, {keys}? Say it by --key")
    return going[0], [one for one in stored.live if one is not going[0]]


def _has_others(one: Live, others: Sequence[Live]) -> bool:
    return all(of_environment(others, environment) for environment in one.environments)


def _same_audience(old: Credential, new: Credential, cure: str) -> None:
    name = difference(old, new)
    if name is not None:
        before, after = (_listed(getattr(one, name)) for one in (old, new))
        subject = "topics are" if name == "topics" else f"{name} is"
        raise Declined(f"{subject} {after}, and {before} where {key_id(old)} is live: {cure} that one ends")


def _listed(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _fitting(live: Sequence[Live]) -> str:
    text = to_text(live)
    size = len(text.encode())
    if size > PARAMETER_BYTES:
        raise Declined(
            f"{len(live)} credentials take {size} bytes, and a parameter holds {PARAMETER_BYTES}: "
            + ("use a key of 2048 bits" if len(live) == 1 else "use keys of 2048 bits, or --replace")
        )
    return text


def _read(network: Network, text: str) -> tuple[Sequence[Live], str | None]:
    try:
        return from_text(network, text), None
    except CredentialMalformed as error:
        return (), str(error)
