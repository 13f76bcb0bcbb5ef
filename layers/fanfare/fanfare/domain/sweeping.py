"""What sweep has to clear away: the value on the sweep queue."""

from dataclasses import dataclass

from fanfare.domain.scope import Scope, Target, TargetKind

SWEEP_DELAY_S = 30
"""Longer than an API function may run: what one still wrote to the target is there when sweep looks."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A target whose definition is about to be deleted: then, what hangs on its `ref` has to go.

    It is queued before the definition is deleted. A crash in between loses nothing; and as sweep first looks
    whether the definition is gone, it deletes nothing wrongly either.
    """

    kind: TargetKind
    scope: Scope
    name: str
    ref: str

    @property
    def app(self) -> str:
        return self.scope.app

    @property
    def target(self) -> Target:
        return Target(self.kind, self.scope, self.name, self.ref)


def sweep_of(target: Target) -> Sweep:
    return Sweep(target.kind, target.scope, target.name, target.ref)
