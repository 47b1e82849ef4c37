"""Addresses that one provider refused in a row, or did not deliver to: three different ones are its fault (rule 38).

It counts, and must not know what is done with a refusal that is taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import Attempt
from tocsin.domain.notification import Notification

DIFFERENT_MOST = 3
"""So many different addresses in a row, with nothing taken in between, are not all wrong."""

Try = tuple[Attempt, Notification]
"""A try, and what was tried."""


@dataclass(frozen=True, slots=True)
class _Entry:
    address: str
    at: datetime
    refusals: tuple[Try, ...]


class RefusalRow:
    """The row since the provider last took something. Entries older than `within` do not count; None: all do."""

    def __init__(self, within: timedelta | None = None) -> None:
        self.blames_provider = False
        self._within = within
        self._entries: list[_Entry] = []
        self._taken_back: set[str] = set()

    def end(self, address: str) -> None:
        """The provider took something, for this address: it is well, and so is the address."""
        self._entries.clear()
        self._taken_back.discard(address)
        self.blames_provider = False

    def recall(self) -> None:
        """The process before found that the provider is at fault."""
        self.blames_provider = True

    def add(self, address: str, at: datetime, refusals: Sequence[Try] = ()) -> tuple[Try, ...] | None:
        """One more address. None: that is its own fault, or nobody's yet. Else it is the provider's, and these earlier
        refusals are taken back. An address whose refusal was taken back, and which is refused again although the
        provider took something since, stays refused, and says nothing of the provider.
        """
        if self.blames_provider:
            self._taken_back.add(address)
            return ()
        if address in self._taken_back:
            return None
        self._entries = [entry for entry in self._entries if self._within is None or at - entry.at <= self._within]
        self._entries.append(_Entry(address, at, tuple(refusals)))
        different = {entry.address for entry in self._entries}
        if len(different) < DIFFERENT_MOST:
            return None
        earlier = tuple(refusal for entry in self._entries[:-1] for refusal in entry.refusals)
        self._taken_back |= different
        self._entries.clear()
        self.blames_provider = True
        return earlier
