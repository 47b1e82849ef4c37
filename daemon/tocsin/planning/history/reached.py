"""Who was reached by which channels, and who was paged first when. It notes, it does not decide."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache

from tocsin.domain.facts import Paged
from tocsin.domain.history import History, ReaderHistory, WaitingPage
from tocsin.domain.people import Channel
from tocsin.planning.history.fast_replace import replace


def with_reached(
    history: History, readers: Iterable[tuple[str, Channel]], external: bool, *, told: bool = False
) -> History:
    """Note which channels reached whom: these hear the end (rule 25). `told`: by more than a page."""
    return replace(history, reached=reached_with(history.reached, readers, external, told=told))


def with_page_elsewhere(history: History, page: Paged) -> History:
    """Note whom a step of another machine reached, which nobody decided here: they hear the end, also one that was told
    before (P5). It takes the place of no page that they had from here.
    """
    known = history.reached.get(page.person)
    new = [(page.person, via) for via in page.channels if known is None or via not in known.channels]
    asked = (page.roles, page.level, page.round, page.reason)
    first = WaitingPage(page.person, page.at, *asked, page.waiting, page.channels)
    history = replace(
        history,
        newest_pages={page.person: first, **history.newest_pages},
        closing_owed=(*history.closing_owed, *new) if history.closed else (),
    )
    return with_reached(history, new, external=False)


def reached_with(
    reached: dict[str, ReaderHistory], readers: Iterable[tuple[str, Channel]], external: bool, *, told: bool
) -> dict[str, ReaderHistory]:
    """The same of what is known of readers."""
    return _with(reached, readers, external, told) if reached else _first_reached(tuple(readers), external, told)


@lru_cache(maxsize=16)
def _first_reached(readers: tuple[tuple[str, Channel], ...], external: bool, told: bool) -> dict[str, ReaderHistory]:
    """The same for all incidents of which the same readers were told first: as a rule those are a group, and each of
    many incidents would hold all of it.
    """
    return _with({}, readers, external, told)


def _with(
    known_before: dict[str, ReaderHistory], readers: Iterable[tuple[str, Channel]], external: bool, told: bool
) -> dict[str, ReaderHistory]:
    reached = dict(known_before)
    for reader, via in readers:
        known = reached.get(reader) or _heard((), external, frozenset())
        channels = known.channels if via in known.channels else (*known.channels, via)
        told_by = _with_channel(known.told_by, via) if told else known.told_by
        reached[reader] = _heard(channels, known.external and external, told_by)
    return reached


@cache
def _heard(channels: tuple[Channel, ...], external: bool, told_by: frozenset[Channel]) -> ReaderHistory:
    """The same for all readers of all incidents who have heard so: there are few ways to."""
    return ReaderHistory(channels, external, told_by)


@cache
def _with_channel(channels: frozenset[Channel], via: Channel) -> frozenset[Channel]:
    """These and one more. There are few channels, and each reader of each incident would have a set of their own."""
    return channels | {via}


def with_first_pages(
    first_pages: tuple[tuple[str, datetime], ...], people: Iterable[str], at: datetime
) -> tuple[tuple[str, datetime], ...]:
    """Who was paged, each with the instant of the first page, in order."""
    known = {person for person, _ in first_pages}
    return (*first_pages, *((person, at) for person in dict.fromkeys(people) if person not in known))
