"""Reply words: what we answer to an SMS: short, one segment, and true now (product.md section 6).

Decides nothing; it says what a history holds.
"""

from collections.abc import Sequence
from datetime import datetime

from daemon.documents.cleaning import one_line
from daemon.documents.sms import cut, fold
from daemon.documents.times import clock
from daemon.documents.wording import listed
from daemon.domain.history import History
from daemon.domain.people import Person
from daemon.domain.policy import RESPONDER, Policy
from daemon.planning.standing import Standing

LENGTH = 160
"""Units of one segment of GSM-7."""
TITLE_MOST = 60
"""Characters of a title; in a list less."""
LISTED_MOST = 30


def accepted(before: History, after: History, policy: Policy, person: Person, now: datetime) -> str:
    """After an ok."""
    title = _title(after)
    if after.resolved_at is not None:
        if after.verified and not before.verified:
            return _said(f"Thank you. {title}: confirmed healthy.")
        return _said(f"{title} was resolved at {clock(after.resolved_at, person.timezone, now)}. Nothing to do.")
    mine = [role for role in after.roles.values() if role.holder == person.id and role.needed]
    new = [role for role in mine if before.holder(role.role) != person.id]
    if new or (mine and after != before and not _known(before, person)):
        return _said(f"You are {_titles(policy, [role.role for role in mine])} of {title} ({_tag(after, policy)}).")
    if mine:
        since = min((role.accepted_at for role in mine if role.accepted_at), default=now)
        at = clock(since, person.timezone, now)
        return _said(f"You are already {_titles(policy, [role.role for role in mine])} of {title}, since {at}.")
    if person.id in after.responders_answered:
        return _said(f"Noted: you are a responder of {title} ({_tag(after, policy)}).")
    if after.unreadable_ended:
        return _said(f"Noted: you look after {title}. Its file cannot be read; correct it.")
    taken = [role for role in after.roles.values() if role.holder and role.was_asked(person.id)]
    if taken:
        role = taken[0]
        who, at = policy.people.get(role.holder or ""), clock(role.accepted_at or now, person.timezone, now)
        name = who.name if who else role.holder
        return _said(f"{name} took {_titles(policy, [role.role])} of {title} at {at}. You need not do anything.")
    return _said(f"You were not asked about {title}, so nothing has changed.")


def passed(before: History, after: History, policy: Policy, person: Person, now: datetime) -> str:
    """After a pass."""
    title = _title(after)
    if after.resolved_at is not None:
        return _said(f"{title} was resolved at {clock(after.resolved_at, person.timezone, now)}. Nothing to do.")
    roles = [
        name
        for name, role in after.roles.items()
        if person.id in role.passed and (name not in before.roles or person.id not in before.roles[name].passed)
    ]
    if person.id in after.responders_passed - before.responders_passed:
        roles.append(RESPONDER)
    if roles:
        return _said(f"Noted: you pass on {_titles(policy, roles)} of {title}. Somebody else is asked.")
    if any(person.id in role.passed for role in after.roles.values()):
        return _said(f"You passed on {title} already.")
    return _said(f"You were not asked about {title}, so nothing has changed.")


def status(history: History, how: Standing, policy: Policy, person: Person, now: datetime) -> str:
    """How an incident stands."""
    incident = history.incident
    assert incident is not None
    if history.resolved_at is not None:
        return _said(f"{_title(history)} was resolved at {clock(history.resolved_at, person.timezone, now)}.")
    holders = []
    for each in how.roles:
        known = policy.people.get(each.person or "") if each.accepted_at else None
        holders.append(f"{_titles(policy, [each.role])}: {known.name if known else 'nobody yet'}")
    due = f" Next update by {clock(how.next_update_at, person.timezone, now)}." if how.next_update_at else ""
    return _said(f"{_tag(history, policy)} {_title(history)}: {incident.status.value}.{due} {'; '.join(holders)}")


def noted(history: History) -> str:
    """After a note."""
    return _said(f"Noted for {_title(history)}.")


def which(open_: Sequence[tuple[str, str]]) -> str:
    """When it is not clear which incident is meant; pairs of code and title."""
    if not open_:
        return _said("You have no open page. Nothing has changed.")
    return _said(f"Which one? Reply ok and a code: {_listed(open_)}")


def unclear(open_: Sequence[tuple[str, str]]) -> str:
    """When the message is none of those we understand."""
    if not open_:
        return _said("Not understood. You have no open page.")
    return _said(f"Not understood. Reply ok, pass, status or note TEXT with a code: {_listed(open_)}")


def no_such_code(code: str, open_: Sequence[tuple[str, str]]) -> str:
    """When somebody writes a code that is none of theirs."""
    rest = f" Open: {_listed(open_)}" if open_ else " You have no open page."
    return _said(f"{code} is no code of yours.{rest}")


def _listed(open_: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{code} {cut(one_line(title), LISTED_MOST)}" for code, title in open_)


def _title(history: History) -> str:
    assert history.incident is not None
    return cut(fold(one_line(history.incident.title)), TITLE_MOST) or history.incident.id


def _tag(history: History, policy: Policy) -> str:
    assert history.incident is not None
    return policy.severity(history.incident.severity).name.upper()


def _titles(policy: Policy, roles: Sequence[str]) -> str:
    known = (policy.roles[role].title if role in policy.roles else role for role in roles)
    return listed(tuple(known))


def _known(history: History, person: Person) -> bool:
    return any(role.holder == person.id for role in history.roles.values())


def _said(text: str) -> str:
    """The text as one segment."""
    return cut(fold(text), LENGTH)
