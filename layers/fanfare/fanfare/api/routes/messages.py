"""Sends and their status."""

from fanfare.api import messages
from fanfare.api.request import Authenticating
from fanfare.api.router import Api


def declare[S: Authenticating](app: Api[S]) -> None:
    app.on("POST", "/api/apps/<appID>/topics/<topic>/push/messages", messages.to_topic, body=True)
    app.on(
        "POST", "/api/apps/<appID>/users/<user>/topics/<topic>/push/messages", messages.to_topic, body=True
    )
    app.on(
        "POST", "/api/apps/<appID>/groups/<group>/topics/<topic>/push/messages", messages.to_topic, body=True
    )
    app.on("POST", "/api/apps/<appID>/users/<user>/push/messages", messages.to_user, body=True)
    app.on("GET", "/api/apps/<appID>/push/messages/<message>", messages.get)
