"""deliver: the delivery queues -> FCM and APNs, the ledger, the purge queue, and the next attempt."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from fanfare.pipeline.deliver import handle
from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.senders.of_app import AppSenders, Endpoints
from fanfare.runtime import clock, metrics, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _deliverer() -> Deliverer:
    read = settings.read(DeliverSettings)
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
    response = handle.deliver_all(event["Records"], _deliverer(), context.get_remaining_time_in_millis)
    metrics.flush()
    return response
