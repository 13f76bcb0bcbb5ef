"""Deletion of a user, and the end of a user's sessions."""

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers, parsing, sessions
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain.errors import NotAllowed
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import require_self
from fanfare.domain.sweeping import SWEEP_DELAY_S, UserSweep
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import accounts, installations, open_sessions, recipients
from fanfare.store.accounts import User


def delete(request: Request[Sweeping]) -> Response[str]:
    """Delete the user. After the mark, no install, subscription or delivery finds the user.

    The user's other rows go later. Their deletion is queued before the mark, so that a crash at any point
    results in the whole deletion or in none.
    """
    _, found = _own(request)
    sweep = Outgoing(codec.encode(UserSweep(found.app, found.id)), delay_s=SWEEP_DELAY_S)
    queues.send_all(request.settings.sweep_queue_url, [sweep])
    recipients.mark_deleting(found.app, found.id, request.now)
    accounts.delete(found.app, found.id)
    open_sessions.end(found.app, found.id, lambda _: True)
    return answers.empty()


def end_sessions(request: Request[Sweeping]) -> Response[str]:
    """End every session of the user, this one included, and delete the user's devices; an addition to Kii.

    A lost phone would go on receiving pushes; one in its owner's hands installs again at its next start. The
    session of the request ends last, so that it can repeat a failed request. Raises NotAllowed for a pseudo
    user.
    """
    caller, found = _own(request)
    keep = request.query.get("keepDevices", "false")
    if keep not in ("true", "false"):
        raise parsing.not_one_of("keepDevices", keep, ["true", "false"])
    if found.is_pseudo:
        raise NotAllowed("a pseudo user is lost without a session; delete the user instead")
    sessions.end(request, found.app, found.id, keep=caller.session)
    if keep == "false":
        installations.remove_all(found.app, found.id)
    if caller.user == found.id and caller.session is not None:
        open_sessions.end_family(found.app, found.id, caller.session)
    return answers.empty()


def _own(request: Request[Authenticating]) -> tuple[Caller, User]:
    """Return caller and user; raises UserNotFound, NotPermitted."""
    caller = authenticate(request)
    found = addressing.user(caller, request.parameters["user"])
    require_self(caller, found.id)
    return caller, found
