"""By which channels a page goes to a person, at once and later (rules 13, 14), and who holds a role (rule 26),
which asks who has a channel left. Whether somebody is paged at all is decided by `escalation` and `paging`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.domain.facts import ReachSettled
from tocsin.domain.history import History, WaitingPage
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import RESPONDER
from tocsin.planning.draft import Draft

AT_ONCE = timedelta(0)
STOPPED = "not by {via}: the number answered STOP"
"""Why nothing goes to somebody by a channel that they have (rule 51)."""

_DueEntry = tuple[WaitingPage, datetime, datetime]
"""A page, when one of its waiting channels was due, and the instant that counts as its own."""


def open_channels(person: Person, history: History) -> tuple[Channel, ...]:
    """Every channel whose address, as it is now, was not refused for good in this episode (rules 14, 65)."""
    if not history.refused:
        return person.channels
    return tuple(via for via in person.channels if not history.refuses(person.id, via, person.address(via)))


def channels_of(person: Person, via: Iterable[Channel], history: History) -> tuple[Channel, ...]:
    """Those of `via` that the person has, in its order; if none, whatever they have."""
    usable = open_channels(person, history)
    return tuple(channel for channel in dict.fromkeys(via) if channel in usable) or usable


def page_channels(person: Person, via: tuple[Channel, ...], history: History) -> tuple[tuple[Channel, timedelta], ...]:
    """The channels of a page to this person, in order, each with how long after the page it goes (rule 13)."""
    usable = channels_of(person, via, history)
    entries = [entry for entry in person.reach if entry.via in via and entry.via in usable]
    if not entries:
        return tuple((channel, AT_ONCE) for channel in usable)
    channels = [(entries[0].via, AT_ONCE), *((entry.via, entry.after) for entry in entries[1:])]
    return tuple(dict.fromkeys(channels))


def first_channel(person: Person, draft: Draft) -> Channel | None:
    """The channel for short notes to a person: the first of a page's (rule 13); None when none is left."""
    channels = page_channels(person, draft.page_via, draft.history)
    return channels[0][0] if channels else None


def reachable(draft: Draft, name: str) -> bool:
    """Whether the person is in the config and has a channel left."""
    person = draft.person(name)
    return person is not None and bool(open_channels(person, draft.history))


def holder_of(draft: Draft, role: str) -> Person | None:
    """Who accepted the role, else who is assigned, else who was paged first for it and did not pass (rule 26).

    Whoever left the config or has no channel left is no holder; nor has a role that the config lacks any.
    """
    if role not in draft.policy.roles:
        return None
    known = draft.history.roles.get(role)
    candidates = [known.holder if known else None, draft.incident.assigned(role)]
    if known:
        candidates += [name for name, _ in known.first_pages if name not in known.declining]
    people = (draft.person(name) for name in candidates if name)
    return next((person for person in people if person and open_channels(person, draft.history)), None)


def send_waiting_pages(draft: Draft, paged: frozenset[tuple[str, Channel]]) -> None:
    """Send what waited for its `after`, if the page is still wanted (rule 13). `paged` are the people who were paged
    just now, with the channel: a page that waits for it is dropped; several that wait for one channel are one.
    """
    due_entries: dict[tuple[str, Channel], list[_DueEntry]] = {}
    for page in draft.history.waiting:
        for via, due_at in page.waiting:
            at = draft.open_instant(due_at)
            if at is not None:
                due_entries.setdefault((page.person, via), []).append((page, due_at, at))
    for (name, via), entries in sorted(due_entries.items()):
        _settle(draft, name, via, entries, (name, via) in paged)


def send_to_corrected_addresses(draft: Draft) -> None:
    """A page that was refused at an address which its person has no more goes by the corrected one at once, if it is
    their newest and still wanted (rule 65).
    """
    history = draft.history
    corrected = sorted({(reader, via) for reader, via, address in history.refused if address})
    for name, via in corrected:
        person, page = draft.person(name), history.newest_pages.get(name)
        if person is None or page is None or not _roles_still_wanted(draft, page):
            continue
        waits = any(via in dict(waiting.waiting) for waiting in history.waiting if waiting.person == name)
        if waits or via not in dict(page_channels(person, draft.page_via, history)):
            continue
        at = draft.open_instant(draft.now)
        if at is not None:
            draft.record(ReachSettled(at, name, page.at, via, at, sent=True))
            roles = _roles_still_wanted(draft, page)
            rule = person.place
            draft.send(
                Kind.PAGE, Reason.REACH, at, name, via, rule=rule, roles=roles, level=page.level, round=page.round
            )


def _settle(draft: Draft, name: str, via: Channel, entries: list[_DueEntry], paged_now: bool) -> None:
    """Decide about one person's waiting channel: one page by it for the roles still wanted, else none."""
    person = draft.person(name)
    rule = person.place if person else draft.severity.place
    usable = person is not None and via in open_channels(person, draft.history)
    wanted = [(page, at, _roles_still_wanted(draft, page)) for page, _, at in entries]
    roles = tuple(dict.fromkeys(role for _, _, wanted_roles in wanted for role in wanted_roles))
    first = next(((page, at) for page, at, wanted_roles in wanted if wanted_roles), None)
    sent = usable and not paged_now and first is not None
    for page, due_at, at in entries:
        is_first = first is not None and page is first[0]
        draft.record(ReachSettled(at, name, page.at, via, due_at, sent=sent and is_first))
    if first is None or not sent:
        why = Why.TOLD_ALREADY if paged_now else Why.NO_LONGER_WANTED if usable else Why.NO_CHANNEL
        draft.suppress(Kind.PAGE, why, entries[0][2], name, f"the later {via.value} page", rule)
        return
    page, at = first
    draft.send(Kind.PAGE, Reason.REACH, at, name, via, rule=rule, roles=roles, level=page.level, round=page.round)


def _roles_still_wanted(draft: Draft, page: WaitingPage) -> tuple[str, ...]:
    """The page's roles for which this person's answer is still wanted."""
    return tuple(role for role in page.roles if _answer_wanted(draft, page, role))


def _answer_wanted(draft: Draft, page: WaitingPage, name: str) -> bool:
    """Whether the person's answer for that role is wanted: nobody has it; or they were asked whether they are still
    there, or to take it over, and have not answered.
    """
    history, person = draft.history, page.person
    if draft.page is None:
        return False
    if name == RESPONDER:
        return person not in history.responders_answered | history.responders_passed
    role = history.roles.get(name)
    if role is None or not role.needed:
        return False
    if role.holder is None:
        changed_at = history.changed_at
        asked_anew = role.step is not None and person in role.step.people
        lost_it = person in role.left_out and not asked_anew  # by their silence (rule 19)
        ended = lost_it and changed_at is not None and changed_at > page.at
        return person not in role.declining and not ended
    if role.holder == person:
        return role.still_asked_at == page.at
    handover = role.handover
    return handover is not None and handover.person == person and page.at >= handover.since
