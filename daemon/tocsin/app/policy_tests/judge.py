"""Whether a plan does what a policy test expects, and if not, what it does instead: pure, from what it sends.

Decides the verdict and shows each failure as a diff: `-` what was expected, `+` what comes instead or besides, and
around them what else the plan does there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tocsin.app.policy_tests.hints import PlayedTest, counted, instead, unwanted
from tocsin.app.policy_tests.matching import assign
from tocsin.app.policy_tests.planned_message import PlannedMessage
from tocsin.formats.policy_test.expectations import (
    ANY_TIME,
    Exactly,
    Expectation,
    ExpectedMessage,
    MessagePattern,
    Never,
    NoneAfter,
)
from tocsin.text.times import brief

AROUND = 6
"""How many of the plan's lines are shown around an expectation that failed."""
SHOWN_MOST = 40
"""The most lines of one failure."""


class DiffMark(StrEnum):
    """What a line of a failure is."""

    EXPECTED = "-"
    PLANNED = "+"
    AROUND = " "


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a failure: a moment, what is sent then, why, and where that is written (file:line)."""

    mark: DiffMark
    when: str
    what: str
    why: str
    place: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold: one sentence that says what the plan does instead, and the diff."""

    place: str
    hint: str
    lines: tuple[DiffLine, ...]


def judge(expected: Expectation, played: PlayedTest) -> Failure | None:
    """What is wrong, or None when the plan does as expected."""
    if isinstance(expected, ExpectedMessage):
        return _sent(expected.wanted, played)
    if isinstance(expected, Never):
        return _never(expected.wanted, played)
    if isinstance(expected, NoneAfter):
        return _none_after(expected, played)
    return _exactly(expected, played)


def _sent(wanted: MessagePattern, played: PlayedTest) -> Failure | None:
    """It is sent in time, by each of its channels."""
    in_time = [message for message in played.planned if wanted.when.holds(message.after)]
    suiting = [
        notification for message in in_time for notification in message.notifications if wanted.suits(notification)
    ]
    reached = {notification.via for notification in suiting}
    if reached and reached.issuperset(wanted.via):
        return None
    hint, nearest = instead(wanted, played.known, played)
    around = sorted(
        played.known,
        key=lambda message: (
            message is not nearest,
            wanted.when.away(message.after),
            not any(map(wanted.about, message.notifications)),
            message.first.kind is not wanted.kind,
        ),
    )[:AROUND]
    shown = [message for message in played.known if message in around]
    return Failure(wanted.place, hint, _diff([wanted], shown, [nearest] if nearest else []))


def _never(wanted: MessagePattern, played: PlayedTest) -> Failure | None:
    """Nothing of the sort is sent, by none of its channels."""
    unexpected = [
        message
        for message in played.planned
        if wanted.when.holds(message.after)
        and any(
            wanted.suits(notification) and (not wanted.via or notification.via in wanted.via)
            for notification in message.notifications
        )
    ]
    if not unexpected:
        return None
    when = "never" if wanted.when == ANY_TIME else f"never {wanted.when}"
    head = DiffLine(DiffMark.EXPECTED, when, str(wanted), "", wanted.place)
    return Failure(wanted.place, unwanted(unexpected, played.severity), (head, *_planned(unexpected)))


def _none_after(expected: NoneAfter, played: PlayedTest) -> Failure | None:
    """Nothing at all is sent later."""
    unexpected = [message for message in played.planned if message.after > expected.after]
    if not unexpected:
        return None
    head = DiffLine(DiffMark.EXPECTED, f"{brief(expected.after)}..", "nothing", "", expected.place)
    return Failure(expected.place, unwanted(unexpected, played.severity), (head, *_planned(unexpected)))


def _exactly(expected: Exactly, played: PlayedTest) -> Failure | None:
    """Each entry has messages of its own, and no message is left."""
    missing, extra = assign(
        expected.wanted,
        [(message.after, notification) for message in played.planned for notification in message.notifications],
    )
    if not missing and not extra:
        return None
    left_over = {notification.key for notification in extra}
    surplus = [
        PlannedMessage(
            message.after,
            tuple(notification for notification in message.notifications if notification.key in left_over),
        )
        for message in played.planned
        if any(notification.key in left_over for notification in message.notifications)
    ]
    counts = [f"{counted(len(missing), 'entry')} without a message"] if missing else []
    counts += [f"{counted(len(extra), 'message')} not expected"] if extra else []
    hint = ", ".join(counts)
    if missing:
        hint += f"; {instead(missing[0], surplus or played.planned, played)[0]}"
    elif surplus:
        hint += f"; {unwanted(surplus[:1], played.severity)}"
    beside = [
        message
        for message in played.planned
        if not any(notification.key in left_over for notification in message.notifications)
    ]
    near = [message for message in beside if _close(message, missing, surplus)][:AROUND]
    shown = sorted([*near, *surplus], key=lambda message: message.after)
    return Failure(expected.place, hint, _diff(missing, shown, surplus))


def _close(message: PlannedMessage, missing: Iterable[MessagePattern], surplus: Iterable[PlannedMessage]) -> bool:
    """Whether it lies at the moment of something missing or left over."""
    return any(pattern.when.holds(message.after) for pattern in missing) or any(
        other.after == message.after for other in surplus
    )


def _diff(
    wanted: Sequence[MessagePattern], shown: Iterable[PlannedMessage], planned: Sequence[PlannedMessage]
) -> tuple[DiffLine, ...]:
    """Expected and planned lines in time order, the expected first."""
    rows: list[tuple[timedelta, int, DiffLine]] = [
        (pattern.when.first, 0, DiffLine(DiffMark.EXPECTED, str(pattern.when), str(pattern), "", pattern.place))
        for pattern in wanted
    ]
    for message in shown:
        mark = DiffMark.PLANNED if message in planned else DiffMark.AROUND
        rows.append((message.after, 1, _line(mark, message)))
    rows.sort(key=lambda row: row[:2])
    lines = tuple(line for *_, line in rows)
    return (*lines[:SHOWN_MOST], *_more(len(lines) - SHOWN_MOST))


def _planned(unexpected: Sequence[PlannedMessage]) -> Iterator[DiffLine]:
    """The first of what should not be there."""
    yield from (_line(DiffMark.PLANNED, message) for message in unexpected[:AROUND])
    yield from _more(len(unexpected) - AROUND)


def _more(count: int) -> Iterator[DiffLine]:
    if count > 0:
        yield DiffLine(DiffMark.AROUND, "…", f"and {count} more", "", "")


def _line(mark: DiffMark, message: PlannedMessage) -> DiffLine:
    return DiffLine(mark, brief(message.after), str(message), message.why, message.first.rule)
