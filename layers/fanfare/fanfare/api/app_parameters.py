"""The app's parameters over HTTP: read and set by the administrator, each as plain text."""

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import accounts, answers, bounds, parsing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain.errors import ParameterNotFound
from fanfare.domain.parameters import Parameter, parsed
from fanfare.domain.rights import require_admin
from fanfare.store import apps


def read_all(request: Request[Authenticating]) -> Response[str]:
    """What holds now, also where nothing was set."""
    caller = authenticate(request)
    require_admin(caller)
    parameters = accounts.parameters_of(request)
    return answers.document(200, {name: parameters.value(name) for name in Parameter})


def read(request: Request[Authenticating]) -> Response[str]:
    caller = authenticate(request)
    require_admin(caller)
    name = _name(request)
    value = accounts.parameters_of(request).value(name)
    return answers.text(str(value).lower())


def write(request: Request[Authenticating]) -> Response[str]:
    caller = authenticate(request)
    require_admin(caller)
    name = _name(request)
    text = parsing.text(request, "the value", bounds.PARAMETER).strip()
    parsed(name, text)
    apps.set_parameter(caller.app, name, text, request.now)
    return answers.empty()


def _name(request: Request[Authenticating]) -> Parameter:
    """Raises ParameterNotFound: what has no effect here cannot be set, either."""
    name = request.parameters["name"]
    if name not in Parameter:
        from fanfare.api import names

        cure = names.cure(name, list(Parameter), {}, "parameter")
        raise ParameterNotFound(f"{name[:100]}: {cure}", name=name, appID=request.app)
    return Parameter(name)
