"""Foresight: what would be said from a history on if nobody did anything more. The plan on a clock that jumps, like a
rehearsal, but it begins with what has happened.

It decides how far to look; it must not know how messages read.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import History
from tocsin.domain.notification import Notification
from tocsin.domain.policy import Policy
from tocsin.planning.history.versions import HOLD
from tocsin.planning.plan import plan

FAR = timedelta(days=35)
"""How far is looked for the next message when none comes within the span: a monthly cadence is seen."""
LOOKS_MAX = 20_000
"""How many plans are made at most."""


def ahead(history: History, policy: Policy, now: datetime, span: timedelta) -> tuple[Notification, ...]:
    """Every message from `now` on within `span`, in time order; if there is none, those of the first instant after."""
    assert history.incident is not None
    found: list[Notification] = []
    look: datetime | None = now
    end = now + span
    for _ in range(LOOKS_MAX):
        assert look is not None
        made = plan(history.incident, policy, history, look)
        found += [due.notification for due in made.due]
        history, look = made.history, made.next_look
        if look is None or look > now + FAR or (look > end + HOLD and found):
            break
    found.sort(key=lambda each: each.at)
    last = max(end, found[0].at) if found else end
    return tuple(each for each in found if each.at <= last)
