"""What each part of a script's step did to an incident, or why it did nothing, in words for whoever wrote the script.

Decides by the histories before and after it; must not know how a script is played.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.formats.policy_test.script import ScriptStep
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.times import brief

TEXT_LIMIT = 60
"""The longest value of a step that is shown, in characters."""
AFTER_RESOLVING = frozenset({"verified_by", "review"})
"""Fields that do something to an incident that is resolved."""


@dataclass(frozen=True, slots=True)
class PlayedPart:
    """One thing that a step did: a channel refused, fields set, an entry added, or a person's answer, with the
    histories around it. Just one of `fail`, `fields`, `entry`, `ok` and `declines` is there.
    """

    at: datetime
    before: History
    after: History
    fail: tuple[str, Channel] | None = None
    fields: Mapping[str, Any] | None = None
    entry: Mapping[str, Any] | None = None
    ok: str = ""
    declines: str = ""


@dataclass(frozen=True, slots=True)
class PartEffect:
    """A part as the script has it (`ack: joe`), and what it did; or why it did nothing, if it was `in_vain`."""

    action: str
    effect: str
    in_vain: bool = False


def effect_of(part: PlayedPart, policy: Policy, paged_at: Mapping[str, Sequence[datetime]]) -> PartEffect:
    """What a part did. `paged_at` are the instants at which each person is paged in the time that is shown."""
    if part.fail:
        return _refusal(part, policy, *part.fail)
    if part.fields is not None:
        return _edit(part, policy, part.fields)
    if part.entry is not None:
        action = ", ".join(f"{_KEYS[key]}: {_shown(text)}" for key, text in part.entry.items())
        resolved = part.after.resolved_at is not None
        return PartEffect(action, "nobody hears it: the incident is resolved" if resolved else "", resolved)
    return _answer(part, policy, paged_at)


_KEYS = {"text": "update", "public": "public"}


def parts_of(step: ScriptStep) -> Iterable[dict[str, Any]]:
    """The parts of a step, in the order in which they happen, as what a PlayedPart says of them."""
    yield from ({"fail": fail} for fail in step.fails)
    if step.fields is not None:
        yield {"fields": step.fields}
    if step.entry is not None:
        yield {"entry": step.entry}
    yield from ({"ok": person} for person in step.oks)
    yield from ({"declines": person} for person in step.passes)


def _refusal(part: PlayedPart, policy: Policy, reader: str, via: Channel) -> PartEffect:
    action = f"fail: {reader} by {via}"
    name, person, word = policy.person_name(reader), policy.people.get(reader), via.traits.address_word
    if (person and not person.address(via)) or (person is None and via is not Channel.EMAIL):
        return PartEffect(action, f"{name} has no {word} for {via.traits.word}", in_vain=True)
    if part.before.refused == part.after.refused:
        return PartEffect(action, "it is refused already", in_vain=True)
    return PartEffect(action, f"their {word} is refused from here on")


def _edit(part: PlayedPart, policy: Policy, fields: Mapping[str, Any]) -> PartEffect:
    """Fields set: those that did not change are named."""
    action = f"set: {_shown(fields)}"
    before, after = part.before.incident, part.after.incident
    assert before is not None
    assert after is not None
    same = {key: _unchanged(key, value, after) for key, value in fields.items() if _reads_alike(key, before, after)}
    if before == after:
        return PartEffect(action, ", ".join(same.values()) or "the file says so already", in_vain=True)
    if part.before.resolved_at and part.after.resolved_at and not AFTER_RESOLVING & fields.keys():
        return PartEffect(action, "nobody hears it: the incident is resolved", in_vain=True)
    fresh = part.after.ineffective_acks[len(part.before.ineffective_acks) :]
    idle = [f"{policy.person_name(person)} was not paged, and accepts nothing" for person, _ in fresh]
    return PartEffect(action, ", ".join([*same.values(), *idle]))


def _reads_alike(key: str, before: Incident, after: Incident) -> bool:
    """Whether a field of the file is as it was."""
    names = {"resolution": ("resolution", "public_resolution"), "drill": ("drill", "reviewed_drill")}.get(key, (key,))
    return all(hasattr(before, name) and getattr(before, name) == getattr(after, name) for name in names)


def _unchanged(key: str, value: object, incident: Incident) -> str:
    """`status is identified already`; what the file cannot mean leaves it as it was."""
    now = getattr(incident, key, None)
    same = isinstance(now, str) and str(value).casefold() == now.casefold()
    return f"{key} is {_shown(now)} already" if same else f"{key} stays as it was"


def _answer(part: PlayedPart, policy: Policy, paged_at: Mapping[str, Sequence[datetime]]) -> PartEffect:
    person = part.ok or part.declines
    action = f"ack: {person}" if part.ok else f"pass: {person}"
    before, after = part.before, part.after
    done = _accepted(before, after, person, policy) if part.ok else _declined(before, after, policy)
    return PartEffect(action, done) if done else PartEffect(action, _why_in_vain(part, policy, paged_at), in_vain=True)


def _accepted(before: History, after: History, person: str, policy: Policy) -> str:
    """What an `ok` did, or nothing."""
    roles = [name for name in _held(after, person) if before.holder(name) != person]
    parts = [f"accepts {_titles(roles, policy)}"] if roles else []
    if after.responders_answered != before.responders_answered:
        parts.append("answers as responder")
    if after.verified and not before.verified:
        parts.append("confirms that all is healthy")
    if after.unreadable_ended and not before.unreadable_ended:
        parts.append("ends the pages for a file that cannot be read")
    still = [name for name, role in before.roles.items() if role.holder == person and role.still_asked_at]
    if still:
        parts.append(f"is still there as {_titles(still, policy)}")
    return " and ".join(parts)


def _declined(before: History, after: History, policy: Policy) -> str:
    """What a `pass` did, or nothing."""
    roles = [name for name, role in after.roles.items() if role != before.roles.get(name)]
    now = [name for name in roles if after.roles[name].next_now_at is not None]
    parts = [f"declines {_titles(roles, policy)}"] if roles else []
    if now:
        parts.append("somebody else is asked at once")
    if after.responders_passed != before.responders_passed:
        parts.append("passes as responder")
    return "; ".join(parts)


def _why_in_vain(part: PlayedPart, policy: Policy, paged_at: Mapping[str, Sequence[datetime]]) -> str:
    """Why an answer did nothing."""
    history, person = part.before, part.ok or part.declines
    incident = history.incident
    assert incident is not None
    if history.resolved_at is not None:
        asked = any(name == person for name, _ in history.verify_people)
        if part.ok and history.verified and asked:
            return "that all is healthy is confirmed already"
        return "the incident is resolved" + (", and they were not asked whether all is healthy" if part.ok else "")
    if incident.unreadable:
        return "nothing is asked of them any more" if history.unreadable_ended else "they were not paged yet"
    mine = [role for role in history.roles.values() if role.was_paged(person) or incident.assigned(role.role) == person]
    held = _held(history, person)
    if part.ok and held:
        return f"they are {_titles(held, policy)} already"
    if part.declines and (person in history.responders_passed or any(person in role.declining for role in mine)):
        return "they have passed already"
    if mine:
        return "; ".join(_of_others(mine, policy)) or "nothing is asked of them any more"
    later = next((at for at in paged_at.get(person, ()) if at >= part.at), None)
    if later == part.at:
        return "they are first paged at this very instant, and a step comes before the messages of its instant (rule 1)"
    return f"they are first paged {brief(later - part.at)} later" if later else "they are not paged in this time"


def _of_others(roles: Iterable[RoleHistory], policy: Policy) -> Iterable[str]:
    """Whose the roles are for which somebody answers too late."""
    holders: dict[str, list[str]] = {}
    for role in roles:
        if role.needed and role.holder:
            holders.setdefault(role.holder, []).append(role.role)
    return (f"{policy.person_name(holder)} is {_titles(names, policy)} already" for holder, names in holders.items())


def _held(history: History, person: str) -> list[str]:
    return [name for name, role in history.roles.items() if name and role.holder == person]


def _titles(roles: Sequence[str], policy: Policy) -> str:
    titles = [policy.role_title(role) for role in roles]
    return " and ".join(filter(None, [", ".join(titles[:-1]), *titles[-1:]]))


def _shown(value: object) -> str:
    """A value of a step on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return cut(one_line(clean(str(value))), TEXT_LIMIT)
