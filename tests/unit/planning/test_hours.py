"""Open hours: when they open, and spans counted in open time (rule 11)."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.rotation import Hours, Window
from tocsin.planning.on_call.hours import is_open, open_between, open_time_after, opening_from

from tests.builders.examples import some

WEEK = frozenset(range(5))
OFFICE = Hours("Europe/Berlin", (Window(WEEK, time(9), time(17)),))
NIGHT = Hours("UTC", (Window(frozenset(range(7)), time(22), time(6)),))
H = timedelta(hours=1)


def berlin(text: str) -> datetime:
    """A winter time in Berlin."""
    return datetime.fromisoformat(f"{text}+01:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-20T15:00", 4 * H, "2026-11-23T11:00"),
        ("2026-11-20T15:00", 2 * H, "2026-11-23T09:00"),
        ("2026-11-20T15:00", H, "2026-11-20T16:00"),
        ("2026-11-21T12:00", H, "2026-11-23T10:00"),
        ("2026-11-20T17:00", H, "2026-11-23T10:00"),
        ("2026-11-20T09:00", 8 * H, "2026-11-23T09:00"),
        ("2026-11-20T09:00", 40 * H, "2026-11-27T09:00"),
    ],
)
def test_open_time_only(start: str, span: timedelta, expected: str) -> None:
    """Rule 11: only open time counts, and a step that falls exactly on the closing waits for the opening."""
    assert open_time_after(OFFICE, berlin(start), span) == berlin(expected)


def test_opening_is_included_and_closing_is_not() -> None:
    """The start of a window is open, its end is not."""
    assert is_open(OFFICE, berlin("2026-11-20T09:00"))
    assert not is_open(OFFICE, berlin("2026-11-20T17:00"))
    assert opening_from(OFFICE, berlin("2026-11-20T17:00")) == berlin("2026-11-23T09:00")


def test_a_window_past_midnight_belongs_to_its_first_day() -> None:
    """Friday's night reaches into Saturday, and Saturday's own is none of its business."""
    friday = Hours("UTC", (Window(frozenset({4}), time(22), time(6)),))
    assert is_open(friday, datetime(2026, 11, 21, 5, 59, tzinfo=UTC))
    assert not is_open(friday, datetime(2026, 11, 21, 22, tzinfo=UTC))
    assert open_time_after(NIGHT, datetime(2026, 11, 23, 5, tzinfo=UTC), 2 * H) == datetime(
        2026, 11, 23, 23, tzinfo=UTC
    )


def test_touching_windows_have_no_closing_between() -> None:
    """Around the clock in two windows is around the clock."""
    day = Hours("UTC", (Window(frozenset(range(7)), time(8), time(20)), Window(frozenset(range(7)), time(20), time(8))))
    start = datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert open_time_after(day, start, H) == start + H
    assert open_time_after(day, start, 100 * H) == start + 100 * H


def test_without_windows_always_open() -> None:
    """`always` is plain time."""
    at = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert opening_from(Hours(), at) == at
    assert open_time_after(Hours(), at, H) == at + H


@settings(max_examples=some(40))
@given(
    minutes=st.integers(0, 60 * 24 * 14),
    span=st.integers(1, 60 * 12),
    hours=st.sampled_from([OFFICE, NIGHT, Hours("America/Chicago", (Window(WEEK, time(6), time(0)), Window(WEEK, time(8), time(9))))]),
)  # fmt: skip
def test_open_time_agrees_with_a_minute_by_minute_count(minutes: int, span: int, hours: Hours) -> None:
    """Counting open minutes one by one gives the same instant, also across a change of clocks."""
    start = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=minutes)
    ours = open_time_after(hours, start, timedelta(minutes=span))
    at, left = start, span
    while left or not is_open(hours, at):
        left -= is_open(hours, at)
        at += timedelta(minutes=1)
    assert ours == at


@pytest.mark.parametrize(
    ("zone", "window", "start", "span", "expected"),
    [
        # Clocks go forward on Sunday 29 March: that night is an hour shorter, open time is what really passes.
        ("Europe/Berlin", (22, 6), "2026-03-28T21:00Z", 7 * H, "2026-03-29T20:00Z"),
        ("Europe/Berlin", (22, 6), "2026-03-28T21:00Z", 6 * H, "2026-03-29T03:00Z"),
        # Clocks go back on Sunday 25 October: an hour longer.
        ("Europe/Berlin", (22, 6), "2026-10-24T20:00Z", 8 * H, "2026-10-25T04:00Z"),
        ("Europe/Berlin", (22, 6), "2026-10-24T20:00Z", 9 * H, "2026-10-25T21:00Z"),
        # An opening that does not exist is the first instant that does: 02:30 is 03:00, midnight is 01:00.
        ("America/Chicago", (2, 4), "2026-03-07T12:00Z", H / 2, "2026-03-08T08:30Z"),
        ("Asia/Beirut", (0, 8), "2026-03-28T12:00Z", H, "2026-03-28T23:00Z"),
        ("Australia/Lord_Howe", (2, 3), "2026-10-03T12:00Z", H / 4, "2026-10-03T15:45Z"),
        # A whole day that a zone leaves out is not open.
        ("Pacific/Apia", (9, 17), "2011-12-30T02:00Z", 2 * H, "2011-12-30T20:00Z"),
    ],
)
def test_open_time_when_clocks_change(
    zone: str, window: tuple[int, int], start: str, span: timedelta, expected: str
) -> None:
    """Windows follow the wall clock, spans the time that passes."""
    hours = Hours(zone, (Window(frozenset(range(7)), time(window[0]), time(window[1])),))
    assert open_time_after(hours, datetime.fromisoformat(start), span) == datetime.fromisoformat(expected)


def test_windows_that_overlap_are_one() -> None:
    """A closing inside another window is none, in whichever order the windows are listed."""
    windows = (
        Window(frozenset({0}), time(16), time(0)),
        Window(frozenset({1}), time(0), time(8)),
        Window(frozenset({0}), time(9), time(17)),
    )
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    for listed in (windows, windows[::-1]):
        hours = Hours("UTC", listed)
        assert open_time_after(hours, monday + 15 * H, 2 * H) == monday + 17 * H
        assert open_time_after(hours, monday + 15 * H, 9 * H) == monday + 24 * H
        assert open_time_after(hours, monday + 15 * H, 17 * H) == monday + 7 * 24 * H + 9 * H
        assert opening_from(hours, monday + 24 * H) == monday + 24 * H


def test_around_the_clock_never_closes() -> None:
    """A window from midnight to midnight, and one from eight to eight, leave no moment closed."""
    for window in (Window(frozenset(range(7)), time(0), time(0)), Window(frozenset(range(7)), time(8), time(8))):
        hours = Hours("Europe/Berlin", (window,))
        start = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
        assert open_time_after(hours, start, 50 * H) == start + 50 * H
        assert all(is_open(hours, start + n * H / 4) for n in range(200))


def test_a_span_beyond_reason_ends() -> None:
    """Ten years of open time in one minute a week gives an answer all the same, far away."""
    hours = Hours("UTC", (Window(frozenset({0}), time(9), time(9, 1)),))
    start = datetime(2026, 11, 23, tzinfo=UTC)
    assert open_time_after(hours, start, timedelta(days=3660)) > start + timedelta(days=36600)


def test_a_window_that_the_clocks_jump_over_never_opens() -> None:
    """02:10 to 02:50 does not exist on the day on which Berlin's clocks go forward: pages wait for the next day's."""
    early = Hours("Europe/Berlin", (Window(frozenset(range(7)), time(2, 10), time(2, 50)),))
    before = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    assert opening_from(early, before) == datetime(2027, 3, 29, 0, 10, tzinfo=UTC)
    assert not is_open(early, datetime(2027, 3, 28, 1, 0, tzinfo=UTC))
    assert open_between(early, before, datetime(2027, 3, 29, tzinfo=UTC)) == ()


def test_a_window_until_midnight_ends_with_its_day() -> None:
    """An end of 00:00 is midnight at the end of the day, and one equal to the start is a whole day."""
    monday = frozenset({0})
    evening = Hours("UTC", (Window(monday, time(22), time(0)),))
    assert open_between(evening, datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)) == (
        (datetime(2026, 11, 23, 22, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)),
    )
    round_the_clock = Hours("UTC", (Window(monday, time(9), time(9)),))
    assert is_open(round_the_clock, datetime(2026, 11, 24, 8, 59, tzinfo=UTC))
    assert not is_open(round_the_clock, datetime(2026, 11, 24, 9, tzinfo=UTC))


def test_open_time_over_a_span_is_clipped_and_joined() -> None:
    """What touches or overlaps is one; a window inside another shortens nothing; the span's ends cut windows."""
    daily = frozenset(range(7))
    windows = (Window(daily, time(8), time(12)), Window(daily, time(9), time(10)), Window(daily, time(12), time(13)))
    day = datetime(2026, 11, 23, tzinfo=UTC)
    assert open_between(Hours("UTC", windows), day + 9 * H, day + 33 * H) == (
        (day + 9 * H, day + 13 * H),
        (day + 32 * H, day + 33 * H),
    )
    assert open_between(Hours("UTC"), day, day + H) == ((day, day + H),)
