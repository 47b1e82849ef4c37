"""Who a name in a chain means, and the stretches of a span (product.md sections 3 "Turns" and 7 `oncall`)."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.domain.rotation import CalendarEvent, Override, Rotation, Shift, Window
from daemon.planning.on_call import everyone, next_on_call, on_call, on_call_now
from daemon.planning.stretches import stretches, until

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""09:00 in Berlin: the first turn of `WEEKLY`."""
WEEKLY = Shift(("ana", "bo", "chen"), "0 9 * * mon", "Europe/Berlin", datetime(2026, 1, 5, 9))
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)


def rotation(*shifts: Shift, overrides: tuple[Override, ...] = ()) -> Rotation:
    return Rotation("r", shifts or (WEEKLY,), overrides)


def test_turns_follow_each_other() -> None:
    """Each member serves a week, then it begins anew; before `starts` nobody is on call."""
    people = [on_call(rotation(), MONDAY + week * WEEK + HOUR) for week in range(4)]
    assert people == ["ana", "bo", "chen", "ana"]
    assert on_call(rotation(), MONDAY - HOUR) is None
    assert next_on_call(rotation(), MONDAY - HOUR) is None


def test_the_first_shift_that_covers_the_moment() -> None:
    """Follow the sun: shifts are asked in their order, and turns pass whether or not `during` is open."""
    day = Shift(
        ("ana", "bo"), "0 9 * * *", "UTC", datetime(2026, 1, 5, 9), (Window(frozenset(range(7)), time(8), time(20)),)
    )
    night = Shift(("eve",), "0 9 * * mon", "UTC", datetime(2026, 1, 5))
    both = rotation(day, night)
    at = datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert (on_call(both, at), on_call(both, at + timedelta(days=1))) == ("bo", "ana")
    assert on_call(both, at.replace(hour=20)) == "eve"
    assert next_on_call(both, at.replace(hour=20)) is None
    assert everyone(both, at) == ("ana", "bo", "eve")


def test_overrides() -> None:
    """The last listed wins; without `instead_of` the whole span, gaps included; with it only that person's turns."""
    span = (MONDAY, MONDAY + 3 * WEEK)
    assert on_call(rotation(overrides=(Override("dee", *span),)), MONDAY) == "dee"
    swap = rotation(overrides=(Override("dee", *span, instead_of="bo"),))
    assert [on_call(swap, MONDAY + week * WEEK) for week in range(3)] == ["ana", "dee", "chen"]
    last = rotation(overrides=(Override("dee", *span), Override("eve", *span, instead_of="ana")))
    assert [on_call(last, MONDAY + week * WEEK) for week in range(2)] == ["eve", "dee"]
    gap = rotation(overrides=(Override("dee", MONDAY - WEEK, MONDAY),))
    assert on_call(gap, MONDAY - HOUR) == "dee"
    assert on_call(gap, MONDAY) == "ana"


def test_next_is_never_whoever_is_on_call() -> None:
    """`.next` is the member after the turn's, but not one whom an override has put on call already."""
    assert next_on_call(rotation(), MONDAY) == "bo"
    taken = rotation(overrides=(Override("bo", MONDAY, MONDAY + WEEK),))
    assert next_on_call(taken, MONDAY) == "chen"
    twice = rotation(Shift(("ana", "ana", "bo"), "0 9 * * mon", "UTC", datetime(2026, 1, 5, 9)))
    assert next_on_call(twice, MONDAY + 2 * HOUR) == "bo"


def test_calendars() -> None:
    """Of overlapping events the latest start wins; `.next` is the next different person; overrides apply too."""
    events = (
        CalendarEvent("ana", MONDAY, MONDAY + WEEK),
        CalendarEvent("bo", MONDAY + 10 * HOUR, MONDAY + 12 * HOUR),
        CalendarEvent("chen", MONDAY + WEEK, MONDAY + 2 * WEEK),
    )
    calendar = Rotation("c", calendar="c.ics", events=events)
    assert [on_call(calendar, MONDAY + hours * HOUR) for hours in (9, 10, 12)] == ["ana", "bo", "ana"]
    assert [next_on_call(calendar, MONDAY + hours * HOUR) for hours in (9, 11, 13)] == ["bo", "ana", "chen"]
    assert on_call(calendar, MONDAY + 3 * WEEK) is None
    assert everyone(calendar, MONDAY) == ("ana", "bo", "chen")
    assert everyone(calendar, MONDAY + WEEK) == ("chen",)


def test_stretches_are_clipped_and_merged() -> None:
    """Adjoining stretches of one person are one, an override is a stretch of its own, gaps have none."""
    override = Override("dee", MONDAY + HOUR, MONDAY + 2 * HOUR)
    found = stretches(rotation(overrides=(override,)), MONDAY - WEEK, MONDAY + WEEK + HOUR)
    told = [(each.person, each.start - MONDAY, each.end - MONDAY, each.override) for each in found]
    assert told == [
        ("ana", timedelta(0), HOUR, False),
        ("dee", HOUR, 2 * HOUR, True),
        ("ana", 2 * HOUR, WEEK, False),
        ("bo", WEEK, WEEK + HOUR, False),
    ]


def test_until() -> None:
    """`until` is the end of the stretch or of the gap, and none when it is endless."""
    assert until(rotation(), MONDAY + HOUR) == MONDAY + WEEK
    assert until(rotation(), MONDAY - WEEK) == MONDAY
    alone = rotation(Shift(("ana",), "0 9 * * mon", "UTC", datetime(2026, 1, 5, 9)))
    assert until(alone, MONDAY + 3 * HOUR) is None


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(0, 400),
    zone=st.sampled_from(["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut"]),
    cron=st.sampled_from(["30 2 * * *", "0 9 * * mon", "0 */8 * * *"]),
    spans=st.lists(
        st.tuples(st.integers(0, 200), st.integers(1, 90), st.sampled_from([None, "ana", "bo"])), max_size=3
    ),
)
def test_stretches_agree_with_asking_each_moment(
    first: int, zone: str, cron: str, spans: list[tuple[int, int, str | None]]
) -> None:
    """Asking every half hour who is on call gives what the stretches say."""
    day = Shift(
        ("ana", "bo"), cron, zone, datetime(2026, 1, 5, 9), (Window(frozenset({0, 1, 2, 5}), time(8), time(2)),)
    )
    night = Shift(("eve", "fay", "gus"), "0 0 1 * *", zone, datetime(2026, 1, 20))
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=first)
    overrides = tuple(
        Override("dee", start + begins * HOUR, start + (begins + lasts) * HOUR, instead)
        for begins, lasts, instead in spans
    )
    both = rotation(day, night, overrides=overrides)
    end = start + timedelta(days=12)
    found = stretches(both, start, end)
    assert all(one.end <= other.start for one, other in pairwise(found))
    at = start
    while at < end:
        covering = [(each.person, each.override) for each in found if each.start <= at < each.end]
        person, override = on_call_now(both, at)
        assert covering == ([(person, override)] if person else [])
        at += HOUR / 2
