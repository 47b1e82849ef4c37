"""What the daemon holds in memory about one incident beside its history: events that are not judged yet, the channels
each page has gone by, and what the ledger could not take. It keeps, it does not decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Fact, Gone, Paged, PageLost, ReachSettled, Seen
from tocsin.domain.history import NEVER_SEEN, History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification, Reason, ReplyOffer, Suppression
from tocsin.domain.people import Channel
from tocsin.domain.plan import Due
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.fold import apply_fact


@dataclass(frozen=True, slots=True)
class ChannelFailed:
    """A page makes no headway on its channel, so it goes by the next one too; or a message was refused. `refused`:
    `address` is refused for good. `undelivered`: the provider took it and says that it was not delivered, or it was
    refused for its own sake; `again` whether it may be delivered by a second try.
    `stopped`: its reader wants nothing more there (rule 51), which the policy knows; `taken`: it had gone there before.
    """

    page: Notification
    refused: bool = False
    address: str = ""
    undelivered: bool = False
    again: bool = False
    stopped: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class RefusalWithdrawn:
    """What was refused at `address` was refused by the provider's own fault: the address is good (rule 38). `stand_in`:
    another provider of the channel is well.
    """

    notification: Notification
    address: str
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class ChannelDelivered:
    """A page was delivered by its channel, to somebody one of whose pages had reached nobody."""

    page: Notification


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact that was written into the ledger as it came in."""

    fact: Fact


IncidentEvent = Fact | ChannelFailed | RefusalWithdrawn | ChannelDelivered | RecordedFact
"""What may come in for an incident between two looks."""


@dataclass(frozen=True, slots=True)
class LinkedDue:
    """What a page with a short link in its words was made of."""

    due: Due
    incident: Incident
    offer: ReplyOffer


@dataclass(frozen=True, slots=True)
class Decision:
    """One transaction's worth of decisions. `dues` are what those pages among the letters were made of that have a
    short link in their words.
    """

    facts: tuple[Fact, ...] = ()
    letters: tuple[Letter, ...] = ()
    held: tuple[Suppression, ...] = ()
    dues: tuple[LinkedDue, ...] = ()

    def __add__(self, other: "Decision") -> "Decision":
        letters, held, dues = self.letters + other.letters, self.held + other.held, self.dues + other.dues
        return Decision(self.facts + other.facts, letters, held, dues)

    def __bool__(self) -> bool:
        return bool(self.facts or self.letters or self.held)


NOTHING_DECIDED = Decision()

LATELY_MOST = 64
"""Versions of an incident that are remembered as the latest: more than people make in some minutes."""


NONE_OLDER: frozenset[str] = frozenset()
"""The digests before the first version of an incident: one set for all of them."""
NO_PAGES: Mapping[tuple[str, datetime], Any] = MappingProxyType({})
"""What nobody was paged for: one for all such incidents."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """The version that counts of an incident, the digest of its content, and the file it was in. `older` are the
    digests of the versions before it: many files that go back to such ones are a checkout, not edits (rule 69).
    `lately` are the versions of the last minutes, oldest first, with when they were seen.
    """

    incident: Incident
    digest: str
    file: str = ""
    older: frozenset[str] = NONE_OLDER
    lately: tuple[tuple[datetime, Incident], ...] = ()


def known_version(facts: Sequence[Fact], file: str) -> KnownVersion | None:
    """The version that the ledger knows last of an incident, by its facts; None: it was never seen, or its file, which
    was never readable, is gone (rule 32).
    """
    gone = max((place for place, fact in enumerate(facts, 1) if isinstance(fact, Gone)), default=0)
    versions = [fact for fact in facts[gone:] if isinstance(fact, Seen)]
    if not versions:
        return None
    newest = versions[-1]
    older = frozenset(version.digest for version in versions) - {newest.digest} or NONE_OLDER
    lately = tuple((version.at, version.incident) for version in versions[-LATELY_MOST:])
    return KnownVersion(newest.incident, newest.digest, file, older, lately)


@dataclass(slots=True)
class IncidentState:
    """One incident in memory. `digests` are those of the contents that brought its versions, oldest first. `pages` are
    the channels that each page (person, instant) has gone by, `reaches` the instant of the page that a later channel
    (person, instant) belongs to; neither is ever written into: news make new ones. `unwritten` is what the ledger has
    not taken yet, `failures` counts looks that broke, `looked` is whether this process has looked, `ineffective_told`
    how many answers that accepted nothing the operators have heard of. `anew`: what the ledger has of it cannot be
    read, and is put aside with the first that is recorded now (rule 63).
    """

    history: History = NEVER_SEEN
    digests: tuple[str, ...] = ()
    events: list[IncidentEvent] = field(default_factory=list)
    pages: Mapping[tuple[str, datetime], frozenset[Channel]] = field(default_factory=lambda: NO_PAGES)
    reaches: Mapping[tuple[str, datetime], datetime] = field(default_factory=lambda: NO_PAGES)
    unwritten: Decision = NOTHING_DECIDED
    failures: int = 0
    looked: bool = False
    ineffective_told: int = 0
    anew: bool = False

    def draft(self) -> "IncidentState":
        """A copy to decide on: the state itself changes only when the decisions are safe."""
        return replace(self, events=[])

    def note(self, facts: Iterable[Fact], history: History | None = None) -> None:
        """Take in facts that count from now on. `history` is the fold of them, if it is known already."""
        went: list[Paged | ReachSettled | PageLost] = []
        for fact in facts:
            if history is None:
                self.history = apply_fact(self.history, fact)
            if isinstance(fact, Seen):
                self.digests = (*self.digests, fact.digest)
            elif isinstance(fact, Gone):  # what was never readable comes back as something new (rule 32)
                self.digests = ()
            elif isinstance(fact, Paged | ReachSettled | PageLost):
                went.append(fact)
        if history is not None:
            self.history = history
        if self.history.resolved_at is not None:
            self.pages = self.reaches = NO_PAGES
        elif went:
            self._note_pages(went)

    def page_at(self, page: Notification) -> datetime:
        """The instant of the page that a notification belongs to; a `reach` one carries its own."""
        return self.reaches.get((page.to, page.at), page.at) if page.reason is Reason.REACH else page.at

    def went_by(self, page: Notification) -> frozenset[Channel]:
        """The channels by which this page has gone to this person."""
        return self.pages.get((page.to, self.page_at(page)), frozenset()) | {page.via}

    def _note_pages(self, facts: Iterable[Paged | ReachSettled | PageLost]) -> None:
        """By which channels pages went, or that one reached nobody."""
        pages, reaches = dict(self.pages), dict(self.reaches)
        for fact in facts:
            if isinstance(fact, PageLost):
                pages.pop((fact.person, fact.page_at), None)
            elif isinstance(fact, Paged):
                page = fact.person, fact.at
                pages[page] = pages.get(page, frozenset()) | frozenset(fact.channels)
            elif fact.sent:
                page = fact.person, fact.page_at
                pages[page] = pages.get(page, frozenset()) | {fact.via}
                reaches[fact.person, fact.at] = fact.page_at
        self.pages, self.reaches = pages, reaches
