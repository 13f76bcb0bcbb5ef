"""The app's parameters over HTTP: the administrator reads and sets each of them as plain text."""

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import accounts, answers, bounds, parsing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain.errors import NotAllowed, ParameterNotFound
from fanfare.domain.parameters import FIXED, Parameter, parsed
from fanfare.domain.rights.right import require_admin
from fanfare.store import apps


def read_all(request: Request[Authenticating]) -> Response[str]:
    """Answer with all values in force, including defaults."""
    caller = authenticate(request)
    require_admin(caller)
    parameters = accounts.parameters_of(request)
    own = {name.value: parameters.value(name) for name in Parameter}
    return answers.document(200, {**FIXED, **own})


def read(request: Request[Authenticating]) -> Response[str]:
    caller = authenticate(request)
    require_admin(caller)
    name = request.parameters["name"]
    if name in FIXED:
        return answers.text(_told(FIXED[name]))
    return answers.text(_told(accounts.parameters_of(request).value(_parameter(request))))


def write(request: Request[Authenticating]) -> Response[str]:
    """Set a parameter. Kii's parameters with one value here accept this value only. Raises NotAllowed,
    InvalidInput."""
    caller = authenticate(request)
    require_admin(caller)
    text = parsing.text(request, "the value", bounds.PARAMETER).strip()
    fixed = FIXED.get(request.parameters["name"])
    if fixed is None:
        name = _parameter(request)
        parsed(name, text)
        apps.set_parameter(caller.app, name, text, request.now)
    elif text != _told(fixed):
        raise NotAllowed(f"on this server the parameter is always {_told(fixed) or 'empty'}")
    return answers.empty()


def _told(value: bool | int | str) -> str:
    """Return a parameter's value as text: true, false, the number, the word."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(request: Request[Authenticating]) -> Parameter:
    """Return the path's parameter. Raises ParameterNotFound: a parameter without effect here cannot be
    set."""
    name = request.parameters["name"]
    if name not in Parameter:
        from fanfare.api import suggestions

        cure = suggestions.cure(name, list(Parameter), {}, "parameter")
        raise ParameterNotFound(f"{name[:100]}: {cure}", name=name, appID=request.app)
    return Parameter(name)
