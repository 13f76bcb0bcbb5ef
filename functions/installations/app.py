"""installations: device tokens and their owners."""

from dataclasses import dataclass

from fanfare.api.router import Api
from fanfare.api.routes import installations


@dataclass(frozen=True, slots=True)
class InstallationsSettings:
    apps_table: str
    accounts_table: str
    installations_table: str
    recipients_table: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(InstallationsSettings)
installations.declare(app)

handler = app.handle
