"""An app's parameters: what its administrator may set, in which form, and what follows for sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fanfare.domain.errors import InvalidInput

MAX_SECONDS = 2_147_483_647


class Parameter(StrEnum):
    """Kii's names, and one of our own. Numbers of seconds are 0 where nothing is set, switches false."""

    DEFAULT_TOKEN_EXPIRATION = "defaultTokenExpirationSeconds"
    MAX_TOKEN_EXPIRATION = "maxTokenExpirationSeconds"
    REFRESH_TOKENS = "refreshTokenEnabled"
    EXPOSE_USERS = "exposeFullUserDataToOthers"
    VERIFY_EMAIL = "emailAddressVerificationRequired"
    VERIFY_PHONE = "phoneNumberVerificationRequired"
    WHOLE_TOKENS = "wholeTokens"
    """Whether an FCM device is known by its whole token, and not by its Firebase installation ID."""


_IN_SECONDS = {Parameter.DEFAULT_TOKEN_EXPIRATION, Parameter.MAX_TOKEN_EXPIRATION}
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameters:
    """`given` is what was set, as text by name."""

    given: Mapping[str, str]

    def value(self, name: Parameter) -> bool | int:
        text = self.given.get(name)
        return _default(name) if text is None else parsed(name, text)

    def session_end(self, asked: int | None, now: int) -> int | None:
        """The end of a session that begins now: epoch s, None for never. `asked` and `now` in epoch ms."""
        begin, ends = now // 1000, set[int]()
        default = int(self.value(Parameter.DEFAULT_TOKEN_EXPIRATION))
        longest = int(self.value(Parameter.MAX_TOKEN_EXPIRATION))
        if asked is not None:
            ends.add(asked // 1000)
        elif default:
            ends.add(begin + default)
        if longest:
            ends.add(begin + longest)
        return min(ends, default=None)


def parsed(name: Parameter, text: str) -> bool | int:
    """What the text says, in the form that the parameter has; raises InvalidInput."""
    if name not in _IN_SECONDS:
        if text not in _SWITCH:
            raise InvalidInput(f"{name}: true or false")
        return _SWITCH[text]
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MAX_SECONDS:
        raise InvalidInput(f"{name}: 0 to {MAX_SECONDS}, in seconds; 0 sets none")
    return int(text)


def _default(name: Parameter) -> bool | int:
    return 0 if name in _IN_SECONDS else False
