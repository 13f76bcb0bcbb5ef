"""installations: a device token and its owner."""

from dataclasses import dataclass

from fanfare.api import installations
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    installations_table: str
    recipients_table: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(Settings)
app.on("POST", "/api/apps/<appID>/installations", installations.install)
app.on("GET", "/api/apps/<appID>/installations", installations.of)
app.on("GET", "/api/apps/<appID>/installations/<ref>", installations.get)
app.on("DELETE", "/api/apps/<appID>/installations/<ref>", installations.delete)

handler = app.handle
