"""The senders as the rest of the pipeline sees them."""

from collections.abc import Sequence
from typing import Protocol

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.push import Push
from fanfare.networks.result import Result


class LaneSender(Protocol):
    """One lane's way out; it keeps its connections between invocations."""

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

    def renew(self) -> None:
        """Use a fresh credential from now on."""


class Senders(Protocol):
    def of(self, app: str, network: Network, environment: Environment) -> LaneSender | None:
        """The sender of a lane, or None where the app has no credential for the network."""
