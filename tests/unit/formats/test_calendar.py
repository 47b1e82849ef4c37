"""iCalendar rotations: recurrences, exceptions, zones, and whom an event names (`docs/behaviour.md`, Turns)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar, vDDDTypes
from tocsin.domain.people import Person
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.calendar.feed import write_calendar
from tocsin.formats.calendar.instances import Instances
from tocsin.formats.calendar.read import read_calendar

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
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
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
    events, problems = read_calendar(calendar(event), "r.ics", PEOPLE, START, END)
    assert not events
    assert [(each.code, each.level, each.line) for each in problems] == [
        ("calendar-event-nobody", ProblemLevel.WARNING, 9)
    ]


@pytest.mark.parametrize("data", [b"", b"garbage", b"BEGIN:VCALENDAR\n", b"\xff\xfe\x00", b"BEGIN:VEVENT\nEND:VEVENT"])
def test_what_is_no_calendar_is_a_problem(data: bytes) -> None:
    """Nothing is raised, nobody is on call, and people are told."""
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert not events
    assert problems


def test_what_is_written_reads_back() -> None:
    """A calendar for applications has CRLF lines, stable ids, and says the same when read."""
    span = (START, START + timedelta(days=7))
    data = write_calendar([("platform", PEOPLE["ana"], *span)], START)
    assert b"\r\n" in data
    assert data == write_calendar([("platform", PEOPLE["ana"], *span)], START)
    event = Calendar.from_ical(data).walk("VEVENT")[0]
    assert (event["DTSTART"].dt, event["DTEND"].dt) == span
    events, _ = read_calendar(data, "r.ics", PEOPLE, START - timedelta(days=1), END)
    assert [(each.person, each.start, each.end) for each in events] == [("ana", *span)]


def event(uid: str, *lines: str, when: str = "DTSTART:20261210T090000Z\nDTEND:20261210T100000Z") -> str:
    return "\n".join((f"UID:{uid}", when, *lines))


@pytest.mark.parametrize(
    ("lines", "person"),
    [
        (["SUMMARY:On call: Ana Souza", "ATTENDEE:mailto:bo@example.com"], "ana"),
        (["SUMMARY:chen"], "chen"),  # an id counts before another person's name
        (["SUMMARY:Primary: Jose\u0301 Li"], "jose"),  # accents may be encoded either way
        (["SUMMARY:primary", "ATTENDEE:mailto:nobody@example.com", "ATTENDEE:mailto:bo@example.com"], "bo"),
        (["SUMMARY:ask ana@example.com, please"], "ana"),
        (["SUMMARY:Ana Souza Lima"], "lima"),  # of two names at one place the longer
        (["SUMMARY:Ana So", " uza"], "ana"),  # a folded line
    ],
)
def test_which_of_several_an_event_names(lines: list[str], person: str) -> None:
    """The summary counts before attendees, ids before names, the longer name before the shorter."""
    people = {
        **PEOPLE,
        "li": Person("li", "Chen", "li@example.com"),
        "chen": Person("chen", "Chen Wu", "chen@example.com"),
        "jose": Person("jose", "Jos\u00e9 Li", "jose@example.com"),
        "lima": Person("lima", "Ana Souza Lima", "lima@example.com"),
    }
    events, problems = read_calendar(calendar(event("1", *lines)), "r.ics", people, START, END)
    assert ([each.person for each in events], problems) == ([person], ())


@pytest.mark.parametrize(
    "summary", ["x.ana@example.com", "ana@example.com.example.org", "xana@example.com", "Ana Souzas"]
)
def test_a_name_inside_another_is_no_name(summary: str) -> None:
    """The middle of another address or word names nobody."""
    events, problems = read_calendar(calendar(event("1", f"SUMMARY:{summary}")), "r.ics", PEOPLE, START, END)
    assert (events, [each.code for each in problems]) == ((), ["calendar-event-nobody"])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("UID:1\nSUMMARY:ana", "calendar-event-unreadable"),
        ("UID:1\nDTSTART:never\nSUMMARY:ana", "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=SOMETIMES", "SUMMARY:ana"), "calendar-event-unreadable"),
        (event("1", "EXDATE:never", "RRULE:FREQ=DAILY", "SUMMARY:ana"), "calendar-event-unreadable"),
        (event("1", "SUMMARY:ana", when="DTSTART:20261210T090000Z\nDURATION:P99999999D"), "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=SECONDLY", "SUMMARY:ana"), "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=MINUTELY;INTERVAL=2", "SUMMARY:ana"), "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))), "SUMMARY:ana"),
         "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "SUMMARY:ana"), "calendar-event-unreadable"),
        (event("1", "RRULE:FREQ=DAILY", "SUMMARY:ana", when="DTSTART:00010105T090000Z\nDURATION:PT1H"),
         "calendar-event-unreadable"),
    ],
)  # fmt: skip
def test_one_bad_event_spoils_no_other(bad: str, code: str) -> None:
    """What cannot be read, or would take all day to unroll, is left out with a warning; the rest is read."""
    good = event("2", "SUMMARY:bo")
    events, problems = read_calendar(calendar(bad, good), "r.ics", PEOPLE, START, END)
    assert [each.person for each in events] == ["bo"]
    assert [(each.code, each.level, each.line) for each in problems] == [(code, ProblemLevel.WARNING, 4)]


def test_events_that_share_a_uid_by_mistake_all_count() -> None:
    """Two events copied without a new UID are two; a newer version of one event replaces the older."""
    later = "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z"
    first = ("ana", "12-10 09:00", "12-10 10:00")
    second = ("bo", "12-11 09:00", "12-11 10:00")
    assert told(calendar(event("1", "SUMMARY:ana"), event("1", "SUMMARY:bo", when=later))) == [first, second]
    newer = event("1", "SEQUENCE:1", "SUMMARY:bo", when=later)
    assert told(calendar(event("1", "SEQUENCE:0", "SUMMARY:ana"), newer)) == [second]


def test_several_calendars_in_one_file() -> None:
    """A file may hold several calendars, each with a zone of its own; warnings find their line in any of them."""
    day = "DTSTART;VALUE=DATE:20261201"
    one = calendar(event("1", "SUMMARY:ana", when=day), head="X-WR-TIMEZONE:America/New_York\n")
    two = calendar(event("2", "SUMMARY:bo", when=day), event("3", "SUMMARY:who"))
    events, problems = read_calendar(one + two, "r.ics", PEOPLE, START, END)
    assert [(each.person, each.start.hour) for each in events] == [("bo", 0), ("ana", 5)]
    lines = (one + two).decode().splitlines()
    assert [lines[each.line - 1] for each in problems] == ["SUMMARY:who"]


@pytest.mark.parametrize(
    ("zone", "hour", "codes"),
    [("W. Europe Standard Time", 23, []), ("Mars/Base", 0, ["unknown-timezone"]), ("../etc", 0, ["unknown-timezone"])],
)
def test_the_calendars_zone_by_another_name(zone: str, hour: int, codes: list[str]) -> None:
    """A Windows name of a zone will do; an unknown one is UTC, with a warning at its line."""
    data = calendar(event("1", "SUMMARY:ana", when="DTSTART;VALUE=DATE:20261201"), head=f"X-WR-TIMEZONE:{zone}\n")
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert [each.start.hour for each in events] == [hour]
    assert [(each.code, each.line) for each in problems] == [(code, 4) for code in codes]


def test_a_zone_without_a_vtimezone_is_told() -> None:
    """A TZID that neither the machine nor the file knows is the calendar's zone, with a warning."""
    lost = "DTSTART;TZID=Mars/Base:20261210T090000\nDTEND;TZID=Mars/Base:20261210T100000"
    data = calendar(event("1", "SUMMARY:ana", when=lost), head="X-WR-TIMEZONE:America/New_York\n")
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert [each.start.hour for each in events] == [14]
    assert [(each.code, each.line) for each in problems] == [("unknown-timezone", 5)]


def test_all_day_events_at_the_edge_of_what_is_read() -> None:
    """An all-day event counts by the day in its own zone, also where reading begins and ends."""
    for zone, day, expected in [
        ("America/New_York", "20260831", True), ("UTC", "20260831", False),
        ("Pacific/Kiritimati", "20270901", True), ("UTC", "20270901", False),
    ]:  # fmt: skip
        data = calendar(event("1", "SUMMARY:ana", when=f"DTSTART;VALUE=DATE:{day}"), head=f"X-WR-TIMEZONE:{zone}\n")
        assert bool(read_calendar(data, "r.ics", PEOPLE, START, END)[0]) is expected


def test_warnings_are_bounded() -> None:
    """A calendar of strangers gives a few warnings and a count, not thousands."""
    _, problems = read_calendar(
        calendar(*(event(str(n), f"SUMMARY:guest {n}") for n in range(50))), "r.ics", PEOPLE, START, END
    )
    assert len(problems) == 21
    assert "30 more" in problems[-1].message


def test_too_many_events_are_refused_before_they_are_read() -> None:
    """A file of a hundred thousand events is a problem at once."""
    data = b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 100_000 + b"END:VCALENDAR\n"
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert (events, [each.code for each in problems]) == ((), ["calendar-unreadable"])


def test_too_many_instances_are_a_problem() -> None:
    """More instances than a calendar of people on call can hold are cut off, and told as an error."""
    found = Instances("r.ics", "", PEOPLE, (START, END))
    begins, ends = vDDDTypes(START), vDDDTypes(START + timedelta(hours=1))
    taken = 0
    while not found.full:
        found.take({"SUMMARY": "ana", "DTSTART": begins, "DTEND": ends}, 0, UTC)
        taken += 1
    events, problems = found.result([])
    assert (taken, len(events)) == (10_001, 10_000)
    assert [(each.code, each.level) for each in problems] == [("calendar-too-long", ProblemLevel.ERROR)]


def test_the_calendars_zone_moves_nothing_that_has_its_own() -> None:
    """Times in UTC recur in UTC whatever the calendar's zone (RFC 5545, 3.3.5); local ones keep its wall clock."""
    utc = event("1", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:ana", when="DTSTART:20261021T070000Z\nDURATION:PT1H")
    local = event("2", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:bo", when="DTSTART:20261021T120000\nDURATION:PT1H")
    assert told(calendar(utc, local, head="X-WR-TIMEZONE:Europe/Berlin\n")) == [
        ("ana", "10-21 07:00", "10-21 08:00"),
        ("bo", "10-21 10:00", "10-21 11:00"),
        ("ana", "10-28 07:00", "10-28 08:00"),
        ("bo", "10-28 11:00", "10-28 12:00"),
    ]


def one(*lines: str) -> bytes:
    """A calendar of one day's event with these lines."""
    return calendar("\n".join(("UID:1", "DTSTART:20261005T090000Z", "DTEND:20261006T090000Z", *lines)))


def test_a_cancelled_event_is_none_in_any_case() -> None:
    """Exporters write the status as they like."""
    assert told(one("SUMMARY:ana", "STATUS:Cancelled")) == []
    assert len(told(one("SUMMARY:ana", "STATUS:Confirmed"))) == 1


def test_the_last_attendee_that_is_looked_at_counts() -> None:
    """The hundredth still names somebody, the next no more."""
    strangers = [f"ATTENDEE:mailto:guest{number}@example.com" for number in range(99)]
    assert [person for person, *_ in told(one("SUMMARY:x", *strangers, "ATTENDEE:mailto:bo@example.com"))] == ["bo"]
    events, _ = read_calendar(
        one("SUMMARY:x", *strangers, "ATTENDEE:mailto:g@example.com", "ATTENDEE:mailto:bo@example.com"),
        "r.ics", PEOPLE, START, END,
    )  # fmt: skip
    assert events == ()


@pytest.mark.parametrize(
    ("summary", "person"),
    [("call: Ana Maria Souza, please", "maria"), ("call: Ana, please", "ann"), ("call: Souza tonight", "souza")],
)
def test_a_name_that_begins_or_ends_a_longer_one_is_not_meant_by_it(summary: str, person: str) -> None:
    """The longer name counts alone, whichever end they share."""
    people = {
        "ann": Person("ann", "Ana", ""),
        "souza": Person("souza", "Souza", ""),
        "maria": Person("maria", "Ana Maria Souza", ""),
    }
    events, problems = read_calendar(one(f"SUMMARY:{summary}"), "r.ics", people, START, END)
    assert ([event.person for event in events], problems) == ([person], ())


def test_of_two_people_the_one_who_stands_first_is_taken() -> None:
    """Whatever the order of the config, with a warning at the summary."""
    events, (warning,) = read_calendar(one("SUMMARY:Bo, then Ana Souza"), "r.ics", PEOPLE, START, END)
    assert [event.person for event in events] == ["bo"]
    assert (warning.code, warning.line) == ("calendar-event-ambiguous", 9)


def test_a_warning_points_at_the_event_s_own_summary() -> None:
    """Not at that of an alarm inside it."""
    alarm = ("BEGIN:VALARM", "SUMMARY:wake up", "END:VALARM")
    _, (warning,) = read_calendar(one("SUMMARY:nobody we know", *alarm), "r.ics", PEOPLE, START, END)
    assert (warning.code, warning.line) == ("calendar-event-nobody", 9)


def test_warnings_of_a_second_calendar_point_into_it() -> None:
    """Its events are counted after all those of the first, changed instances too."""
    series = "UID:1\nDTSTART:20261005T090000Z\nDTEND:20261005T100000Z\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:ana"
    moved = "UID:1\nRECURRENCE-ID:20261006T090000Z\nDTSTART:20261006T110000Z\nDTEND:20261006T120000Z\nSUMMARY:ana"
    data = calendar(series, moved) + one("SUMMARY:nobody we know")
    _, (warning,) = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert data.decode().splitlines()[warning.line - 1] == "SUMMARY:nobody we know"


def test_a_long_interval_makes_a_short_frequency_seldom() -> None:
    """Every 1440 minutes is once a day."""
    assert len(told(one("SUMMARY:ana", "RRULE:FREQ=MINUTELY;INTERVAL=1440"))) > 300


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", False),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-30", False),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-29", True),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", False),
        ("FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=31", True),
    ],
)
def test_a_day_that_no_month_has_is_refused(rule: str, read: bool) -> None:
    """It would be looked for until the year 9999; counted from the end too."""
    _, problems = read_calendar(one("SUMMARY:ana", f"RRULE:{rule}"), "r.ics", PEOPLE, START, END)
    assert (problems == ()) is read


GOOD = event("2", "SUMMARY:bo")
ODD_ZONE = "DTSTART;TZID=Odd:20261210T090000\nDTEND;TZID=Odd:20261210T100000"


def described(*rules: str, name: str = "Odd") -> str:
    """A VTIMEZONE three hours east of Greenwich, with rules for when its clock changes."""
    lines = ("DTSTART:19700101T000000", "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", *rules)
    return f"BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\n" + "\n".join(lines) + "\nEND:STANDARD\nEND:VTIMEZONE\n"


def quickly(data: bytes) -> tuple[list[str], list[str]]:
    """Whom a calendar names, and what is warned of, well within a second of the processor."""
    began = time.thread_time()
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert time.thread_time() - began < 1
    assert {problem.level for problem in problems} <= {ProblemLevel.WARNING}
    assert all(problem.message.isprintable() and len(problem.message) < 400 for problem in problems)
    return [each.person for each in events], [problem.message for problem in problems]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=1,0",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;COUNT=3\nRRULE:FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYYEARDAY=366;BYMONTH=2",
        "FREQ=DAILY;BYSETPOS=366",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=5",
        "FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=5",
        "FREQ=DAILY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=YEARLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYMONTH=13",
        "COUNT=3",
    ],
)
def test_a_rule_that_would_not_end_is_left_out(rule: str) -> None:
    """C1, C4: one that stands still, or looks for a day that never comes until the year 9999, costs its own event."""
    people, messages = quickly(calendar(event("1", "SUMMARY:ana", f"RRULE:{rule}"), GOOD))
    assert people == ["bo"]
    assert [message.partition(" is left out: ")[0] for message in messages] == ['the event "ana" cannot be read and']


def test_rules_that_are_usual_are_read() -> None:
    """C1, C4: what bounds the others leaves these alone."""
    for rule, count in {
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": 10,
        "FREQ=MONTHLY;BYDAY=1MO,-1FR": 18,
        "FREQ=YEARLY;BYDAY=20MO": 2,
        "FREQ=YEARLY;BYMONTH=12;BYDAY=2TH": 1,
        "FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=2": 38,
        "FREQ=WEEKLY;INTERVAL=1;COUNT=3": 3,
    }.items():
        people, messages = quickly(calendar(event("1", "SUMMARY:ana", f"RRULE:{rule}")))
        assert (len(people), messages) == (count, []), rule


@pytest.mark.parametrize("name", ["RDATE", "EXDATE"])
def test_dates_without_an_end_are_left_out(name: str) -> None:
    """C4: an event may list many dates, and no more."""
    several = [f"{name}:" + ",".join(["20261211T090000Z"] * 3000)] * 4
    people, (message,) = quickly(calendar(event("1", "SUMMARY:ana", "RRULE:FREQ=DAILY;COUNT=2", *several), GOOD))
    assert people == ["bo"]
    assert "over 10,000 dates" in message


@pytest.mark.parametrize(
    "rules",
    [
        ["RRULE:FREQ=MINUTELY"],
        ["rrule:FREQ=MINUTELY"],
        ["RRULE:FREQ=YEARLY", "RRULE:FREQ=MINUTELY"],
        ["RRULE:FREQ=SECONDLY;COUNT=99999999"],
        ["RRULE:FREQ=YEARLY;INTERVAL=0"],
        ["RRULE:FREQ=YEARLY;INTERVAL=2"],
        ["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
        ["RRULE:FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2,3"],
        ["RRULE:FREQ=YEARLY;BYMONTH=1,2,3;BYMONTHDAY=" + ",".join(map(str, range(1, 31)))],
        ["EXRULE:FREQ=MINUTELY"],
        ["RDATE:" + ",".join(["19800101T000000"] * 600)],
        ["TZOFFSETTO:+9900"],
        ["TZID:Other"],
        ["RRULE:FREQ=YEARLY;UNTIL=x"],
    ],
)
def test_a_zone_whose_clock_never_rests_is_not_read(rules: list[str]) -> None:
    """C2: its events are taken in the calendar's own zone, with a warning; the others count, and so does a good zone of
    the same name in the next file.
    """
    bad = calendar(event("1", "SUMMARY:ana", when=ODD_ZONE), GOOD, head=described(*rules))
    people, messages = quickly(bad)
    assert sorted(people) == ["ana", "bo"]
    assert [message.partition(" cannot be read (")[0] for message in messages] == ['timezone "Odd"']
    yearly = described("RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=10;BYDAY=-1SU")
    assert told(calendar(event("1", "SUMMARY:ana", when=ODD_ZONE), head=yearly)) == [
        ("ana", "12-10 06:00", "12-10 07:00")
    ]
    assert quickly(bad)[1] == messages


def test_a_zone_is_known_in_its_own_file_only() -> None:
    """C2: the library keeps zones by name for the process; the next file describes its own, or has none."""
    odd = event("1", "SUMMARY:ana", when=ODD_ZONE)
    assert told(calendar(odd, head=described())) == [("ana", "12-10 06:00", "12-10 07:00")]
    moved = described().replace("+0300", "-0500")
    assert told(calendar(odd, head=moved)) == [("ana", "12-10 14:00", "12-10 15:00")]
    assert quickly(calendar(odd))[1] == [
        'unknown timezone "Odd" without a VTIMEZONE; the zone of the calendar (UTC) is taken'
    ]


def test_zones_without_an_end() -> None:
    """C2: a file describes some zones, and a zone some changes."""
    many = "".join(described(name=f"Odd{number}") for number in range(300))
    lost = ODD_ZONE.replace("Odd", "Odd299")
    assert "over 200 zones" in quickly(calendar(event("1", "SUMMARY:ana", when=lost), head=many))[1][0]


ODD_NAMES = [
    *("Europe", "Europe:", "Etc", "", "x" * 300, "/" + "a/" * 3000, "../../etc/passwd", "/etc/passwd", "Europe/"),
    *("__init__", "tzdata.zi", "leapseconds", "Europe/Berlin,UTC", '"a,b"', "%s%n", "\x7f", "\u202e", "é"),
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_zones(name: str) -> None:
    """C3: what looks like a folder, a path or no name at all costs a warning, wherever it stands; no event is lost."""
    for line in ("EXDATE;TZID={}:20261211T090000", "RDATE;TZID={}:20261212T090000"):
        data = calendar(event("1", "SUMMARY:ana", "RRULE:FREQ=DAILY;COUNT=3", line.format(name)), GOOD)
        people, messages = unknown(data)
        assert people.count("bo") == 1
        assert people.count("ana") >= 2
        assert len(messages) == 1
    when = f"DTSTART;TZID={name}:20261210T090000\nDTEND;TZID={name}:20261210T100000"
    people, messages = unknown(calendar(event("1", "SUMMARY:ana", when=when), GOOD))
    assert people.count("bo") == 1
    assert len(messages) == 1
    people, messages = unknown(calendar(event("1", "SUMMARY:ana"), GOOD, head=f"X-WR-TIMEZONE:{name}\n"))
    assert sorted(people) == ["ana", "bo"]
    assert len(messages) == (1 if name.strip("\x7f") else 0)


def unknown(data: bytes) -> tuple[list[str], list[str]]:
    """Whom a calendar names, and the warnings of what is unknown or cannot be read, within a second, in one line."""
    began = time.thread_time()
    events, problems = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert time.thread_time() - began < 1
    assert all(problem.message.isprintable() and len(problem.message) < 400 for problem in problems)
    codes = ("unknown-timezone", "calendar-event-unreadable")
    return [each.person for each in events], [problem.message for problem in problems if problem.code in codes]


def test_an_event_that_the_library_breaks_at_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """C3: whatever it raises while the file is read costs the event where it raises, and is told at its line."""

    def breaking(name: str) -> None:
        if "Berlin" in name:
            raise OSError(36, "File name too long")

    monkeypatch.setattr("icalendar.timezone.tzp.timezone", breaking)
    data = calendar(BIWEEKLY, GOOD)
    events, (problem,) = read_calendar(data, "r.ics", PEOPLE, START, END)
    assert [each.person for each in events] == ["bo"]
    assert (problem.line, problem.code) == (4, "calendar-event-unreadable")
    assert "File name too long" in problem.message


def test_words_of_a_file_stand_on_one_line() -> None:
    """C3: a summary with a line end or a letter that turns the line around is shown as an escape."""
    _, (message,) = quickly(calendar(event("1", "SUMMARY:one\\ntwo\u202ethree")))
    assert message.startswith('the event "one\\ntwo\\u202ethree" names nobody')
