"""The connections to one endpoint: as many as a batch deserves, all driven by one loop."""

import selectors
import time
from collections.abc import Callable

from fanfare.domain.outcome.answer import Transport
from fanfare.networks import trust
from fanfare.networks.endpoint import Address, Endpoint, NoConnection
from fanfare.networks.http2.link import Link
from fanfare.networks.http2.policy import (
    CONNECT_S,
    GUESSED_LATENCY_S,
    LASTED,
    PROBED_AFTER_S,
    QUICK_REPLACEMENTS,
    REPLACED_AFTER_S,
    Policy,
    connections_for,
    pause_s,
    wait_before_opening,
)
from fanfare.networks.http2.tls import RECEIVED_AT_ONCE
from fanfare.networks.push_requests import Progress
from fanfare.networks.result import NotProcessed

_FEW_STREAMS = 16
"""With fewer open requests no answers gather, and a pause would only add latency."""


class Pool:
    def __init__(self, endpoint: Endpoint, policy: Policy, clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._clock = clock
        self._links: list[Link] = []
        self._selector = selectors.DefaultSelector()
        self._latency_s = 0.0
        self._trust = trust.few
        self._no_more: Transport | None = None
        """Reason why the present batch opens no more connections."""
        self._short_lived = 0
        self._opens_at = 0.0

    def exchange(self, progress: Progress) -> None:
        """Send the batch and record its results, within its deadline. An error of ours closes all
        connections."""
        self._no_more, self._short_lived, self._opens_at = None, 0, 0.0
        buffer = bytearray(RECEIVED_AT_ONCE)
        whole = False
        try:
            self._revive(progress, buffer)
            self._run(progress, buffer)
            for link in self._links:
                link.rest()
            whole = True
        finally:
            for link in list(self._links):
                if not whole or link.over:
                    self._take_down(link)
                link.rests_since, link.fresh = self._clock(), False

    def close(self) -> None:
        for link in list(self._links):
            self._take_down(link)

    def _run(self, progress: Progress, buffer: bytearray) -> None:
        pause = 0.0
        while True:
            now = time.monotonic()
            self._sort_out(progress, now)
            if not progress.waiting and not any(link.open_streams for link in self._links):
                return
            if now < progress.deadline:
                self._grow(progress, now)
            if not self._links and self._no_more is not None:
                progress.give_up(NotProcessed(self._no_more))
                return
            if now >= progress.deadline:
                return
            for link in self._links:
                link.begin(progress, now)
                self._watch(link)
            pause = self._turn(buffer, self._due(progress), pause)

    def _turn(self, buffer: bytearray, due: float, pause: float) -> float:
        """Wait for data until `due` and handle it; return the pause for the next turn.

        Data that arrives during a pause is read in one piece: that halves the work, at no loss of rate.
        """
        left_s = due - time.monotonic()
        if 0 < pause < left_s:
            time.sleep(pause)
            left_s -= pause
        ready = self._selector.select(max(0.0, left_s))
        now = time.monotonic()
        answers = streams = 0
        for key, _ in ready:
            link: Link = key.data
            before = link.answers
            streams += link.open_streams
            link.turn(buffer, now)
            answers += link.answers - before
            if link.connection is not None and link.connection.latency_s:
                self._latency_s = link.connection.latency_s
        return pause_s(answers, len(ready), self._latency_s) if streams >= _FEW_STREAMS else 0.0

    def _due(self, progress: Progress) -> float:
        moments = [link.due() for link in self._links]
        if progress.waiting and self._opens_at > time.monotonic():
            moments.append(self._opens_at)
        return min([progress.deadline, *(moment for moment in moments if moment is not None)])

    # Opening

    def _revive(self, progress: Progress, buffer: bytearray) -> None:
        """Check the connections of the batch before, and close those that may not be used."""
        now, moment = time.monotonic(), self._clock()
        authorization = dict(progress.batch.headers).get("authorization", "")
        for link in list(self._links):
            rested_s = abs(moment - link.rests_since)
            if rested_s > REPLACED_AFTER_S or not self._may_carry(link, authorization, moment):
                self._take_down(link)
                continue
            link.turn(buffer, now)
            if link.over:
                self._take_down(link)
            elif not link.ready:
                link.deadline = min(now + CONNECT_S, progress.deadline)
            elif rested_s > PROBED_AFTER_S:
                link.probe(now)

    def _may_carry(self, link: Link, authorization: str, moment: float) -> bool:
        value, since = link.authorization
        if value != authorization:
            if value and abs(moment - since) < self._policy.authorization_s:
                return False
            link.authorization = (authorization, moment)
        return True

    def _grow(self, progress: Progress, now: float) -> None:
        """Open the missing connections. One look-up serves those that are opened at one moment."""
        if self._no_more is not None or not progress.waiting or now < self._opens_at:
            return
        missing = self._wanted(progress) - sum(link.hopeful for link in self._links)
        if missing <= 0:
            return
        try:
            addresses = self._endpoint.look_up()
        except NoConnection as error:
            self._no_more = error.why
            return
        for turn in range(missing):
            first = turn % len(addresses)
            self._open(progress, addresses[first:] + addresses[:first], now)

    def _wanted(self, progress: Progress) -> int:
        known = [link.connection for link in self._links if link.ready and link.connection is not None]
        capacities = [one.capacity(progress.largest_body) for one in known]
        streams = 1 if progress.batch.apart else min(capacities, default=self._policy.most_streams)
        latency_s = self._latency_s or GUESSED_LATENCY_S
        return connections_for(progress.waiting_number, streams, latency_s, self._policy.most_connections)

    def _open(self, progress: Progress, addresses: list[Address], now: float) -> None:
        """Connect to the first address that permits it; the others are kept in case it does not answer."""
        context = self._trust(self._endpoint.ca_file)
        for tried, address in enumerate(addresses, 1):
            try:
                link = Link(self._endpoint, address, context, self._policy)
            except NoConnection as error:
                self._no_more = error.why
                continue
            self._no_more = None
            link.others = addresses[tried:]
            left_s = min(CONNECT_S, progress.deadline - now)
            link.deadline = now + left_s / (1 + bool(link.others))
            authorization = dict(progress.batch.headers).get("authorization", "")
            link.authorization = (authorization, self._clock())
            self._links.append(link)
            return

    # Closing

    def _sort_out(self, progress: Progress, now: float) -> None:
        """Abandon late requests and close ended connections; their requests that never left wait again."""
        for link in list(self._links):
            link.give_up_late(now)
            if link.over:
                self._take_down(link)
                if link.connection is not None:
                    progress.put_back(link.connection.never_left)
                self._learn(progress, link, now)

    def _learn(self, progress: Progress, link: Link, now: float) -> None:
        """Draw conclusions from the end of a connection for the next one."""
        if link.failed is Transport.TLS_UNTRUSTED and self._trust is trust.few and not self._endpoint.ca_file:
            self._trust = trust.all_of
        elif link.failed is not None and link.others and now < progress.deadline:
            self._open(progress, link.others, now)
        elif link.failed is not None:
            self._no_more = link.failed
        elif link.fresh and not link.answers and not self._blames_request(progress, link):
            # Another connection would end the same way, and Apple takes rapid ones for an attack.
            self._no_more = Transport.CONNECT_FAILED
        elif link.answers < LASTED:
            self._opens_at = now + wait_before_opening(self._short_lived)
            self._short_lived += 1

    def _blames_request(self, progress: Progress, link: Link) -> bool:
        """True if a request that is sent apart ended its connection, rather than the endpoint.

        Such a batch holds requests that were lost with a connection before, so some of them end theirs. After
        a few connections in a row the endpoint is the likelier cause.
        """
        few = self._short_lived < QUICK_REPLACEMENTS
        return progress.batch.apart and link.hung_up_on_request and few

    def _watch(self, link: Link) -> None:
        events = link.events
        if link.over or events == link.watched:
            return
        if not link.watched:
            self._selector.register(link, events, link)
        else:
            self._selector.modify(link, events, link)
        link.watched = events

    def _take_down(self, link: Link) -> None:
        self._links.remove(link)
        if link.watched:
            self._selector.unregister(link)
            link.watched = 0
        link.close()
