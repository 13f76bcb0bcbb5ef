"""Failures of calls to AWS: their cause, and the ones that pass by themselves."""

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from pynamodb.exceptions import PynamoDBException

from fanfare.domain.errors import Busy
from fanfare.runtime.queues import QueueError

_CODES = {
    "InternalError",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
    "TransactionInProgressException",
}

_BLAME_THE_REQUEST = {
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "SerializationException",
    "ValidationException",
}


def is_aws_at_fault(error: Exception) -> bool:
    """True if AWS refused, failed or was out of reach, and the request was not to blame: the same request
    succeeds once AWS, or our permissions there, are mended."""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    match cause:
        case ClientError(response={"Error": {"Code": str(code)}}):
            return code.rpartition(".")[2] not in _BLAME_THE_REQUEST
        case ClientError() | BotoCoreError() | QueueError() | Busy():
            return True
        case _:
            return False


def is_transient(error: Exception) -> bool:
    """True if trying again later will help; `error` comes from boto3 or PynamoDB."""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    match cause:
        case ClientError(response={"Error": {"Code": str(code)}}):
            return code in _CODES
        case HTTPClientError() | BotoConnectionError() | QueueError():
            return True
        case _:
            return False
