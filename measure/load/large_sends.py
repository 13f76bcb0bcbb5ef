"""The sends that are timed: one to many, and small ones made one after another."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from uuid import uuid4

from local.waiting import while_moving
from measure.cost.acts import MESSAGE
from measure.cost.stage import CrowdAudience
from measure.load.arrivals import Arrivals
from measure.load.delays import Kind, LargeSend, Single
from measure.population import device_of
from measure.spoiled import Spoiled
from operate.client import Client

FEW = 10
TOPIC = "few"
_TELL_S = 2.0


def send(audience: CrowdAudience, arrivals: Arrivals, say: Callable[[str], None]) -> LargeSend:
    """To everybody in the audience, and until the network has the last push. Raises Missing, Spoiled."""
    tokens = tokens_of(audience)
    asked = _now()
    push = audience.send(MESSAGE)
    accepted, told = _now(), time.monotonic()

    def tell(count: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            rate = count / (_now() - accepted) * 1000
            say(f"  {count:,} of {len(tokens):,} handed over, {rate:,.0f} a second")

    done = LargeSend(accepted, tuple(arrivals.of(tokens, asked, tell)))
    _expect_all(audience, push)
    return done


def tokens_of(audience: CrowdAudience) -> frozenset[str]:
    crowd = audience.crowd
    devices = (device_of(user, number) for number, user in enumerate(crowd.users()))
    return frozenset(one.token for number, one in enumerate(devices) if number % audience.every == 0)


def _expect_all(audience: CrowdAudience, push: str) -> None:
    """The last answers are on their way when the last push has arrived: the ledger follows within seconds."""
    expected = {"delivered": audience.recipients}

    def devices() -> object:
        return audience.admin.call("GET", f"/push/messages/{push}")["devices"]

    if not while_moving(lambda: devices() == expected, devices, still_s=60):
        raise Spoiled(f"{audience.recipients:,} were sent to, and the status says {devices()}")


@dataclass(frozen=True, slots=True)
class Reader:
    user: str
    token: str


@dataclass(frozen=True, slots=True)
class Readers:
    """Ten users with a device each, by turns of FCM and APNs, subscribed to a topic of their own."""

    admin: Client
    readers: Sequence[Reader]

    def singles(self, arrivals: Arrivals) -> Iterator[Single]:
        """Without end, a direct push and one to all ten by turns, each when the one before is handed over."""
        for reader in cycle(self.readers):
            yield self._single(Kind.DIRECT, f"/users/{reader.user}", [reader], arrivals)
            yield self._single(Kind.TEN, f"/topics/{TOPIC}", self.readers, arrivals)

    def _single(self, kind: Kind, to: str, readers: Sequence[Reader], arrivals: Arrivals) -> Single:
        asked = _now()
        self.admin.send(to, MESSAGE)
        accepted = _now()
        return Single(kind, asked, accepted, max(arrivals.of([one.token for one in readers], asked)))


def settle(nobody: Client, admin: Client) -> Readers:
    """Make the ten, through the API."""
    admin.call("PUT", f"/topics/{TOPIC}")
    return Readers(admin, subscribed(nobody, f"/topics/{TOPIC}"))


def subscribed(nobody: Client, target: str) -> list[Reader]:
    """Ten new users with a device each, by turns of FCM and APNs, subscribed to the target."""
    readers = []
    for number in range(FEW):
        made = nobody.call("POST", "/users", {}, type="RegistrationAndAuthorizationRequest")
        user = Client(nobody.site, nobody.app_id, nobody.app_key, made["_accessToken"], made["userID"])
        is_ios = number % 2 == 1
        token = uuid4().hex + uuid4().hex if is_ios else f"{uuid4().hex[:22]}:APA91b{uuid4().hex}"
        user.install("IOS" if is_ios else "ANDROID", token)
        user.subscribe(target)
        readers.append(Reader(made["userID"], token))
    return readers


def _now() -> float:
    return time.time() * 1000
