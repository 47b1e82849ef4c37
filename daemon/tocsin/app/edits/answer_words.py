"""What somebody hears who has accepted, passed or confirmed in the browser: what is true for them now, and who is asked
instead.
"""

from collections.abc import Sequence

from tocsin.app.edits.changes import Telling
from tocsin.domain.facts import Answer
from tocsin.domain.history import NO_ROLE, History, RoleHistory
from tocsin.domain.policy import RESPONDER
from tocsin.wording.language.language import ENGLISH

NOTHING_ASKED = "Nothing is asked of you here now, so nothing has changed."


def answered(
    before: History, after: History, person: str, answer: Answer, telling: Telling, *, others_asked: bool
) -> str:
    """What is true now that a person has answered; the same history twice where that changed nothing. `others_asked` is
    whether somebody is asked for what they were paged for, or will be at once.
    """
    if answer is Answer.PASS:
        return _passed(after, person, telling, others_asked=others_asked)
    if after.resolved_at is not None:
        if after.verified:
            return "It is noted that all is healthy."
        return f"It was resolved at {telling.at(after.resolved_at)}; nothing is asked of you."
    return _accepted(before, after, person, telling)


def _accepted(before: History, after: History, person: str, telling: Telling) -> str:
    held = [role for role in after.roles.values() if role.needed and role.holder == person]
    if held:
        return _holds(before, after, held, person, telling)
    if person in after.responders_answered:
        return f"You are a {telling.policy.role_title(RESPONDER)} of it: it is noted that you answered."
    if after.incident and after.incident.unreadable and after.unreadable_ended:
        return "You look after it, and nobody else is paged for it. Its file cannot be read: somebody must mend it."
    taken = [role for role in after.roles.values() if role.needed and role.holder and role.was_paged(person)]
    return (
        " ".join([*(_is_held(role, telling) for role in taken), "You need not do anything."])
        if taken
        else NOTHING_ASKED
    )


def _holds(before: History, after: History, held: Sequence[RoleHistory], person: str, telling: Telling) -> str:
    """What they are, each role with its time where they took them at several; and who was it until now."""
    earlier = [before.holder(role.role) for role in held]
    still = "still " if before is not after and all(name == person for name in earlier) else ""
    titles = [telling.policy.role_title(role.role) for role in held]
    times = [_since(role, telling) for role in held]
    listed = [f"{ENGLISH.listed(titles)}{times[0]}"]
    if len(set(times)) > 1:
        pairs = zip(titles, times, strict=True)
        listed = [f"{title} ({time.removeprefix(', ')})" for title, time in pairs]
    former = [telling.policy.person_name(name) for name in dict.fromkeys(earlier) if name and name != person]
    return f"You are {still}{ENGLISH.listed(listed)}{', in place of ' if former else ''}{ENGLISH.listed(former)}."


def _is_held(role: RoleHistory, telling: Telling) -> str:
    policy = telling.policy
    return f"{policy.person_name(role.holder)} is {policy.role_title(role.role)}{_since(role, telling)}."


def _since(role: RoleHistory, telling: Telling) -> str:
    return f", since {telling.at(role.accepted_at)}" if role.accepted_at else ""


def _passed(after: History, person: str, telling: Telling, *, others_asked: bool) -> str:
    """What they have passed on, and whether somebody is asked in their place."""
    if after.resolved_at is not None:
        return f"It was resolved at {telling.at(after.resolved_at)}; nothing is asked of you."
    roles = [role for role in after.roles.values() if role.needed and person in role.declining]
    names = [telling.policy.role_title(role.role) for role in roles]
    if person in after.responders_passed:
        names.append(telling.policy.role_title(RESPONDER))
    unreadable = after.roles.get(NO_ROLE)
    if unreadable and person in unreadable.declining and not after.unreadable_ended:
        names.append("the file that cannot be read")
    if not names:
        return NOTHING_ASKED
    sentences = [f"You have passed on {ENGLISH.listed(names)}."]
    holders = [_is_held(role, telling) for role in roles if role.holder]
    if holders:
        return " ".join([*sentences, *holders])
    if others_asked:
        return " ".join([*sentences, "Somebody else is asked now."])
    return " ".join([*sentences, "Nobody is asked in your place: call somebody, or give it to somebody."])
