"""The lanes of an app: which of them are paused."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain.device import Environment, Network
from fanfare.networks.credentials import Credential
from fanfare.networks.live import Live
from fanfare.pipeline.senders.of_app import lane_of
from fanfare.runtime import clock
from fanfare.store.lanes import LaneRow
from fanfare.store.row import bind, read
from operate.errors import Declined
from operate.profile import Profile


@dataclass(frozen=True, slots=True)
class LaneTables:
    """The settings that the store needs, as a function would have them."""

    apps_table: str
    lanes_table: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The end of a lane's pause (epoch ms) and its reason."""

    until: int
    why: str


def bound(profile: Profile) -> Profile:
    """Let the store read the profile's apps and lanes; return the profile. Raises Declined."""
    if "LanesTable" not in profile.resources:
        raise Declined(f"{profile.stack} was deployed before there was this command: deploy it again")
    bind(LaneTables(profile.resources["AppsTable"], profile.resources["LanesTable"]))
    return profile


def states(app_id: str, network: Network, live: Sequence[Live]) -> dict[str, Paused | None]:
    """Return the lanes of these credentials, each with its pause, or None where it is open."""
    credentials: list[Credential | None] = [one.credential for one in live]
    environments = Environment if network is Network.APNS else (Environment.PRODUCTION,)
    names = [lane_of(network, place, one) for one in credentials or [None] for place in environments]
    return {name: _paused(app_id, name) for name in names}


def _paused(app_id: str, lane: str) -> Paused | None:
    row = read(LaneRow, f"{app_id}#{lane}")
    if row is None or int(row.paused_until or 0) <= clock.now():
        return None
    return Paused(int(row.paused_until or 0), str(row.why))
