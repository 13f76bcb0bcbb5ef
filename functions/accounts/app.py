"""accounts: sign-up, tokens, users."""

from dataclasses import dataclass

from fanfare.api import accounts, login
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    signing_keys_parameter: str


app = Api(Settings)
app.on("POST", "/api/oauth2/token", login.token)
app.on("POST", "/api/apps/<appID>/oauth2/token", login.token)
app.on("POST", "/api/apps/<appID>/users", accounts.sign_up)
app.on("GET", "/api/apps/<appID>/users/<user>", accounts.get)

handler = app.handle
