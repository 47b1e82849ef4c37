"""Cadence: when a group's next update is due (rule 23). Arithmetic on instants only."""

from datetime import datetime, timedelta

from tocsin.domain.policy import Cadence
from tocsin.planning.on_call.handoffs import next_firing


def span_at(cadence: Cadence, elapsed: timedelta) -> timedelta | None:
    """The interval in force that long after the cadence began; an instant on the border belongs to the next span,
    and the last span goes on for ever. None for a cron or an empty cadence.
    """
    begins = timedelta(0)
    for span in cadence.spans:
        if span.lasts is None or elapsed < begins + span.lasts:
            return span.every
        begins += span.lasts
    return cadence.spans[-1].every if cadence.spans else None


def next_due(cadence: Cadence, last_at: datetime, began_at: datetime) -> datetime | None:
    """When the update after the one of `last_at` is due; None when only changes are told.

    An interval counts from the last send, whatever its reason; a cron fires on the wall clock, whatever was sent.
    """
    if cadence.cron:
        return next_firing(cadence.cron, cadence.timezone, last_at)
    span = span_at(cadence, max(last_at - began_at, timedelta(0)))
    return last_at + span if span is not None else None
