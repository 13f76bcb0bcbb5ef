"""deliver: the delivery queues -> FCM and APNs, the ledger, the purge queue, and the next attempt."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from fanfare.pipeline import intake
from fanfare.pipeline.deliver_settings import Settings
from fanfare.pipeline.delivery import Deliverer
from fanfare.pipeline.lane_watch import LaneWatch
from fanfare.pipeline.senders import AppSenders, Endpoints
from fanfare.runtime import clock, metrics, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _deliverer() -> Deliverer:
    read = settings.read(Settings)
    row.bind(read)
    endpoints = Endpoints(
        fcm=read.fcm_endpoint,
        apns_production=read.apns_production_endpoint,
        apns_sandbox=read.apns_sandbox_endpoint,
        ca_file=read.network_ca_file,
    )
    return Deliverer(
        read, AppSenders(endpoints, clock.now), LaneWatch(clock.now, read.fcm_quota_per_minute), clock.now
    )


def handler(event: dict[str, Any], context: LambdaContext) -> BatchResponse:
    response = intake.deliver_all(event["Records"], _deliverer(), context.get_remaining_time_in_millis)
    metrics.flush()
    return response
