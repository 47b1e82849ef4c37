"""When a changed rotation puts somebody else on call for the first time. `diff` asks, because the few
moments that its scenarios play may all have the same person. Must not know who is paged because of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Rotation
from tocsin.planning.on_call.shifts import OnCallSpan, on_call_spans

AHEAD = timedelta(days=60)
"""How far ahead it is compared who is on call."""


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
            change = _first_change(old.rotations[name], rotation, at)
            if change is not None:
                yield change


def _first_change(old: Rotation, new: Rotation, at: datetime) -> FirstChange | None:
    old_spans, new_spans = (on_call_spans(rotation, at, at + AHEAD) for rotation in (old, new))
    for begins in sorted({at, *(edge for span in (*old_spans, *new_spans) for edge in (span.start, span.end))}):
        before, after = _person_at(old_spans, begins), _person_at(new_spans, begins)
        if before != after:
            return FirstChange(new.id, begins, before, after)
    return None


def _person_at(spans: tuple[OnCallSpan, ...], at: datetime) -> str | None:
    return next((span.person for span in spans if span.start <= at < span.end), None)
