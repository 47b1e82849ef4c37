"""Whether a plan does what a policy test expects, and if not, what it does instead: pure, from what it said.

Decides the verdict and shows each failure as a diff: `-` what was expected, `+` what comes instead or besides, and
around them what else the plan does there. Must not know files, nor how the plan was played or is printed.
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
    found = [each for said in played.spoken if wanted.when.holds(said.after) for each in said.messages]
    reached = {each.via for each in found if wanted.suits(each)}
    if reached and reached.issuperset(wanted.via):
        return None
    hint, nearest = instead(wanted, played.known, played)
    around = sorted(
        played.known,
        key=lambda said: (
            said is not nearest,
            wanted.when.away(said.after),
            not any(map(wanted.about, said.messages)),
            said.first.kind is not wanted.kind,
        ),
    )[:AROUND]
    shown = [said for said in played.known if said in around]
    return Failure(wanted.place, hint, _diff([wanted], shown, [nearest] if nearest else []))


def _never(wanted: MessagePattern, played: PlayedTest) -> Failure | None:
    """Nothing of the sort is sent, by none of its channels."""
    found = [
        said
        for said in played.spoken
        if wanted.when.holds(said.after)
        and any(wanted.suits(each) and (not wanted.via or each.via in wanted.via) for each in said.messages)
    ]
    if not found:
        return None
    when = "never" if wanted.when == ANY_TIME else f"never {wanted.when}"
    head = DiffLine(DiffMark.EXPECTED, when, str(wanted), "", wanted.place)
    return Failure(wanted.place, unwanted(found, played.severity), (head, *_planned(found)))


def _none_after(expected: NoneAfter, played: PlayedTest) -> Failure | None:
    """Nothing at all is sent later."""
    found = [said for said in played.spoken if said.after > expected.after]
    if not found:
        return None
    head = DiffLine(DiffMark.EXPECTED, f"{brief(expected.after)}..", "nothing", "", expected.place)
    return Failure(expected.place, unwanted(found, played.severity), (head, *_planned(found)))


def _exactly(expected: Exactly, played: PlayedTest) -> Failure | None:
    """Each entry has messages of its own, and no message is left."""
    missing, extra = assign(expected.wanted, [(said.after, each) for said in played.spoken for each in said.messages])
    if not missing and not extra:
        return None
    left = {each.key for each in extra}
    over = [
        PlannedMessage(said.after, tuple(each for each in said.messages if each.key in left))
        for said in played.spoken
        if any(each.key in left for each in said.messages)
    ]
    told = [f"{counted(len(missing), 'entry')} without a message"] if missing else []
    told += [f"{counted(len(extra), 'message')} not expected"] if extra else []
    hint = ", ".join(told)
    if missing:
        hint += f"; {instead(missing[0], over or played.spoken, played)[0]}"
    elif over:
        hint += f"; {unwanted(over[:1], played.severity)}"
    beside = [said for said in played.spoken if not any(each.key in left for each in said.messages)]
    near = [said for said in beside if _close(said, missing, over)][:AROUND]
    shown = sorted([*near, *over], key=lambda said: said.after)
    return Failure(expected.place, hint, _diff(missing, shown, over))


def _close(said: PlannedMessage, missing: Iterable[MessagePattern], over: Iterable[PlannedMessage]) -> bool:
    """Whether it lies at the moment of something missing or left over."""
    return any(each.when.holds(said.after) for each in missing) or any(each.after == said.after for each in over)


def _diff(
    wanted: Sequence[MessagePattern], shown: Iterable[PlannedMessage], planned: Sequence[PlannedMessage]
) -> tuple[DiffLine, ...]:
    """Expected and planned lines in time order, the expected first."""
    rows: list[tuple[timedelta, int, DiffLine]] = [
        (each.when.first, 0, DiffLine(DiffMark.EXPECTED, str(each.when), str(each), "", each.place)) for each in wanted
    ]
    for said in shown:
        mark = DiffMark.PLANNED if said in planned else DiffMark.AROUND
        rows.append((said.after, 1, _line(mark, said)))
    rows.sort(key=lambda row: row[:2])
    lines = tuple(line for *_, line in rows)
    return (*lines[:SHOWN_MOST], *_more(len(lines) - SHOWN_MOST))


def _planned(found: Sequence[PlannedMessage]) -> Iterator[DiffLine]:
    """The first of what should not be there."""
    yield from (_line(DiffMark.PLANNED, said) for said in found[:AROUND])
    yield from _more(len(found) - AROUND)


def _more(count: int) -> Iterator[DiffLine]:
    if count > 0:
        yield DiffLine(DiffMark.AROUND, "…", f"and {count} more", "", "")


def _line(mark: DiffMark, said: PlannedMessage) -> DiffLine:
    return DiffLine(mark, brief(said.after), str(said), said.why, said.first.rule)
