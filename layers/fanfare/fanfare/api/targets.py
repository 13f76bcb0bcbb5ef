"""Topics and buckets alike: found, created and deleted, with the contract's refusals."""

from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput
from fanfare.domain.naming import names_object, names_target, rule_of
from fanfare.domain.object import Object
from fanfare.domain.rights.caller import Caller
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.domain.sweeping import SWEEP_DELAY_S, sweep_of
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import definitions, objects
from fanfare.store.definitions import Definition

_NAMES = {TargetKind.TOPIC: "1 to 64", TargetKind.BUCKET: "2 to 64"}


def find(kind: TargetKind, scope: Scope, name: str) -> Definition:
    """Return the topic or bucket; raises TopicNotFound, BucketNotFound."""
    found = definitions.find(kind, scope, name) if names_target(kind, name) else None
    if found is None:
        raise refusals.no_target(kind, scope, name)
    return found


def find_object(bucket: Target, object_id: str) -> Object:
    """Return the object; raises ObjectNotFound."""
    found = objects.find(bucket, object_id) if names_object(object_id) else None
    if found is None:
        raise refusals.no_object(bucket, object_id)
    return found


def create(kind: TargetKind, scope: Scope, name: str, caller: Caller, now: int) -> Definition:
    """Create the topic or bucket; raises InvalidInput, TopicAlreadyExists, BucketAlreadyExists."""
    require_name(kind, name)
    made = definitions.create(kind, scope, name, caller.user, now)
    if made is None:
        raise refusals.target_exists(kind, scope, name)
    return made


def require_name(kind: TargetKind, name: str) -> None:
    """Raise InvalidInput if the name is not valid for its kind."""
    if not names_target(kind, name):
        raise InvalidInput(f"{kind}ID: not a name that a {kind} can have; {rule_of(kind)}")


def delete(definition: Definition, sweep_queue_url: str) -> None:
    """Delete the definition now and its other rows later, which are queued first, so that a crash loses
    nothing."""
    sweep = Outgoing(codec.encode(sweep_of(definition.target)), delay_s=SWEEP_DELAY_S)
    queues.send_all(sweep_queue_url, [sweep])
    definitions.delete(definition.target)
