"""The short codes by which somebody answers by SMS about one incident (rule 42).

A number gets a code that it has not for another incident, open or closed less than a week ago. The ledger's facts keep
the codes; here they are found quickly.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.arrival import ReservedCode
from tocsin.domain.facts import Coded
from tocsin.domain.notification import Notification

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""The first character of a code; I and O look like digits."""
RESERVED_FOR = timedelta(days=7)
"""How long a code stays taken after its incident was closed."""
TRIES = 500
"""Two-digit codes that are tried before a number has too many."""


@dataclass(slots=True)
class ReplyCode:
    """What a code of a number stands for, and since when."""

    code: str
    incident: str
    person: str
    since: datetime
    closed_at: datetime | None = None


class Codes:
    """Every code that is taken, by number; `rows` are what the ledger knows, none of it later than `now` (rule 59).
    `dice` makes codes hard to guess.
    """

    def __init__(self, dice: random.Random, rows: Iterable[ReservedCode] = (), now: datetime | None = None) -> None:
        self._dice = dice
        self._by_number: dict[str, dict[str, ReplyCode]] = {}
        for row in rows:
            fact = row.given
            closed_at = min(row.closed_at, now or row.closed_at) if row.closed_at else None
            code = ReplyCode(fact.code, row.incident, fact.person, min(fact.at, now or fact.at), closed_at)
            self._of(fact.number)[fact.code] = code

    def give(
        self, incident: str, person: str, number: str, now: datetime, *, over: bool = False, former: str = ""
    ) -> tuple[str, Coded | None]:
        """The code of a number for an incident, and the fact to record when it is given now. "" when none is left.
        `over`: the incident is closed, and its code becomes free as it would. `former`: a number that was corrected to
        this one; its code is taken where it is free here, so that what was said with it stays true.
        """
        codes = self._of(number)
        own = next((code for code in codes.values() if (code.incident, code.person) == (incident, person)), None)
        if own and (over or own.closed_at is None):
            return own.code, None
        before = (code.code for code in self._of(former).values() if (code.incident, code.person) == (incident, person))
        same = next((letters for letters in before if former and letters not in codes), "")
        letters = own.code if own else same or self._free(codes, now)
        if not letters:
            return "", None
        codes.pop(letters, None)  # so that it is the newest again
        codes[letters] = ReplyCode(letters, incident, person, now, now if over else None)
        return letters, Coded(now, person, number, letters)

    def known(self, incident: str, person: str, number: str, *, over: bool = False) -> str:
        """The code that a number has for an incident; "" if it was given none. Unless it is `over`, one from before it
        was closed does not count.
        """
        codes = (code for code in self._of(number).values() if over or code.closed_at is None)
        return next((code.code for code in codes if (code.incident, code.person) == (incident, person)), "")

    def incident(self, number: str, person: str, code: str) -> str | None:
        """What a code stands for, when this person got it on this number."""
        known = self._of(number).get(code)
        return known.incident if known and known.person == person else None

    def of_person(self, number: str, person: str) -> tuple[ReplyCode, ...]:
        """All that this person got on this number and that nobody else got since, newest first."""
        return tuple(code for code in reversed(self._of(number).values()) if code.person == person)

    def is_new_with(self, page: Notification, number: str) -> bool:
        """Whether a number had no code for the incident before this page."""
        theirs = (code for code in self.of_person(number, page.to) if code.incident == page.incident)
        return all(code.since >= page.at for code in theirs)

    def close(self, incident: str, at: datetime) -> None:
        """The incident was closed: its codes are free after a while."""
        for codes in self._by_number.values():
            for code in codes.values():
                if code.incident == incident:
                    code.closed_at = at

    def _of(self, number: str) -> dict[str, ReplyCode]:
        return self._by_number.setdefault(number, {})

    def _free(self, codes: dict[str, ReplyCode], now: datetime) -> str:
        """A code that is not taken."""
        for letters in self._candidates():
            taken = codes.get(letters)
            if taken is None or (taken.closed_at is not None and now - taken.closed_at >= RESERVED_FOR):
                return letters
        return ""

    def _candidates(self) -> Iterator[str]:
        """A letter and a digit, in no order that could be guessed; then two digits."""
        short = [letter + str(digit) for letter in LETTERS for digit in range(1, 10)]
        self._dice.shuffle(short)
        yield from short
        for _ in range(TRIES):
            yield self._dice.choice(LETTERS) + str(self._dice.randrange(10, 100))
