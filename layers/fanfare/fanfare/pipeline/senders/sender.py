"""The senders as the rest of the pipeline sees them."""

from collections.abc import Sequence
from typing import Protocol

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.push import Push
from fanfare.networks.result import Result

RENEWED = 2
"""The attempt of a credential by which answers are judged: the sender renews a stale one by itself, once, and
hands a refusal on only if the fresh one was refused as well."""


class LaneSender(Protocol):
    """Sends on one lane; it keeps its connections between invocations."""

    @property
    def lane(self) -> str: ...

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        """Return the sublane on which an answer about the device is comparable with others."""

    def prepare(self, deadline_s: float) -> None:
        """Have everything that a batch needs besides its connection. Raises CredentialError."""

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        """One result for each addressee, in their order; `apart`: so that no push can end another's
        connection. Raises CredentialError."""


class CredentialSender(LaneSender, Protocol):
    """A lane's sender with one credential."""

    def renew(self) -> None:
        """Use a fresh access token or provider token from now on."""


class Senders(Protocol):
    def of(self, app: str, network: Network, environment: Environment) -> LaneSender | None:
        """The sender of a lane, or None where the app has no credential for the network."""
