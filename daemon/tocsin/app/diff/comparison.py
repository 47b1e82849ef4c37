"""What moved for whom between two simulations of one incident: the judgement of `tocsin diff`.

Pages and updates are compared, each reader's on each channel for themselves; reminders, stand-downs and what comes
after the resolution follow from them. Of a reader's messages the first that differs counts.
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
COMPARED = (Kind.PAGE, Kind.UPDATE)
Order = tuple[bool, timedelta, int, str, Channel]
"""Where a change stands among others: first come those to readers who heard before, by their first message, then by
kind, reader and channel.
"""
Timed = tuple[timedelta, Notification]
"""A message and when it comes, counted from the declaration."""
Step = tuple[int | None, int | None]
"""Level and round of a page; neither in the last resort."""


class Moved(StrEnum):
    """How a message moved; `as` is a message that comes when it did, but a
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
    is the place of its rule. `step` is where a page stands on its ladder, `former_step` where it stood; None without
    such a message.
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
    step: Step | None = None
    former_step: Step | None = None

    @property
    def reader(self) -> Reader:
        """Whose messages, and which."""
        return self.kind, self.to, self.via


def compare(before: Simulation | None, after: Simulation | None, span: timedelta) -> tuple[Change, ...]:
    """What moved within the span, in the order of `compare_in_order`."""
    found = compare_in_order(before, after, span)
    return tuple(found[order] for order in sorted(found))


def compare_in_order(before: Simulation | None, after: Simulation | None, span: timedelta) -> dict[Order, Change]:
    """What moved within the span, with where it stands among all that moved; a side that has no such incident says
    nothing to anybody.
    """
    old, new = _by_reader(before), _by_reader(after)
    firsts = {reader: _first(reader, old.get(reader, []), new.get(reader, []), span) for reader in {**old, **new}}
    moved: dict[tuple[Kind, str], set[Moved | None]] = {}
    for reader, change in firsts.items():
        moved.setdefault(reader[:2], set()).add(change.moved if change else None)
    return {
        _order(reader, reader in old, (old.get(reader) or new[reader])[0]): replace(
            change, alone=len(moved[change.kind, change.to]) > 1
        )
        for reader, change in firsts.items()
        if change is not None
    }


def _order(reader: Reader, heard: bool, first: Timed) -> Order:
    kind, to, via = reader
    return not heard, first[0], COMPARED.index(kind), to, via


def _by_reader(simulation: Simulation | None) -> dict[Reader, list[Timed]]:
    by_reader: dict[Reader, list[Timed]] = {}
    for message in simulation.messages if simulation else ():
        notification = message.notification
        if simulation is not None and notification.kind in COMPARED:
            reader = notification.kind, notification.to, notification.via
            by_reader.setdefault(reader, []).append((notification.at - simulation.start, notification))
    return by_reader


def _first(reader: Reader, old: Sequence[Timed], new: Sequence[Timed], span: timedelta) -> Change | None:
    """The first of a reader's messages that differs, or None."""
    kind, to, via = reader
    for number in range(max(len(old), len(new))):
        was = old[number] if number < len(old) else None
        now = new[number] if number < len(new) else None
        before, after = (timed[0] if timed else None for timed in (was, now))
        if before == after and set(_about(was)) == set(_about(now)):
            continue
        if min(moment for moment in (before, after) if moment is not None) > span:
            return None
        moved = Moved.AS if before == after else _moved(kind, bool(old), bool(new), before, after)
        message = now or was
        assert message is not None
        about = _about(now), _about(was), message[1].rule, _step(now), _step(was)
        return Change(kind, moved, to, via, before, after, number, False, *about)
    return None


def _step(message: Timed | None) -> Step | None:
    return (message[1].level, message[1].round) if message and message[1].kind is Kind.PAGE else None


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


def _about(message: Timed | None) -> tuple[str, ...]:
    """The roles of a page; the group of an update, and whose words it gets."""
    if message is None:
        return ()
    notification = message[1]
    return notification.roles or (notification.group or "", "public" if notification.external else "internal")
