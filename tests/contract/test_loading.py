"""Modules that a function loads at its start: those that all its calls need, and none for only some of them.

`make imports` measures the time.
"""

import json
import sys
from functools import cache

import pytest

from local.processes import run
from tests.contract.declared import FUNCTIONS, ROOT

AWS = {"botocore", "certifi", "dateutil", "jmespath", "msgspec", "six", "typing_extensions", "urllib3"}
"""botocore with its dependencies, and JSON."""
TABLES = AWS | {"pynamodb"}
REPORTING = TABLES | {"aws_lambda_powertools"}

LIBRARIES = {
    "accounts": REPORTING,
    "buckets": REPORTING,
    "installations": REPORTING,
    "front": REPORTING,
    "messages": REPORTING,
    "topics": REPORTING,
    # Both count, and write metrics in every invocation.
    "deliver": REPORTING,
    "purge": REPORTING,
    # These log failures, and load the logger only then.
    "dispatch": TABLES,
    "sweep": TABLES,
    "fanout": AWS,
}
"""All imports beyond the standard library. argon2, cryptography, jwt and requests are missing, since they are
loaded for a password, a credential, or an access token of Google's; so is boto3, which is not used."""

API = {"accounts", "buckets", "front", "installations", "messages", "topics"}

ONLY_IN = {
    "aws_lambda_powertools.event_handler": API,
    "aws_lambda_powertools.event_handler.appsync": set(),
    "asyncio": set(),
    "fanfare.api": API,
    "fanfare.pipeline": set(FUNCTIONS) - API,
    "fanfare.networks": {"deliver"},
    "fanfare.domain.content": {"messages", "front", "dispatch"},
    "fanfare.domain.payload": {"messages", "front", "dispatch", "fanout", "deliver"},
    "fanfare.store.apps": API | {"deliver"},
    "fanfare.store.accounts": API | {"sweep"},
    "fanfare.store.bodies": {"buckets", "front", "sweep"},
    "fanfare.store.installations": {"accounts", "front", "installations", "deliver", "purge", "sweep"},
    "fanfare.store.lanes": {"deliver", "purge"},
    "fanfare.store.ledger": {"messages", "front", "dispatch", "deliver"},
    "fanfare.store.messages": {"messages", "front", "dispatch"},
}
"""Module or package -> the functions that use it."""

LOAD = """
import json, sys
read = []
def watch(event, arguments):
    if event == "open" and not str(arguments[0]).endswith((".py", ".pyc")):
        read.append(str(arguments[0]))
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        read.append(event)
sys.addaudithook(watch)
import functions.{function}.app
print(json.dumps([sorted(sys.modules), read]))
"""


@cache
def loaded(function: str) -> tuple[set[str], list[str]]:
    """Return the modules after the function's import, and the other files opened for it."""
    done = run(
        [sys.executable, "-c", LOAD.format(function=function)],
        {"PYTHONPATH": f"{ROOT / 'layers' / 'fanfare'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    modules, opened = json.loads(done.stdout)
    return set(modules), opened


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_the_libraries_that_all_its_calls_need(function: str) -> None:
    packages = {module.partition(".")[0] for module in loaded(function)[0]}

    assert packages - sys.stdlib_module_names - {"__main__", "fanfare", "functions"} == LIBRARIES[function]


@pytest.mark.parametrize("module", ONLY_IN)
def test_a_module_is_loaded_where_it_is_used(module: str) -> None:
    assert {function for function in FUNCTIONS if module in loaded(function)[0]} == ONLY_IN[module]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_loading_reads_code_and_nothing_else(function: str) -> None:
    """In particular no root certificates, no credentials, and none of botocore's service descriptions."""
    assert loaded(function)[1] == []
