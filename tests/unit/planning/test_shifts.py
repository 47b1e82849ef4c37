"""Who is on call over a span, and until when (what `oncall` shows). The laws are in
tests/property/test_on_call.py.
"""

from datetime import UTC, datetime, time, timedelta

import pytest
from tocsin.domain.rotation import CalendarEvent, Override, Rotation, Shift, Window
from tocsin.planning.on_call.shifts import on_call_spans, on_call_until, unclipped_spans

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""09:00 in Berlin: the first turn of `WEEKLY`."""
WEEKLY = Shift(("ana", "bo", "chen"), "0 9 * * mon", "Europe/Berlin", datetime(2026, 1, 5, 9))
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
ALWAYS = Window(frozenset(range(7)), time(0), time(0))
OFFICE = Window(frozenset(range(5)), time(9), time(17))


def rotation(*shifts: Shift, overrides: tuple[Override, ...] = ()) -> Rotation:
    return Rotation("r", shifts or (WEEKLY,), overrides)


def alone(*during: Window, starts: datetime = datetime(2026, 1, 5, 8)) -> Shift:
    return Shift(("ana",), "0 9 * * mon", "UTC", starts, during)


def told(found: Rotation, start: datetime, end: datetime) -> list[str]:
    return [
        f"{each.person} {each.start:%m-%d %H:%M} {each.end:%m-%d %H:%M}{' !' if each.override else ''}"
        for each in on_call_spans(found, start, end)
    ]


def test_stretches_are_clipped_and_merged() -> None:
    """Adjoining stretches of one person are one, an override is a stretch of its own, gaps have none."""
    override = Override("dee", MONDAY + HOUR, MONDAY + 2 * HOUR)
    found = on_call_spans(rotation(overrides=(override,)), MONDAY - WEEK, MONDAY + WEEK + HOUR)
    told = [(each.person, each.start - MONDAY, each.end - MONDAY, each.override) for each in found]
    assert told == [
        ("ana", timedelta(0), HOUR, False),
        ("dee", HOUR, 2 * HOUR, True),
        ("ana", 2 * HOUR, WEEK, False),
        ("bo", WEEK, WEEK + HOUR, False),
    ]


@pytest.mark.parametrize(
    ("found", "at", "expected"),
    [
        (rotation(), MONDAY + HOUR, MONDAY + WEEK),
        (rotation(), MONDAY - WEEK, MONDAY),
        (rotation(alone()), MONDAY, None),
        (rotation(alone(ALWAYS)), MONDAY, None),
        (rotation(alone(starts=datetime(2036, 1, 1))), MONDAY, datetime(2036, 1, 1, tzinfo=UTC)),
        (rotation(alone(OFFICE)), MONDAY, MONDAY + HOUR),
        (rotation(alone(OFFICE)), MONDAY + HOUR, MONDAY + 9 * HOUR),
        (rotation(alone(), overrides=(Override("bo", MONDAY + 5000 * DAY, MONDAY + 5001 * DAY),)), MONDAY, MONDAY + 5000 * DAY),
        (rotation(alone(), overrides=(Override("ana", MONDAY, MONDAY + DAY),)), MONDAY, MONDAY + DAY),
        (rotation(Shift(("a", "b"), "0 0 1 1 *", "UTC", datetime(2026, 1, 1))), MONDAY, datetime(2027, 1, 1, tzinfo=UTC)),
        (rotation(Shift(("a", "a", "b"), "0 9 * * mon", "Europe/Berlin", datetime(2026, 1, 5, 9))), MONDAY, MONDAY + 2 * WEEK),
        (rotation(alone(OFFICE), alone()), MONDAY, None),  # one shift passes on to the other, the person is the same
        (Rotation("c", calendar="c.ics"), MONDAY, None),
        (Rotation("c", calendar="c.ics", events=(CalendarEvent("a", MONDAY, MONDAY + DAY), CalendarEvent("a", MONDAY + DAY, MONDAY + WEEK))),
         MONDAY, MONDAY + WEEK),
        (Rotation("c", calendar="c.ics", events=tuple(CalendarEvent("a", MONDAY + n * DAY, MONDAY + (n + 1) * DAY) for n in range(400))),
         MONDAY, None),  # farther than calendars are read
    ],
)  # fmt: skip
def test_until(found: Rotation, at: datetime, expected: datetime | None) -> None:
    """`on_call_until` is the end of the stretch or of the gap, and none when it is endless."""
    assert on_call_until(found, at) == expected


def test_windows_that_touch_are_one_stretch() -> None:
    """Midnight inside an open night is no border, the turn of a rotation of one is none either."""
    nights = rotation(alone(Window(frozenset({0}), time(20), time(0)), Window(frozenset({1}), time(0), time(6))))
    assert told(nights, MONDAY, MONDAY + WEEK) == ["ana 01-05 20:00 01-06 06:00"]


def test_a_handoff_inside_an_open_window_and_one_outside() -> None:
    """Turns pass whether or not `during` is open."""
    days = Shift(
        ("ana", "bo"), "0 12 * * *", "UTC", datetime(2026, 1, 5), (Window(frozenset({0, 2}), time(9), time(17)),)
    )
    assert told(rotation(days), MONDAY, MONDAY + 3 * DAY) == [
        "ana 01-05 09:00 01-05 12:00",
        "bo 01-05 12:00 01-05 17:00",
        "ana 01-07 09:00 01-07 12:00",
        "bo 01-07 12:00 01-07 17:00",
    ]


def test_the_change_of_clocks() -> None:
    """A weekly turn across a change of clocks is an hour longer or shorter, and ends at nine on the wall."""
    autumn = datetime(2026, 10, 19, 7, tzinfo=UTC)
    assert told(rotation(), autumn, autumn + 2 * WEEK + HOUR) == [
        "chen 10-19 07:00 10-26 08:00",
        "ana 10-26 08:00 11-02 08:00",
    ]


def test_overrides_side_by_side_and_on_top() -> None:
    """Two overrides of one person that touch are one stretch; where one ends, what it covered is seen again."""
    first = Override("dee", MONDAY + HOUR, MONDAY + 2 * HOUR)
    second = Override("dee", MONDAY + 2 * HOUR, MONDAY + 6 * HOUR)
    third = Override("eve", MONDAY + 3 * HOUR, MONDAY + 4 * HOUR)
    assert told(rotation(overrides=(first, second, third)), MONDAY, MONDAY + 7 * HOUR) == [
        "ana 01-05 08:00 01-05 09:00",
        "dee 01-05 09:00 01-05 11:00 !",
        "eve 01-05 11:00 01-05 12:00 !",
        "dee 01-05 12:00 01-05 14:00 !",
        "ana 01-05 14:00 01-05 15:00",
    ]


def test_decades_have_no_holes() -> None:
    """Windows and handoffs go on for as long as is asked."""
    found = on_call_spans(rotation(alone(ALWAYS)), MONDAY, MONDAY + 20 * 365 * DAY)
    assert [(each.start, each.end) for each in found] == [(MONDAY, MONDAY + 20 * 365 * DAY)]


def test_a_turn_of_a_year_keeps_its_start() -> None:
    """A span under way for months begins when it really began, also when it is asked for in the autumn."""
    yearly = rotation(Shift(("ana", "bo"), "0 0 1 1 *", "UTC", datetime(2026, 1, 1)))
    autumn = datetime(2026, 10, 1, tzinfo=UTC)
    assert unclipped_spans(yearly, autumn, autumn + DAY)[0].start == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("days", [31, 32, 33, 64])
def test_until_a_handoff_any_number_of_days_ahead(days: int) -> None:
    """None is missed where the search goes on from one stretch of time to the next."""
    handoff = datetime(2027, 3, 10, 9, tzinfo=UTC)
    yearly = rotation(Shift(("ana", "bo"), "0 9 10 3 *", "UTC", datetime(2026, 1, 1)))
    assert on_call_until(yearly, handoff - days * DAY) == handoff


def test_only_spans_that_share_time_are_whole() -> None:
    """A span that ends when the asked one begins, or begins when it ends, does not touch it."""
    day = timedelta(days=1)
    start = datetime(2026, 11, 23, tzinfo=UTC)
    turns = [("ana", -1), ("bo", 0), ("chen", 1), ("dai", 2)]
    events = tuple(CalendarEvent(who, start + number * day, start + (number + 1) * day) for who, number in turns)
    rotation = Rotation("cal", calendar="x.ics", events=events)
    assert [span.person for span in unclipped_spans(rotation, start, start + 2 * day)] == ["bo", "chen"]
    assert [span.person for span in unclipped_spans(rotation, start + day / 2, start + day)] == ["bo"]
