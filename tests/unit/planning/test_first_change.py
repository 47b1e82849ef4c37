"""When a changed rotation first puts somebody else on call."""

from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.rotation import CalendarEvent, Override, Rotation, Shift
from tocsin.planning.on_call.first_change import FirstChange, first_changes

from tests.builders.instants import T0
from tests.builders.policies import small_policy

DAY = timedelta(days=1)
WEEKLY = Rotation("week", (Shift(("ana", "bo"), "0 9 * * mon", "UTC", datetime(2026, 1, 5, 9)),))


def policy(*rotations: Rotation) -> Policy:
    return small_policy(rotations={rotation.id: rotation for rotation in rotations})


def changes(old: Rotation, new: Rotation) -> list[FirstChange]:
    return list(first_changes(policy(old), policy(new), T0, {new.id}))


def calendar(*events: tuple[str, timedelta, timedelta]) -> Rotation:
    return Rotation(
        "cal", calendar="x.ics", events=tuple(CalendarEvent(who, T0 + start, T0 + end) for who, start, end in events)
    )


def test_the_same_rotation_changes_nothing() -> None:
    """Nor does one that says the same in another way."""
    assert changes(WEEKLY, WEEKLY) == []
    same = replace(WEEKLY, overrides=(Override("ana", T0 - DAY, T0),))
    assert changes(WEEKLY, same) == []


def test_the_first_instant_counts() -> None:
    """Of all later differences the first is told, from when on, who was on call then and who is."""
    assert changes(WEEKLY, replace(WEEKLY, overrides=(Override("chen", T0 + 2 * DAY, T0 + 9 * DAY),))) == [
        FirstChange("week", T0 + 2 * DAY, _on_call(WEEKLY, 2), "chen")
    ]
    swapped = replace(WEEKLY, shifts=(replace(WEEKLY.shifts[0], members=("bo", "ana")),))
    assert changes(WEEKLY, swapped) == [FirstChange("week", T0, _on_call(WEEKLY, 0), _on_call(swapped, 0))]


def test_a_gap_is_nobody() -> None:
    """Somebody who is on call no more, and somebody where nobody was; the end of a span is not part of it."""
    short, long = calendar(("ana", -DAY, DAY)), calendar(("ana", -DAY, 3 * DAY))
    assert changes(long, short) == [FirstChange("cal", T0 + DAY, "ana", None)]
    assert changes(short, long) == [FirstChange("cal", T0 + DAY, None, "ana")]
    assert changes(calendar(), short) == [FirstChange("cal", T0, None, "ana")]


def test_only_so_far_ahead_and_only_rotations_of_both() -> None:
    """Differences after 60 days are not looked for; a rotation that is new, or gone, has nothing to compare."""
    near, far = (calendar(("ana", -DAY, 59 * DAY)), calendar(("ana", -DAY, 61 * DAY)))
    assert changes(far, calendar(("ana", -DAY, 70 * DAY))) == []
    assert changes(far, near) == [FirstChange("cal", T0 + 59 * DAY, "ana", None)]
    assert list(first_changes(policy(WEEKLY), policy(WEEKLY, near), T0, {"week", "cal"})) == []
    assert list(first_changes(policy(WEEKLY, near), policy(near), T0, {"week", "cal"})) == []


def test_only_those_asked_for() -> None:
    """A rotation that nobody asks about is not looked at."""
    swapped = replace(WEEKLY, shifts=(replace(WEEKLY.shifts[0], members=("bo", "ana")),))
    assert list(first_changes(policy(WEEKLY), policy(swapped), T0, ())) == []


def _on_call(rotation: Rotation, days: int) -> str:
    """The members take turns by the week, beginning on 5 January: T0 is a Monday at 10:00, an hour into a turn."""
    weeks = (T0 + days * DAY - datetime(2026, 1, 5, 9, tzinfo=T0.tzinfo)) // (7 * DAY)
    return rotation.shifts[0].members[weeks % 2]
