"""A signed request is known by the right that it needs."""

from email.message import Message

import pytest

from local.releases.recorder import action


def signed(service: str, **more: str) -> "Message[str, str]":
    headers: Message[str, str] = Message()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=test/20261201/r/{service}/aws4_request, x"
    for name, value in more.items():
        headers[name.replace("_", "-")] = value
    return headers


@pytest.mark.parametrize(
    ("service", "method", "target", "body", "known_as"),
    [
        ("cloudformation", "POST", "/", b"Action=CreateChangeSet&StackName=s", "CreateChangeSet"),
        ("cloudformation", "GET", "/?Action=DescribeStacks", b"", "DescribeStacks"),
        ("s3", "PUT", "/bucket", b"", "CreateBucket"),
        ("s3", "PUT", "/bucket?publicAccessBlock", b"", "PutBucketPublicAccessBlock"),
        ("s3", "GET", "/bucket?location", b"", "GetBucketLocation"),
        ("s3", "PUT", "/bucket/key/of/object", b"x", "PutObject"),
        ("s3", "HEAD", "/bucket/key", b"", "GetObject"),
    ],
)
def test_a_request_needs_a_right(service: str, method: str, target: str, body: bytes, known_as: str) -> None:
    assert action(method, target, signed(service), body) == f"{service}:{known_as}"


def test_a_target_names_the_operation_of_a_json_service() -> None:
    headers = signed("dynamodb", X_Amz_Target="DynamoDB_20120810.CreateTable")

    assert action("POST", "/", headers, b"{}") == "dynamodb:CreateTable"


def test_a_request_that_names_no_operation_is_not_passed_over() -> None:
    with pytest.raises(LookupError):
        action("POST", "/", signed("cloudformation"), b"")
