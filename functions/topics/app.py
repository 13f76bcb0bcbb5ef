"""topics: topics in the scopes of app, user and group, their access lists, and subscriptions to them."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import topics


@dataclass(frozen=True, slots=True)
class TopicsSettings:
    apps_table: str
    accounts_table: str
    topics_table: str
    subscriptions_table: str
    recipients_table: str
    sweep_queue_url: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(TopicsSettings)
topics.declare(app)

handler = app.handle
