"""accounts: sign-up, tokens, users, groups, the scopes' access lists, the app's parameters."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import accounts


@dataclass(frozen=True, slots=True)
class AccountsSettings:
    apps_table: str
    accounts_table: str
    members_table: str
    installations_table: str
    recipients_table: str
    sweep_queue_url: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(AccountsSettings)
accounts.declare(app)

handler = app.handle
