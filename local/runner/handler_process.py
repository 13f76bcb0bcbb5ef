"""Runs in a function's own process: imports its module, then handles one event after another.

Started as a file, with the function's environment and path and nothing of `local` on it. The first argument
is the number of a socket. Its frames: four bytes of length, then JSON; answers tell the time that they took.
"""

import importlib
import json
import os
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any


class LambdaContext:
    """The second argument of a handler, as Lambda's Python runtime makes it."""

    client_context = None
    identity = None

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        module, _, name = os.environ["_HANDLER"].rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except Exception as error:  # noqa: BLE001, as Lambda's own runtime: whatever it is, the caller is told
        _send(channel, json.dumps(_described(error)).encode())
        sys.exit(1)
    _send(channel, json.dumps({"cpu_ms": time.process_time() * 1000}).encode())
    while (order := _receive(channel)) is not None:
        _send(channel, _handled(handler, order))


def _handled(handler: Callable[[Any, LambdaContext], Any], order: dict[str, Any]) -> bytes:
    began, cpu = time.monotonic(), time.process_time()
    context = LambdaContext(order["request_id"], order["arn"], began + order["seconds"])
    try:
        answer = {"result": handler(order["event"], context)}
        encoded = json.dumps(answer)  # A result that cannot be encoded is an error of the handler, too.
    except Exception as error:  # noqa: BLE001, as Lambda's own runtime: an error of the handler is its answer
        encoded = json.dumps(_described(error, context.aws_request_id))
    ms, cpu_ms = (time.monotonic() - began) * 1000, (time.process_time() - cpu) * 1000
    return f'{{"used": {{"ms": {ms:.3f}, "cpu_ms": {cpu_ms:.3f}}}, {encoded[1:]}'.encode()


def _described(error: Exception, request_id: str = "") -> dict[str, Any]:
    trace = "".join(traceback.format_exception(error))
    print(f"[ERROR] {request_id} {trace}", end="", flush=True)
    return {"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}


def _send(channel: socket.socket, body: bytes) -> None:
    channel.sendall(struct.pack(">I", len(body)) + body)


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    """None when the runner has gone."""
    head = _read(channel, 4)
    body = _read(channel, struct.unpack(">I", head)[0]) if head else b""
    frame: dict[str, Any] | None = json.loads(body) if body else None
    return frame


def _read(channel: socket.socket, count: int) -> bytes:
    parts = []
    while count and (part := channel.recv(min(count, 1 << 20))):
        parts.append(part)
        count -= len(part)
    return b"" if count else b"".join(parts)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)  # the runner has gone
