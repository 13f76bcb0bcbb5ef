"""The keys in SSM that access tokens are signed with: read, changed step by step, and written whole."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from botocore.exceptions import ClientError

from fanfare.api.tokens import KNOWN_S, UNUSED_S
from fanfare.runtime import clients
from operate.errors import Declined
from operate.profile import Profile

MOST = 5
"""Keys of a stack at a time: a page key is compared with each of them."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys in the parameter, and the time of its last change (epoch ms)."""

    name: str
    current: str
    keys: Mapping[str, str] = field(repr=False)
    version: int
    changed_at: int

    @staticmethod
    def of(profile: Profile) -> "SigningKeys":
        """Raises Declined where there are none."""
        name = profile.signing_keys_parameter
        try:
            found = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise Declined(f"there is no parameter {name}: the first `make app` makes it") from error
        changed_at = int(found["LastModifiedDate"].timestamp() * 1000)
        try:
            held = json.loads(found["Value"])
            return SigningKeys(name, held["current"], held["keys"], found["Version"], changed_at)
        except (ValueError, TypeError, KeyError) as error:
            raise Declined(f"the parameter {name} cannot be read: write it by hand as it was") from error

    def added(self) -> tuple["SigningKeys", str]:
        """With a new key, which is known and not used yet; and its ID. Raises Declined."""
        if len(self.keys) >= MOST:
            raise Declined(f"there are {MOST} keys: retire one that nobody needs first")
        key_id, key = new_key()
        return replace(self, keys={**self.keys, key_id: key}), key_id

    def using(self, key_id: str, now: int, *, at_once: bool) -> "SigningKeys":
        """With this one as the current key. Raises Declined."""
        self._must_know(key_id)
        if key_id == self.current:
            raise Declined(f"{key_id} is the current key already")
        if not at_once:
            self._must_have_waited(KNOWN_S, now, "functions that do not know the key refuse what it signed")
        return replace(self, current=key_id)

    def without(self, key_id: str, now: int, *, at_once: bool) -> "SigningKeys":
        """Without this one, which is not the current key. Raises Declined."""
        self._must_know(key_id)
        if key_id == self.current:
            raise Declined(f"{key_id} is the current key: `add` another one and `use` it first")
        if not at_once:
            self._must_have_waited(UNUSED_S, now, "functions that rested may sign with the key until then")
        return replace(self, keys={one: key for one, key in self.keys.items() if one != key_id})

    def put(self) -> None:
        """Raises Declined where somebody else changed it at the same moment."""
        value = json.dumps({"current": self.current, "keys": dict(self.keys)})
        put = clients.ssm().put_parameter(Name=self.name, Value=value, Type="SecureString", Overwrite=True)
        if put["Version"] != self.version + 1:
            raise Declined(f"{self.name} was changed by somebody else meanwhile: look at it with `show`")

    def _must_know(self, key_id: str) -> None:
        if key_id not in self.keys:
            raise Declined(f"there is no key {key_id}: there are {', '.join(self.keys)}")

    def _must_have_waited(self, seconds: int, now: int, why: str) -> None:
        left = seconds - (now - self.changed_at) // 1000
        if left > 0:
            raise Declined(f"the keys were changed a moment ago: wait {left} s more, since {why} (or --now)")


def new_key() -> tuple[str, str]:
    """ID and key."""
    return secrets.token_hex(4), urlsafe_b64encode(secrets.token_bytes(32)).decode()


def ensure(profile: Profile) -> None:
    """Made once for a stack: whoever writes first wins."""
    key_id, key = new_key()
    value = json.dumps({"current": key_id, "keys": {key_id: key}})
    ssm = clients.ssm()
    try:
        ssm.put_parameter(Name=profile.signing_keys_parameter, Value=value, Type="SecureString")
    except ssm.exceptions.ParameterAlreadyExists:
        return
