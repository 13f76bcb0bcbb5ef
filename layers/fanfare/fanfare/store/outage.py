"""Which failures of a call to AWS pass by themselves: the service is overloaded or out of reach."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from pynamodb.exceptions import PynamoDBException

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


def passes(error: Exception) -> bool:
    """Whether trying again later will help; `error` as boto3 or PynamoDB raised it."""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    match cause:
        case ClientError(response={"Error": {"Code": str(code)}}):
            return code in _CODES
        case HTTPClientError() | BotoConnectionError() | QueueError():
            return True
        case _:
            return False
