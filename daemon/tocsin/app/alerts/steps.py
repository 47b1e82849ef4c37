"""What a notification of Alertmanager does to its group's incident: pure decisions, for whoever is on call.

- What fires without an open incident is declared. What fires with one changes nothing, but that alerts not heard of
  before may raise its severity (never lower it), bring further services, and show in a summary nobody has rewritten.
- An end ends an incident that Alertmanager declared, unless it is older than what fires now. A summary that nobody has
  rewritten then says when the alerts ended, also where a person had resolved it before.
- An incident that a person resolved stays so for the alerts that it had heard of. Another one is a new incident.
- One that Alertmanager resolved and that fires anew within `REOPENED_WITHIN` is opened again: whoever was told that it
  is over must hear that it is not, and one story is easier to follow at night than five. After that it is a new one.
- What fired and has ended by the time it is judged (nobody ran) wakes nobody: its incident is declared as resolved.
- The very alerts that ended just now, told as firing again, are most likely an old word that comes late: it is not
  taken for `SETTLED_AFTER`. If it is true, Alertmanager will say it again.

Must not know files, nor what labels mean.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.links import links_beside
from tocsin.app.alerts.memory import AlertMemory
from tocsin.app.alerts.words import ended_by_alerts_at, resolution_text, tells_of_firing
from tocsin.domain.arrival import AlertEntry
from tocsin.domain.incident import ALERTMANAGER, Edit, Incident, Status

REOPENED_WITHIN = timedelta(minutes=30)
SETTLED_AFTER = timedelta(minutes=2)
OVER = "it ended before it could be judged"
NO_EDIT, NO_MEMORY = Edit(), AlertMemory()


class Action(StrEnum):
    """What a notification leads to."""

    DECLARED = "declared"
    REOPENED = "reopened"
    CHANGED = "changed"
    RESOLVED = "resolved"
    NOTHING = "nothing"
    TOO_SOON = "too soon"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class AlertStep:
    """What is to be done, and why nothing is; `over`: what is declared is over by now."""

    action: Action
    edit: Edit = NO_EDIT
    memory: AlertMemory = NO_MEMORY
    why: str = ""
    over: bool = False


def next_step(
    group: AlertEntry, incident: Incident | None, memory: AlertMemory, meaning: Meaning, now: datetime, *, over: bool
) -> AlertStep:
    """What follows for the newest incident of the group (None: there is none), which remembers these alerts. `over`: it
    is known that they ended since, and nobody is woken for that any more (rule 20): what is resolved stays so.
    """
    step = _next_step(group, incident, memory, meaning, now)
    if over and step.action is Action.REOPENED:
        return AlertStep(Action.CHANGED, memory=memory.with_alerts(group.firing, now), why=OVER)
    if over and step.action is Action.TOO_SOON:
        return AlertStep(Action.NOTHING, why=OVER)
    return replace(step, over=over)


def _next_step(
    group: AlertEntry, incident: Incident | None, memory: AlertMemory, meaning: Meaning, now: datetime
) -> AlertStep:
    if not group.firing:
        return _end(group, incident, memory, now)
    new = memory.new(group.firing)
    if incident is None:
        return _declare(group, now)
    if not incident.resolved:
        return _go_on(group, incident, memory, meaning, now)
    ended_at = ended_by_alerts_at(incident.resolution)
    if ended_at is None:
        if new:
            return _declare(group, now)
        return AlertStep(Action.NOTHING, why="a person resolved it, and these alerts are not new")
    if now - ended_at >= REOPENED_WITHIN:
        return _declare(group, now)
    if not new and now - ended_at < SETTLED_AFTER:
        return AlertStep(Action.TOO_SOON, why="these alerts ended just now")
    return _reopen(group, incident, memory, meaning, now)


def ended_since(group: AlertEntry, last: AlertEntry) -> bool:
    """Whether the group's last word says that all of these alerts have ended, as an end that ends an incident does."""
    if last.firing or last.truncated > 0 or last.ended_at is None:
        return False
    return last.ended_at >= max(some.newest_at for some in group.firing) if group.firing else False


def declaration(group: AlertEntry, meaning: Meaning, now: datetime, *, over: bool) -> Incident:
    """The incident that a group's firing alerts mean: it began when the first of them did, so that "since" and "lasted"
    are true; an alert of the future began now. Its id does not matter. One that is over by now is resolved.
    """
    began_at = group.began_at.replace(microsecond=0) if group.began_at else None
    return Incident(
        id="",
        title=group.title,
        severity=meaning.severity(group.firing),
        summary=group.summary,
        services=meaning.services(group.firing),
        links=group.links,
        declared_by=ALERTMANAGER,
        declared_at=now,
        started_at=min(began_at, now) if began_at else None,
        status=Status.RESOLVED if over else Status.INVESTIGATING,
        resolution=resolution_text(now) if over else "",
    )


def _declare(group: AlertEntry, now: datetime) -> AlertStep:
    memory = AlertMemory().with_alerts(group.firing, now).with_summary(group.summary)
    return AlertStep(Action.DECLARED, memory=memory)


def _go_on(group: AlertEntry, incident: Incident, memory: AlertMemory, meaning: Meaning, now: datetime) -> AlertStep:
    """It is open: what alerts not heard of before add to it."""
    edit, after = _additions(group, incident, memory, meaning, now)
    if not edit.keys and after == memory:
        return AlertStep(Action.NOTHING, why="it is known")
    return AlertStep(Action.CHANGED, edit, after)


def _reopen(group: AlertEntry, incident: Incident, memory: AlertMemory, meaning: Meaning, now: datetime) -> AlertStep:
    """It is open again, with what alerts not heard of before add to it."""
    edit, after = _additions(group, incident, memory, meaning, now)
    reopening = Edit(
        status=Status.INVESTIGATING,
        resolution="",
        verified_by="" if incident.verified_by else None,
        severity=edit.severity,
        services=edit.services,
        summary=edit.summary,
        links=edit.links,
    )
    return AlertStep(Action.REOPENED, reopening, after)


def _additions(
    group: AlertEntry, incident: Incident, memory: AlertMemory, meaning: Meaning, now: datetime
) -> tuple[Edit, AlertMemory]:
    new, summary = memory.new(group.firing), group.summary
    severity = meaning.severity(new) if new else None
    services = tuple(service for service in meaning.services(new) if service not in incident.services)
    after, ours = memory.with_alerts(new, now), memory.wrote(incident.summary)
    if ours:
        after = after.with_summary(summary)
    edit = Edit(
        severity=severity if severity and meaning.worse(severity, incident.severity) else None,
        services=services or None,
        summary=summary if ours and summary != incident.summary else None,
        links=(links_beside(group.links, incident.links) or None) if new else None,
    )
    return edit, after


def _end(group: AlertEntry, incident: Incident | None, memory: AlertMemory, now: datetime) -> AlertStep:
    if incident is None:
        return AlertStep(Action.NOTHING, why="there is no incident of it")
    summary = group.summary if memory.wrote(incident.summary) and group.summary != incident.summary else None
    after = memory if summary is None else memory.with_summary(summary)
    if incident.resolved and (summary is None or not tells_of_firing(incident.summary)):
        return AlertStep(Action.NOTHING, why="it is resolved")
    if not incident.declared_by_alerts:
        return AlertStep(Action.NOTHING, why="a person declared it, and has to resolve it")
    if group.truncated > 0:
        return AlertStep(Action.NOTHING, why="not all of its alerts were told (max_alerts), some may fire")
    if memory.newest_at and group.ended_at and group.ended_at < memory.newest_at:
        return AlertStep(Action.NOTHING, why="alerts fire that began after these ended")
    if incident.resolved:
        return AlertStep(Action.CHANGED, Edit(summary=summary), after)
    begun_by_a_person = incident.resolution and not ended_by_alerts_at(incident.resolution)
    resolution = None if begun_by_a_person else resolution_text(now)
    return AlertStep(Action.RESOLVED, Edit(status=Status.RESOLVED, resolution=resolution, summary=summary), after)
