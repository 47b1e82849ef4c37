"""Who a name in a chain means at an instant."""

from datetime import UTC, datetime, time, timedelta

import pytest
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy, Who
from tocsin.domain.rotation import CalendarEvent, Override, Rotation, Shift, Window
from tocsin.planning.on_call.resolve import calendar_turns, everyone, next_on_call, on_call, on_call_now, resolve

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


@pytest.mark.parametrize(
    ("members", "turn", "override", "expected"),
    [
        (("ana", "bo", "chen"), 0, None, "bo"),
        (("ana", "bo", "chen"), 2, None, "ana"),
        (("ana", "bo", "chen"), 0, ("dee", "ana"), "bo"),  # somebody from outside stands in
        (("ana", "bo", "chen"), 0, ("bo", "ana"), "chen"),  # the one after already stands in
        (("ana", "bo", "chen"), 0, ("chen", None), "bo"),
        (("ana", "bo"), 0, ("bo", "ana"), None),  # who handed over their turn is not asked in the other's place
        (("ana",), 0, None, None),
        (("ana", "ana", "bo"), 0, None, "bo"),
        (("ana", "ana", "bo"), 0, ("dee", None), "bo"),  # nor whose turn it is, though they have the next one too
        (("ana", "bo", "ana", "chen"), 2, None, "chen"),
        (("ana", "bo", "chen"), 0, ("dee", "bo"), "bo"),  # an override of another's turn holds nothing now
    ],
)
def test_next(
    members: tuple[str, ...], turn: int, override: tuple[str, str | None] | None, expected: str | None
) -> None:
    """The member after the one whose turn it is, skipping whoever is on call."""
    shift = Shift(members, "0 9 * * mon", "Europe/Berlin", datetime(2026, 1, 5, 9))
    over = (Override(override[0], MONDAY - WEEK, MONDAY + 9 * WEEK, override[1]),) if override else ()
    assert next_on_call(rotation(shift, overrides=over), MONDAY + turn * WEEK) == expected


def test_an_override_holds_from_its_start_to_before_its_end() -> None:
    """[from, to): at `to` the turn is its owner's again; `.next` and `.everyone` go by turns, also in a gap."""
    early = Override("dee", MONDAY - WEEK, MONDAY - HOUR)
    gap = rotation(overrides=(early,))
    assert on_call_now(gap, MONDAY - WEEK) == ("dee", True)
    assert on_call_now(gap, MONDAY - HOUR) == (None, False)
    assert next_on_call(gap, MONDAY - WEEK) is None
    assert everyone(gap, MONDAY - WEEK) == ("ana", "bo", "chen")


def test_instead_of_means_turns_not_stand_ins() -> None:
    """An override instead of somebody takes that person's turns, not a stand-in's span; in a gap it takes nothing."""
    span = (MONDAY - WEEK, MONDAY + 3 * WEEK)
    chain = rotation(overrides=(Override("dee", *span, "ana"), Override("eve", *span, "dee")))
    assert on_call(chain, MONDAY) == "dee"
    assert on_call(chain, MONDAY - HOUR) is None


def test_a_shift_of_one_and_a_shift_that_starts_later() -> None:
    """Until the first shift starts the second covers; the first then takes over at its start."""
    late = Shift(("ana", "bo"), "0 9 * * mon", "UTC", datetime(2026, 2, 2, 12))
    always = Shift(("eve",), "0 9 * * mon", "UTC", datetime(2026, 1, 1))
    both = rotation(late, always)
    starts = datetime(2026, 2, 2, 12, tzinfo=UTC)
    assert [on_call(both, at) for at in (starts - HOUR, starts, starts + WEEK)] == ["eve", "ana", "bo"]
    assert everyone(both, starts - WEEK) == ("ana", "bo", "eve")


def test_calendar_corners() -> None:
    """In a calendar's gap there is no next; `.everyone` looks 90 days ahead and names each person once."""
    days = timedelta(days=1)
    events = (
        CalendarEvent("ana", MONDAY, MONDAY + days),
        CalendarEvent("bo", MONDAY + 2 * days, MONDAY + 3 * days),
        CalendarEvent("ana", MONDAY + 3 * days, MONDAY + 4 * days),
        CalendarEvent("chen", MONDAY + 90 * days, MONDAY + 91 * days),
        CalendarEvent("chen", MONDAY + 89 * days, MONDAY + 90 * days),
    )
    calendar = Rotation("c", calendar="c.ics", events=tuple(sorted(events, key=lambda each: each.start)))
    assert next_on_call(calendar, MONDAY + 36 * HOUR) is None
    assert everyone(calendar, MONDAY) == ("ana", "bo", "chen")
    assert everyone(calendar, MONDAY - 2 * days) == ("ana", "bo")
    stand_in = Override("bo", MONDAY, MONDAY + days)
    assert next_on_call(Rotation("c", (), (stand_in,), "c.ics", calendar.events), MONDAY) == "chen"


def test_a_calendars_event_under_way_and_two_that_start_together() -> None:
    """`.everyone` names who is on call already; of events that start together the first listed has the turn."""
    first, second = (CalendarEvent(who, MONDAY, MONDAY + hours * HOUR) for who, hours in (("ana", 4), ("bo", 2)))
    calendar = Rotation("c", calendar="c.ics", events=(first, second))
    assert everyone(calendar, MONDAY + HOUR) == ("ana", "bo")
    assert everyone(calendar, MONDAY + 2 * HOUR) == ("ana",)
    assert on_call(calendar, MONDAY) == "ana"
    assert next(calendar_turns(calendar.events)) == (MONDAY, "ana")
    assert next(calendar_turns((second, first))) == (MONDAY, "bo")


def test_resolve() -> None:
    """A name in a chain is a person or a part of a rotation; a gap and an unknown name are nobody."""
    people = {name: Person(name, name.title(), f"{name}@example.com") for name in ("ana", "bo", "chen")}
    known = Policy({}, {}, people, {"r": rotation()}, {}, {}, {}, (), (), "sev1")
    parts = {"on_call": ("ana",), "next": ("bo",), "everyone": ("ana", "bo", "chen")}
    for part, expected in parts.items():
        assert resolve(Who("r", part), known, MONDAY) == expected
    assert resolve(Who("bo"), known, MONDAY) == ("bo",)
    assert resolve(Who("r", "on_call"), known, MONDAY - HOUR) == ()
    assert resolve(Who("gone", "on_call"), known, MONDAY) == resolve(Who("gone"), known, MONDAY) == ()
