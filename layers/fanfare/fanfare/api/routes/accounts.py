"""Sign-up, tokens, users, groups, the scopes' access lists, the app's parameters."""

from fanfare.api import access, account_changes, account_deletion, accounts, app_parameters, groups, login
from fanfare.api import admin_sessions as sessions
from fanfare.api.request import Sweeping
from fanfare.api.router import Api


def declare[S: Sweeping](app: Api[S]) -> None:
    app.on("POST", "/api/oauth2/token", login.token, body=True)
    app.on("POST", "/api/apps/<appID>/oauth2/token", login.token, body=True)
    app.on("POST", "/api/apps/<appID>/users", accounts.sign_up, body=True)

    user = "/api/apps/<appID>/users/<user>"
    app.on("GET", user, accounts.get)
    app.on("POST", user, account_changes.update, body=True)
    app.on("DELETE", user, account_deletion.delete)
    app.on("PUT", f"{user}/password", account_changes.change_password, body=True)
    app.on("PUT", f"{user}/email-address", account_changes.change_email, body=True)
    app.on("PUT", f"{user}/phone-number", account_changes.change_phone, body=True)
    app.on("DELETE", f"{user}/sessions", account_deletion.end_sessions)
    parameters = "/api/apps/<appID>/configuration/parameters"
    app.on("GET", parameters, app_parameters.read_all)
    app.on("GET", f"{parameters}/<name>", app_parameters.read)
    app.on("PUT", f"{parameters}/<name>", app_parameters.write, body=True)

    app.on("GET", "/api/apps/<appID>/admin/sessions", sessions.of)
    app.on("DELETE", "/api/apps/<appID>/admin/sessions", sessions.end_all)
    app.on("DELETE", "/api/apps/<appID>/admin/sessions/<session>", sessions.end_one)

    group = "/api/apps/<appID>/groups/<group>"
    app.on("POST", "/api/apps/<appID>/groups", groups.create, body=True)
    app.on("GET", "/api/apps/<appID>/groups", groups.of)
    app.on("PUT", group, groups.create, body=True)
    app.on("GET", group, groups.get)
    app.on("DELETE", group, groups.delete)
    app.on("PUT", f"{group}/name", groups.rename, body=True)
    app.on("PUT", f"{group}/owner", groups.hand_over, body=True)
    app.on("GET", f"{group}/members", groups.list_members)
    app.on("PUT", f"{group}/members/<member>", groups.add_member)
    app.on("DELETE", f"{group}/members/<member>", groups.remove_member)

    for scope in ("/api/apps/<appID>", user, group):
        access.serve(app, scope)
