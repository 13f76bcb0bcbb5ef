"""The networks' behaviour towards everybody, until told otherwise: it can be changed by call."""

import random
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from local.fakes.lane import APNS_PRODUCTION, APNS_SANDBOX, FCM, OAUTH, FakeLane
from local.fakes.record import KEPT

type AtLeastOne = Annotated[int, Meta(ge=1)]
type Seconds = Annotated[float, Meta(gt=0)]


class Reach(StrEnum):
    UP = "up"
    DOWN = "down"
    """Connections are cut, and refused."""
    BLACK_HOLE = "black_hole"
    """Connections are taken, and nothing ever comes over them, nor over those that stand."""


class TooMany(StrEnum):
    """The fate of a stream beyond the limit."""

    REFUSE = "refuse"
    GOAWAY = "goaway"


class LatencyRange(msgspec.Struct, frozen=True, array_like=True):
    """Milliseconds, from and to, both inclusive."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError("a range is [from, to], 0 <= from <= to")

    def pick(self) -> float:
        return random.uniform(self.low, self.high) if self.high else 0.0


class MessageQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number of messages, anew every `per_s` seconds; once and for all without it."""

    messages: Annotated[int, Meta(ge=0)]
    per_s: Seconds | None = None


class NetworkSwitches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    latency_ms: LatencyRange = LatencyRange(0, 0)
    """An answer takes so long, at random; a rule's delay_ms comes on top."""


class FcmSwitches(NetworkSwitches, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reach: Reach = Reach.UP
    """Google's token endpoints lie on the same port: they share it."""
    max_streams: AtLeastOne = 100
    too_many: TooMany = TooMany.GOAWAY
    quota: MessageQuota | None = None


class OauthSwitches(NetworkSwitches, frozen=True, kw_only=True, forbid_unknown_fields=True):
    expires_in_s: AtLeastOne = 3599
    clock_offset_s: float = 0
    """The lead of Google's clock over ours."""


class ApnsSwitches(NetworkSwitches, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reach: Reach = Reach.UP
    first_streams: AtLeastOne = 1
    """Until a request was authorised."""
    max_streams: AtLeastOne = 1000
    too_many: TooMany = TooMany.REFUSE
    streams_after_refusal: AtLeastOne | None = 1
    """From a 4xx other than 410 to the next 200; null: as many as before."""
    token_lifetime_s: Seconds = 3600
    token_change_s: Seconds | None = 1200
    """A connection's second change of its provider token within that time is 429; null: never."""
    binds_connections: bool = True
    """The first push ties a connection to its team and family of keys."""
    goaway_after_bad_tokens: AtLeastOne | None = None
    """The BadDeviceToken that end a connection, with a GOAWAY that blames them; null: none do."""
    clock_offset_s: float = 0


class RecordSwitches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep: Annotated[int, Meta(ge=0)] = KEPT
    """The number of latest requests kept with headers and body; the answers for each token are all kept."""


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    fcm: FcmSwitches = FcmSwitches()
    oauth: OauthSwitches = OauthSwitches()
    apns_production: ApnsSwitches = ApnsSwitches()
    apns_sandbox: ApnsSwitches = ApnsSwitches()
    record: RecordSwitches = RecordSwitches()

    def change(self, told: dict[str, Any]) -> None:
        """Change the named switches and no others; `apns` stands for both environments.

        Raises msgspec.ValidationError for an unknown switch, and changes nothing then.
        """
        both = told.get("apns", {})
        told = {name: value for name, value in told.items() if name != "apns"}
        if both:
            for lane in (APNS_PRODUCTION, APNS_SANDBOX):
                told[str(lane)] = {**_object(both), **_object(told.get(str(lane), {}))}
        now = msgspec.to_builtins(self)
        merged = {name: {**now.get(name, {}), **_object(changes)} for name, changes in told.items()}
        self._become(msgspec.convert(now | merged, Switches))

    def reset(self) -> None:
        self._become(Switches())

    def of_apns(self, lane: FakeLane) -> ApnsSwitches:
        return self.apns_production if lane is APNS_PRODUCTION else self.apns_sandbox

    def latency_ms(self, lane: FakeLane) -> float:
        by_lane: dict[FakeLane, NetworkSwitches] = {FCM: self.fcm, OAUTH: self.oauth}
        return (by_lane.get(lane) or self.of_apns(lane)).latency_ms.pick()

    def _become(self, other: "Switches") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(other, name))


def _object(value: Any) -> dict[str, Any]:
    return msgspec.convert(value, dict[str, Any])
