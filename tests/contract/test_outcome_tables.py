"""docs/reference/outcomes.md and domain/outcome/ agree: each row is judged, and each rule has a row."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from fanfare.domain.outcome import apns, fcm
from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind, PurgeTarget
from fanfare.domain.outcome.judgement import judge
from tests.contract.declared import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "outcomes.md"
CODE = ROOT / "layers" / "fanfare" / "fanfare" / "domain" / "outcome"

PROVIDERS: Mapping[str, tuple[Provider, ...]] = {
    "FCM": (Provider.FCM,),
    "APNs": (Provider.APNS, Provider.APNS_BROADCAST),
    "APNs broadcast": (Provider.APNS_BROADCAST,),
    "Google's token services": (
        Provider.GOOGLE_OAUTH,
        Provider.GOOGLE_STS,
        Provider.GOOGLE_IAMCREDENTIALS,
    ),
}

DIED_AT_MS = 1_700_000_000_000
KNOWN = {
    "": Context(),
    "second credential": Context(credential_attempt=2),
    "bare installation ID": Context(bare_installation_id=True),
    "live activity": Context(live_activity=True),
    "registered later": Context(registered_at_ms=DIED_AT_MS + 1),
}
STATUSES = range(200, 600)
WORD = re.compile(r"[A-Z]+(_[A-Z]+)+|([A-Z][a-z]+){2,}|message\.\w+|(not|token|payload)_\w+")
"""The code's constants of this form are words of a network, or reasons of ours."""


@dataclass(frozen=True, slots=True)
class Case:
    """One answer that a row describes, with the row's outcome."""

    row: str
    provider: Provider
    answer: Answer
    context: Context
    expected: Mapping[str, object]
    words: frozenset[str]


def section(title: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table(title: str) -> Iterator[dict[str, str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    names, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for row in rows:
        yield dict(zip(names, row, strict=True)) | {"row": " | ".join(row)}


def statuses(cell: str, named: set[int]) -> list[int]:
    match cell:
        case "5xx":
            return [status for status in STATUSES if status >= 500]
        case "other":
            return [status for status in STATUSES if status < 500 and status not in named]
        case _:
            return [int(one) for one in cell.split(", ")]


def bodies(cell: str, title: str, known: str) -> list[tuple[bytes, frozenset[str]]]:
    """The bodies that a cell describes, each with the words in it."""
    if title.startswith("APNs"):
        return [one for alternative in cell.split(" or ") for one in apns_bodies(alternative, known)]
    return [one for alternative in cell.split(" or ") for one in google_bodies(alternative)]


def apns_bodies(cell: str, known: str) -> list[tuple[bytes, frozenset[str]]]:
    if cell == "anything":
        return [(body, frozenset()) for body in (b"", b"<html>", b"{}", b"[]", b'{"reason": 1}')]
    word = cell.removeprefix("reason ")
    document: dict[str, object] = {"reason": word}
    if known == "registered later":
        document["timestamp"] = DIED_AT_MS
    return [(json.dumps(document).encode(), frozenset({word}))]


def google_bodies(cell: str) -> list[tuple[bytes, frozenset[str]]]:
    match cell:
        case "anything":
            return [(b"", frozenset()), (b"<html>", frozenset()), (b"{}", frozenset())]
        case "JSON":
            return [(b"{}", frozenset()), (b'{"error": {"status": "NOT_FOUND"}}', frozenset({"NOT_FOUND"}))]
        case "no JSON":
            return [(b"", frozenset()), (b"<html>", frozenset())]
    error: dict[str, Any] = {"details": []}
    words = set()
    for condition in cell.split(" with "):
        kind, _, word = condition.partition(" ")
        words.add(word)
        match kind:
            case "FcmError":
                error["details"].append(detail("google.firebase.fcm.v1.FcmError", errorCode=word))
            case "ApnsError":
                error["details"].append(detail("google.firebase.fcm.v1.ApnsError", reason=word))
            case "field":
                error["details"].append(detail("google.rpc.BadRequest", fieldViolations=[{"field": word}]))
            case "text":
                error["message"] = f"The {word} is not valid"
            case _:
                raise ValueError(f"outcomes.md: {condition!r} is no condition of a body")
    return [(json.dumps({"error": error}).encode(), frozenset(words))]


def detail(kind: str, **values: object) -> dict[str, object]:
    return {"@type": f"type.googleapis.com/{kind}", **values}


def timed(cell: str, context: Context) -> Iterator[tuple[Mapping[str, str], Context, int | None]]:
    """Headers and context, with the delay that the cell gives for them."""
    match re.findall(r"[0-9]+", cell):
        case []:
            yield {}, context, None
        case [delay] if cell == delay:
            yield {"Retry-After": "3600"} if delay == "0" else {}, context, int(delay)
        case [base] if cell == f"Retry-After; else {base}, doubled with each try":
            yield {"Retry-After": "7"}, context, 7
            for attempt in range(1, 8):
                yield {}, replace(context, attempt=attempt), int(base) << attempt - 1
        case [delay] if cell == f"Retry-After; else {delay}":
            yield {}, context, int(delay)
            yield {"Retry-After": "7"}, context, 7
        case [least, delay] if cell == f"Retry-After, at least {least}; else {delay}":
            yield {}, context, int(delay)
            yield {"Retry-After": "1"}, context, int(least)
            yield {"Retry-After": "777"}, context, 777
        case _:
            raise ValueError(f"outcomes.md: {cell!r} is no delay")


def also(outcome: Outcome) -> set[str]:
    words = {
        "no try": not outcome.spends_attempt,
        "unknown": outcome.unknown,
        "device only": outcome.of_device,
        "lane goes on": not outcome.whole_lane,
        "new connection": outcome.new_connection,
        "Apple's word": outcome.told_by_apple,
        "outlived": outcome.outlived,
        "activity token": outcome.purge_target is PurgeTarget.LIVE_ACTIVITY_TOKEN,
        "channel": outcome.purge_target is PurgeTarget.CHANNEL,
    }
    return {word for word, holds in words.items() if holds}


def listed(cell: str) -> set[str]:
    return set(cell.split(", ")) - {""}


def cases(title: str) -> Iterator[Case]:
    rows = list(table(title))
    named = {int(one) for row in rows for one in re.findall(r"\b[2-5][0-9]{2}\b", row["status"])}
    if title == "APNs":  # only some reasons of these two are named above
        named -= {400, 404}
    for row in rows:
        codes = statuses(row["status"], named)
        for status, (body, words), provider in product(
            codes, bodies(row["body"], title, row["known"]), PROVIDERS[title]
        ):
            if title == "APNs" and provider is Provider.APNS_BROADCAST and status in (201, 204):
                continue  # the table of broadcasts decides first
            for headers, context, delay_s in timed(row["delay (s)"], KNOWN[row["known"]]):
                yield Case(
                    row["row"],
                    provider,
                    Answer(status, headers, body),
                    context,
                    {
                        "outcome": row["outcome"].strip("`"),
                        "delay": delay_s,
                        "reason": row["reason"].strip("`"),
                        "also": listed(row["also"]),
                    },
                    words | {f"http_{status}"},
                )


def told(outcome: Outcome, words: frozenset[str], reason: object) -> Mapping[str, object]:
    """The outcome in the words of a row."""
    return {
        "outcome": outcome.kind.value,
        "delay": outcome.retry_after_s,
        "reason": "word" if reason == "word" and outcome.reason in words else outcome.reason,
        "also": also(outcome),
    }


@pytest.mark.parametrize("title", PROVIDERS)
def test_each_row_is_what_the_code_makes_of_such_an_answer(title: str) -> None:
    found = list(cases(title))
    differing = {
        case.row: (case.answer, outcome)
        for case in found
        if case.expected
        != told(
            outcome := judge(case.provider, case.answer, case.context), case.words, case.expected["reason"]
        )
    }

    assert len(found) > 3
    assert differing == {}


def test_each_row_of_a_silence_is_what_the_code_makes_of_it() -> None:
    columns = {"FCM": Provider.FCM, "APNs": Provider.APNS, "Google": Provider.GOOGLE_OAUTH}
    rows = list(table("No answer"))

    for row, (column, provider) in product(rows, columns.items()):
        event = row["event"].strip("`")
        outcome = judge(provider, Silence(Transport(event)))
        delay_s = int(row[column]) if row[column] else None
        assert (outcome.kind, outcome.retry_after_s) == (row["outcome"].strip("`"), delay_s), row["row"]
        assert (outcome.reason, also(outcome)) == (event, listed(row["also"])), row["row"]

    assert {row["event"].strip("`") for row in rows} == {str(one) for one in Transport}


def test_each_outcome_is_explained() -> None:
    explained = [row["outcome"].strip("`") for row in table("The seven outcomes")]

    assert sorted(explained) == sorted(OutcomeKind)


def test_each_rule_has_a_row_that_only_it_decides() -> None:
    """A rule without a row is missing in the document."""
    undecided: list[str] = []
    for title, module, name in [
        ("FCM", fcm, "_RULES"),
        ("FCM", fcm, "_BAD_REQUEST_RULES"),
        ("APNs", apns, "_RULES"),
        ("APNs broadcast", apns, "_BROADCAST_RULES"),
    ]:
        rules = getattr(module, name)
        asked = [case for case in cases(title) if case.answer.status not in (200, 201, 204)]
        if name == "_BAD_REQUEST_RULES":
            asked = [case for case in asked if case.answer.status == 400]
        seen = [module._take_apart(case.answer, case.context) for case in asked]
        deciding = {next((i for i, (fits, _) in enumerate(rules) if fits(one)), None) for one in seen}
        undecided += [f"{title}: rule {i} of {name}" for i in range(len(rules)) if i not in deciding]

    assert undecided == []


def test_each_word_that_the_code_looks_for_is_in_the_document() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    words = {
        node.value
        for path in CODE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(
            r"[A-Z]+(_[A-Z]+)+|([A-Z][a-z]+){2,}|message\.\w+|(not|token|payload)_\w+", node.value
        )
    }

    assert len(words) > 20
    assert {word for word in words if not re.search(rf"\b{re.escape(word)}\b", document)} == set()
