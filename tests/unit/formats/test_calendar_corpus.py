"""Calendars as real applications export them: each with what it means, to the minute (`docs/behaviour.md`, Turns).

The files of `tests/data/calendars` are written by hand after the forms that each application uses; the people are
invented. What a file means stands beside it here.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.domain.people import Person
from tocsin.formats.calendar.read import read_calendar

DATA = Path(__file__).parents[2] / "data" / "calendars"
PEOPLE = {
    "ana": Person("ana", "Ana Souza", "ana@example.com"),
    "bo": Person("bo", "Bo Berg", "bo@example.com"),
    "chen": Person("chen", "Chen Wu", "chen@example.com"),
}
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
START, END = NOW - timedelta(days=60), NOW + timedelta(days=400)

MEANT: dict[str, tuple[list[str], list[str]]] = {
    # all-day weeks end before DTEND's day; an instance moved and given away; one cancelled, one excepted
    "google": (
        [
            "ana  2026-11-01 23:00 2026-11-08 23:00",
            "bo   2026-11-16 23:00 2026-11-19 23:00",
            "chen 2026-11-23 08:00 2026-11-23 16:00",
            "chen 2026-11-30 08:00 2026-11-30 16:00",
            "ana  2026-12-27 23:00 2027-01-03 23:00",
        ],
        [],
    ),
    # a Windows zone with its VTIMEZONE: 09:00 on the wall, in summer as in winter; folded, escaped, with a language
    "outlook": (
        ["bo   2026-10-19 07:00 2026-10-26 08:00", "bo   2026-10-26 08:00 2026-11-02 08:00",
         "ana  2026-11-02 00:00 2026-11-03 00:00"],
        [],
    ),
    # a Windows zone and one that only its maker knows, both without VTIMEZONE
    "exchange": (
        ["ana  2026-11-02 08:00 2026-11-09 08:00", "bo   2026-11-09 09:00 2026-11-16 09:00"],
        ['platform.ics:12:1: warning: unknown timezone "Customized Time Zone" without a VTIMEZONE; '
         "the zone of the calendar (UTC) is taken"],
    ),
    # the last working day of each month; the alarm's words name nobody
    "apple": (
        [f"ana  {day} 08:00 {after} 08:00" for day, after in (
            ("2026-11-30", "2026-12-01"), ("2026-12-31", "2027-01-01"), ("2027-01-29", "2027-01-30"))],
        [],
    ),
    # who is on call stands in the summary, else among the attendees
    "pagerduty": (
        ["ana  2026-11-02 08:00 2026-11-09 08:00", "bo   2026-11-09 08:00 2026-11-16 08:00"],
        [],
    ),
    # a zone of its own making; RDATE adds, a period as RDATE has its own end; who follows takes over for good
    "nextcloud": (
        ["ana  2026-11-02 05:00 2026-11-02 17:00", "ana  2026-11-10 05:00 2026-11-10 17:00",
         "ana  2026-11-20 05:00 2026-11-20 07:00", "bo   2026-12-01 20:00 2026-12-01 22:00",
         "bo   2026-12-02 20:00 2026-12-02 22:00", "chen 2026-12-03 22:00 2026-12-03 23:00",
         "chen 2026-12-04 22:00 2026-12-04 23:00"],
        [],
    ),
    # what cannot be meant so is told with its place, never passed over
    "doubtful": (
        ["ana  2026-11-02 08:00 2026-11-03 08:00", "bo   2026-11-04 08:00 2026-11-05 08:00",
         "ana  2026-11-09 00:00 2026-11-10 00:00", "chen 2026-11-16 08:00 2026-11-16 10:00"],
        ['platform.ics:8:1: warning: the event "Ana Souza / Bo Berg" names ana and bo; ana is taken, who stands first; '
         "write an event for each",
         'platform.ics:14:1: warning: the event "Primary" names bo and chen; bo is taken, who stands first; '
         "write an event for each",
         'platform.ics:22:1: warning: the event "Platform team" names nobody in the config; write a person\'s id, '
         "full name or email there",
         'platform.ics:27:1: warning: the event "Ana Souza (no end)" lasts no time; give it an end',
         'platform.ics:29:1: warning: the event "Bo Berg" cannot be read and is left out: it ends before it starts',
         "platform.ics:41:1: warning: EXRULE is not read (RFC 5545 has none); write EXDATE"],
    ),
}  # fmt: skip


def meaning(data: bytes, people: dict[str, Person] = PEOPLE) -> tuple[list[str], list[str]]:
    events, problems = read_calendar(data, "platform.ics", people, START, END)
    shown = [f"{each.person:4} {each.start:%Y-%m-%d %H:%M} {each.end:%Y-%m-%d %H:%M}" for each in events]
    return shown, [str(each) for each in sorted(problems, key=lambda each: each.line)]


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_calendar_means_what_its_application_shows(name: str, ends: bytes) -> None:
    """Each application's forms, with either line end: the same people at the same instants, and every doubt told."""
    data = (DATA / f"{name}.ics").read_bytes().replace(b"\n", ends)
    found, told = meaning(data)
    expected, doubts = MEANT[name]
    assert found[: len(expected)] == expected
    assert name == "apple" or len(found) == len(expected)
    assert told == doubts


def one(*lines: str) -> bytes:
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\n"
    return (head + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n").encode()


HOUR = ("DTSTART:20261102T080000Z", "DTEND:20261102T090000Z")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (one(*HOUR, "SUMMARY:ana", "RRULE:FREQ=SECONDLY"), "calendar-event-unreadable"),
        (one("DTSTART:19700101T000000Z", "DURATION:PT1S", "SUMMARY:ana", "RRULE:FREQ=MINUTELY"),
         "calendar-event-unreadable"),
        (one(*HOUR, "SUMMARY:ana", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,31"), "calendar-event-unreadable"),
        (one(*HOUR, "SUMMARY:ana", "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))), "calendar-event-unreadable"),
        (one(*HOUR, "SUMMARY:ana", "EXDATE:" + ",".join(["20261109T080000Z"] * 50_000)), "calendar-unreadable"),
        (b"BEGIN:VCALENDAR\n" * 100_000 + b"END:VCALENDAR\n" * 100_000, "calendar-unreadable"),
        (one(*HOUR, "SUMMARY:nobody", *["ATTENDEE;CN=x:mailto:x@example.com"] * 100_000), "calendar-event-nobody"),
        (one(*HOUR, "SUMMARY:nobody", "DESCRIPTION:" + "words\n " * 1_000_000), "calendar-event-nobody"),
    ],
    ids=["secondly", "minutely", "never", "hourly", "exdates", "nested", "attendees", "10 MB"],
)  # fmt: skip
def test_bombs_are_defused(data: bytes, code: str) -> None:
    """What would take minutes to read is refused or left aside at once, with a word."""
    began = time.process_time()
    _, problems = read_calendar(data, "platform.ics", PEOPLE, START, END)
    assert time.process_time() - began < 1.5
    assert code in [each.code for each in problems]


def test_series_that_ended_long_ago_cost_nothing() -> None:
    """A calendar that holds ten years of ended series is no calendar that is too long."""
    ended = [
        f"BEGIN:VEVENT\nUID:{number}\nDTSTART:20160104T080000Z\nDTEND:20160104T100000Z\n"
        "RRULE:FREQ=DAILY;UNTIL=20170104T080000Z\nSUMMARY:ana\nEND:VEVENT\n"
        for number in range(100)
    ]
    data = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{''.join(ended)}END:VCALENDAR\n".encode()
    assert meaning(data) == ([], [])
