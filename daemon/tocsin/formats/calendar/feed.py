"""Stretches on call as an iCalendar file (RFC 5545, RFC 7986) for Google Calendar, Outlook and Apple Calendar.

Decides how a stretch looks in somebody's calendar, and that it stays the same event there as long as it is the same
stretch. `read` reads it back. Must not know who is on call when.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from tocsin.domain.people import Person

REFRESH = timedelta(hours=1)
"""How often an application that subscribes should look again."""


def write_calendar(
    events: Sequence[tuple[str, Person, datetime, datetime]], stamp: datetime, name: str = "On call"
) -> bytes:
    """A calendar of (rotation, person, start, end) stretches, in UTC, as RFC 5545 bytes: CRLF, lines of 75 octets at
    most. The same stretches give the same bytes. A stretch is known by its rotation, person and start: one whose end
    moves is updated by a calendar application, not doubled. `stamp` is when this was made; `name` the calendar's.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//tocsin//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for rotation, person, start, end in events:
        event = Event()
        event.add("uid", f"{rotation}.{person.id}.{start.astimezone(UTC):%Y%m%dT%H%M%SZ}@tocsin")
        event.add("dtstamp", stamp.astimezone(UTC))
        event.add("dtstart", start.astimezone(UTC))
        event.add("dtend", end.astimezone(UTC))
        event.add("summary", f"{person.name} on call: {rotation}")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
