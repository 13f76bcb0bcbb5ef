"""Installations: device tokens and their owners."""

from fanfare.api import installations
from fanfare.api.request import Authenticating
from fanfare.api.router import Api


def declare[S: Authenticating](app: Api[S]) -> None:
    app.on("POST", "/api/apps/<appID>/installations", installations.install, body=True)
    app.on("GET", "/api/apps/<appID>/installations", installations.of)
    app.on("GET", "/api/apps/<appID>/installations/<ref>", installations.get)
    app.on("DELETE", "/api/apps/<appID>/installations/<ref>", installations.delete)
