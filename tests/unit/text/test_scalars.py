"""The small words of config files: what each accepts, and what it says of the rest."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.text import contacts, scalars

GOOD = [
    (scalars.duration, "30s", timedelta(seconds=30)),
    (scalars.duration, "5m", timedelta(minutes=5)),
    (scalars.duration, "1h30m", timedelta(minutes=90)),
    (scalars.duration, "1h 30m", timedelta(minutes=90)),
    (scalars.duration, "2d", timedelta(days=2)),
    (scalars.duration, "PT5M", timedelta(minutes=5)),
    (scalars.duration, "P1DT2H", timedelta(hours=26)),
    (scalars.duration, "P2W", timedelta(days=14)),
    (scalars.duration, "0s", timedelta()),
    (scalars.duration, "3660d", scalars.LONGEST),
    (scalars.instant, "2026-11-23T10:04Z", datetime(2026, 11, 23, 10, 4, tzinfo=UTC)),
    (scalars.instant, "2026-11-23T10:04:30+01:00", datetime(2026, 11, 23, 9, 4, 30, tzinfo=UTC)),
    (scalars.instant, "2000-01-01T00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
    (scalars.instant, "2199-12-31T00:00Z", datetime(2199, 12, 31, tzinfo=UTC)),
    (scalars.local_time, "2026-01-05T09:00", datetime(2026, 1, 5, 9)),
    (scalars.local_time, "2026-01-05", datetime(2026, 1, 5)),
    (scalars.zone, "Europe/Berlin", "Europe/Berlin"),
    (scalars.zone, "UTC", "UTC"),
    (scalars.truth, "true", True),
    (scalars.truth, "FALSE", False),
    (scalars.whole, "12", 12),
    (scalars.whole, "-3", -3),
    (scalars.whole, "+3", 3),
    (scalars.name, "A-b_9", "A-b_9"),
    (contacts.phone, "+1 (415) 555-0101", "+14155550101"),
    (contacts.phone, "+447700900123", "+447700900123"),
    (contacts.phone, "+49.30/2312-5101", "+493023125101"),
    (contacts.email, "ana@EXAMPLE.com", "ana@example.com"),
    (contacts.email, "ana@exämple.com", "ana@xn--exmple-cua.com"),
    (contacts.email, "anä@exämple.com", "anä@xn--exmple-cua.com"),
]
WRONG = [
    (scalars.duration, ["5", "", "-5m", "5 minutes", "1.5h", "P", "PT", "1m1h", "9" * 30 + "d", "3661d", "２d"]),
    (scalars.instant, ["2026-11-23", "2026-11-23T10:04", "yesterday", "2026-02-30T00:00Z", "0001-01-01T00:00+14:00",
                       "9999-12-31T23:00-02:00", "1999-12-31T23:59Z", "2200-01-01T00:00Z"]),
    (scalars.local_time, ["2026-01-05T09:00Z", "2026-01-05T09:00+01:00", "monday", "1999-12-31", "20260-01-01"]),
    (scalars.zone, ["europe/berlin", "America", "../etc/passwd", "/etc/localtime", "localtime", "", "CEST+1:00"]),
    (scalars.window, ["", "mon-fri", "25:00-26:00", "24:00-10:00", "mon-fry 9:00-10:00", "9-17", "mon- 9:00-10:00"]),
    (scalars.truth, ["yes", "on", "1", ""]),
    (scalars.whole, ["", "1.0", "0x10", "1_000", "9" * 5000, "١"]),
    (scalars.name, ["", "-a", "a b", "a.b", "ä", "a" * 65, "a\n"]),
    (contacts.phone, ["4155550101", "0170 1234567", "+1415555", "+1-800-FLOWERS", "+1415555010112345", "+99912345"]),
    (contacts.email, ["x", "a@localhost", "Ana <a@example.com>", "a@example.com\r\nBcc: b@example.com"]),
]  # fmt: skip


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_each_way_of_writing_is_understood(read, text, value):
    """What the page of the config names is read as it says."""
    assert read(text) == value


@pytest.mark.parametrize(("read", "text"), [(read, text) for read, texts in WRONG for text in texts])
def test_whatever_else_is_refused_with_a_sentence(read, text):
    """A wrong word is a ValueError whose sentence can stand in a problem."""
    with pytest.raises(ValueError, match=r".{10}"):
        read(text)


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("mon-fri 09:00-17:00", {0, 1, 2, 3, 4}, time(9), time(17)),
        ("sat,sun 00:00-24:00", {5, 6}, time(0), time(0)),
        ("fri-mon 22:00-06:00", {4, 5, 6, 0}, time(22), time(6)),
        ("9:00-17:30", set(range(7)), time(9), time(17, 30)),
        ("mon, wed-thu 00:00-00:00", {0, 2, 3}, time(0), time(0)),
        ("SUN 10:00 - 11:00", {6}, time(10), time(11)),
        ("sun-sat 10:00-11:00", set(range(7)), time(10), time(11)),
    ],
)
def test_windows_of_during(text, days, start, end):
    """Days may wrap over the weekend; 24:00 and 00:00 are midnight at the end."""
    window = scalars.window(text)
    assert (set(window.days), window.start, window.end) == (days, start, end)


@given(st.timedeltas(timedelta(0), scalars.LONGEST).map(lambda span: timedelta(seconds=int(span.total_seconds()))))
def test_a_duration_reads_back_as_written(span):
    """Any span in whole seconds has a way to be written."""
    assert scalars.duration(f"{span.days}d{span.seconds}s") == span


@given(st.text(max_size=40))
def test_no_text_makes_a_reader_fail_otherwise(text):
    """ValueError is the only way to say no."""
    for read, _ in WRONG:
        try:
            read(text)
        except ValueError:
            continue


def test_an_instant_is_in_utc():
    """Whatever the offset it was written with."""
    assert scalars.instant("2026-11-23T10:04+01:00").isoformat() == "2026-11-23T09:04:00+00:00"


def test_a_number_without_unit_is_asked_whether_minutes_are_meant():
    """The commonest slip of a duration gets its own hint, and nothing else does."""
    with pytest.raises(ValueError, match="did you mean 5m"):
        scalars.duration("5")
    with pytest.raises(ValueError, match=r"2d$"):
        scalars.duration("five")


def test_a_number_that_nobody_gives_out_is_possible_but_not_in_use():
    """+1 415 555 0101 is given out as far as the plan knows; a number of the right length in no range is not."""
    assert contacts.in_use("+14155550101")
    assert contacts.phone("+11155550101") == "+11155550101"
    assert not contacts.in_use("+11155550101")


def test_a_likely_word_is_offered():
    """A near miss is named, whatever its case; a far one is not."""
    assert scalars.closest("minro", ["MINOR", "scribe"]) == '; did you mean "MINOR"?'
    assert scalars.closest("LAED", ["lead", "scribe"]) == '; did you mean "lead"?'
    assert scalars.closest("xyz", ["lead", "scribe"]) == ""
