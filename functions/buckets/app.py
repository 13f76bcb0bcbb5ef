"""buckets: buckets, their objects, and subscriptions to changes."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import buckets


@dataclass(frozen=True, slots=True)
class BucketsSettings:
    apps_table: str
    accounts_table: str
    buckets_table: str
    objects_table: str
    subscriptions_table: str
    recipients_table: str
    object_bodies_bucket: str
    sweep_queue_url: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(BucketsSettings)
buckets.declare(app)

handler = app.handle
