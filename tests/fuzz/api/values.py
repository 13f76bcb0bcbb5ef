"""Hostile values: for a place in JSON, for a text in a path, a query or a header, and for a whole body."""

from collections.abc import Mapping

LONG = 3_000


def _fields_with_the_last_twice() -> bytes:
    names = [*range(24_000), 23_999]
    return b"{" + b",".join(b'"%x":1' % i for i in names) + b"}"


PLANES = "".join(chr((plane << 16) + 0x1F4) for plane in range(17)) + "\ufffd\u202e\u0301\u00df\u0130"
"""A character of every plane of Unicode, and some that change when their case does, or hide what follows."""

JSON: Mapping[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "zero": b"0",
    "negative": b"-1",
    "fraction": b"0.5",
    "beyond 32 bits": b"4294967296",
    "beyond 64 bits": b"18446744073709551616",
    "beyond 38 digits": b"1" * 60,
    "beyond all floats": b"1e999",
    "5,000 digits": b"1" * 5_000,
    "the largest float": b"1.7976931348623157e308",
    "the smallest float": b"5e-324",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "empty text": b'""',
    "blank text": b'" \\t\\n"',
    "long text": b'"' + b"x" * LONG + b'"',
    "longest text": b'"' + b"x" * 250_000 + b'"',
    "NUL": b'"a\\u0000b"',
    "raw NUL": b'"a\x00b"',
    "half a surrogate pair": b'"\\ud800"',
    "every plane": f'"{PLANES}"'.encode(),
    "many of four bytes": b'"' + "\U0001f4a3".encode() * 200 + b'"',
    "no UTF-8": b'"\xff\xfe"',
    "empty list": b"[]",
    "long list": b"[" + b",".join([b'"a"'] * 3_000) + b"]",
    "mixed list": b'[null,1,"a",{},[]]',
    "empty object": b"{}",
    "another object": b'{"a":{"b":[1,null]}}',
    "field twice": b'{"a":1,"a":2}',
    "deep lists": b"[" * 5_000 + b"]" * 5_000,
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "many fields": b"{" + b",".join(b'"k%d":1' % i for i in range(3_000)) + b"}",
    "separators": b'"a#b/c:d%e\\\\f\\"g~"',
}
"""Texts of JSON, some of them none."""

TEXTS: Mapping[str, str] = {
    "long": "x" * LONG,
    "a little too long": "x" * 1_201,
    "half too long": "x" * 101,
    "digits": "1" * 400,
    "every plane": PLANES,
    "separators": "a#b:c~d",
    "NUL": "a\x00b",
    "line": "a\r\nb",
    "blank": " ",
    "dots": "..",
    "markup": "<script>",
    "percent": "%25%2525",
    "latin-1": "\xe9\xff",
    "surrogates": "a\udfff\ud800b",
    "an address": "EMAIL:" + "\u0130" * 64 + "@" + "\u0130" * 180,
    "another name": "fresh",
    "oneself": "me",
    "another user": "LOGIN_NAME:member",
    "a token": "ANDROID:" + "x" * 1_025,
    "a user": "UserID:" + "x" * 2_050,
    "base64": "W1swXSwifn5-fiJd",
}
"""For paths, where they are percent-encoded, queries and headers."""

BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "half an object": b'{"a":',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "text": b'"x"',
    "too large": b'{"a":"' + b"x" * 300_000 + b'"}',
    "just not too large": b'{"a":"' + b"x" * 262_000 + b'"}',
    "too deep": b'{"a":' * 70 + b"1" + b"}" * 70,
    "far too deep": b"[" * 100_000,
    "a field twice": b'{"a":1,"\\u0061":2}',
    "no UTF-8": b'{"a":"\xe9"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "NaN": b'{"a":NaN}',
    "something behind": b'{"a":1}}',
    "a comment": b'{"a":1}//',
    "escaped quotes": b'"' + b'\\"' * 100_000,
    "brackets in text": b'{"a":"' + b"[" * 200 + b'"}',
    "a form": b"grant_type=password&grant_type=password&username=%ff&password=%00&expiresAt=nan",
    "many fields and the last one twice": _fields_with_the_last_twice(),
    "a form of many fields and the last one twice": b"&".join(b"%x=" % i for i in [*range(36_000), 35_999]),
    "names that are reserved": b'{"_id":"x","_version":1,"__proto__":{}}',
}
