"""The boto clients: one for each service, for any number of callers and threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from fanfare.runtime import clients

THREADS = 8


@pytest.fixture(autouse=True)
def _nothing_made(environment: None) -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()


def test_threads_that_ask_at_once_get_the_same_client() -> None:
    barrier = Barrier(THREADS)

    def ask(client: Callable[[], Any]) -> Any:
        barrier.wait(60)
        return client()

    wanted = [clients.dynamodb, clients.sqs] * (THREADS // 2)
    with ThreadPoolExecutor(THREADS) as threads:
        got = list(threads.map(ask, wanted))

    assert len({id(one) for one in got}) == 2
    assert got[:2] == [clients.dynamodb(), clients.sqs()]


def test_each_service_has_its_own_client_with_short_time_outs() -> None:
    made: list[Any] = [clients.dynamodb(), clients.sqs(), clients.s3(), clients.ssm()]

    assert [one.meta.service_model.service_name for one in made] == ["dynamodb", "sqs", "s3", "ssm"]
    assert [one.meta.config.read_timeout for one in made] == [4, 6, 6, 2]
    assert {one.meta.config.connect_timeout for one in made} == {1}


def test_what_is_forgotten_is_made_anew() -> None:
    before = clients.dynamodb()
    clients.forget()

    assert clients.dynamodb() is not before
