"""A law of calendars: an event that is read without the iCalendar library means what the library makes of it."""

from datetime import UTC, datetime
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.people import Person
from tocsin.formats.calendar import read
from tocsin.formats.calendar.plain import EVERY, Divided, divide

from tests.builders.examples import some

PEOPLE = {"ana": Person("ana", "Ana Souza", "ana@example.com"), "bo": Person("bo", "Bo", "bo@example.com")}
START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC)

zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Nowhere/Odd", "W. Europe Standard Time",
     "europe/berlin", "/Europe/Berlin", "Custom/Weird"]
)  # fmt: skip
days = st.sampled_from(
    ["20260831", "20260901", "20261025", "20261026", "20270328", "20270831", "20270901", "20261301", "19691231"]
)
times = st.sampled_from(["000000", "020000", "023000", "030000", "090000", "235959", "240000", "250000", "9"])
moments = st.one_of(
    st.builds("{}T{}Z".format, days, times).map(":{}".format),
    st.builds("{}T{}".format, days, times).map(":{}".format),
    st.builds(";TZID={}:{}T{}".format, zones, days, times),
    st.builds(';TZID="{}":{}T{}'.format, zones, days, times),
    st.builds(";VALUE=DATE:{}".format, days),
    st.builds(":{}".format, days),
)
words = st.one_of(
    st.sampled_from(["Ana Souza", "bo", "On call: Bo (primary)", "bo; Ana Souza", "ana, bo", r"ana\, bo", "100%2Cbo", ' bo"',
                     "bo ", " bo", "", "Ana&bo #1", "Ana – x", "A^nna", "BEGIN:VEVENT"]),
    st.text(alphabet="abno ,;:.\\\"%^'()-_–\u2028\u00a0é", max_size=12),
)  # fmt: skip
lines = st.one_of(
    st.builds("SUMMARY:{}".format, words),
    st.builds("SUMMARY;LANGUAGE=de:{}".format, words),
    st.builds("Summary:{}".format, words),
    st.builds("STATUS:{}".format, st.sampled_from(["CONFIRMED", "CANCELLED", "Cancelled", "9"])),
    st.builds("SEQUENCE:{}".format, st.sampled_from(["0", "7", "x"])),
    st.builds("UID:{}".format, st.sampled_from(["1", "2@x", "2@X", r"3\,", "", " 1"])),
    st.builds("RRULE:FREQ={};COUNT=3".format, st.sampled_from(["DAILY", "WEEKLY", "MINUTELY"])),
    st.builds("EXDATE{}".format, moments),
    st.builds("RDATE{}".format, moments),
    st.builds("RECURRENCE-ID{}".format, moments),
    st.builds("DTEND{}".format, moments),
    st.just("DURATION:PT1H"),
    st.just("ATTENDEE;CN=Bo:mailto:bo@example.com"),
    st.just("X-NOTE:plain"),
    st.sampled_from(["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "nonsense"]),
)
same = st.tuples(moments, st.sampled_from(["0", "1"])).map(lambda at: [f"DTSTART{at[0]}", f"DTEND{at[0]}"])
long = st.tuples(zones, days, days).map(
    lambda at: [f"DTSTART;TZID={at[0]}:{min(at[1:])}T090000", f"DTEND;TZID={at[0]}:{max(at[1:])}T100000"]
)
apart = st.tuples(moments, moments).map(lambda at: [f"DTSTART{at[0]}", f"DTEND{at[1]}"])
events = st.tuples(
    st.sampled_from(["UID:a", "UID:b", "UID:c@x", "UID:d", ""]),
    st.one_of(same, long, apart, st.just([])),
    words,
    st.one_of(st.just([]), st.lists(lines, max_size=2)),
).map(lambda event: ["BEGIN:VEVENT", event[0], *event[1], f"SUMMARY:{event[2]}", *event[3], "END:VEVENT"])
WEIRD = [
    "BEGIN:VTIMEZONE",
    "TZID:Custom/Weird",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0300",
    "TZOFFSETTO:+0300",
    "END:STANDARD",
    "END:VTIMEZONE",
]
heads = st.sampled_from([[], ["X-WR-TIMEZONE:America/New_York"], ["X-WR-TIMEZONE:Nowhere"], WEIRD])
calendars = st.tuples(heads, st.lists(events, max_size=5)).map(
    lambda parts: ["BEGIN:VCALENDAR", *parts[0], *(line for event in parts[1] for line in event), "END:VCALENDAR"]
)
files = st.lists(calendars, min_size=1, max_size=2).map(
    lambda calendars: "\r\n".join(filter(None, [line for one in calendars for line in one]))
)


@settings(max_examples=some(300), deadline=None)
@given(files)
def test_plain_events_mean_what_the_library_makes_of_them(text: str) -> None:
    """Events and warnings are the same, in the same order, whatever else the file holds."""
    data = text.encode()
    read_plainly = read.read_calendar(data, "r.ics", PEOPLE, START, END)
    with patch.object(read, "divide", lambda lines, _: Divided((), lines, EVERY)):
        assert read_plainly == read.read_calendar(data, "r.ics", PEOPLE, START, END)


def test_usual_events_are_plain() -> None:
    """What other programs write shift by shift, with whatever else stands in the file."""
    known = {"Europe/Berlin": UTC}
    event = ["UID:{}", "DTSTART;TZID=Europe/Berlin:20261001T090000", "DTEND;TZID=Europe/Berlin:20261001T100000",
             "SUMMARY:On call: Ana (primary)", "STATUS:CONFIRMED", "SEQUENCE:0"]  # fmt: skip
    whole = [["BEGIN:VEVENT", *(line.format(number) for line in event), "END:VEVENT"] for number in range(3)]
    odd = [*whole[1][:-1], "RRULE:FREQ=DAILY", whole[1][-1]]
    divided = divide(["BEGIN:VCALENDAR", *whole[0], *odd, *whole[2], "END:VCALENDAR"], known.get)
    assert [plain.number for plain in divided.plain] == [0, 2]
    assert (divided.lines, divided.numbers) == (["BEGIN:VCALENDAR", *odd, "END:VCALENDAR"], [1])
