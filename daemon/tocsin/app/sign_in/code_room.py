"""How many codes go to one person (P8): whoever can ask for them must not flood a phone, nor a mailbox.

Who comes from a message of ours has room of their own for mails, so that strangers who type that name take none of it.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from tocsin.domain.people import Channel, Person

SPAN = timedelta(hours=1)
MOST = {Channel.SMS: 3, Channel.EMAIL: 5}
"""Codes by each channel within that, by SMS whoever asks; mails are counted apart for who comes by their own link."""
WRONG_MOST = 10
"""Wrong codes of requests in one person's name within that, of which operators hear."""

Asked = tuple[str, str]
"""What is counted, and of whom."""


class CodeRoom:
    """What went to each person within the last hour, and how many codes in their name were wrong."""

    def __init__(self) -> None:
        self._noted: defaultdict[Asked, list[datetime]] = defaultdict(list)

    def way(self, person: Person, wished: Channel, now: datetime, *, by_link: bool) -> Channel | None:
        """By which channel a code may go: the wished one, else another that they have; None: by none now."""
        for via in _in_order(person, wished):
            if self._count(_asked(person, via, by_link=by_link), now) < MOST[via]:
                return via
        return None

    def take(self, person: Person, via: Channel, now: datetime, *, by_link: bool) -> None:
        """One goes there."""
        self._noted[_asked(person, via, by_link=by_link)].append(now)

    def note_wrong(self, person: str, now: datetime) -> bool:
        """One was wrong; whether these are so many that operators should know."""
        self._noted["wrong", person].append(now)
        return self._count(("wrong", person), now) >= WRONG_MOST

    def _count(self, asked: Asked, now: datetime) -> int:
        noted = [at for at in self._noted.pop(asked, ()) if at <= now < at + SPAN]
        if noted:
            self._noted[asked] = noted
        return len(noted)


def _in_order(person: Person, wished: Channel) -> Iterator[Channel]:
    if wished in person.channels:
        yield wished
    yield from (via for via in person.channels if via is not wished)


def _asked(person: Person, via: Channel, *, by_link: bool) -> Asked:
    own = by_link and via is Channel.EMAIL
    return (f"{via.value} by link" if own else via.value), person.id
