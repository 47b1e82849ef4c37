"""Pages and notices to operators that nobody has taken yet, by any of the channels that they went by (rule 71).

It keeps; whether a message is still wanted, and what follows when one stays so for long, is decided elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.notification import Kind, Notification, Reason

Group = tuple[str, int, Kind, datetime, str]
BEFORE = ""
"""Stands for the letters of a message that were settled before this process began."""


@dataclass(slots=True)
class _Ways:
    """One message by all its channels: the letters that are not settled, each with since when it should have left,
    those that were tried, and those that a provider has taken.
    """

    open: dict[str, tuple[Notification, datetime]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


class Undelivered:
    """Pages, each to one person, and notices, each to all operators, while a letter of them is on its way. `is_wanted`
    says whether one should still leave.
    """

    def __init__(self, is_wanted: Callable[[Notification], bool]) -> None:
        self._is_wanted = is_wanted
        self._groups: dict[Group, _Ways] = {}
        self._given_up_at: datetime | None = None

    def begin(self, notification: Notification, since: datetime, *, out: bool = False) -> None:
        """A letter is on its way since then. A later channel of a page (rule 13) is no news of whether that arrived.
        `out`: somebody took it by another channel before this process began.
        """
        kind, reason = notification.kind, notification.reason
        if kind is Kind.OPERATOR or (kind is Kind.PAGE and reason is not Reason.REACH):
            ways = self._groups.setdefault(_group(notification), _Ways())
            ways.open[notification.key] = notification, since
            ways.taken |= {BEFORE} if out else set()

    def note(self, notification: Notification, *, taken: bool, tried: bool = True) -> None:
        """Whether a provider has taken the letter, and has not said that it was not delivered."""
        ways = self._groups.get(_group(notification))
        if ways is not None and tried:
            ways.tried.add(notification.key)
        if ways is not None and taken:
            ways.taken.add(notification.key)
        elif ways is not None:
            ways.taken.discard(notification.key)
        if taken and notification.kind is Kind.OPERATOR:
            self._given_up_at = None

    def is_out(self, notification: Notification) -> bool:
        """Whether a provider has it by another of its channels; of what is neither a page nor a notice nobody asks."""
        ways = self._groups.get(_group(notification))
        if ways is None:
            return notification.kind not in (Kind.PAGE, Kind.OPERATOR)
        return bool(ways.taken - {notification.key})

    def end(self, notification: Notification, *, given_up: bool) -> None:
        """The letter is settled. `given_up`, of a notice: nobody took it, though it should have left."""
        ways = self._groups.get(_group(notification))
        if ways is None or ways.open.pop(notification.key, None) is None or ways.open:
            return
        del self._groups[_group(notification)]
        if notification.kind is Kind.OPERATOR and given_up and not ways.taken:
            self._given_up_at = notification.at

    def since(self) -> datetime | None:
        """The instant of the oldest page or notice that is still wanted and that nobody took; of a notice that had to
        be given up, until another one is taken. None when there is none.
        """
        waiting = (since for _, since in self._waiting())
        return min((*waiting, *([self._given_up_at] if self._given_up_at else [])), default=None)

    def page_since(self) -> datetime | None:
        """The same of pages alone, which somebody else might have sent."""
        pages = (since for kind, since in self._waiting() if kind is Kind.PAGE)
        return min(pages, default=None)

    def _waiting(self) -> Iterator[tuple[Kind, datetime]]:
        """Each letter that is still wanted and of which no way was taken."""
        for ways in self._groups.values():
            if not ways.taken:
                yield from ((one.kind, since) for one, since in ways.open.values() if self._is_wanted(one))

    def page_waits(self) -> bool:
        """Whether nobody has taken some page yet."""
        return any(
            not ways.taken and any(one.kind is Kind.PAGE for one, _ in ways.open.values())
            for ways in self._groups.values()
        )

    def cannot_leave(self) -> bool:
        """Whether a notice to operators that is still wanted was tried by all its channels, and nobody took it."""
        of_notices = (
            ways for ways in self._groups.values() if any(one.kind is Kind.OPERATOR for one, _ in ways.open.values())
        )
        return any(
            not ways.taken
            and ways.open.keys() <= ways.tried
            and any(self._is_wanted(one) for one, _ in ways.open.values())
            for ways in of_notices
        )


def _group(notification: Notification) -> Group:
    """What goes by several channels, and counts as one."""
    to = notification.to if notification.kind is Kind.PAGE else ""
    return (notification.incident, notification.episode, notification.kind, notification.at, to)
