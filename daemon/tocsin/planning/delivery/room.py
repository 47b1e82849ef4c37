"""How much room an address has for pages, so that nobody is flooded in a storm (rules 45 to 47).

Decides from what was sent to one address whether a page may go now and alone, and when what waits may go. Drills and
real pages have rooms of their own. It must not know queues, providers or words: whoever sends keeps what waits.

    TAKES   it goes alone, and takes room
    FREE    it goes alone and takes none: its incident's first page went alone
    WORSE   it goes alone and takes none, though there is no room: it is worse than all that was sent lately (rule 46)
    WAITS   it waits, and leaves together with whatever else waits when room comes (rule 47)
"""

from collections.abc import Iterable, KeysView, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby

from tocsin.domain.people import Limit

LATELY = timedelta(minutes=10)
"""What a worse page is compared with, and within which so many need no room (rule 46)."""
WORSE_MOST = 2
"""Pages within that time that need no room, those of what persons declared counted apart."""
REMEMBERED = timedelta(days=1)
"""How long it is kept what took room: longer than any span between two pages that is of use."""


class Admission(Enum):
    """What becomes of a page when it is to be sent."""

    TAKES = "takes"
    FREE = "free"
    WORSE = "worse"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class PageSent:
    """A page that left for an address, or is to leave: the instant of its first try, its incident and episode, how
    urgent that is (0 the most), the bundle that it left in (empty if it went alone), and whether alerts declared it.
    """

    at: datetime
    incident: str
    episode: int
    rank: int
    bundle: str = ""
    by_alerts: bool = False


class Room:
    """The room of one address, as what was sent there leaves it. Instants must not go back."""

    def __init__(self) -> None:
        self._taken: list[datetime] = []
        self._went_alone: dict[tuple[str, int], datetime | None] = {}
        """When the first page of each episode that left went alone; None: it went with others."""
        self._lately: list[tuple[datetime, int]] = []
        self._worse: list[PageSent] = []

    def next_at(self, limit: Limit, now: datetime) -> datetime:
        """When there is room for a message: now, or later. The limits may have been others when room was taken: it is
        reckoned from the instants themselves, and what went beyond these limits makes nobody wait longer than `every`.
        """
        taken = [at for at in self._taken if at <= now]
        if len(taken) < limit.burst:
            return now
        full_at = taken[0]
        for at in taken:
            full_at = min(max(full_at, at) + limit.every, at + limit.every * limit.burst)
        return max(now, full_at - limit.every * (limit.burst - 1))

    def admission(self, page: PageSent, limit: Limit, *, others_wait: bool) -> Admission:
        """What becomes of a page at its instant; `others_wait`: something waits for this address already."""
        if not others_wait:
            if self._went_alone.get((page.incident, page.episode)):
                return Admission.FREE
            if self.next_at(limit, page.at) <= page.at:
                return Admission.TAKES
        return Admission.WORSE if self.is_worse(page) else Admission.WAITS

    def admission_with_room(self, page: PageSent) -> Admission:
        """What becomes of a page that has waited alone, now that there is room: if its incident went alone meanwhile,
        by a page that was worse (rule 46), it takes none.
        """
        return Admission.FREE if self._went_alone.get((page.incident, page.episode)) else Admission.TAKES

    def has_waited(self, page: PageSent, limit: Limit) -> bool:
        """Whether a page of a process before, of which no try is known, has waited for room since its instant, as far
        as can be told: there was none then, or what left since has taken it.
        """
        first_alone = self._went_alone.get((page.incident, page.episode))
        if first_alone and first_alone <= page.at:
            return False
        return self.next_at(limit, page.at) > page.at or any(at >= page.at for at in self._taken)

    def is_worse(self, page: PageSent) -> bool:
        """Whether it is worse than all that was sent there lately, and not too many such went already (rule 46). What
        alerts declare, in whatever order, uses up nothing of a person's.
        """
        since = page.at - LATELY
        few = sum(sent.at > since and (page.by_alerts or not sent.by_alerts) for sent in self._worse) < WORSE_MOST
        return few and all(page.rank < rank for at, rank in self._lately if at > since)

    def note_alone(self, page: PageSent, admission: Admission) -> None:
        """A page goes alone."""
        self._went_alone.setdefault((page.incident, page.episode), page.at)
        self._note([page])
        if admission is Admission.TAKES:
            self._take(page.at)
        elif admission is Admission.WORSE:
            self._worse = [*(sent for sent in self._worse if sent.at > page.at - LATELY), page]

    def note_together(self, pages: Sequence[PageSent]) -> None:
        """Pages leave as one message, which takes one."""
        for page in pages:
            self._went_alone.setdefault((page.incident, page.episode), None)
        self._note(pages)
        self._take(pages[0].at)

    def forget(self, incidents: Iterable[tuple[str, int]]) -> None:
        """These episodes send no pages any more."""
        for episode in incidents:
            self._went_alone.pop(episode, None)

    @property
    def episodes(self) -> KeysView[tuple[str, int]]:
        """The incidents and episodes that it knows of."""
        return self._went_alone.keys()

    def _note(self, pages: Sequence[PageSent]) -> None:
        now = pages[0].at
        worst = min(page.rank for page in pages)
        self._lately = [*(sent for sent in self._lately if sent[0] > now - LATELY), (now, worst)]

    def _take(self, now: datetime) -> None:
        self._taken = [*(at for at in self._taken if at > now - REMEMBERED), now]


def room_of(sent: Iterable[PageSent], limit: Limit) -> Room:
    """The room that is left by what was sent to an address, oldest first: as it is reckoned after a start."""
    room = Room()
    for bundle, pages in groupby(sent, lambda page: (page.bundle, page.at) if page.bundle else None):
        together = tuple(pages)
        if bundle is not None and len(together) > 1:
            room.note_together(together)
            continue
        for page in together:
            admission = room.admission(page, limit, others_wait=False)
            room.note_alone(page, Admission.TAKES if admission is Admission.WAITS else admission)
    return room
