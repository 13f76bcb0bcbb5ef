"""The fakes' control: the received requests, and how the networks behave from now on.

| call | effect |
|---|---|
| GET /received | requests, oldest first: ?token= ?network= ?environment= ?since= ?limit= |
| GET /arrivals | token and time of the pushes that came later than ?after= (epoch ms), newest first |
| GET /counts | for each network and environment: requests by answer, tokens, connections, bytes |
| GET /tokens | for each token what its requests were answered: ?network= ?environment= |
| POST /answers | rules: one, or a list |
| GET, POST /switches | how the networks behave; what a POST does not name stays |
| GET /presets | the answers that a rule may name |
| GET /credentials | which keys the networks know |
| POST /credentials/apns, POST /credentials/google | another key; with an ID that is known it replaces that |
| DELETE /credentials/{key ID} | revokes a key |
| DELETE /access-tokens | revokes all access tokens that were issued |
| POST /reset | no record, no rules, and switches and keys as in the beginning |
| GET /health | whether the fakes are up |

Bad input is answered with 400 and `error`, and changes nothing. docs/local.md has the fields.
"""

from itertools import islice
from typing import Annotated, Any

import msgspec
from aiohttp import web

from local.fakes.keyring import ApnsKey, ServiceAccountKey
from local.fakes.lane import LANES, FakeEnvironment, FakeLane, FakeNetwork
from local.fakes.network import Networks
from local.fakes.presets import PRESETS
from local.fakes.rules import Rule
from local.fakes.servers import Servers
from local.guard_http import only_programs

_PUSHES = (FakeNetwork.FCM, FakeNetwork.APNS)


class Console:
    def __init__(self, networks: Networks, servers: Servers) -> None:
        self._networks = networks
        self._servers = servers

    async def received(self, request: web.Request) -> web.Response:
        """Token requests only when asked for by ?network=oauth."""
        asked = _Asked.of(request)
        wanted = {lane for lane in LANES if asked.fits(lane) and lane.network in (asked.network, *_PUSHES)}
        fitting = (
            entry
            for entry in self._networks.record.entries()
            if entry.lane in wanted and asked.token in (None, entry.token)
        )
        end = None if asked.limit is None else asked.since + asked.limit
        return _json([entry.shown() for entry in islice(fitting, asked.since, end)])

    async def arrivals(self, request: web.Request) -> web.Response:
        return _json(self._networks.record.arrivals(float(request.query.get("after", "0"))))

    async def counts(self, request: web.Request) -> web.Response:
        counted = {str(lane): self._networks.record.counts(lane) for lane in LANES}
        for lane, listener in self._servers.listeners.items():
            counted[str(lane)]["connections"] = listener.connections
            counted[str(lane)]["http2_bytes"] = self._servers.traffic.received[lane]
        return _json(counted)

    async def tokens(self, request: web.Request) -> web.Response:
        """The totals of both environments and networks together, unless one is asked for."""
        asked = _Asked.of(request)
        histories: dict[str, list[str]] = {}
        for lane in LANES:
            if asked.fits(lane):
                for token, history in self._networks.record.histories(lane).items():
                    histories[token] = histories.get(token, []) + history
        return _json(histories)

    async def answers(self, request: web.Request) -> web.Response:
        told: Rule | list[Rule] = msgspec.json.decode(await request.read(), type=Rule | list[Rule])
        self._networks.rules.tell(told if isinstance(told, list) else [told])
        return _json({})

    async def switches(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self._networks.change(msgspec.json.decode(await request.read(), type=dict[str, Any]))
            await self._servers.apply()
        return _json(self._networks.switches)

    async def presets(self, request: web.Request) -> web.Response:
        shown = {name: {"status": one.status, "body": one.body.decode()} for name, one in PRESETS.items()}
        return _json(shown)

    async def credentials(self, request: web.Request) -> web.Response:
        keyring = self._networks.keyring
        return _json({"apns": list(keyring.apns.values()), "google": list(keyring.accounts.values())})

    async def register(self, request: web.Request) -> web.Response:
        body, keyring = await request.read(), self._networks.keyring
        if request.match_info["network"] == "apns":
            keyring.register(msgspec.json.decode(body, type=ApnsKey))
        else:
            keyring.register(msgspec.json.decode(body, type=ServiceAccountKey))
        return _json({})

    async def revoke(self, request: web.Request) -> web.Response:
        key_id = request.match_info["key"]
        if not self._networks.keyring.revoke(key_id):
            return _json({"error": f"there is no key {key_id}"}, status=404)
        return _json({})

    async def revoke_tokens(self, request: web.Request) -> web.Response:
        return _json({"revoked": self._servers.fcm.tokens.revoke_all()})

    async def reset(self, request: web.Request) -> web.Response:
        self._networks.reset()
        self._servers.forget()
        await self._servers.apply()
        return _json({})

    async def health(self, request: web.Request) -> web.Response:
        return _json({})


def application(networks: Networks, servers: Servers) -> web.Application:
    control = Console(networks, servers)
    app = web.Application(client_max_size=64 << 20, middlewares=[only_programs, _errors])
    app.add_routes(
        [
            web.get("/received", control.received),
            web.get("/arrivals", control.arrivals),
            web.get("/counts", control.counts),
            web.get("/tokens", control.tokens),
            web.post("/answers", control.answers),
            web.get("/switches", control.switches),
            web.post("/switches", control.switches),
            web.get("/presets", control.presets),
            web.get("/credentials", control.credentials),
            web.post("/credentials/{network:apns|google}", control.register),
            web.delete("/credentials/{key}", control.revoke),
            web.delete("/access-tokens", control.revoke_tokens),
            web.post("/reset", control.reset),
            web.get("/health", control.health),
        ]
    )
    return app


class _Asked(msgspec.Struct, frozen=True):
    network: FakeNetwork | None = None
    environment: FakeEnvironment | None = None
    token: str | None = None
    since: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=0)] | None = None

    @staticmethod
    def of(request: web.Request) -> "_Asked":
        """Raises msgspec.ValidationError."""
        return msgspec.convert(dict(request.query), _Asked, strict=False)

    def fits(self, lane: FakeLane) -> bool:
        return self.network in (None, lane.network) and self.environment in (None, lane.environment)


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except (msgspec.DecodeError, ValueError) as error:
        return _json({"error": str(error)}, status=400)
    return answer


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
