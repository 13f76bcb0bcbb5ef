"""The source of a request: the gateway's peer, or the address in a trusted proxy's header."""

import pytest

from fanfare.api import source

PROXY = "198.51.100.9"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_a_request_comes_from_the_gateway_s_peer(peer: str, expected: str) -> None:
    assert source.of(peer, {}, "") == expected


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-real-ip", "cloudfront-viewer-address", "forwarded"])
def test_no_header_counts_while_no_proxy_is_trusted(name: str) -> None:
    assert source.of(PROXY, {name: "203.0.113.7"}, "") == PROXY


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("X-Real-IP", "203.0.113.7", "203.0.113.7"),
        ("X-Real-IP", "10.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("CloudFront-Viewer-Address", "203.0.113.7:46532", "203.0.113.7"),
        ("CloudFront-Viewer-Address", "2001:db8:1:2:3:4:5:6:46532", "2001:db8:1:2::/64"),
        ("CloudFront-Viewer-Address", "[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("X-Forwarded-For", f"10.0.0.1, 203.0.113.7, {PROXY}", "203.0.113.7"),
        ("X-Forwarded-For", "10.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("X-Forwarded-For", PROXY, PROXY),
        ("X-Real-IP", "unknown", PROXY),
        ("X-Real-IP", "", PROXY),
        ("X-Real-IP", "203.0.113.7,", PROXY),
    ],
)
def test_of_a_trusted_proxy_s_header_the_last_value_counts(header: str, value: str, expected: str) -> None:
    assert source.of(PROXY, {header.lower(): value}, header) == expected


def test_a_request_that_did_not_come_by_the_proxy_comes_from_the_gateway_s_peer() -> None:
    assert source.of("203.0.113.7", {}, "X-Real-IP") == "203.0.113.7"
