"""The few calls that Lambda's pollers make, over the bare protocol: functions get its JSON as it is."""

import json
from typing import Any

import aiohttp

# Emulators read the service off the credential scope and check no signature.
_SCOPE = "test/20260101/{region}/{service}/aws4_request"
_SERVICES = {"DynamoDB_20120810": "dynamodb", "DynamoDBStreams_20120810": "dynamodb", "AmazonSQS": "sqs"}


class AwsError(Exception):
    """AWS, or the way to it, refused. `code` is AWS's word; "Connection" if there was no answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Aws:
    def __init__(self, session: aiohttp.ClientSession, endpoint: str, region: str) -> None:
        self._session = session
        self._endpoint = endpoint.rstrip("/")
        self._region = region

    async def call(self, target: str, **arguments: Any) -> dict[str, Any]:
        """`target` is the service's prefix and the action: AmazonSQS.ReceiveMessage."""
        headers = {
            "authorization": self._authorization(_SERVICES[target.partition(".")[0]]),
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": target,
        }
        body = await self._send("POST", "/", headers, json.dumps(arguments).encode())
        answer: dict[str, Any] = json.loads(body) if body else {}
        return answer

    async def put_object(self, bucket: str, key: str, body: bytes) -> None:
        headers = {"authorization": self._authorization("s3"), "content-type": "application/json"}
        await self._send("PUT", f"/{bucket}/{key}", headers, body)

    def _authorization(self, service: str) -> str:
        scope = _SCOPE.format(region=self._region, service=service)
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        try:
            async with self._session.request(
                method, self._endpoint + path, headers=headers, data=body
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AwsError("Connection", repr(error)) from error
        if answer.status >= 300:
            raise AwsError(_code(content) or str(answer.status), content[:500].decode("utf-8", "replace"))
        return content


def _code(content: bytes) -> str:
    try:
        return str(json.loads(content)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return ""
