"""The fakes speak TLS, and both versions of HTTP where the real ones do."""

import httpx
import pytest

from tests.e2e.fakes.client import TOKEN_URI, Fakes

pytestmark = pytest.mark.e2e


def test_a_client_that_does_not_know_the_authority_does_not_connect(fakes: Fakes) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.post(TOKEN_URI)


def test_fcm_speaks_both_versions_of_http(fakes: Fakes) -> None:
    message = {"message": {"token": "t", "data": {"k": "v"}}}
    assert fakes.fcm(message, over="http1").http_version == "HTTP/1.1"
    assert fakes.fcm(message, over="http2").http_version == "HTTP/2"
