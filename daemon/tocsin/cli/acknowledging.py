"""Whether an acknowledgment changes anything, and what is told of it: what somebody holds now, or who holds it, and
since when.
"""

from collections.abc import Sequence
from datetime import datetime

from tocsin.app.edits.changes import Telling
from tocsin.app.replies.answer_options import AnswerOptions, RoleState, answer_fact, options_of
from tocsin.domain.facts import Answer, Fact
from tocsin.domain.history import History
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.history.answers import apply_ok
from tocsin.wording.language.language import ENGLISH


def acknowledged(
    facts: Sequence[Fact], history: History, person: str, policy: Policy, now: datetime
) -> tuple[bool, str]:
    """Whether an `ok` of that person changes anything, by what is recorded and what the file says; and what they are
    told.
    """
    options = options_of(facts, history, person, now)
    known = policy.people.get(person)
    telling = Telling(policy, now, known.timezone if known else "UTC")
    fact = answer_fact(options, Answer.OK, now, "")
    if fact is None:
        return False, f"{nothing_to_accept(options, telling)}; nothing was written"
    return True, accepted(options, apply_ok(history, person, fact.at, fact.at), telling)


def accepted(before: AnswerOptions, after: History, telling: Telling) -> str:
    """What is true once an `ok` of that person is written, that does something: `after` is what it leads to."""
    name = telling.policy.person_name(before.person)
    if before.confirms:
        return f"{name} says that all is healthy"
    new = [role for role in after.roles if after.holder(role) == before.person != before.history.holder(role)]
    if new:
        return f"{name} is {_titles(new, telling)} now"
    if before.holds:
        return f"{name} is still {_titles(_held(before), telling)}"
    return f"acknowledged by {before.person}"


def nothing_to_accept(options: AnswerOptions, telling: Telling) -> str:
    """Why an `ok` of that person changes nothing."""
    name = telling.policy.person_name(options.person)
    if options.verify or options.healthy:
        return "somebody has said already that all is healthy"
    for state, has in (RoleState.HELD, "holds"), (RoleState.TAKEN, "has taken"):
        for option in options.roles:
            if option.state is state and option.role not in {"", RESPONDER} and option.holder:
                since = f" since {telling.at(option.since)}" if option.since else ""
                roles = _held(options) if state is RoleState.HELD else [option.role]
                return f"{telling.policy.person_name(option.holder)} {has} {_titles(roles, telling)}{since}"
    if options.dropped:
        return f"{name} is not needed as {_titles(list(options.dropped), telling)} any more"
    return "somebody looks after it already" if options.incident.unreadable else f"{name} has answered already"


def _held(options: AnswerOptions) -> list[str]:
    return [option.role for option in options.roles if option.state is RoleState.HELD and option.role != RESPONDER]


def _titles(roles: list[str], telling: Telling) -> str:
    return ENGLISH.listed([telling.policy.role_title(role) for role in roles])
