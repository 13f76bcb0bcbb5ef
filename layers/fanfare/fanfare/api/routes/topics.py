"""Topics in the scopes of app, user and group, their access lists, and subscriptions to them."""

from fanfare.api import access, subscriptions, topics
from fanfare.api.request import Sweeping
from fanfare.api.router import Api


def declare[S: Sweeping](app: Api[S]) -> None:
    for scope in ("/api/apps/<appID>", "/api/apps/<appID>/users/<user>", "/api/apps/<appID>/groups/<group>"):
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
        app.on("GET", f"{topic}/push/subscriptions/count", topics.count_subscribers)
        access.serve(app, topic)
    app.on("GET", "/api/apps/<appID>/users/<user>/subscriptions", subscriptions.of_user)
