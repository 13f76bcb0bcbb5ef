"""topics: topics in the scopes of app and user, and who is subscribed to them."""

from dataclasses import dataclass

from fanfare.api import topics
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    topics_table: str
    subscriptions_table: str
    recipients_table: str
    sweep_queue_url: str
    signing_keys_parameter: str


app = Api(Settings)
for scope in ("/api/apps/<appID>", "/api/apps/<appID>/users/<user>"):
    topic = f"{scope}/topics/<topic>"
    subscribers = f"{topic}/push/subscriptions/users"
    app.on("GET", f"{scope}/topics", topics.names)
    app.on("PUT", topic, topics.create)
    app.on("GET HEAD", topic, topics.exists)
    app.on("DELETE", topic, topics.delete)
    app.on("POST PUT", subscribers, topics.subscribe)
    app.on("PUT", f"{subscribers}/<subscriber>", topics.subscribe)
    app.on("GET HEAD", f"{subscribers}/<subscriber>", topics.is_subscribed)
    app.on("DELETE", f"{subscribers}/<subscriber>", topics.unsubscribe)

handler = app.handle
