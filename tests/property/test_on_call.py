"""Laws of handoffs and turns, against an oracle that shares no code with the planner: a wall clock watched minute by
minute (docs/behaviour.md, Handoffs).
"""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.rotation import CalendarEvent, Override, Rotation, Shift, Window
from tocsin.planning.on_call.handoffs import firings, turn_of
from tocsin.planning.on_call.resolve import everyone, in_turn, next_on_call, on_call, on_call_now
from tocsin.planning.on_call.shifts import on_call_spans, on_call_until
from tocsin.planning.on_call.wall_clock import instant

from tests.builders.examples import some

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})
ODD = ["Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin",
       "America/Chicago", "Europe/Berlin", "Antarctica/Troll", "Asia/Pyongyang", "America/Caracas", "Asia/Gaza",
       "Africa/Cairo", "America/Havana", "America/Asuncion", "America/Scoresbysund"]  # fmt: skip
zones = st.one_of(st.sampled_from(ODD), st.sampled_from(ZONES))
moments = st.datetimes(datetime(2004, 1, 1), datetime(2036, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0))


def change_after(zone: str, since: datetime) -> datetime:
    """The first UTC midnight after which the zone's offset differs, within two years, else `since`."""
    tz = ZoneInfo(zone)
    for days in range(730):
        at = since + days * DAY
        if at.astimezone(tz).utcoffset() != (at + DAY).astimezone(tz).utcoffset():
            return at
    return since


def watched(minutes: set[int], hours: set[int], weekdays: set[int], zone: str, start: datetime, end: datetime) -> list:
    """The firings in (start, end) that somebody sees who watches the wall clock: one happens when the clock first
    shows its time, or a later one. Two that happen at once are one.
    """
    tz = ZoneInfo(zone)
    shown = (start - 2 * DAY).astimezone(tz).replace(tzinfo=None)
    fired, at = [], start - 2 * DAY
    while at < end:
        now = at.astimezone(tz).replace(tzinfo=None)
        while shown < now:
            shown += MINUTE
            if shown.minute in minutes and shown.hour in hours and shown.weekday() in weekdays and at > start:
                fired.append(at)
        at += MINUTE
    return list(dict.fromkeys(fired))


@settings(max_examples=some(40))
@given(
    zone=zones,
    since=moments,
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.one_of(st.just(set(range(24))), st.sets(st.integers(0, 4), min_size=1)),
    weekdays=st.one_of(st.just(set(range(7))), st.sets(st.integers(0, 6), min_size=3)),
)
def test_a_handoff_happens_when_the_clock_first_reaches_it(
    zone: str, since: datetime, minutes: set[int], hours: set[int], weekdays: set[int]
) -> None:
    """Around a change of clocks in any zone, handoffs are what a watcher of the wall clock sees."""
    start = change_after(zone, since.replace(tzinfo=UTC)) - 6 * HOUR
    end = start + 2 * DAY
    dows = ",".join(str((day + 1) % 7) for day in weekdays)
    cron = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * {dows}"
    ours = list(takewhile(lambda at: at < end, firings(cron, zone, start)))
    assert ours == watched(minutes, hours, weekdays, zone, start, end)


shifts = st.builds(
    Shift,
    members=st.lists(st.sampled_from(["ana", "bo", "chen"]), min_size=1, max_size=4).map(tuple),
    handoff=st.sampled_from(["0 9 * * mon", "30 2 * * *", "0 */6 * * *", "0 0 1,15 * *", "15 0 * * sat,sun"]),
    timezone=st.sampled_from(ODD),
    starts=st.datetimes(datetime(2025, 9, 1), datetime(2026, 6, 1)).map(lambda at: at.replace(second=0, microsecond=0)),
    during=st.lists(
        st.builds(
            Window,
            st.frozensets(st.integers(0, 6), min_size=1),
            st.integers(0, 23).map(time),
            st.integers(0, 23).map(lambda hour: time(hour, 30 * (hour % 2))),
        ),
        max_size=2,
    ).map(tuple),
)
START = datetime(2026, 3, 1, tzinfo=UTC)
spans = st.tuples(st.integers(-50, 800), st.integers(1, 200)).map(
    lambda span: (START + span[0] * HOUR, START + sum(span) * HOUR)
)
overrides = st.lists(
    st.builds(
        lambda person, span, instead: Override(person, *span, instead),
        st.sampled_from(["ana", "dee"]), spans, st.sampled_from([None, "ana", "bo"]),
    ),
    max_size=3,
).map(tuple)  # fmt: skip
by_shifts = st.builds(
    lambda shifts, overrides: Rotation("r", tuple(shifts), overrides),
    st.lists(shifts, min_size=1, max_size=3),
    overrides,
)
by_calendar = st.builds(
    lambda events, overrides: Rotation(
        "r", overrides=overrides, calendar="r.ics", events=tuple(sorted(events, key=lambda each: each.start))
    ),
    st.lists(st.builds(lambda who, span: CalendarEvent(who, *span), st.sampled_from("abc"), spans), max_size=8),
    overrides,
)


@settings(max_examples=some(40))
@given(rotation=st.one_of(by_shifts, by_calendar), first=st.integers(0, 40))
def test_stretches_are_what_asking_each_moment_gives(rotation: Rotation, first: int) -> None:
    """Neither gap nor overlap, merged, clipped; every moment of a stretch gives its person, every other one nobody."""
    start = START + first * DAY
    end = start + 5 * DAY
    found = on_call_spans(rotation, start, end)
    assert all(start <= each.start < each.end <= end for each in found)
    for one, other in pairwise(found):
        assert one.end <= other.start
        assert one.end < other.start or (one.person, one.override) != (other.person, other.override)
    for quarters in range(5 * 96):
        at = start + quarters * 15 * MINUTE
        covering = [(each.person, each.override) for each in found if each.start <= at < each.end]
        person, override = on_call_now(rotation, at)
        assert covering == ([(person, override)] if person else [])


@settings(max_examples=some(40))
@given(rotation=st.one_of(by_shifts, by_calendar), hours=st.integers(0, 700))
def test_until_is_the_end_of_the_stretch(rotation: Rotation, hours: int) -> None:
    """At `on_call_until` somebody else is on call (or the same by or without an override), and not a moment before."""
    at = START + hours * HOUR
    now, ends = on_call_now(rotation, at), on_call_until(rotation, at)
    last = ends or at + 60 * DAY
    if ends:
        assert on_call_now(rotation, ends) != now
        assert on_call_now(rotation, ends - timedelta(seconds=1)) == now
    if now[0] is None:
        assert on_call_spans(rotation, at, last) == ()
    else:
        assert [(each.start, each.end, each.person) for each in on_call_spans(rotation, at, last)] == [
            (at, last, now[0])
        ]


@settings(max_examples=some(60))
@given(rotation=st.one_of(by_shifts, by_calendar), hours=st.integers(0, 900))
def test_next_is_somebody_else_of_the_rotation(rotation: Rotation, hours: int) -> None:
    """`.next` is a member, neither on call nor whose turn it is, and nobody where there is no turn to be after."""
    at = START + hours * HOUR
    after = next_on_call(rotation, at)
    if in_turn(rotation, at) is None:
        assert after is None
    if after is not None:
        assert after in everyone(rotation, at)
        assert after not in (on_call(rotation, at), in_turn(rotation, at))


@settings(max_examples=some(40))
@given(
    events=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.integers(1, 20)), min_size=1, max_size=6, unique_by=lambda e: e[1]
    ),
    hour=st.integers(0, 60),
)  # fmt: skip
def test_calendars_hour_by_hour(events: list[tuple[str, int, int]], hour: int) -> None:
    """Of overlapping events the one that starts latest counts; `.next` is the next person to come who is another."""
    listed = sorted(
        (CalendarEvent(who, START + begins * HOUR, START + (begins + lasts) * HOUR) for who, begins, lasts in events),
        key=lambda event: event.start,
    )
    calendar = Rotation("r", calendar="r.ics", events=tuple(listed))

    def there(hour: int) -> str | None:
        running = [(begins, who) for who, begins, lasts in events if begins <= hour < begins + lasts]
        return max(running)[1] if running else None

    now = there(hour)
    assert on_call(calendar, START + hour * HOUR) == now
    later = (there(after) for after in range(hour + 1, 100))
    assert next_on_call(calendar, START + hour * HOUR) == (
        next((who for who in later if who and who != now), None) if now else None
    )


@settings(max_examples=some(30))
@given(zone=zones, start=moments, handoff=st.sampled_from(["30 2 * * *", "0 9 * * fri", "0 0 31 * *", "0 */8 * * *"]))
def test_turns_pass_one_by_one(zone: str, start: datetime, handoff: str) -> None:
    """At each handoff the turn is the next one, until then it is the same: nobody is skipped, nobody is doubled."""
    shift = Shift(("a", "b", "c"), handoff, zone, start)
    fired = firings(handoff, zone, instant(start, zone))
    for turn, at in zip(range(1, 30), fired, strict=False):
        assert (turn_of(shift, at - timedelta(microseconds=1)), turn_of(shift, at)) == (turn - 1, turn)
