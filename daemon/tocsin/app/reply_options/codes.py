"""Codes: the short codes by which a number answers about an incident (product.md section 6).

It decides which code a number gets: one that it does not hold for another incident, open or closed less than a week
ago. It must not know what an answer does. The ledger's facts keep the codes; this is how they are found quickly.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.arrival import Reserved
from tocsin.domain.facts import Coded

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
    """Every code that is taken, by number; `rows` are what the ledger knows."""

    def __init__(self, dice: random.Random, rows: Iterable[Reserved] = ()) -> None:
        self._dice = dice
        self._held: dict[str, dict[str, ReplyCode]] = {}
        for row in rows:
            given = row.given
            self._of(given.number)[given.code] = ReplyCode(
                given.code, row.incident, given.person, given.at, row.closed_at
            )

    def give(
        self, incident: str, person: str, number: str, now: datetime, *, over: bool = False
    ) -> tuple[str, Coded | None]:
        """The code of a number for an incident, and the fact to record when it is given now. "" when none is left.
        `over`: the incident is closed, and its code becomes free as it would.
        """
        held = self._of(number)
        known = next((code for code, each in held.items() if (each.incident, each.person) == (incident, person)), None)
        if known and (over or held[known].closed_at is None):
            return known, None
        code = known or self._free(held, now)
        if not code:
            return "", None
        held.pop(code, None)
        held[code] = ReplyCode(code, incident, person, now, now if over else None)
        return code, Coded(now, person, number, code)

    def incident(self, number: str, person: str, code: str) -> str | None:
        """What a code stands for, when this person got it on this number."""
        held = self._of(number).get(code)
        return held.incident if held and held.person == person else None

    def held(self, number: str, person: str) -> tuple[ReplyCode, ...]:
        """All that this person got on this number and that nobody else got since, newest first."""
        return tuple(each for each in reversed(self._of(number).values()) if each.person == person)

    def close(self, incident: str, at: datetime) -> None:
        """The incident was closed: its codes are free after a while."""
        for held in self._held.values():
            for each in held.values():
                if each.incident == incident:
                    each.closed_at = at

    def _of(self, number: str) -> dict[str, ReplyCode]:
        return self._held.setdefault(number, {})

    def _free(self, held: dict[str, ReplyCode], now: datetime) -> str:
        """A code that is not taken."""
        for code in self._candidates():
            known = held.get(code)
            if known is None or (known.closed_at is not None and now - known.closed_at >= RESERVED_FOR):
                return code
        return ""

    def _candidates(self) -> Iterator[str]:
        """A letter and a digit, in no order that could be guessed; then two digits."""
        short = [letter + str(digit) for letter in LETTERS for digit in range(1, 10)]
        self._dice.shuffle(short)
        yield from short
        for _ in range(TRIES):
            yield self._dice.choice(LETTERS) + str(self._dice.randrange(10, 100))
