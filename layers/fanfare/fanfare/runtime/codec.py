"""Domain values as JSON, in the form in which they stand on queues and in rows."""

import msgspec


class DecodeError(ValueError):
    """The text is not a value of the wanted type; another program or another version wrote it."""


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def decode[T](wanted: type[T], text: str | bytes) -> T:
    """Return the value; raises DecodeError."""
    try:
        return msgspec.json.decode(text, type=wanted)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"no {wanted.__name__}: {error}") from error


def pack(value: object) -> bytes:
    """Return the value as MessagePack, for data that is mostly bytes, which JSON would enlarge by a third."""
    return msgspec.msgpack.encode(value)


def unpack[T](wanted: type[T], packed: bytes) -> T:
    """Return the value; raises DecodeError."""
    try:
        return msgspec.msgpack.decode(packed, type=wanted)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"no {wanted.__name__}: {error}") from error
