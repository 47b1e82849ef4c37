"""What a config folder holds: fragments, settings and calendars together, a calendar alone, policy tests."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tocsin.adapters.files.config_snapshot import snapshot
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.people import Person
from tocsin.formats.calendar.read import read_calendar
from tocsin.formats.policy_test.read import read_policy_tests

from tests.builders.instants import T0
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.targets.incidents import INCIDENTS

DATA = Path(__file__).parents[2] / "data"
START, END = T0 - timedelta(days=60), T0 + timedelta(days=400)
PEOPLE = {
    name: Person(name, full, f"{name}@example.com")
    for name, full in (("ana", "Ana Souza"), ("bo", "Bo Berg"), ("chen", "Chen Li"), ("dee", "Dee Roy"))
}
SECONDS = 5.0
"""A calendar may have 10,000 events, which take some seconds; a config is judged for 10 s at most."""
MARK = b"=== "
"""Begins the line that names a file of a folder."""

CALENDARS = (
    b"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//fuzz//EN
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VTIMEZONE
TZID:Custom/Zone
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:1
DTSTART;TZID=Custom/Zone:20261005T090000
DTEND;TZID=Custom/Zone:20261012T090000
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=40;WKST=MO
EXDATE;TZID=Custom/Zone:20261019T090000
SUMMARY:On call: Ana Souza (primary)
END:VEVENT
BEGIN:VEVENT
UID:1
RECURRENCE-ID;TZID=Custom/Zone:20261102T090000
DTSTART;TZID=Custom/Zone:20261103T090000
DURATION:P1DT2H
SUMMARY:bo
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20261101
DTEND;VALUE=DATE:20261103
RDATE;VALUE=DATE:20261201,20261224
RRULE:FREQ=MONTHLY;BYMONTHDAY=1,-1;BYSETPOS=1;UNTIL=20270601
SUMMARY:chen
ATTENDEE;CN=Chen Li:mailto:chen@example.com
END:VEVENT
END:VCALENDAR
""",
    b"""\
BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Zone
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:3
DTSTART;TZID=Zone:20261005T090000
DURATION:PT12H
RRULE:FREQ=DAILY;INTERVAL=3
SUMMARY:ana
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTART;TZID=Europe/Berlin:20200101T000000
DTEND;TZID=Europe/Berlin:20200101T120000
RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU
SUMMARY:bo
END:VEVENT
END:VCALENDAR
""",
    *(path.read_bytes() for path in sorted((DATA / "calendars").glob("*.ics"))),
)
CALENDAR_WORDS = (
    *(b"YEARLY", b"MONTHLY", b"WEEKLY", b"DAILY", b"HOURLY", b"MINUTELY", b"SECONDLY", b";INTERVAL=0", b";COUNT=0"),
    *(
        b";BYDAY=MO",
        b";BYMONTH=2",
        b";BYMONTHDAY=31",
        b";BYYEARDAY=366",
        b";BYSETPOS=366",
        b";BYHOUR=0",
        b";BYWEEKNO=53",
    ),
    *(b"TZID=Europe/Berlin", b"TZID=Europe", b";UNTIL=20270101T000000Z", b"19700101T000000", b"00010101", b"P1D"),
    *(b"BEGIN:VEVENT\n", b"END:VEVENT\n", b"RRULE:FREQ=DAILY\n", b"DTSTART:20261101T000000Z\n", b"-PT1S", b"+9999"),
)


def folder(files: Mapping[str, bytes]) -> bytes:
    """A folder as one case: each file after a line with its path."""
    return b"".join(MARK + path.encode() + b"\n" + data.rstrip(b"\n") + b"\n" for path, data in files.items())


def files_of(case: bytes) -> dict[str, bytes]:
    """The folder of a case, whatever became of it."""
    files: dict[str, bytes] = {}
    for part in (b"\n" + case).split(b"\n" + MARK)[1:]:
        path, _, data = part.partition(b"\n")
        files[path.decode("utf-8", "replace")] = data
    return files


def fuzzers() -> list[Fuzzer]:
    """All of them."""
    shipped = {path: data for path, data in snapshot(SHIPPED_CONFIG, "config")[0].items() if "/" not in path}
    small = {
        path.name: path.read_bytes() for path in sorted((DATA / "config" / "base").iterdir()) if path.suffix == ".yaml"
    }
    rota = b"rotations:\n  feed: {calendar: feed.ics}\nroles:\n  scribe: {chain: [feed]}\n"
    settings = [path.read_bytes() for path in sorted((DATA / "settings").glob("*.yaml"))]
    fragments = [path.read_bytes() for path in sorted((DATA / "config").glob("*.yaml"))]
    corpus = [
        folder(shipped),
        folder(small | {"feed.yaml": rota, "feed.ics": CALENDARS[0]}),
        *(folder(small | {"tocsin.yaml": text}) for text in settings[::4]),
        *(folder(small | {"more.yaml": text}) for text in fragments[::4]),
    ]

    def config(case: bytes) -> None:
        found = read_tree(files_of(case), Path("/nowhere/config"), T0, {})
        usable = found.policy is not None and found.settings is not None
        assert usable or found.errors
        assert usable is not bool(found.errors)
        for problem in found.problems:
            assert problem.line >= 1
            assert "\n" not in problem.message
            assert len(problem.message) < 2000

    def calendar(data: bytes) -> None:
        events, problems = read_calendar(data, "feed.ics", PEOPLE, START, END)
        assert all(event.person in PEOPLE and event.end > START and event.start < END for event in events)
        assert list(events) == sorted(events, key=lambda event: event.start)
        assert all("\n" not in problem.message for problem in problems)

    tests = [path.read_bytes() for path in sorted((SHIPPED_CONFIG / "tests").glob("*.yaml"))]
    policy = shipped_policy()

    def policy_test(data: bytes) -> None:
        found, problems = read_policy_tests(data, "config/tests/sev1.yaml", policy, {"a.yaml": INCIDENTS[1]}.get)
        assert found or problems
        assert all(problem.line >= 1 and "\n" not in problem.message for problem in problems)

    return [
        Fuzzer("policy-test", tests, policy_test, (b"expect:", b"never:", b"within:", b"after:"), sample=40),
        Fuzzer("config", corpus, config, (*settings[:3], b"chain:", b"page:", b"extends:"), sample=20, seconds=SECONDS),
        Fuzzer("calendar", CALENDARS, calendar, CALENDAR_WORDS, sample=20, seconds=SECONDS),
    ]
