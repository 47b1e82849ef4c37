"""What is written for calendar applications: the rules of RFC 5545 to the letter, and it reads back the same."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from tocsin.domain.people import Person
from tocsin.domain.rotation import Override, Rotation, Shift
from tocsin.formats.calendar.feed import write_calendar
from tocsin.formats.calendar.read import read_calendar
from tocsin.planning.on_call.shifts import on_call_spans

from tests.builders.examples import some

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
NAMES = ["Ana Souza", "Bo, Berg; sometimes \\ Bo", "Zoë Đorđević-Ångström", "陳大文 " * 12, "🚒 Fay"]
PEOPLE = {
    f"p{number}": Person(f"p{number}", name.strip(), f"p{number}@example.com") for number, name in enumerate(NAMES)
}
CONTENT = re.compile(r"[A-Z0-9-]+(;[A-Z0-9-]+=(\"[^\"]*\"|[^\";:,]*))*:[^\x00-\x08\x0a-\x1f\x7f]*")


def lines(data: bytes) -> list[str]:
    """The content lines, once every physical line has been held to RFC 5545, 3.1."""
    assert data.endswith(b"\r\n")
    physical = data[:-2].split(b"\r\n")
    assert b"\n" not in b"".join(physical)
    assert b"\r" not in b"".join(physical)
    assert all(0 < len(line) <= 75 for line in physical)
    for line in physical:
        line.decode("utf-8")  # no character is cut in two
    unfolded = data[:-2].replace(b"\r\n ", b"").decode().split("\r\n")
    assert all(CONTENT.fullmatch(line) for line in unfolded), unfolded
    return unfolded


def feed(name: str = "On call") -> bytes:
    week = timedelta(days=7)
    rows = [
        ("platform", person, NOW + number * week, NOW + (number + 1) * week)
        for number, person in enumerate(PEOPLE.values())
    ]
    return write_calendar(rows, NOW, name)


def test_the_rules_of_the_format() -> None:
    """CRLF, 75 octets, escapes, and every property that a calendar or an event must have, once."""
    found = lines(feed("On call: 陳大文, " + "payments " * 12))
    head = [line.split(":")[0] for line in found[: found.index("BEGIN:VEVENT")]]
    assert head == ["BEGIN", "VERSION", "PRODID", "CALSCALE", "METHOD", "NAME", "X-WR-CALNAME",
                    "REFRESH-INTERVAL;VALUE=DURATION", "X-PUBLISHED-TTL"]  # fmt: skip
    assert (found[0], found[-1], found[1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "VERSION:2.0")
    assert "METHOD:PUBLISH" in found
    events = "\n".join(found).split("BEGIN:VEVENT\n")[1:]
    assert len(events) == len(PEOPLE)
    for event in events:
        names = [line.split(":")[0].split(";")[0] for line in event.splitlines()]
        for needed in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP"):
            assert names.count(needed) == 1
        assert len(re.findall(r"^(?:DTSTAMP|DTSTART|DTEND):\d{8}T\d{6}Z$", event, re.MULTILINE)) == 3
    assert "SUMMARY:Bo\\, Berg\\; sometimes \\\\ Bo on call: platform" in found


def test_a_stretch_stays_the_same_event() -> None:
    """Ids are unique, and the same tomorrow, when ends have moved and names have changed; the bytes are stable too."""
    events = Calendar.from_ical(feed()).walk("VEVENT")
    ids = [str(event["UID"]) for event in events]
    assert len(set(ids)) == len(ids)
    assert feed() == feed()
    ana = PEOPLE["p0"]
    later = write_calendar([("platform", ana, NOW, NOW + timedelta(days=9))], NOW + timedelta(days=1))
    assert str(Calendar.from_ical(later).walk("VEVENT")[0]["UID"]) == ids[0]
    pairs = write_calendar([("a-b", ana, NOW, NOW), ("a", Person("b-p0", "B"), NOW, NOW)], NOW)
    assert len({str(event["UID"]) for event in Calendar.from_ical(pairs).walk("VEVENT")}) == 2


@settings(max_examples=some(60), deadline=None)
@given(
    members=st.lists(st.sampled_from(sorted(PEOPLE)), min_size=1, max_size=5, unique=True),
    handoff=st.sampled_from(["0 9 * * mon", "30 2 * * *", "0 */7 * * *", "0 0 1 * *"]),
    zone=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    person=st.sampled_from(sorted(PEOPLE)),
    hours=st.tuples(st.integers(0, 700), st.integers(1, 100)),
)
def test_what_is_written_for_a_rotation_reads_back_as_it(
    members: list[str], handoff: str, zone: str, person: str, hours: tuple[int, int]
) -> None:
    """A calendar rotation made of what was written has the same people on call at the same instants."""
    begins = NOW + timedelta(hours=hours[0])
    override = Override(person, begins, begins + timedelta(hours=hours[1]))
    shift = Shift(tuple(members), handoff, zone, datetime(2026, 10, 1, 9))
    rotation = Rotation("platform", (shift,), (override,))
    end = NOW + timedelta(days=30)
    wanted = [(each.person, each.start, each.end) for each in on_call_spans(rotation, NOW, end)]
    data = write_calendar(
        [("platform", PEOPLE[each.person], each.start, each.end) for each in on_call_spans(rotation, NOW, end)], NOW
    )
    lines(data)
    events, problems = read_calendar(data, "platform.ics", PEOPLE, NOW - timedelta(days=60), end)
    assert [(each.person, each.start, each.end) for each in events] == wanted
    assert not problems
    again = Rotation("platform", calendar="platform.ics", events=events)
    assert _merged([(each.person, each.start, each.end) for each in on_call_spans(again, NOW, end)]) == _merged(wanted)


def _merged(rows: list[tuple[str, datetime, datetime]]) -> list[tuple[str, datetime, datetime]]:
    found: list[tuple[str, datetime, datetime]] = []
    for person, start, end in rows:
        if found and found[-1][0] == person and found[-1][2] == start:
            found[-1] = (person, found[-1][1], end)
        else:
            found.append((person, start, end))
    return found
