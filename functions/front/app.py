"""front: paths without a route in API Gateway, which have an extra slash or a prefix before /api, or are
unknown."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import accounts, buckets, installations, messages, topics


@dataclass(frozen=True, slots=True)
class FrontSettings:
    apps_table: str
    accounts_table: str
    members_table: str
    installations_table: str
    recipients_table: str
    sweep_queue_url: str
    limits_table: str
    topics_table: str
    subscriptions_table: str
    buckets_table: str
    objects_table: str
    object_bodies_bucket: str
    messages_table: str
    ledger_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(FrontSettings)
for subject in (accounts, installations, topics, buckets, messages):
    subject.declare(app)

handler = app.handle
