"""What operators hear of a page that reached nobody (rules 51 and 66): what to do, why, and who is asked besides."""

from collections.abc import Iterator

from tocsin.domain.facts import PageLost
from tocsin.domain.history import History
from tocsin.domain.policy import Policy
from tocsin.wording.operator.named_incident import named_incident

NAMED_MOST = 5
"""People who are named; of more only the number is told."""


def lost_page(incident: str, lost: PageLost, history: History, policy: Policy) -> str:
    """The sentence. `history` and `policy` are as they stand once whoever is next was asked."""
    person = policy.people.get(lost.person)
    phone = f" ({person.phone})" if person and person.phone else ""
    which = named_incident(incident, history)
    cure = f"{which}: call {policy.person_name(lost.person)}{phone}, or name somebody with tocsin assign {incident}"
    fault = f"the page to {lost.person} of {lost.page_at:%H:%M:%S} UTC reached nobody: {_why(lost, history, policy)}"
    again = f"it is tried once more by {lost.again[0].traits.word} in 30 s, and " if lost.again else ""
    return f"{cure}; {fault}; {again}{_others(lost, history)}"


def _why(lost: PageLost, history: History, policy: Policy) -> str:
    person = policy.people.get(lost.person)
    if person is not None and person.stopped:
        return "the number answered STOP" + (", and no other channel works" if person.channels else "")
    silent = [via for name, at, via in history.undelivered if (name, at) == (lost.person, lost.page_at)]
    return f"the {silent[0].traits.word} was not delivered" if silent else "every channel refused it"


def _others(lost: PageLost, history: History) -> str:
    """Whom it asks besides them, by the newest step of what they were asked for."""
    others = tuple(dict.fromkeys(name for name in _asked(lost, history) if name != lost.person))
    if not others:
        return "nobody else is asked in their place"
    named = ", ".join(others) if len(others) <= NAMED_MOST else f"{len(others)} others"
    return f"{named} {'is' if len(others) == 1 else 'are'} asked"


def _asked(lost: PageLost, history: History) -> Iterator[str]:
    for role in history.roles.values():
        if role.needed and role.holder is None and role.step is not None and role.was_paged(lost.person):
            yield from role.step.people
    if any(name == lost.person for name, _ in history.responders):
        settled = history.responders_answered | history.responders_passed | {name for name, _ in history.lost}
        yield from (name for name, _ in history.responders if name not in settled)
