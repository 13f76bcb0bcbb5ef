"""messages: accepts sends, and tells their status."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import messages


@dataclass(frozen=True, slots=True)
class MessagesSettings:
    apps_table: str
    accounts_table: str
    topics_table: str
    messages_table: str
    ledger_table: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(MessagesSettings)
messages.declare(app)

handler = app.handle
