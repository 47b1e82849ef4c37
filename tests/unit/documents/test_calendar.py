"""iCalendar rotations: recurrences, exceptions, zones, and whom an event names (product.md section 3)."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from daemon.documents.calendar import read, write
from daemon.domain.people import Person
from daemon.domain.problem import ProblemLevel

PEOPLE = {
    "ana": Person("ana", "Ana Souza", "ana@example.com"),
    "bo": Person("bo", "Bo", "bo@example.com"),
}
START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC)
WEIRD = """BEGIN:VTIMEZONE
TZID:Custom/Weird
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
TZNAME:W
END:STANDARD
END:VTIMEZONE
"""


def calendar(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{head}{body}END:VCALENDAR\n".encode()


def told(data: bytes) -> list[tuple[str, str, str]]:
    events, problems = read(data, "r.ics", PEOPLE, START, END)
    assert not problems, problems
    return [(each.person, f"{each.start:%m-%d %H:%M}", f"{each.end:%m-%d %H:%M}") for each in events]


BIWEEKLY = """
UID:1
DTSTART;TZID=Europe/Berlin:20261005T090000
DTEND;TZID=Europe/Berlin:20261012T090000
RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4
EXDATE;TZID=Europe/Berlin:20261019T090000
SUMMARY:On call: Ana Souza (primary)
"""


def test_recurrences_keep_the_wall_clock() -> None:
    """A biweekly event stays at 09:00 across the change of clocks, and an excepted instance is none."""
    assert told(calendar(BIWEEKLY)) == [
        ("ana", "10-05 07:00", "10-12 07:00"),
        ("ana", "11-02 08:00", "11-09 08:00"),
        ("ana", "11-16 08:00", "11-23 08:00"),
    ]


def test_moved_and_cancelled_instances() -> None:
    """A moved instance stands where it was moved to, with its own person; a cancelled one is dropped."""
    moved = """
UID:1
RECURRENCE-ID;TZID=Europe/Berlin:20261102T090000
DTSTART;TZID=Europe/Berlin:20261103T090000
DTEND;TZID=Europe/Berlin:20261104T090000
SUMMARY:bo"""
    cancelled = """
UID:1
RECURRENCE-ID;TZID=Europe/Berlin:20261116T090000
DTSTART;TZID=Europe/Berlin:20261116T090000
DTEND;TZID=Europe/Berlin:20261123T090000
STATUS:CANCELLED
SUMMARY:Ana Souza"""
    assert told(calendar(BIWEEKLY, moved, cancelled)) == [
        ("ana", "10-05 07:00", "10-12 07:00"),
        ("bo", "11-03 08:00", "11-04 08:00"),
    ]


def test_all_day_events_follow_the_calendars_zone() -> None:
    """An all-day event is that day in X-WR-TIMEZONE, else in UTC."""
    event = "UID:2\nDTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203\nSUMMARY:BO@example.com"
    assert told(calendar(event)) == [("bo", "12-01 00:00", "12-03 00:00")]
    assert told(calendar(event, head="X-WR-TIMEZONE:America/New_York\n")) == [("bo", "12-01 05:00", "12-03 05:00")]


def test_an_unknown_zone_is_its_vtimezone() -> None:
    """A TZID that nobody knows means what the file's own VTIMEZONE says."""
    event = "UID:3\nDTSTART;TZID=Custom/Weird:20261210T090000\nDTEND;TZID=Custom/Weird:20261210T100000\nSUMMARY:ana"
    assert told(calendar(event, head=WEIRD)) == [("ana", "12-10 06:00", "12-10 07:00")]


@pytest.mark.parametrize(
    ("summary", "attendee", "person"),
    [
        ("ANA", "", "ana"),
        ("ana souza", "", "ana"),
        ("Primary: ANA SOUZA until noon", "", "ana"),
        ("ana@EXAMPLE.com", "", "ana"),
        ("On call", "ATTENDEE;CN=Ana Souza:mailto:x@example.com", "ana"),
        ("On call", "ATTENDEE:MAILTO:bo@example.com", "bo"),
    ],
)
def test_whom_an_event_names(summary: str, attendee: str, person: str) -> None:
    """By id, full name (also inside a longer summary) or email, in any case; else by an attendee."""
    event = f"UID:4\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z\nSUMMARY:{summary}\n{attendee}"
    assert told(calendar(event)) == [(person, "12-10 09:00", "12-10 10:00")]


def test_an_event_that_names_nobody_is_told() -> None:
    """It is left out with a warning at its line; a name inside another word is no name."""
    event = "UID:5\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z\nSUMMARY:Bobsled"
    events, problems = read(calendar(event), "r.ics", PEOPLE, START, END)
    assert not events
    assert [(each.code, each.level, each.line) for each in problems] == [
        ("calendar-event-nobody", ProblemLevel.WARNING, 9)
    ]


@pytest.mark.parametrize("data", [b"", b"garbage", b"BEGIN:VCALENDAR\n", b"\xff\xfe\x00", b"BEGIN:VEVENT\nEND:VEVENT"])
def test_what_is_no_calendar_is_a_problem(data: bytes) -> None:
    """Nothing is raised, nobody is on call, and people are told."""
    events, problems = read(data, "r.ics", PEOPLE, START, END)
    assert not events
    assert problems


def test_what_is_written_reads_back() -> None:
    """A calendar for applications has CRLF lines, stable ids, and says the same when read."""
    span = (START, START + timedelta(days=7))
    data = write([("platform", PEOPLE["ana"], *span)], START)
    assert b"\r\n" in data
    assert data == write([("platform", PEOPLE["ana"], *span)], START)
    event = Calendar.from_ical(data).walk("VEVENT")[0]
    assert (event["DTSTART"].dt, event["DTEND"].dt) == span
    events, _ = read(data, "r.ics", PEOPLE, START - timedelta(days=1), END)
    assert [(each.person, each.start, each.end) for each in events] == [("ana", *span)]
