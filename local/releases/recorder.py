"""An endpoint in front of the emulator that notes the rights that the requests through it need."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

import requests

from local.ports import HOST, http
from local.waiting import NO_ANSWER_S

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_KEPT_BACK = {"host", "connection", "content-length", "transfer-encoding"}
_S3 = {
    # By method, and by kind: a bucket itself, or an object.
    ("PUT", False): "CreateBucket",
    ("HEAD", False): "ListBucket",
    ("GET", False): "ListBucket",
    ("PUT", True): "PutObject",
    ("POST", True): "PutObject",
    ("GET", True): "GetObject",
    ("HEAD", True): "GetObject",
}
_S3_OF_BUCKETS = {
    "encryption": "EncryptionConfiguration",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "location": "BucketLocation",
    "policy": "BucketPolicy",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
}


def action(method: str, target: str, headers: "Message[str, str]", body: bytes) -> str:
    """Return the IAM action of a signed request, as `service:Operation`. Raises LookupError if unknown."""
    signed = _SCOPE.search(headers.get("Authorization", ""))
    if signed is None:
        raise LookupError(f"{method} {target} is not signed")
    service = signed["service"]
    if "X-Amz-Target" in headers:
        return f"{service}:{headers['X-Amz-Target'].rpartition('.')[2]}"
    if service == "s3":
        return f"s3:{_of_s3(method, target)}"
    named = parse_qs(body.decode()).get("Action") or parse_qs(urlsplit(target).query).get("Action")
    if not named:
        raise LookupError(f"{method} {target} names no action of {service}")
    return f"{service}:{named[0]}"


def _of_s3(method: str, target: str) -> str:
    parts = urlsplit(target)
    for name in parse_qs(parts.query, keep_blank_values=True):
        if name in _S3_OF_BUCKETS:
            return f"{'Put' if method == 'PUT' else 'Get'}{_S3_OF_BUCKETS[name]}"
    return _S3[method, "/" in parts.path.strip("/")]


@contextmanager
def recording(upstream: str) -> Iterator[tuple[str, set[str]]]:
    """Yield an endpoint that forwards to `upstream`, and the actions that have come through it."""
    actions: set[str] = set()
    noting = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with noting:
                actions.add(action(self.command, self.path, self.headers, body))
            kept = {name: value for name, value in self.headers.items() if name.lower() not in _KEPT_BACK}
            answer = requests.request(
                self.command, f"{upstream}{self.path}", headers=kept, data=body, timeout=NO_ANSWER_S
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _KEPT_BACK | {"content-encoding", "date", "server"}:
                    self.send_header(name, value)
            content = b"" if self.command == "HEAD" else answer.content
            length = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else len(content)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = forward

        def log_message(self, *_: object) -> None:
            """Write no line for each request."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield http(server.server_address[1]), actions
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
