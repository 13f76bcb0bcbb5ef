"""pycurl's multi interface over HTTP/2, as fast as it goes: few connections, multiplexed, handles used again.

Its own perform and select cost less CPU than socket callbacks with epoll did.
"""

from collections.abc import Iterable, Iterator, Sequence

import pycurl

from measure.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from measure.bench.job import Case, Task, body, path

type Push = tuple[str, bytes]

_APNS_ID = b"apns-id: "
_AT_ONCE = 100
"""On each connection. More makes it slower."""


class Multi:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._lines: list[bytes] = []
        self._bodies: list[bytes] = []
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, task.connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, _AT_ONCE)
        self._handles = [self._handle() for _ in range(task.connections * _AT_ONCE)]

    def send(self, pushes: Iterable[Push]) -> Sequence[str]:
        waiting = iter(pushes)
        self._lines.clear()
        self._bodies.clear()
        under_way = sum(self._begin(handle, waiting) for handle in self._handles)
        while under_way:
            self._multi.perform()
            _, done, failed = self._multi.info_read()
            if failed:
                raise WrongAnswer(f"{failed[0][1:]}")
            for handle in done:
                if (status := handle.getinfo(pycurl.RESPONSE_CODE)) != 200:
                    raise WrongAnswer(f"status {status}")
                self._multi.remove_handle(handle)
                under_way -= not self._begin(handle, waiting)
            if not done:
                self._multi.select(1.0)
        ids = [line[len(_APNS_ID) :].strip().decode() for line in self._lines if line.startswith(_APNS_ID)]
        if self._task.case is Case.FCM_LIKE and sum(b'"name"' in one for one in self._bodies) != len(ids):
            raise WrongAnswer("an answer without a name")
        return ids

    def _begin(self, handle: pycurl.Curl, waiting: Iterator[Push]) -> bool:
        push = next(waiting, None)
        if push is None:
            return False
        url, content = push
        handle.setopt(pycurl.URL, url)
        if content:
            handle.setopt(pycurl.POSTFIELDS, content)
        self._multi.add_handle(handle)
        return True

    def _handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        handle.setopt(pycurl.PIPEWAIT, 1)
        handle.setopt(pycurl.CAINFO, self._task.ca_file)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in self._task.headers])
        handle.setopt(pycurl.POSTFIELDS, body(self._task.case, 0))
        # One list for all handles: callbacks of ours would only cost more.
        handle.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        handle.setopt(pycurl.WRITEFUNCTION, self._bodies.append)
        return handle


def main(task: Task) -> None:
    if "nghttp2/" not in pycurl.version:
        raise WrongAnswer(f"this pycurl has no HTTP/2: {pycurl.version}")
    differ = task.case in (Case.BUILT, Case.FCM_LIKE)

    def make(number: int) -> Push:
        return f"{task.url}{path(task.case, number)}", body(task.case, number) if differ else b""

    measure(task, make, Multi(task).send)


if __name__ == "__main__":
    main(task_of_this_process())
