"""Handoffs across clock changes, month ends and skipped dates; turns counted by handoffs (docs/behaviour.md, Handoffs)."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.rotation import Shift
from tocsin.planning.on_call import handoffs
from tocsin.planning.on_call.handoffs import cron_problem, firings, handoffs_since, next_firing, turn_of
from tocsin.planning.on_call.wall_clock import instant

from tests.builders.examples import some

ZONES = [
    "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo",
    "Asia/Kathmandu", "Africa/Casablanca", "UTC", "America/St_Johns", "Pacific/Kiritimati", "Europe/Dublin",
]  # fmt: skip


def shown(cron: str, zone: str, after: str, count: int) -> list[str]:
    since = datetime.fromisoformat(after)
    return [at.astimezone(ZoneInfo(zone)).isoformat() for at in islice(firings(cron, zone, since), count)]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # Clocks go forward: the first instant that exists.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
        ("30 2 * * *", "America/Chicago", "2026-03-07T12:00Z", ["2026-03-08T03:00:00-05:00", "2026-03-09T02:30:00-05:00"]),
        ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", ["2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z", ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00Z", ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]),
        # The zone skips a date: the first instant after it, once, though two handoffs fall on it.
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00Z",
         ["2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"]),
        ("0 0 * * *", "Pacific/Apia", "2011-12-29T12:00Z", ["2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"]),
        # Clocks go back: once, at the first.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]),
        ("30 1 * * *", "America/Chicago", "2026-10-31T12:00Z", ["2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-06:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00Z", ["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"]),
        # Hourly ones too, in both directions.
        ("0 * * * *", "Europe/Berlin", "2026-03-29T00:00Z",
         ["2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00", "2026-03-29T05:00:00+02:00"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z",
         ["2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00", "2026-10-25T04:00:00+01:00"]),
        ("0 9 * * *", "Pacific/Kwajalein", "1993-08-20T00:00Z",
         ["1993-08-20T09:00:00-12:00", "1993-08-22T00:00:00+12:00", "1993-08-22T09:00:00+12:00"]),
        ("0,30 * * * *", "Australia/Lord_Howe", "2026-10-03T14:30Z",
         ["2026-10-04T01:30:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"]),
        # A day of the month and a weekday: either; both when one begins with a star.
        ("0 9 1,15 * mon", "UTC", "2026-06-02T00:00Z",
         ["2026-06-08T09:00:00+00:00", "2026-06-15T09:00:00+00:00", "2026-06-22T09:00:00+00:00"]),
        ("0 9 */2 * mon", "UTC", "2026-06-02T00:00Z", ["2026-06-15T09:00:00+00:00", "2026-06-29T09:00:00+00:00"]),
        ("0 9 * * sun-tue", "UTC", "2026-06-06T00:00Z",
         ["2026-06-07T09:00:00+00:00", "2026-06-08T09:00:00+00:00", "2026-06-09T09:00:00+00:00"]),
        # A range of one is that one.
        ("0 9-9 * 6-6 mon-mon", "UTC", "2026-06-02T00:00Z", ["2026-06-08T09:00:00+00:00", "2026-06-15T09:00:00+00:00"]),
        # Month ends and leap days.
        ("0 0 L * *", "UTC", "2027-02-01T00:00Z", ["2027-02-28T00:00:00+00:00", "2027-03-31T00:00:00+00:00"]),
        ("0 9 * 2 mon#5", "UTC", "2026-01-01T00:00Z", ["2044-02-29T09:00:00+00:00"]),
        ("0 9 31 * *", "UTC", "2026-01-31T09:00Z", ["2026-03-31T09:00:00+00:00", "2026-05-31T09:00:00+00:00"]),
        ("0 9 29 2 *", "UTC", "2026-01-01T00:00Z", ["2028-02-29T09:00:00+00:00", "2032-02-29T09:00:00+00:00"]),
    ],
)  # fmt: skip
def test_firings_across_clock_changes(cron: str, zone: str, after: str, expected: list[str]) -> None:
    """A handoff that does not exist happens at the first instant that does; one that exists twice happens once."""
    assert shown(cron, zone, after, len(expected)) == expected


@given(
    zone=st.sampled_from(ZONES),
    cron=st.sampled_from(["0 9 * * mon", "30 2 * * *", "0 0 1 * *", "15 */6 * * *", "0 * * * *", "59 23 * * sun"]),
    start=st.datetimes(datetime(2008, 1, 1), datetime(2036, 1, 1)),
)
def test_firings_agree_with_another_cron_away_from_clock_changes(zone: str, cron: str, start: datetime) -> None:
    """Firings are strictly increasing, and those of a day without a clock change are those of an independent cron."""
    since = start.replace(microsecond=0, tzinfo=UTC)
    ours = list(islice(firings(cron, zone, since), 8))
    assert all(before < after for before, after in pairwise(ours))
    assert ours[0] > since
    theirs = CronSim(cron, since.astimezone(ZoneInfo(zone)))
    for mine in ours:
        their = next(theirs).astimezone(UTC)
        here = mine.astimezone(ZoneInfo(zone))
        offsets = {(here + timedelta(hours=hours)).utcoffset() for hours in (-30, 0, 30)}
        if len(offsets) > 1:
            return
        assert mine == their


@given(
    fields=st.tuples(
        st.sampled_from(["0", "*", "*/7", "5-20/5", "59", "30-30"]),
        st.sampled_from(["9", "*", "*/5", "22-23", "0,12"]),
        st.sampled_from(["*", "1", "*/2", "31", "L", "28-31", "1,15", "29-29"]),
        st.sampled_from(["*", "2", "feb,jun", "*/5", "10-12", "4-4"]),
        st.sampled_from(["*", "mon", "0", "7", "mon-fri", "*/3", "sat,sun", "1-5/2", "6-7"]),
    ),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),
)
def test_every_form_of_expression_agrees_with_another_cron(fields: tuple[str, ...], start: datetime) -> None:
    """Stars, steps, lists, ranges, names, days of the month and weekdays together: the same days and times; and what
    can never fire is refused.
    """
    cron, since = " ".join(fields), start.replace(microsecond=0, tzinfo=UTC)
    try:
        theirs = list(islice(CronSim(cron, since), 6))
    except CronSimError:  # it refuses outright what no month has
        theirs = []
    assert bool(theirs) == (cron_problem(cron) is None)
    assert theirs == (list(islice(firings(cron, "UTC", since), 6)) if theirs else [])


@given(
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),
    days=st.integers(0, 900),
)
def test_turns_are_counted_by_handoffs(zone: str, start: datetime, days: int) -> None:
    """The turn at a moment is the number of firings after `starts`: no gap, no overlap, no drift, in any zone."""
    local = start.replace(second=0, microsecond=0)
    shift = Shift(("a", "b", "c"), "30 2 * * mon", zone, local)
    at = instant(local, zone) + timedelta(days=days)
    counted = 0
    for fired in firings(shift.handoff, zone, instant(local, zone)):
        if fired > at:
            break
        counted += 1
    assert turn_of(shift, at) == counted
    assert turn_of(shift, instant(local, zone) - timedelta(seconds=1)) is None


def test_a_handoff_on_the_start_is_not_counted() -> None:
    """The first member serves until the first firing strictly after `starts`."""
    shift = Shift(("a", "b"), "0 9 * * mon", "Europe/Berlin", datetime(2026, 1, 5, 9))
    starts = datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert turn_of(shift, starts) == 0
    assert turn_of(shift, starts + timedelta(days=7)) == 1
    assert turn_of(shift, starts + timedelta(days=7, seconds=-1)) == 0


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "0 9 * *",
        "* * * * * *",
        "@daily",
        "0 9 30 2 *",
        "0 25 * * *",
        "R R * * *",
        "0 9 * * h",
        "0 9 * * mon;",
        "0 9 31 4,6 *",
        "H 9 * * *",
        "60 9 * * *",
        "*/0 9 * * *",
        "0 9 * * mon,",
        "0 9 * 13 *",
        "-1 9 * * *",
        "0 9 L-3 * *",
    ],
)
def test_what_is_no_handoff_is_refused_with_words(cron: str) -> None:
    """Only five plain fields that can fire are accepted."""
    assert cron_problem(cron)


@pytest.mark.parametrize(
    "cron",
    [
        "0 9 * * mon",
        "*/5 8-18 * * mon-fri",
        "0 9 1-7 * *",
        "0 9,16 * * 1-5",
        "0 9 29 2 *",
        "0 9 * 2 mon#5",
        "0 9 31 2 mon",
        " 0  9 * * 7 ",
    ],
)
def test_what_is_a_handoff_is_accepted(cron: str) -> None:
    """Five plain fields that can fire are good, and fire."""
    assert cron_problem(cron) is None
    assert next_firing(cron, "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC)) > datetime(2026, 1, 1, tzinfo=UTC)


def test_a_shift_of_ten_years_is_asked_often() -> None:
    """A shift since 2016 with hourly handoffs: the years behind are counted once, and remembered."""
    shift = Shift(("a", "b", "c"), "0 * * * *", "Europe/Berlin", datetime(2016, 1, 4, 9))
    at = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    hours = int((at - datetime(2016, 1, 4, 8, tzinfo=UTC)) / timedelta(hours=1))
    # Each autumn one hour exists twice and is one handoff; each spring one falls together with the next.
    assert turn_of(shift, at) == hours - 11
    assert all(turn_of(shift, at + timedelta(minutes=n)) == hours - 11 + (n >= 30) for n in range(60))


@pytest.mark.parametrize("cron", ["*/10 * * * *", "0 9 * * mon", "30 2 * * *", "0,59 * * * *"])
def test_the_next_firing_is_the_first_one_after(cron: str) -> None:
    """Whenever it is asked for, also several times in an hour, and at a firing itself: strictly after, none left out."""
    start = datetime(2026, 10, 24, 22, 57, tzinfo=UTC)
    for minute in range(0, 6 * 60, 7):
        for at in (start + timedelta(minutes=minute), start + timedelta(minutes=minute, seconds=-1)):
            assert next_firing(cron, "Europe/Berlin", at) == next(firings(cron, "Europe/Berlin", at))
    fired = next_firing(cron, "Europe/Berlin", start)
    assert next_firing(cron, "Europe/Berlin", fired) > fired


def test_a_shift_that_starts_on_new_years_night() -> None:
    """Where the year of the wall clock is not yet, or no longer, that of UTC, the first turn is the first member's."""
    berlin = Shift(("ana", "bo", "chen"), "45 0 * * *", "Europe/Berlin", datetime(2027, 1, 1, 0, 30))
    starts = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert [turn_of(berlin, starts + timedelta(minutes=after)) for after in (-1, 0, 14, 15, 60)] == [None, 0, 0, 1, 1]
    york = Shift(("ana", "bo", "chen"), "0 22 * * *", "America/New_York", datetime(2026, 12, 31, 21, 0))
    starts = datetime(2027, 1, 1, 2, tzinfo=UTC)
    assert [turn_of(york, starts + timedelta(minutes=after)) for after in (-1, 0, 59, 60)] == [None, 0, 0, 1]


@given(
    st.sampled_from(
        ["* * * * *", "*/7 * * * *", "*/2 1-4 * * *", "* 0,23 * * mon-fri", "*/30 * 1 * *", "* 2 * 3,10 sun"]
    ),
    st.sampled_from(ZONES),
    st.integers(0, 14 * 1440),
    st.integers(0, 40 * 86_400),
)
@settings(max_examples=some(60), deadline=None)
def test_turns_counted_by_days_are_those_counted_one_by_one(cron: str, zone: str, starts: int, later: int) -> None:
    """C5: an expression that fires often is counted by days; clock changes and skipped dates leave nothing out."""
    shift = Shift(("ana", "bo"), cron, zone, datetime(2011, 3, 10) + timedelta(minutes=starts))
    if later % 2:
        shift = replace(shift, starts=shift.starts + timedelta(days=282))  # Samoa had no 30 December
    begins = instant(shift.starts, zone)
    at = begins + timedelta(seconds=later)
    one_by_one = sum(1 for _ in takewhile(lambda fired: fired <= at, firings(cron, zone, begins)))
    assert turn_of(shift, at) == one_by_one


def test_a_turn_that_passes_each_minute_is_known_at_once() -> None:
    """C5: nobody's first page waits until every minute since 2010 was looked at."""
    shift = Shift(("ana", "bo"), "* * * * *", "UTC", datetime(2010, 1, 4, 9, 0))
    at = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
    began = time.thread_time()
    assert turn_of(shift, at) == (at - datetime(2010, 1, 4, 9, 0, tzinfo=UTC)) / timedelta(minutes=1)
    assert time.thread_time() - began < 4


def test_an_expression_is_searched_for_its_days_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it is in another hour, or by other minutes of the same days, asks no calendar again."""
    at = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)
    shift = Shift(("ana", "bo"), "7 * 1-20 * *", "Europe/Berlin", datetime(2026, 1, 5, 9))
    turn = turn_of(shift, at)
    assert turn is not None
    monkeypatch.setattr(handoffs, "_found_days", None)
    assert turn_of(shift, at + timedelta(hours=3)) == turn + 3
    assert turn_of(replace(shift, handoff="8 * 1-20 * *"), at) == turn


@pytest.mark.parametrize(
    "days", ["* * *", "* * mon", "* * 7", "* * fri-mon", "*/1 * 0,6", "* * */2", "* * 5#2", "* * L5"]
)
def test_days_by_weekday_alone_are_those_of_the_calendar(days: str) -> None:
    """Expressions that choose days by the weekday need no search, and those that seem to are searched for."""
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    found = takewhile(lambda day: day < datetime(2028, 1, 1), handoffs._found_days(days, datetime(2026, 1, 1)))
    fired = takewhile(lambda at: at.year < 2028, firings(f"0 0 {days}", "UTC", begins - timedelta(seconds=1)))
    assert [at.replace(tzinfo=None) for at in fired] == list(found)


@pytest.mark.parametrize(
    ("cron", "starts", "count"),
    [
        ("* * * * *", "2026-11-01T00:00", 36_000),
        ("* * * * *", "2010-01-04T09:00", 8_880_000),
        ("* * 1 1 *", "1990-01-01T00:00", 53_000),
        ("0 9 * * mon", "2010-01-04T09:00", 6_000),
        ("* * * * *", "2030-01-04T09:00", 0),
    ],
)
def test_about_how_many_handoffs_there_were(cron: str, starts: str, count: int) -> None:
    """C5: near enough to refuse what would take long; where there are few it may be more than there were."""
    about = handoffs_since(cron, datetime.fromisoformat(starts), datetime(2026, 11, 26, 10, 0, tzinfo=UTC))
    assert count * 0.9 <= about <= count * 1.1 + 1
