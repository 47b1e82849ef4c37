"""How quickly an incident was answered, and whether what was promised was kept, one set of figures an episode.

Decides from when each span counts and what a kept promise is. Must not know how it is shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.domain.facts import Closed, Fact, Updated
from tocsin.domain.history import History
from tocsin.domain.notification import Reason
from tocsin.domain.policy import RESPONDER

LATE_AFTER = timedelta(minutes=1)
"""A promise names a minute: what comes before the next one has kept it."""


@dataclass(frozen=True, slots=True)
class RoleFigure:
    """A role that was needed: who took it first, how long after it was asked for; nobody: `person` is empty."""

    role: str
    person: str = ""
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One episode. `accepted_after` is when the first role was taken, `written_after` when people first wrote an
    update, `told_after` when outsiders first heard of it: each counted from the declaration (or reopening), None as
    long as it has not happened. Of `promised` next updates that are past, `kept` came in time; `no_news` of these had
    nothing new to say.
    """

    episode: int
    accepted_after: timedelta | None
    roles: tuple[RoleFigure, ...]
    written_after: timedelta | None
    told_after: timedelta | None
    promised: int
    kept: int
    no_news: int


@dataclass(slots=True)
class _Promises:
    """What each group waits for, and what became of what it waited for."""

    until: datetime
    """When the episode ended, or now: what was promised for later has not come due."""
    waiting: dict[str, datetime] = field(default_factory=dict)
    promised: int = 0
    kept: int = 0
    no_news: int = 0

    def settle(self, group: str, at: datetime, *, news: bool) -> None:
        """The group hears again."""
        promised_at = self.waiting.pop(group, None)
        if promised_at is None or promised_at > self.until:
            return
        in_time = at < promised_at + LATE_AFTER
        self.promised += 1
        self.kept += in_time
        self.no_news += in_time and not news

    def end(self, last: History, now: datetime) -> None:
        """What a group that is still told was promised, and has not heard, is broken once its time is past."""
        if last.resolved_at is None:
            overdue = [at for group, at in self.waiting.items() if group in last.groups and at + LATE_AFTER <= now]
            self.promised += len(overdue)


def figures(steps: Iterable[tuple[Fact, History]], now: datetime) -> tuple[Figures, ...]:
    """The figures of each episode, the first first, from each fact and the history after it."""
    by_episode: dict[int, list[tuple[Fact, History]]] = {}
    for fact, after in steps:
        if after.episode and after.started_at is not None:
            by_episode.setdefault(after.episode, []).append((fact, after))
    return tuple(_of_episode(episode, of_it, now) for episode, of_it in by_episode.items())


def _of_episode(episode: int, steps: Sequence[tuple[Fact, History]], now: datetime) -> Figures:
    last = steps[-1][1]
    begun = last.started_at
    assert begun is not None
    accepted = {role: taken for role, taken in _first_accepted(steps).items() if role != RESPONDER}
    opened = _first_opened(steps)
    promises = _promises(steps, now)
    written = next(_written_at(steps), None)
    told = next((fact.at for fact, _ in steps if isinstance(fact, Updated) and fact.external), None)

    def since(start: datetime, at: datetime | None) -> timedelta | None:
        return None if at is None else max(at - start, timedelta(0))

    needed = [name for name, role in last.roles.items() if name and (role.needed or name in accepted)]
    return Figures(
        episode=episode,
        accepted_after=since(begun, min((at for _, at in accepted.values()), default=None)),
        roles=tuple(
            RoleFigure(name, accepted[name][0], since(opened.get(name, begun), accepted[name][1]))
            if name in accepted
            else RoleFigure(name)
            for name in needed
        ),
        written_after=since(begun, written),
        told_after=since(begun, told),
        promised=promises.promised,
        kept=promises.kept,
        no_news=promises.no_news,
    )


def _first_accepted(steps: Sequence[tuple[Fact, History]]) -> dict[str, tuple[str, datetime]]:
    """Who took each role first, and when that counts from."""
    taken: dict[str, tuple[str, datetime]] = {}
    for _, after in steps:
        for name, role in after.roles.items():
            if role.holder and role.accepted_at and name not in taken:
                taken[name] = role.holder, role.accepted_at
    return taken


def _first_opened(steps: Sequence[tuple[Fact, History]]) -> dict[str, datetime]:
    """Since when each role was asked for."""
    opened: dict[str, datetime] = {}
    for _, after in steps:
        for name, role in after.roles.items():
            if role.opened_at is not None:
                opened.setdefault(name, role.opened_at)
    return opened


def _written_at(steps: Sequence[tuple[Fact, History]]) -> Iterator[datetime]:
    """When people wrote each update of this episode, as its entry says, else when it was first seen."""
    for fact, after in steps:
        if after.incident is not None:
            for entry in after.incident.updates:
                if entry not in after.updates_before:
                    yield entry.at or fact.at


def _promises(steps: Sequence[tuple[Fact, History]], now: datetime) -> _Promises:
    promises = _Promises(steps[-1][1].resolved_at or now)
    for fact, _ in steps:
        if isinstance(fact, Updated):
            promises.settle(fact.group, fact.at, news=fact.reason is not Reason.DUE)
            if fact.promised_at is not None:
                promises.waiting[fact.group] = fact.promised_at
        elif isinstance(fact, Closed):
            for group in tuple(promises.waiting):
                promises.settle(group, fact.at, news=True)
    promises.end(steps[-1][1], now)
    return promises
