"""accounts: sign-up, tokens, users, groups."""

from dataclasses import dataclass

from fanfare.api import accounts, groups, login
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    members_table: str
    sweep_queue_url: str
    signing_keys_parameter: str


app = Api(Settings)
app.on("POST", "/api/oauth2/token", login.token)
app.on("POST", "/api/apps/<appID>/oauth2/token", login.token)
app.on("POST", "/api/apps/<appID>/users", accounts.sign_up)
app.on("GET", "/api/apps/<appID>/users/<user>", accounts.get)

group = "/api/apps/<appID>/groups/<group>"
app.on("POST", "/api/apps/<appID>/groups", groups.create)
app.on("GET", "/api/apps/<appID>/groups", groups.of)
app.on("PUT", group, groups.create)
app.on("GET", group, groups.get)
app.on("DELETE", group, groups.delete)
app.on("PUT", f"{group}/name", groups.rename)
app.on("PUT", f"{group}/owner", groups.hand_over)
app.on("GET", f"{group}/members", groups.list_members)
app.on("PUT", f"{group}/members/<member>", groups.add_member)
app.on("DELETE", f"{group}/members/<member>", groups.remove_member)

handler = app.handle
