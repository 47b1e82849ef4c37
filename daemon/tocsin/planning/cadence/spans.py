"""When the update after another one is due (rule 23), and how the spans of a cadence follow one another. Decides
instants from the history and the cadence alone.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import GroupHistory, History
from tocsin.domain.policy import Cadence
from tocsin.planning.on_call.handoffs import next_firing

WITHOUT_CADENCE = timedelta(minutes=30)
"""One span of a group that has no cadence (rule 56)."""
LOOKED_BACK = timedelta(minutes=1)
"""How far back firings of a cron are looked for: what is later found is late (rule 4)."""


def cadence_start(history: History, since: datetime) -> datetime:
    """From when a group's slowing spans count: the latest of the declaration or reopening, the last change of severity,
    and `since`, when the group became concerned (rule 23).
    """
    assert history.started_at is not None
    assert history.severity_changed_at is not None
    return max(history.started_at, history.severity_changed_at, since)


def span_at(cadence: Cadence, elapsed: timedelta) -> timedelta | None:
    """The interval in force that long after the spans began; an instant on the border belongs to the next span, and
    the last span goes on for ever. None for a cron or an empty cadence.
    """
    begins = timedelta(0)
    for span in cadence.spans:
        if span.lasts is None or elapsed < begins + span.lasts:
            return span.every
        begins += span.lasts
    return cadence.spans[-1].every if cadence.spans else None


def next_due(cadence: Cadence, last_at: datetime, started_at: datetime) -> datetime | None:
    """When the update after the one of `last_at` is due; None when only changes are told.

    An interval counts from the last send, whatever its reason; a cron fires on the wall clock, whatever was sent.
    """
    if cadence.cron:
        return next_firing(cadence.cron, cadence.timezone, last_at)
    span = span_at(cadence, last_at - started_at)
    return last_at + span if span is not None else None


def next_due_of(known: GroupHistory, cadence: Cadence, history: History) -> datetime | None:
    """When a group that was told hears next. An external group hears nothing of a change of severity, so what it was
    promised before that stands; if nothing was, its cadence counts from the change.
    """
    last_at, changed_at = known.last_at, history.severity_changed_at
    assert changed_at is not None
    if known.external and changed_at > last_at:
        if known.promised_at is not None:
            return known.promised_at
        last_at = changed_at
    return next_due(cadence, last_at, cadence_start(history, known.since))


def end_of_span(cadence: Cadence, begins_at: datetime, started_at: datetime) -> datetime:
    """When a span ends that begins then, also where there is no cadence."""
    return next_due(cadence, begins_at, started_at) or begins_at + WITHOUT_CADENCE


def newest_end(cadence: Cadence, last_at: datetime, started_at: datetime, now: datetime) -> datetime:
    """The newest instant up to now at which a span ended, of those that follow one another from `last_at` on; else the
    first one ahead.
    """
    if cadence.cron:
        last_at = max(last_at, now - LOOKED_BACK)
    end = end_of_span(cadence, last_at, started_at)
    while (following := end_of_span(cadence, end, started_at)) <= now:
        length = following - end
        steady = not cadence.cron and end_of_span(cadence, now, started_at) - now == length
        end += length * ((now - end) // length) if steady else length  # months may have gone
    return end
