"""Times and spans as people read them: in the reader's zone, with the day where it is another."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.text.scalars import duration
from tocsin.text.times import brief, clock, dated, day, day_and_time, moment, roughly, span, utc

AT = datetime(2026, 11, 23, 10, 30, 5, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("at", "zone", "seen_from", "words"),
    [
        (AT, BERLIN, AT, "11:30 CET"),
        (AT, "Asia/Kathmandu", AT, "16:15 UTC+05:45"),
        (AT, "Asia/Dubai", AT, "14:30 UTC+04"),
        (AT, "UTC", AT, "10:30 UTC"),
        (AT + timedelta(hours=13), BERLIN, AT, "Tue 24 Nov, 00:30 CET"),
        # 23:30 UTC is the 24th already in Berlin: seen from there, 00:15 is on the same day
        (datetime(2026, 11, 23, 23, 15, tzinfo=UTC), BERLIN, datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "00:15 CET"),
        (AT, BERLIN, datetime(2026, 11, 22, 10, tzinfo=UTC), "Mon 23 Nov, 11:30 CET"),
        (AT, BERLIN, datetime(1970, 1, 1, tzinfo=UTC), "Mon 23 Nov 2026, 11:30 CET"),
        # 23:30 UTC of the last day of the year is next year in Berlin
        (datetime(2027, 1, 2, tzinfo=UTC), BERLIN, datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "Sat 2 Jan, 01:00 CET"),
    ],
)
def test_a_time_is_on_the_reader_s_clock(at, zone, seen_from, words):
    """The zone's short name, or its offset where it has none; the day only where it is another for the reader."""
    assert clock(at, zone, seen_from) == words


def test_what_is_read_later_has_its_day_and_utc():
    """The time in UTC stands beside it where it differs, at this time of the year."""
    assert dated(AT, BERLIN) == "Mon 23 Nov, 11:30 CET (10:30 UTC)"
    assert dated(AT, BERLIN, AT) == "Mon 23 Nov, 11:30 CET (10:30 UTC)"
    assert dated(AT, BERLIN, AT + timedelta(days=90)) == "Mon 23 Nov 2026, 11:30 CET (10:30 UTC)"
    assert dated(AT, "Europe/London") == "Mon 23 Nov, 10:30 GMT"
    assert moment(AT, BERLIN) == "Mon 23 Nov 2026, 11:30 CET"
    assert day(datetime(2026, 11, 23, 23, 30, tzinfo=UTC), BERLIN) == "Tue 24 Nov"
    assert day_and_time(datetime(2026, 11, 28, 7, tzinfo=UTC), BERLIN) == "Sat 28 Nov 08:00"
    assert utc(AT.astimezone(ZoneInfo(BERLIN))) == "2026-11-23 10:30:05 UTC"
    assert utc(datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-22 22:00:00 UTC"


@pytest.mark.parametrize(
    ("length", "words", "short"),
    [
        (timedelta(), "1 minute", "0s"),
        (timedelta(seconds=119), "1 minute", "1m59s"),
        (timedelta(minutes=2), "2 minutes", "2m"),
        (timedelta(hours=1, minutes=5), "1 hour 5 minutes", "1h5m"),
        (timedelta(days=1, minutes=1), "1 day 1 minute", "1d1m"),
        (timedelta(days=2, hours=3, minutes=4, seconds=5), "2 days 3 hours", "2d3h4m5s"),
        (timedelta(hours=24), "1 day", "1d"),
    ],
)
def test_spans_in_words_and_as_files_write_them(length, words, short):
    """In words the two largest units and at least a minute; in files to the second."""
    assert (span(length), brief(length)) == (words, short)


@given(st.integers(0, 3600 * 24 * 3660))
def test_a_brief_span_reads_back(seconds):
    """What is shown can be written into a file."""
    assert duration(brief(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_span_of_years_is_told_in_years():
    """What a clock of another century lies off is no number of days."""
    assert roughly(timedelta(days=4499, hours=23)) == "about 12 years"
    assert roughly(timedelta(days=4000, seconds=5)) == "about 11 years"
    assert roughly(timedelta(days=3, minutes=1)) == "3d1m"
