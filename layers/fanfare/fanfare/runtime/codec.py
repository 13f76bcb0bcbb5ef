"""Values of the domain as JSON, as they stand on queues and in rows."""

import msgspec


class DecodeError(ValueError):
    """The text is not a value of the wanted type: it was written by something else, or by another version."""


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def decode[T](wanted: type[T], text: str | bytes) -> T:
    """The value; raises DecodeError."""
    try:
        return msgspec.json.decode(text, type=wanted)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"no {wanted.__name__}: {error}") from error


def pack(value: object) -> bytes:
    """The value as MessagePack: for what is mostly bytes, which JSON would swell by a third."""
    return msgspec.msgpack.encode(value)


def unpack[T](wanted: type[T], packed: bytes) -> T:
    """The value; raises DecodeError."""
    try:
        return msgspec.msgpack.decode(packed, type=wanted)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"no {wanted.__name__}: {error}") from error
