"""Recorded answers of networks, each with the outcome that it should have, held against today's."""

import json
from collections.abc import Mapping
from pathlib import Path

from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport, whole_number
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.outcome.judgement import judge
from operate.errors import Unusable

type Vector = Mapping[str, object]

_REQUIRED = ("provider", "http_status", "outcome", "retry_after_s")

_EVENTS = {
    "connect_timeout": Transport.CONNECT_TIMEOUT,
    "connect_refused": Transport.CONNECT_FAILED,
    "connection_refused": Transport.CONNECT_FAILED,
}
# The vectors' words for events are open: an unknown word is recognised by the first part that is in it.
_PARTS = (
    ("refused_stream", Transport.REFUSED_STREAM),
    ("before_write", Transport.RESET_BEFORE_WRITE),
    ("not_processed", Transport.NOT_SENT),
    ("not_sent", Transport.NOT_SENT),
    ("dns", Transport.DNS_FAILURE),
    ("timeout", Transport.READ_TIMEOUT),
    ("tls", Transport.TLS_UNTRUSTED),
    ("cert", Transport.TLS_UNTRUSTED),
    ("alpn", Transport.NO_HTTP2),
    ("h2", Transport.NO_HTTP2),
    ("http", Transport.NO_HTTP2),
)


def load(path: Path) -> list[Vector]:
    try:
        vectors = json.loads(path.read_bytes())
    except OSError as error:
        raise Unusable(error.strerror or "cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise Unusable(f"not JSON: {error}") from error
    if not isinstance(vectors, list):
        raise Unusable("not a list of vectors")
    for number, vector in enumerate(vectors):
        if not isinstance(vector, dict):
            raise Unusable(f"vector {number} is not an object")
        missing = [key for key in _REQUIRED if key not in vector]
        if missing:
            raise Unusable(f"vector {name(vector, number)} has no {', '.join(missing)}")
    return vectors


def compare(vector: Vector) -> str:
    """Return the differences from the vector in one line, or "" where there are none."""
    outcome = judged(vector)
    came: dict[str, object] = {"outcome": str(outcome.kind), "retry_after_s": outcome.retry_after_s}
    wanted = {key: vector[key] for key in came}
    context = _object(vector.get("context"))
    if "purge_target" in context:
        came["purge_target"] = None if outcome.purge_target is None else str(outcome.purge_target)
        wanted["purge_target"] = context["purge_target"]
    keys = [key for key in came if came[key] != wanted[key]]
    otherwise = [f"{key} {came[key]!r} instead of {wanted[key]!r}" for key in keys]
    return f"{name(vector)}: {', '.join(otherwise)} (reason: {outcome.reason})" if otherwise else ""


def name(vector: Vector, number: int | None = None) -> str:
    fallback = f"{vector.get('provider')} {vector.get('http_status')}" if number is None else str(number)
    return str(vector.get("id", fallback))


def judged(vector: Vector) -> Outcome:
    try:
        provider = Provider(str(vector["provider"]))
    except ValueError as error:
        raise Unusable(f"vector {name(vector)} has the unknown provider {vector['provider']!r}") from error
    context = _object(vector.get("context"))
    return judge(provider, _reply(vector, context), _context(context))


def _reply(vector: Vector, context: Mapping[str, object]) -> Answer | Silence:
    if vector["http_status"] is None:
        return silence(context, vector.get("body"))
    status = whole_number(vector["http_status"])
    if status is None:
        raise Unusable(f"vector {name(vector)} has the http_status {vector['http_status']!r}")
    headers = {key: str(value) for key, value in _object(vector.get("headers")).items()}
    return Answer(status, headers, _bytes(vector.get("body")))


def _bytes(body: object) -> bytes:
    match body:
        case None:
            return b""
        case str():
            return body.encode(errors="replace")
        case _:
            return json.dumps(body).encode()


def silence(context: Mapping[str, object], body: object) -> Silence:
    event = str(context.get("transport", ""))
    blames = "BadDeviceToken" in f"{_bytes(body)!r} {context.get('debug_data', '')}"
    match event:
        case "goaway":
            above = _true(context.get("above_last_stream_id"))
            why = Transport.GOAWAY_ABOVE if above else Transport.GOAWAY_COVERED
            return Silence(Transport.GOAWAY_FOR_TOKENS if blames and not above else why)
        case "rst_stream":
            refused = str(context.get("error_code")).upper() in ("7", "0X7", "REFUSED_STREAM")
            return Silence(Transport.REFUSED_STREAM if refused else Transport.RST_STREAM)
        case _:
            return Silence(_event(event))


def _event(word: str) -> Transport:
    """A word that nobody knows may mean that the request was processed: the careful reading."""
    parts = (transport for part, transport in _PARTS if part in word)
    return _EVENTS.get(word) or next(parts, Transport.RESET_AFTER_WRITE)


def _context(context: Mapping[str, object]) -> Context:
    return Context(
        attempt=whole_number(context.get("attempt")) or 1,
        credential_attempt=whole_number(context.get("credential_attempt")) or 1,
        registered_at_ms=whole_number(context.get("registered_at_ms")),
        seconds_to_expiry=_number(context.get("seconds_to_expiry")),
        live_activity=bool(context.get("live_activity_token")) or context.get("push_type") == "liveactivity",
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _true(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "1")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, float) else whole_number(value)
