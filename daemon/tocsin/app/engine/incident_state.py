"""A case: what the daemon holds in memory about one incident, beside its history: what came in and is not judged yet,
which channels each page has gone by, and what the ledger could not take.

It keeps, it does not decide. It can be made again from the ledger's facts at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.app.delivery.context import ChannelFailed
from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Fact, Paged, PageLost, ReachSettled
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification, Reason, Suppression
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import apply_fact


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact that another process has written into the ledger."""

    fact: Fact


IncidentEvent = Fact | ChannelFailed | Recorded
"""What may come in for an incident between two looks."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One transaction's worth of decisions."""

    facts: tuple[Fact, ...] = ()
    letters: tuple[Letter, ...] = ()
    held: tuple[Suppression, ...] = ()

    def __add__(self, other: "Decision") -> "Decision":
        return Decision(self.facts + other.facts, self.letters + other.letters, self.held + other.held)

    def __bool__(self) -> bool:
        return bool(self.facts or self.letters or self.held)


@dataclass(slots=True)
class IncidentState:
    """One incident in memory. `unwritten` is what the ledger has not taken yet; `failures` counts looks that broke,
    `looked` is whether this process has looked, `vain` how many answers in vain were told.
    """

    history: History = field(default_factory=History)
    inbox: list[IncidentEvent] = field(default_factory=list)
    pages: dict[tuple[str, datetime], frozenset[Channel]] = field(default_factory=dict)
    reaches: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    unwritten: Decision = Decision()
    failures: int = 0
    looked: bool = False
    vain: int = 0

    def note(self, facts: Iterable[Fact], history: History | None = None) -> None:
        """Take in facts that count from now on. `history` is the fold of them, if it is known already."""
        for fact in facts:
            if history is None:
                self.history = apply_fact(self.history, fact)
            if isinstance(fact, Paged):
                self._went(fact.person, fact.at, fact.channels)
            elif isinstance(fact, ReachSettled) and fact.sent:
                self._went(fact.person, fact.page_at, (fact.via,))
                self.reaches[fact.person, fact.due_at] = fact.page_at
            elif isinstance(fact, PageLost):
                self.pages.pop((fact.person, fact.page_at), None)
        if history is not None:
            self.history = history
        if self.history.resolved_at is not None:
            self.pages.clear()
            self.reaches.clear()

    def page_at(self, page: Notification) -> datetime:
        """The instant of the page that a notification belongs to; a `reach` one carries its own."""
        return self.reaches.get((page.to, page.at), page.at) if page.reason is Reason.REACH else page.at

    def went_by(self, page: Notification) -> frozenset[Channel]:
        """The channels by which this page has gone to this person."""
        return self.pages.get((page.to, self.page_at(page)), frozenset()) | {page.via}

    def _went(self, person: str, at: datetime, channels: Iterable[Channel]) -> None:
        self.pages[person, at] = self.pages.get((person, at), frozenset()) | frozenset(channels)


@dataclass(frozen=True, slots=True)
class Known:
    """The newest version of an incident that counts. `file` is the name it was read from, empty if this node never had
    it; `older` are digests of earlier versions, which are stale when met at the start (product.md section 9).
    """

    incident: Incident
    digest: str
    file: str = ""
    older: frozenset[str] = frozenset()
