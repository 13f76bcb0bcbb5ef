"""The end of a user, and of a user's sessions."""

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain.errors import NotAllowed
from fanfare.domain.rights import require_self
from fanfare.domain.sweeping import SWEEP_DELAY_S, UserSweep
from fanfare.runtime import queues, wire
from fanfare.runtime.queues import Outgoing
from fanfare.store import accounts, open_sessions, recipients
from fanfare.store.accounts import User


def delete(request: Request[Sweeping]) -> Response[str]:
    """Marked first: no install, no subscription and no delivery finds the user from then on.

    What hangs on the user goes later. It is queued before the mark, so that a crash, wherever it comes, ends
    in the deletion or in nothing.
    """
    found = _own(request)
    sweep = Outgoing(wire.encode(UserSweep(found.app, found.id)), delay_s=SWEEP_DELAY_S)
    queues.send_all(request.settings.sweep_queue_url, [sweep])
    recipients.mark_deleting(found.app, found.id, request.now)
    accounts.delete(found.app, found.id)
    open_sessions.end_all(found.app, found.id)
    return answers.empty()


def end_sessions(request: Request[Authenticating]) -> Response[str]:
    """Added to Kii: every session of the user ends, this one too. Raises NotAllowed for a pseudo user."""
    found = _own(request)
    if found.is_pseudo:
        raise NotAllowed("a pseudo user whose session ends is lost; delete the user instead")
    open_sessions.end_all(found.app, found.id)
    return answers.empty()


def _own(request: Request[Authenticating]) -> User:
    """Raises UserNotFound, NotPermitted."""
    caller = authenticate(request)
    found = addressing.user(caller, request.parameters["user"])
    require_self(caller, found.id)
    return found
