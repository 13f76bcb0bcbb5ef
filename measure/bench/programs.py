"""The programs that `make bench` needs beyond Python, and the way to get them."""

import shutil
import sys

from measure.bench.load_server import HEADERS, compiler, has_header

_ADVICE = {
    "linux": "a Linux machine",
    "gcc": "apt-get install gcc libc6-dev",
    "h2load": "apt-get install nghttp2-client",
    "node": "Node 20 or newer",
    "npm": "comes with Node 20 or newer",
    "nghttp2": "apt-get install libnghttp2-dev",
    "openssl": "apt-get install libssl-dev",
}


def missing() -> list[str]:
    """Names from the table above."""
    if sys.platform != "linux":
        return ["linux"]
    absent = [name for name in ("h2load", "node", "npm") if shutil.which(name) is None]
    if shutil.which(compiler()) is None:
        return ["gcc", *absent]
    return absent + [name for name, header in HEADERS.items() if not has_header(header)]


def advice(absent: list[str]) -> str:
    """One line."""
    said = [f"{name} ({_ADVICE[name]})" for name in absent]
    return f"make bench needs {', '.join(said)}; Debian's names, other systems have the same under theirs."
