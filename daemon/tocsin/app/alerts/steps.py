"""Alert steps: what a notification of Alertmanager does to its group's incident (product.md section 8). Pure.

Decides for whoever is on call:

- What fires without an open incident is declared. What fires with one changes nothing, but that alerts not heard of
  before may raise its severity (never lower it), bring further services, and show in a summary nobody has rewritten.
- An end ends an incident that Alertmanager declared, unless it is older than what fires now.
- An incident that a person resolved stays so for the alerts that it had heard of. Another one is a new incident.
- One that Alertmanager resolved and that fires anew within `REOPENED_WITHIN` is opened again: whoever was told that it
  is over must hear that it is not, and one story is easier to follow at night than five. After that it is a new one.
- The very alerts that ended just now, told as firing again, are most likely an old word that comes late: it is not
  taken for `SETTLED_AFTER`. If it is true, Alertmanager will say it again.

Must not know files, nor what labels mean.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.app.alerts import words as alert_words
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.memory import Memory
from tocsin.app.alerts.payload import Group
from tocsin.domain.incident import Incident, Status
from tocsin.formats.incident.edit import Edit

ALERTMANAGER = "Alertmanager"
"""Who declares what alerts declare."""
REOPENED_WITHIN = timedelta(minutes=30)
SETTLED_AFTER = timedelta(minutes=2)
NO_EDIT, HEARD_NOTHING = Edit(), Memory()


class Did(StrEnum):
    """What came of a notification."""

    DECLARED = "declared"
    REOPENED = "reopened"
    CHANGED = "changed"
    RESOLVED = "resolved"
    NOTHING = "nothing"
    TOO_SOON = "too soon"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done, and why nothing is."""

    did: Did
    edit: Edit = NO_EDIT
    memory: Memory = HEARD_NOTHING
    why: str = ""


def step(group: Group, incident: Incident | None, memory: Memory, meaning: Meaning, now: datetime) -> Step:
    """What follows for the newest incident of the group (None: there is none), which remembers these alerts."""
    if not group.firing:
        return _ended(group, incident, memory, now)
    new = memory.new(group.firing)
    if incident is None:
        return _declare(group, now)
    if not incident.resolved:
        return _goes_on(group, incident, memory, meaning, now)
    ended_at = alert_words.resolved_at(incident.resolution)
    if ended_at is None:
        return (
            _declare(group, now) if new else Step(Did.NOTHING, why="a person resolved it, and these alerts are not new")
        )
    if now - ended_at >= REOPENED_WITHIN:
        return _declare(group, now)
    if not new and now - ended_at < SETTLED_AFTER:
        return Step(Did.TOO_SOON, why="these alerts ended just now")
    return _again(group, incident, memory, meaning, now)


def declaration(group: Group, meaning: Meaning) -> Incident:
    """The incident that a group's firing alerts mean. Its id does not matter."""
    return Incident(
        id="",
        title=alert_words.title(group),
        severity=meaning.severity(group.firing),
        summary=alert_words.summary(group),
        services=meaning.services(group.firing),
        declared_by=ALERTMANAGER,
    )


def _declare(group: Group, now: datetime) -> Step:
    memory = Memory().with_alerts(group.firing, now).with_summary(alert_words.summary(group))
    return Step(Did.DECLARED, memory=memory)


def _goes_on(group: Group, incident: Incident, memory: Memory, meaning: Meaning, now: datetime) -> Step:
    """It is open: what alerts not heard of before add to it."""
    edit, after = _added(group, incident, memory, meaning, now)
    if not edit.keys and after == memory:
        return Step(Did.NOTHING, why="it is known")
    return Step(Did.CHANGED, edit, after)


def _again(group: Group, incident: Incident, memory: Memory, meaning: Meaning, now: datetime) -> Step:
    edit, after = _added(group, incident, memory, meaning, now)
    opened = Edit(
        status=Status.INVESTIGATING,
        resolution="",
        severity=edit.severity,
        services=edit.services,
        summary=edit.summary,
    )
    return Step(Did.REOPENED, opened, after)


def _added(group: Group, incident: Incident, memory: Memory, meaning: Meaning, now: datetime) -> tuple[Edit, Memory]:
    new, summary = memory.new(group.firing), alert_words.summary(group)
    severity = meaning.severity(new) if new else None
    services = tuple(each for each in meaning.services(new) if each not in incident.services)
    after, ours = memory.with_alerts(new, now), memory.wrote(incident.summary)
    if ours:
        after = after.with_summary(summary)
    edit = Edit(
        severity=severity if severity and meaning.worse(severity, incident.severity) else None,
        services=services or None,
        summary=summary if ours and summary != incident.summary else None,
    )
    return edit, after


def _ended(group: Group, incident: Incident | None, memory: Memory, now: datetime) -> Step:
    if incident is None:
        return Step(Did.NOTHING, why="there is no incident of it")
    if incident.resolved:
        return Step(Did.NOTHING, why="it is resolved")
    if incident.declared_by != ALERTMANAGER:
        return Step(Did.NOTHING, why="a person declared it, and has to resolve it")
    if group.truncated > 0:
        return Step(Did.NOTHING, why="not all of its alerts were told (max_alerts), some may fire")
    if memory.newest_at and group.ended_at and group.ended_at < memory.newest_at:
        return Step(Did.NOTHING, why="alerts fire that began after these ended")
    sentence = None if incident.resolution and not alert_words.resolved_at(incident.resolution) else _sentence(now)
    return Step(Did.RESOLVED, Edit(status=Status.RESOLVED, resolution=sentence), memory)


def _sentence(now: datetime) -> str:
    return alert_words.resolution(now)
