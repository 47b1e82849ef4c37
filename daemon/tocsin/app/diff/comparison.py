"""Comparison: what moved for whom between two rehearsals of one incident. The judgement of `tocsin diff`, no more.

Pages and updates are compared, each reader's on each channel for themselves; reminders, stand-downs and what comes
after the resolution follow from them. Of a reader's messages the first that differs is told. Must not know why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from tocsin.app.simulation.play import Simulation
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel

Reader = tuple[Kind, str, Channel]
"""Pages or updates of somebody on a channel."""


class Moved(StrEnum):
    """How a message moved (product.md section 7); `as` is a message that comes when it did, but a
    page for other roles, or an update in internal words instead of public ones, or for another group.
    """

    EARLIER = "earlier"
    LATER = "later"
    GONE = "gone"
    NEW = "new"
    CADENCE = "cadence"
    AS = "as"


@dataclass(frozen=True, slots=True)
class Change:
    """The first message of a reader that differs: counted from the declaration, None where it does not come.

    `number` counts the reader's messages before it; `alone` says that another channel of theirs did not move so.
    `about` are the roles of a page, or the group of an update and whose words it gets, `formerly` those it had; `rule`
    is the place of its rule.
    """

    kind: Kind
    moved: Moved
    to: str
    via: Channel
    before: timedelta | None
    after: timedelta | None
    number: int
    alone: bool
    about: tuple[str, ...]
    formerly: tuple[str, ...]
    rule: str

    @property
    def reader(self) -> Reader:
        """Whose messages, and which."""
        return self.kind, self.to, self.via


def compare(before: Simulation | None, after: Simulation | None, span: timedelta) -> tuple[Change, ...]:
    """What moved within the span; a side that has no such incident says nothing to anybody."""
    old, new = _by_reader(before), _by_reader(after)
    readers = dict.fromkeys([*old, *new])
    found = [(reader, _first(reader, old.get(reader, []), new.get(reader, []), span)) for reader in readers]
    moved: dict[tuple[Kind, str], set[Moved | None]] = {}
    for reader, change in found:
        moved.setdefault(reader[:2], set()).add(change.moved if change else None)
    return tuple(replace(each, alone=len(moved[each.kind, each.to]) > 1) for _, each in found if each is not None)


Timed = tuple[timedelta, Notification]


def _by_reader(played: Simulation | None) -> dict[Reader, list[Timed]]:
    found: dict[Reader, list[Timed]] = {}
    for said in played.messages if played else ():
        each = said.notification
        if played is not None and each.kind in {Kind.PAGE, Kind.UPDATE}:
            found.setdefault((each.kind, each.to, each.via), []).append((each.at - played.start, each))
    return found


def _first(reader: Reader, old: Sequence[Timed], new: Sequence[Timed], span: timedelta) -> Change | None:
    """The first of a reader's messages that differs, or None."""
    kind, to, via = reader
    for number in range(max(len(old), len(new))):
        was = old[number] if number < len(old) else None
        now = new[number] if number < len(new) else None
        before, after = (each[0] if each else None for each in (was, now))
        if before == after and set(_about(was)) == set(_about(now)):
            continue
        if min(each for each in (before, after) if each is not None) > span:
            return None
        moved = Moved.AS if before == after else _moved(kind, bool(old), bool(new), before, after)
        told = now or was
        assert told is not None
        return Change(kind, moved, to, via, before, after, number, False, _about(now), _about(was), told[1].rule)
    return None


def _moved(kind: Kind, had: bool, has: bool, before: timedelta | None, after: timedelta | None) -> Moved:
    if not had or (before is None and kind is Kind.PAGE):
        return Moved.NEW
    if not has or (after is None and kind is Kind.PAGE):
        return Moved.GONE
    if kind is Kind.UPDATE:
        return Moved.CADENCE
    assert before is not None
    assert after is not None
    return Moved.EARLIER if after < before else Moved.LATER


def _about(each: Timed | None) -> tuple[str, ...]:
    """The roles of a page; the group of an update, and whose words it gets."""
    if each is None:
        return ()
    said = each[1]
    return said.roles or (said.group or "", "public" if said.external else "internal")
