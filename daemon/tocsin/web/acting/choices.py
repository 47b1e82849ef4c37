"""What a form lets one choose from, and what stands there now."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.app.edits.effect_words import effect_sentences
from tocsin.domain.incident import Edit
from tocsin.text.times import clock, zone_name
from tocsin.web.acting.actor import Actor
from tocsin.web.acting.acts import Act
from tocsin.web.acting.fields import HOURS, STATUSES, estimate
from tocsin.web.acting.preview import act_effects, press_label
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.update_words import status_text

DAYS = 7
"""Days ahead that an estimate may name."""


@dataclass(frozen=True, slots=True)
class SeverityChoice:
    """A severity: what it is called and means, what changing to it would do, and what its button says."""

    name: str
    title: str
    meaning: str
    sentences: tuple[str, ...]
    press: str
    current: bool


def choices(act: Act, actor: Actor) -> dict[str, Any]:
    """The choices of an act's form, by field."""
    match act:
        case Act.SEVERITY:
            return {"severities": [_severity(name, actor) for name in actor.policy.severities]}
        case Act.STATUS:
            return {"statuses": [(status, status_text(status, ENGLISH)) for status in STATUSES]}
        case Act.UPDATE:
            statuses = [(status, status_text(status, ENGLISH)) for status in STATUSES]
            return {"statuses": statuses, **_estimates(actor), "last": _last_public(actor)}
        case Act.ETA:
            return _estimates(actor)
        case Act.ASSIGN:
            return _people(actor)
        case Act.RESOLVE:
            groups = actor.history.groups
            told = [actor.policy.group_title(name) for name, group in groups.items() if group.external]
            return {"outsiders": told}
    return {}


def _severity(name: str, actor: Actor) -> SeverityChoice:
    severity, edit = actor.policy.severities[name], Edit(severity=name)
    current = actor.policy.severity(actor.incident.severity).name == name
    if current:
        return SeverityChoice(name, severity.title, severity.meaning, (), "", current=True)
    shown = act_effects(actor, Act.SEVERITY, edit)
    sentences = effect_sentences(shown, actor.policy, actor.person.timezone, actor.now)
    press = press_label(Act.SEVERITY, edit, shown, actor)
    return SeverityChoice(name, severity.title, severity.meaning, sentences, press, current=False)


def _estimates(actor: Actor) -> dict[str, Any]:
    """The estimates that one may choose, each with the time that it means."""
    zone, now = ZoneInfo(actor.person.timezone), actor.now
    words = {"30m": "in 30 min", "1h": "in 1 h", "2h": "in 2 h", "4h": "in 4 h"}
    here = now.astimezone(zone)
    days = [here.date() + timedelta(days=number) for number in range(DAYS)]
    eta = actor.incident.eta
    return {
        "spans": [(name, words[name], clock(estimate(name, now), actor.person.timezone, now)) for name in HOURS],
        "days": [(f"{day}", f"{day:%a} {day.day} {day:%b}") for day in days],
        "zone": zone_name(here),
        "eta": clock(eta, actor.person.timezone, now) if eta else "",
        "eta_passed": eta is not None and eta <= now,
    }


def _last_public(actor: Actor) -> str:
    """The newest text for outsiders."""
    return next((entry.public for entry in reversed(actor.incident.updates) if entry.public), "")


def _people(actor: Actor) -> dict[str, Any]:
    """The roles, those that are needed first, each with who has it; and everybody of the config, oneself first."""
    policy, history = actor.policy, actor.history
    needed = [name for name, role in history.roles.items() if role.needed and name in policy.roles]
    roles = dict.fromkeys((*needed, *policy.roles))
    people = dict.fromkeys((actor.person.id, *sorted(policy.people, key=policy.person_name)))
    return {
        "roles": [(name, policy.role_title(name), _standing(name, actor)) for name in roles],
        "people": [(name, policy.person_name(name) + (" (you)" if name == actor.person.id else "")) for name in people],
    }


def _standing(role: str, actor: Actor) -> str:
    """Who has a role; or to whom it was given, and they have not accepted it."""
    holder, given = actor.history.holder(role), actor.incident.assigned(role)
    if holder:
        return f"{actor.policy.person_name(holder)} has it"
    return f"given to {actor.policy.person_name(given)}, not accepted" if given else "nobody has it"
