"""`make outcomes` judges a file of vectors: it lists and counts differences, and exits accordingly."""

import json
from pathlib import Path
from typing import Any

import pytest

from fanfare.domain.outcome.answer import Transport
from operate import vectors
from operate.application import main as fanfare

VECTORS = Path(__file__).parent / "provider_outcomes.json"


def vector(**values: Any) -> dict[str, Any]:
    return {
        "id": "one",
        "provider": "apns",
        "http_status": 400,
        "body": {"reason": "BadDeviceToken"},
        "headers": {},
        "outcome": "suspect",
        "retry_after_s": None,
        "note": "",
        **values,
    }


def written(folder: Path, content: object) -> str:
    path = folder / "vectors.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_the_vectors_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert fanfare(["outcomes", str(VECTORS)]) == 0
    assert capsys.readouterr().out == "121 vectors, 0 otherwise\n"


@pytest.mark.parametrize(
    ("otherwise", "named"),
    [
        (vector(outcome="drop_payload_error"), "one: outcome 'suspect' instead of 'drop_payload_error'"),
        (vector(retry_after_s=5), "one: retry_after_s None instead of 5"),
        (vector(context={"purge_target": "live_activity_token"}), "one: purge_target 'device_token' instead"),
    ],
)
def test_what_comes_out_otherwise_is_named(
    otherwise: dict[str, Any], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fanfare(["outcomes", written(tmp_path, [vector(), otherwise])]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(named)
    assert lines[1:] == ["2 vectors, 1 otherwise"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        {"vectors": []},
        [7],
        [{"provider": "fcm"}],
        [vector(provider="hms")],
        [vector(http_status="teapot")],
        "[" * 100_000,
    ],
)
def test_an_unreadable_file_is_one_line_and_exit_2(
    content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fanfare(["outcomes", written(tmp_path, content)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], [""], ["/nowhere/vectors.json"], ["."]])
def test_no_file_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert fanfare(["outcomes", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "loose",
    [
        vector(http_status="400", headers=None, body='{"reason": "BadDeviceToken"}'),
        vector(context=None, surprise=[1], headers={"retry-after": 5, "x": None}),
        vector(
            http_status=503,
            provider="fcm",
            headers={"Retry-After": 37},
            outcome="retry_after_delay",
            retry_after_s=37,
        ),
        vector(
            provider="fcm",
            http_status=500,
            body=[],
            context={"attempt": "4"},
            outcome="retry_after_delay",
            retry_after_s=80,
        ),
    ],
)
def test_a_vector_may_be_loosely_typed(loose: dict[str, Any]) -> None:
    assert vectors.compare(loose) == ""


@pytest.mark.parametrize(
    ("context", "why"),
    [
        ({"transport": "goaway", "above_last_stream_id": True}, Transport.GOAWAY_ABOVE),
        ({"transport": "goaway"}, Transport.GOAWAY_COVERED),
        ({"transport": "rst_stream", "error_code": 7}, Transport.REFUSED_STREAM),
        ({"transport": "rst_stream", "error_code": "REFUSED_STREAM"}, Transport.REFUSED_STREAM),
        ({"transport": "rst_stream", "error_code": 2}, Transport.RST_STREAM),
        ({"transport": "rst_stream"}, Transport.RST_STREAM),
        ({"transport": "reset_before_write"}, Transport.RESET_BEFORE_WRITE),
        ({"transport": "connection_refused"}, Transport.CONNECT_FAILED),
        ({"transport": "tls_handshake_timeout"}, Transport.READ_TIMEOUT),
        ({"transport": "tls_verify_failed"}, Transport.TLS_UNTRUSTED),
        ({"transport": "alpn_no_h2"}, Transport.NO_HTTP2),
        ({"transport": "http1_only"}, Transport.NO_HTTP2),
        ({"transport": "something_new"}, Transport.RESET_AFTER_WRITE),
        ({}, Transport.RESET_AFTER_WRITE),
    ],
)
def test_the_words_for_silence(context: dict[str, Any], why: Transport) -> None:
    assert vectors.silence(context, None).why is why


@pytest.mark.parametrize(
    ("body", "debug_data", "why"),
    [
        ({"reason": "BadDeviceToken"}, None, Transport.GOAWAY_FOR_TOKENS),
        (None, '{"reason":"BadDeviceToken"}', Transport.GOAWAY_FOR_TOKENS),
        ({"reason": "Shutdown"}, "server_shutting_down", Transport.GOAWAY_COVERED),
    ],
)
def test_a_goaway_may_blame_tokens(body: object, debug_data: object, why: Transport) -> None:
    context = {"transport": "goaway", "repeated": 3, "debug_data": debug_data}
    assert vectors.silence(context, body).why is why
