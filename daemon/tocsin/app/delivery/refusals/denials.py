"""Recipients for whom a provider takes nothing, while it takes messages for others (rules 38, 39).

It tells a provider that denies everybody from one that denies some: a relay that takes nothing for outsiders, a country
that the account may not write to. Must not know what operators hear of it, nor what is sent elsewhere.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from tocsin.domain.delivery import Deferred

LATELY = timedelta(minutes=5)
"""What was taken within this for others tells that a denial is about its recipient, until a second one is denied."""


class Denies(Enum):
    """Whom a denial is about, as far as is known: everybody; this recipient, it seems; surely no other."""

    ALL = "all"
    PERHAPS_ONE = "perhaps one"
    ONE = "one"


class Denials:
    """The denials of one provider, by recipient, each until something is taken for that recipient."""

    def __init__(self) -> None:
        self._in_a_row: dict[str, Deferred] = {}
        self._apart: dict[str, Deferred] = {}
        self._taken_at: datetime | None = None

    @property
    def apart(self) -> frozenset[str]:
        """Recipients that were denied, and others taken since: that others are is no reason to try them again."""
        return frozenset(self._apart)

    @property
    def of_some(self) -> Mapping[str, Deferred]:
        """Those for whom nothing is taken, though for others it is, with what was answered."""
        lone = self._in_a_row if self._is_lone() else {}
        return {**self._apart, **lone}

    def deny(self, address: str, answer: Deferred, at: datetime) -> Denies:
        """A message was denied, and the answer may be about its recipient alone."""
        if address in self._apart:
            self._apart[address] = answer
            return Denies.ONE
        self._in_a_row[address] = answer
        if self._taken_at is not None and at - self._taken_at > LATELY:
            self._taken_at = None
        return Denies.PERHAPS_ONE if self._is_lone() else Denies.ALL

    def take(self, address: str, at: datetime) -> bool:
        """Something was taken for this recipient; whether nobody is denied any more, who was while others were not."""
        known = bool(self.of_some)
        self._apart.update(self._in_a_row)
        self._in_a_row.clear()
        self._apart.pop(address, None)
        self._taken_at = at
        return known and not self._apart

    def forget(self, address: str) -> None:
        """The provider said something else of this recipient."""
        self._in_a_row.pop(address, None)
        self._apart.pop(address, None)

    def _is_lone(self) -> bool:
        return len(self._in_a_row) == 1 and self._taken_at is not None
