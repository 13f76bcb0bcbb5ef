"""messages: accepts a send, and says what became of it."""

from dataclasses import dataclass

from fanfare.api import messages
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    topics_table: str
    messages_table: str
    ledger_table: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(Settings)
app.on("POST", "/api/apps/<appID>/topics/<topic>/push/messages", messages.to_topic)
app.on("POST", "/api/apps/<appID>/users/<user>/topics/<topic>/push/messages", messages.to_topic)
app.on("POST", "/api/apps/<appID>/groups/<group>/topics/<topic>/push/messages", messages.to_topic)
app.on("POST", "/api/apps/<appID>/users/<user>/push/messages", messages.to_user)
app.on("GET", "/api/apps/<appID>/push/messages/<message>", messages.get)

handler = app.handle
