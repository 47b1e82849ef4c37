"""When a chain reaches nobody, exactly: against asking every half hour and around every edge, and by cases."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import ALWAYS, Level, PagePolicy, Policy, Role, Service, Severity, Who
from tocsin.domain.rotation import CalendarEvent, Hours, Override, Rotation, Shift, Window
from tocsin.planning.on_call.coverage import AHEAD, ChainCoverage, intersection, union
from tocsin.planning.on_call.gaps import Gap, GapCause, GapSource
from tocsin.planning.on_call.hours import is_open
from tocsin.planning.on_call.resolve import resolve

from tests.builders.examples import some
from tests.builders.policies import small_policy
from tests.property.test_on_call import START, by_calendar, by_shifts

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEKDAYS = Window(frozenset(range(5)), time(8), time(20))
OFFICE = Hours("Europe/Berlin", (Window(frozenset(range(5)), time(9), time(17)),))


def people(mute: frozenset[str] = frozenset()) -> dict[str, Person]:
    """Everybody whom the strategies name, those in `mute` without any channel."""
    names = ("ana", "bo", "chen", "dee", "a", "b", "c")
    return {name: Person(name, name, "" if name in mute else f"{name}@example.com") for name in names}


def policy(chain: str, *rotations: Rotation, hours: str = ALWAYS, **more: Any) -> Policy:
    """One severity that pages the Technical Lead by a chain such as `r.on_call r.next ana`."""
    page = PagePolicy(("technical_lead",), (Channel.EMAIL,), HOUR, hours=hours)
    levels = tuple(Level((who(word),)) for word in chain.split())
    parts: dict[str, Any] = {
        "severities": {"sev1": Severity("sev1", "One", page=page)},
        "roles": {"technical_lead": Role("technical_lead", "Lead", chain=levels)},
        "people": people(),
        "rotations": {each.id: each for each in rotations},
        "services": {},
        "hours": {"office": OFFICE},
    }
    return small_policy(**{**parts, **more})


def who(word: str) -> Who:
    """A name as a chain writes it."""
    name, _, part = word.partition(".")
    return Who(name, part or "person")


def berlin(*during: Window, members: tuple[str, ...] = ("ana", "bo"), starts: int = 2026, name: str = "r") -> Rotation:
    """A weekly rotation of one shift."""
    return Rotation(name, (Shift(members, "0 9 * * mon", "Europe/Berlin", datetime(starts, 1, 5, 9), during),))


def reach(found: Policy, start: datetime = NOW) -> ChainCoverage:
    return ChainCoverage(found, start, start + AHEAD)


names = st.sampled_from(["r.on_call", "r.next", "r.everyone", "s.on_call", "s.next", "s.everyone", "dee"])


@settings(max_examples=some(60), deadline=None)
@given(
    one=st.one_of(by_shifts, by_calendar),
    other=st.one_of(by_shifts, by_calendar),
    chain=st.lists(names, min_size=1, max_size=4),
    mute=st.frozensets(st.sampled_from(["ana", "bo", "dee", "a", "b"]), max_size=3),
    hours=st.sampled_from([ALWAYS, "office"]),
    first=st.integers(0, 40),
)
def test_gaps_are_when_asking_each_moment_reaches_nobody(
    one: Rotation, other: Rotation, chain: list[str], mute: frozenset[str], hours: str, first: int
) -> None:
    """At every moment of open time, in a gap none of the chain's names reaches anybody, outside of all one does."""
    other = Rotation("s", other.shifts, other.overrides, other.calendar, other.events)
    found = policy(" ".join(chain), one, other, hours=hours, people=people(mute))
    start = START + first * DAY
    end = start + 5 * DAY
    told = ChainCoverage(found, start, end).unreached()
    gaps = told[0].gaps if told else ()
    assert len(told) <= 1
    assert all(start <= gap.start < gap.end <= end for gap in gaps)
    edges = {moment + step for gap in gaps for moment in (gap.start, gap.end) for step in (-SECOND, 0 * SECOND)}
    opening = OFFICE if hours == "office" else Hours()
    for at in sorted({start + n * HOUR / 2 for n in range(240)} | edges):
        if start <= at < end:
            reached = {
                person for word in chain for person in resolve(who(word), found, at) if found.people[person].channels
            }
            lost = not reached and is_open(opening, at)
            assert lost == any(gap.start <= at < gap.end for gap in gaps), (at, reached)


rows = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=8).map(
    lambda pairs: union(tuple(Gap(NOW + at * HOUR, NOW + (at + lasts) * HOUR) for at, lasts in pairs), ())
)


@given(one=rows, other=rows)
def test_rows_of_stretches_add_and_cut(one: tuple[Gap, ...], other: tuple[Gap, ...]) -> None:
    """What is in both and what is in either is what each hour by itself says; touching ones are one."""
    hours = range(50)

    def inside(row: tuple[Gap, ...]) -> set[int]:
        return {hour for hour in hours for gap in row if gap.start <= NOW + hour * HOUR < gap.end}

    assert inside(intersection(one, other)) == inside(one) & inside(other)
    assert inside(union(one, other)) == inside(one) | inside(other)
    assert all(a.end < b.start for a, b in zip(union(one, other), union(one, other)[1:], strict=False))


def test_a_later_level_fills_a_gap() -> None:
    """A level that reaches nobody takes no time, so only what no level covers is a gap of the chain."""
    weekdays = berlin(WEEKDAYS)
    assert len(reach(policy("r.on_call r.next", weekdays)).unreached()[0].gaps) == 65
    assert reach(policy("r.on_call r.next chen", weekdays)).unreached() == ()
    assert reach(policy("r.on_call r.everyone", weekdays)).unreached() == ()
    nights = berlin(
        Window(frozenset(range(5)), time(20), time(8)), Window(frozenset({5, 6}), time(0), time(0)), name="s"
    )
    assert [
        (gap.start, gap.end) for gap in reach(policy("r.on_call s.on_call", weekdays, nights)).unreached()[0].gaps[:1]
    ] == [(datetime(2026, 11, 29, 23, tzinfo=UTC), datetime(2026, 11, 30, 7, tzinfo=UTC))]


def test_closed_hours_are_no_gap() -> None:
    """Pages wait for the severity's hours, so a rotation may rest outside of them."""
    assert reach(policy("r.on_call", berlin(WEEKDAYS), hours="office")).unreached() == ()
    late = berlin(Window(frozenset(range(5)), time(10), time(20)))
    told = reach(policy("r.on_call", late, hours="office")).unreached()[0].gaps
    assert told[0] == Gap(NOW + 23 * HOUR, NOW + DAY)
    assert len(told) == 64


def test_clocks_that_change_on_other_days_leave_an_hour() -> None:
    """Two shifts around the globe meet for most of the year; for two weeks in March New York is an hour early."""
    sun = Rotation(
        "r",
        tuple(
            Shift(("ana", "bo"), "0 9 * * mon", zone, datetime(2026, 1, 5), (Window(frozenset(range(7)), start, end),))
            for zone, start, end in (
                ("Europe/Berlin", time(8), time(20)),
                ("America/New_York", time(14), time(2)),
            )
        ),
    )
    told = reach(policy("r.on_call", sun), datetime(2027, 1, 10, tzinfo=UTC)).unreached()[0]
    assert [gap.end - gap.start for gap in told.gaps] == [HOUR] * 13
    assert told.gaps[0].start == datetime(2027, 3, 15, 6, tzinfo=UTC)
    assert told.sources == (GapSource("r", GapCause.DURING, 1),)
    assert reach(policy("r.on_call", sun), datetime(2026, 11, 23, tzinfo=UTC)).unreached() == ()


def test_what_leaves_a_gap() -> None:
    """A rotation that begins later, windows, a calendar that ends, and one member of whom none is next."""
    ending = Rotation("r", calendar="r.ics", events=(CalendarEvent("ana", NOW - DAY, NOW + DAY),))
    for chain, rotation, source, gap in (
        (
            "r.on_call",
            berlin(starts=2027),
            GapSource("r", GapCause.STARTS),
            Gap(NOW, datetime(2027, 1, 5, 8, tzinfo=UTC)),
        ),
        ("r.on_call", ending, GapSource("r", GapCause.CALENDAR), Gap(NOW + DAY, NOW + AHEAD)),
        ("r.everyone", ending, GapSource("r", GapCause.CALENDAR), Gap(NOW + DAY, NOW + AHEAD)),
        ("r.next", berlin(members=("ana",)), GapSource("r", GapCause.MEMBERS), Gap(NOW, NOW + AHEAD)),
        ("r.on_call", berlin(WEEKDAYS), GapSource("r", GapCause.DURING), Gap(NOW + 10 * HOUR, NOW + 22 * HOUR)),
    ):
        told = reach(policy(chain, rotation)).unreached()[0]
        assert (told.sources, told.gaps[0]) == ((source,), gap)


def test_an_override_fills_a_gap_only_with_its_whole_span() -> None:
    """`instead_of` takes somebody's turns, and in a gap there are none."""
    shift = berlin(WEEKDAYS).shifts
    tonight = (NOW + 10 * HOUR, NOW + 22 * HOUR)
    whole = Rotation("r", shift, (Override("dee", *tonight),))
    instead = Rotation("r", shift, (Override("dee", *tonight, "ana"),))
    assert reach(policy("r.on_call", whole)).unreached()[0].gaps[0].start > tonight[1]
    assert reach(policy("r.on_call", instead)).unreached()[0].gaps[0] == Gap(*tonight)


def test_one_cause_is_told_once() -> None:
    """Severities, services and roles that suffer from the same gaps of the same rotation stand in one entry."""
    levels = (Level((who("r.on_call"),)), Level((who("r.next"),)))
    services = {
        name: Service(name, name, roles=(("technical_lead", levels),), responders=(who("r.on_call"),))
        for name in ("x", "y")
    }
    told = reach(policy("r.on_call", berlin(WEEKDAYS), services=services)).unreached()
    assert len(told) == 1
    assert {(asker.role, asker.service) for asker in told[0].chains} == {
        ("technical_lead", ""), ("technical_lead", "x"), ("technical_lead", "y"), ("responder", "x"), ("responder", "y"),
    }  # fmt: skip


@pytest.mark.parametrize("windows", [(), (WEEKDAYS,)])
def test_a_rotation_that_never_begins_passes_over_a_level(windows: tuple[Window, ...]) -> None:
    """A wrong year leaves level 0 to nobody for all of the time that is looked at: that is told though others are
    reached, and keeps no hole of the shifts beside it from being told.
    """
    (skipped,) = reach(policy("r.on_call r.everyone", berlin(*windows, starts=2062))).skipped()
    assert (skipped.source, skipped.gaps) == (GapSource("r", GapCause.STARTS), (Gap(NOW, NOW + AHEAD),))
    both = Rotation("r", (*berlin(WEEKDAYS).shifts, *berlin(*windows, starts=2062).shifts))
    (hole,) = reach(policy("r.on_call r.everyone", both)).skipped()
    assert (hole.source, len(hole.gaps)) == (GapSource("r", GapCause.DURING), 65)


def test_a_hole_in_the_week_passes_over_a_level() -> None:
    """It is told where the level has nobody else then and pages may go, and not before all shifts have begun."""
    skipped = reach(policy("r.on_call r.everyone", berlin(WEEKDAYS))).skipped()
    assert [(each.source, len(each.gaps)) for each in skipped] == [(GapSource("r", GapCause.DURING), 65)]
    assert reach(policy("r.on_call r.everyone", berlin(WEEKDAYS), hours="office")).skipped() == ()
    assert reach(policy("r.everyone", berlin(WEEKDAYS))).skipped() == ()
    assert reach(policy("r.on_call r.everyone", berlin())).skipped() == ()
    assert reach(policy("r.on_call r.everyone", berlin(WEEKDAYS, starts=2027))).skipped()[0].gaps[0].start.year == 2027
    together = Role("technical_lead", "Lead", chain=(Level((who("r.on_call"), who("dee"))),))
    assert reach(policy("", berlin(WEEKDAYS), roles={"technical_lead": together})).skipped() == ()
