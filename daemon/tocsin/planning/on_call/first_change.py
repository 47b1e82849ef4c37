"""When a changed rotation puts somebody else on call for the first time. `diff` asks, because the few
moments that its scenarios play may all have the same person. Must not know who is paged because of it.
"""

from collections import deque
from collections.abc import Collection, Iterator
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


def first_changes(old: Policy, new: Policy, at: datetime, names: Collection[str]) -> Iterator[FirstChange]:
    """For each of these rotations that both policies have the first instant at which another person is on call."""
    for name, rotation in new.rotations.items():
        if name in names and name in old.rotations:
            change = _first_change(old.rotations[name], rotation, at)
            if change is not None:
                yield change


def _first_change(old: Rotation, new: Rotation, at: datetime) -> FirstChange | None:
    old_spans, new_spans = (on_call_spans(rotation, at, at + AHEAD) for rotation in (old, new))
    edges = {at, *(edge for span in (*old_spans, *new_spans) for edge in (span.start, span.end))}
    was, now = deque(old_spans), deque(new_spans)
    for begins in sorted(edges):
        before, after = _person_at(was, begins), _person_at(now, begins)
        if before != after:
            return FirstChange(new.id, begins, before, after)
    return None


def _person_at(spans: deque[OnCallSpan], at: datetime) -> str | None:
    """Who is on call at an instant; spans that are over by then are dropped."""
    while spans and spans[0].end <= at:
        spans.popleft()
    return spans[0].person if spans and spans[0].start <= at else None
