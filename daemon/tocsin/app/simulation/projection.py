"""The plan on a clock that jumps: asked at each instant at which something may come, from a history on.

Nothing is sent or written down; every message counts as delivered at its instant (rule 29).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.history import History
from tocsin.domain.notification import Notification
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.planning.history.versions import CHANGES_HELD_FOR
from tocsin.planning.plan import plan

SEEN_AHEAD = timedelta(days=35)
"""How far the next message is looked for when none comes sooner: a monthly cadence is seen."""
PLANS_MAX = 200_000
"""How many plans are made at most."""

Event = tuple[datetime, Callable[[History, datetime], History]]
"""An instant, and what the history becomes by what happens then."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What falls due, in the order in which it is decided, and the history after the last plan."""

    due: tuple[Due, ...]
    history: History


def project(
    history: History,
    policy: Policy,
    start: datetime,
    end: datetime,
    latest: datetime,
    events: Sequence[Event] = (),
) -> Projection:
    """Plan from `start` to `end`, and on to the first message after it, but not after `latest`.

    `events` are in time order. At one instant they come first, then the plan is made (rule 1). All instants are aware
    UTC.
    """
    due: list[Due] = []
    coming, now = list(events), start
    for _ in range(PLANS_MAX):
        while coming and coming[0][0] <= now:
            _, happen = coming.pop(0)
            history = happen(history, now)
        assert history.incident is not None
        planned = plan(history.incident, policy, history, now)
        history = planned.history
        due += planned.due
        instants = [instant for instant in (planned.next_look, coming[0][0] if coming else None) if instant]
        if not instants:
            break
        now = min(instants)
        # an update for a change bears the change's instant, and is due a hold later
        if now > latest or (
            now > end + CHANGES_HELD_FOR and any(message.notification.at > end for message in reversed(due))
        ):
            break
    return Projection(tuple(due), history)


def next_messages(history: History, policy: Policy, now: datetime, span: timedelta) -> tuple[Notification, ...]:
    """Every message from `now` on within `span` if nobody does anything more, in time order; if there is none, those
    of the first instant after it.
    """
    end = now + span
    projection = project(history, policy, now, end, now + SEEN_AHEAD)
    messages = sorted((due.notification for due in projection.due), key=lambda message: message.at)
    last = max(end, messages[0].at) if messages else end
    return tuple(message for message in messages if message.at <= last)
