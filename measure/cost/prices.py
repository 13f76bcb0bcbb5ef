"""AWS's list prices in us-east-1, in dollars, without free tiers and without discounts for large amounts.

As of 2026-11-23, from AWS's pricing pages for each service and, for DynamoDB on demand, AWS's cost script.
"""

AS_OF = "2026-11-23"
REGION = "us-east-1"

MILLION = 1_000_000

DYNAMODB_READ = 0.125 / MILLION
"""A read request unit on demand."""
DYNAMODB_WRITE = 0.625 / MILLION

SQS_REQUEST = 0.40 / MILLION
"""Standard queue; each 64 KB of payload is a request."""
SQS_FAIR = 0.10 / MILLION
"""On top, for requests that name a message group."""
SQS_CHUNK = 64 * 1024
SQS_FREE_REQUESTS = 1_000_000
"""A month."""

LAMBDA_GB_SECOND = 0.0000133334
"""arm64, the first 7.5 billion a month."""
LAMBDA_REQUEST = 0.20 / MILLION

HTTP_API_REQUEST = 1.00 / MILLION
HTTP_API_CHUNK = 512 * 1024

KMS_REQUEST = 0.03 / 10_000
"""Decrypting a SecureString of SSM; the parameter itself is free."""

LOG_GB = 0.50
"""Ingestion into CloudWatch Logs."""
LOG_EVENT_OVERHEAD = 26
"""Bytes that are counted for each event on top of its own."""

EGRESS_GB = 0.09
"""Out to the internet, the first 10 TB a month."""
EGRESS_FREE_GB = 100
"""A month."""

GB = 1_000_000_000

SNS_PUSH = 0.50 / MILLION
"""Amazon SNS, mobile push, each delivery."""
END_USER_MESSAGING_PUSH = 1.00 / MILLION
"""AWS End User Messaging Push, each message."""

ALARM_METRIC = 0.10
"""A month, each metric that an alarm looks at."""
FREE_ALARM_METRICS = 10
DASHBOARD = 3.00
"""A month; the first three are free."""

IDLE_POLLS = 5 * 3 * 60 * 24 * 30
"""Requests a month of one resting queue that calls a function: five pollers, a long poll of 20 s each."""
