"""Sign-up, tokens, users, groups, the scopes' access lists, the app's parameters."""

from fanfare.api import access, account_changes, account_deletion, accounts, app_parameters, groups, login
from fanfare.api import admin_sessions as sessions
from fanfare.api.request import Sweeping
from fanfare.api.router import Api


def declare[S: Sweeping](app: Api[S]) -> None:
    app.on("POST", "/api/oauth2/token", login.token)
    app.on("POST", "/api/apps/<appID>/oauth2/token", login.token)
    app.on("POST", "/api/apps/<appID>/users", accounts.sign_up)

    user = "/api/apps/<appID>/users/<user>"
    app.on("GET", user, accounts.get)
    app.on("POST", user, account_changes.update)
    app.on("DELETE", user, account_deletion.delete)
    app.on("PUT", f"{user}/password", account_changes.change_password)
    app.on("PUT", f"{user}/email-address", account_changes.change_email)
    app.on("PUT", f"{user}/phone-number", account_changes.change_phone)
    app.on("DELETE", f"{user}/sessions", account_deletion.end_sessions)
    parameters = "/api/apps/<appID>/configuration/parameters"
    app.on("GET", parameters, app_parameters.read_all)
    app.on("GET", f"{parameters}/<name>", app_parameters.read)
    app.on("PUT", f"{parameters}/<name>", app_parameters.write)

    app.on("GET", "/api/apps/<appID>/admin/sessions", sessions.of)
    app.on("DELETE", "/api/apps/<appID>/admin/sessions", sessions.end_all)
    app.on("DELETE", "/api/apps/<appID>/admin/sessions/<session>", sessions.end_one)

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

    for scope in ("/api/apps/<appID>", user, group):
        access.serve(app, scope)
