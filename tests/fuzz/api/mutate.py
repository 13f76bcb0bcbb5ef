"""Random hostile requests: each follows from its seed alone, on any stage."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from urllib.parse import quote

from fanfare.api import bounds
from local.rehearsal.stage import Part
from tests.fuzz.api.case import Case
from tests.fuzz.api.described import HEADERS, Sound
from tests.fuzz.api.values import BODIES, JSON, TEXTS

PARTS = (
    *(Part.ADMIN, Part.OWNER, Part.MEMBER, Part.MAKER, Part.STRANGER),
    *(Part.ANYBODY, Part.NOBODY, Part.FOREIGNER),
)
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
_MOST_BYTES = 2_000

type Mutation = Callable[[Random, Sound, Case], Case]


def case(seed: int, sounds: Sequence[Sound]) -> Case:
    """The request of this seed: a sound one, spoilt in one to four ways."""
    random = Random(seed)
    base = random.choice(sounds)
    made = Case(
        f"seed {seed}", random.choice(PARTS), base.route.method, base.target(), base.headers, base.body
    )
    for mutation in random.choices(_MUTATIONS, k=random.randint(1, 4)):
        made = mutation(random, base, made)
    return made


def _with(made: Case, **changed: Any) -> Case:
    return Case(**{**{name: getattr(made, name) for name in Case.__slots__}, **changed})


def _segment(random: Random, base: Sound, made: Case) -> Case:
    """Another value for a parameter, or anywhere in the path."""
    path, mark, query = made.target.partition("?")
    parts = path.split("/")
    at = random.randrange(3, len(parts)) if len(parts) > 3 else len(parts) - 1
    parts[at] = quote(_text(random).encode("utf-8", "surrogatepass"), safe=random.choice(["", ":", ":@~!"]))
    if random.random() < 0.1:
        parts.insert(at, random.choice(["", ".", "%2e%2e", "a"]))
    return _with(made, target="/".join(parts) + mark + query)


def _query(random: Random, base: Sound, made: Case) -> Case:
    name = random.choice([*bounds.QUERY, "x", "", "userID&userID"])
    value = quote(_text(random).encode("utf-8", "surrogatepass"))
    mark = "&" if "?" in made.target else "?"
    return _with(made, target=f"{made.target}{mark}{name}{random.choice(['=', '', '=='])}{value}")


def _header(random: Random, base: Sound, made: Case) -> Case:
    name = random.choice([*HEADERS, *made.headers])
    value = random.choice(["Bearer ", "Basic ", "bearer\t", "", "W/", '"', "application/"]) + _text(random)
    return _with(made, headers={**made.headers, name: value})


def _method(random: Random, base: Sound, made: Case) -> Case:
    return _with(made, method=random.choice(METHODS))


def _media(random: Random, base: Sound, made: Case) -> Case:
    """Choose a media type: it determines the form of the body from the gateway, and its reading by some
    routes."""
    kinds = (
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
        "application/xml",
        "a/b",
        "",
    )
    return _with(made, headers={**made.headers, "content-type": random.choice(kinds)})


def _whole_body(random: Random, base: Sound, made: Case) -> Case:
    return _with(made, body=random.choice(list(BODIES.values())))


def _bytes(random: Random, base: Sound, made: Case) -> Case:
    """Bytes changed, cut, doubled or put in."""
    body = bytearray(made.body[:_MOST_BYTES])
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(body) + 1)
        match random.randrange(4):
            case 0 if at < len(body):
                body[at] = random.randrange(256)
            case 1:
                body[at:at] = random.choice(
                    [b'"', b"{", b"[", b"]", b"}", b",", b":", b"\\", b"\x00", b"\xed\xa0\x80"]
                )
            case 2:
                del body[at : at + random.randint(1, 20)]
            case _:
                body[at:at] = body[: random.randint(1, 40)]
    return _with(made, body=bytes(body))


def _field(random: Random, base: Sound, made: Case) -> Case:
    """A value of the JSON replaced by a hostile one, or a field added."""
    try:
        text = json.dumps(_marked(random, json.loads(made.body))).encode()
    except (ValueError, RecursionError):
        return _bytes(random, base, made)
    return _with(made, body=text.replace(b'"@here@"', random.choice(list(JSON.values()))))


def _marked(random: Random, value: Any) -> Any:
    """The value with a mark somewhere in it."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice([*value, _text(random)[:50]])
        return {**value, name: _marked(random, value.get(name))}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        return [*value[:at], _marked(random, value[at]), *value[at + 1 :]]
    return "@here@"


def _text(random: Random) -> str:
    if random.random() < 0.6:
        return random.choice(list(TEXTS.values()))
    planes = [(0, 0x7F), (0x80, 0x2FF), (0x300, 0xFFFF), (0x10000, 0x10FFFF)]
    first, last = random.choice(planes)
    return "".join(chr(random.randint(first, last)) for _ in range(random.randint(0, 40)))


_MUTATIONS: Sequence[Mutation] = (
    *(_segment, _query, _header, _method, _media, _whole_body, _bytes),
    *(_field, _field, _field, _segment),
)
