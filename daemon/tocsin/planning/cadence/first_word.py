"""When an external group hears of an incident for the first time, and what it waits for until then (rule 56). Decides
from the history, the group and its cadence alone; who reads is not known here.
"""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.people import FirstUpdate, StakeholderGroup
from tocsin.domain.policy import Cadence
from tocsin.planning.cadence.spans import cadence_start, end_of_span, newest_end


@dataclass(frozen=True, slots=True)
class FirstWord:
    """What the first update of an external group depends on.

    `unread` are those of title and severity that were never read, without which nothing goes out. `leaves_at` is when
    the update leaves if nobody does anything more; None: it does not.
    """

    group: str
    since: datetime
    first: FirstUpdate
    unread: tuple[str, ...]
    leaves_at: datetime | None

    @property
    def waits_for(self) -> str:
        """What it waits for, in a few words."""
        if self.unread:
            return f"its {' and '.join(self.unread)} to be written"
        return "a public text" if self.first is FirstUpdate.PUBLIC else "somebody to accept, or a public text"


def first_update(incident: Incident, group: StakeholderGroup) -> FirstUpdate:
    """What the group waits for; after a declaration by alerts for somebody to accept, at least."""
    if group.first is FirstUpdate.AT_ONCE and incident.declared_by_alerts:
        return FirstUpdate.ACCEPTED
    return group.first


def first_word(history: History, group: StakeholderGroup, cadence: Cadence, since: datetime) -> FirstWord:
    """When a group that is concerned since then hears for the first time. It never leaves before what lets it go."""
    assert history.incident is not None
    incident, first = history.incident, first_update(history.incident, group)
    releases = {
        FirstUpdate.AT_ONCE: (since,),
        FirstUpdate.ACCEPTED: (
            history.first_accepted_at,
            history.public_at,
            end_of_span(cadence, since, cadence_start(history, since)),
        ),
        FirstUpdate.PUBLIC: (history.public_at,),
    }[first]
    leaves_at = min((at for at in releases if at is not None), default=None)
    if leaves_at is not None:
        leaves_at = max(since, leaves_at, history.read_at) if history.read_at else None
    return FirstWord(group.id, since, first, incident.never_read, leaves_at)


def reminder_at(
    history: History, cadence: Cadence, word: FirstWord, changed_at: datetime, now: datetime
) -> datetime | None:
    """When Communications is reminded of a group that waits for a text for outsiders: at the end of each span since it
    became concerned; the newest one up to now that nobody was reminded of, else the next. None for any other group.
    Ends that lay before severity or config changed (`changed_at`) are no ends any more.
    """
    if word.first is not FirstUpdate.PUBLIC or history.public_at is not None:
        return None
    known = history.held_groups.get(word.group)
    last_at = known.reminded_for if known and known.reminded_for else word.since
    started_at = cadence_start(history, word.since)
    end = newest_end(cadence, last_at, started_at, now)
    return end if end >= changed_at else end_of_span(cadence, end, started_at)
