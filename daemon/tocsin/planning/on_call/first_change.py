"""Turns: when somebody else is on call for the first time because a rotation changed. For changes that the situations'
few moments don't show. Must not know who is paged because of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Rotation
from tocsin.planning.on_call.shifts import on_call_spans

AHEAD = timedelta(days=60)
"""How far ahead turns are compared."""


@dataclass(frozen=True, slots=True)
class FirstChange:
    """From `at` on the rotation has `after` on call, no longer `before`; None is a gap."""

    rotation: str
    at: datetime
    before: str | None
    after: str | None


def first_changes(old: Policy, new: Policy, at: datetime) -> Iterator[FirstChange]:
    """For each rotation of both policies the first instant at which another person is on call."""
    for name, rotation in new.rotations.items():
        if name in old.rotations:
            turn = _first(old.rotations[name], rotation, at)
            if turn is not None:
                yield turn


def _first(old: Rotation, new: Rotation, at: datetime) -> FirstChange | None:
    was, now = (on_call_spans(rotation, at, at + AHEAD) for rotation in (old, new))
    moments = sorted({at, *(moment for each in (*was, *now) for moment in (each.start, each.end))})
    for moment in moments[:-1] if len(moments) > 1 else ():
        before, after = (
            next((each.person for each in side if each.start <= moment < each.end), None) for side in (was, now)
        )
        if before != after:
            return FirstChange(new.id, moment, before, after)
    return None
