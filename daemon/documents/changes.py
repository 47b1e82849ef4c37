"""Changes: what a group has not heard yet, between the version it was last told of and this one (timeline.md rule 22).

External groups hear of title, status, impact, ETA and `public` texts only (product.md section 5).
"""

from datetime import datetime

from daemon.documents.times import clock
from daemon.domain.incident import Incident, Status, UpdateEntry

STANDING = {
    Status.INVESTIGATING: "We are still investigating.",
    Status.IDENTIFIED: "We have found the cause and are working on it.",
    Status.MONITORING: "A fix is in place and we are watching it.",
    Status.RESOLVED: "The incident is resolved.",
}
"""What is said when there is nothing new to say: honest, and per status."""
FIRST = "We are investigating."


def news(incident: Incident, told: Incident | None, *, external: bool) -> tuple[str, ...]:
    """The texts of the `updates` entries this group has not read, oldest first; at the first update only the newest."""
    known = set(told.updates) if told else set()
    fresh = [entry for entry in incident.updates if entry not in known]
    texts = [_said(entry, external=external) for entry in fresh]
    heard = [text for text in texts if text]
    return tuple(heard if told else heard[-1:])


def standing(incident: Incident, told: Incident | None) -> str:
    """The standing sentence for the status."""
    if told is None and incident.status is Status.INVESTIGATING:
        return FIRST
    return STANDING[incident.status]


def changes(
    incident: Incident, told: Incident | None, *, external: bool, order: tuple[str, ...], zone: str, now: datetime
) -> tuple[str, ...]:
    """What has changed since, a sentence each. `order` lists the severities, the worst first."""
    if told is None:
        return ()
    said: list[str] = []
    if not external and told.severity != incident.severity:
        said.append(f"Severity {_way(told.severity, incident.severity, order)}: now {incident.severity.upper()}"
                    f" (was {told.severity.upper()}).")  # fmt: skip
    if told.status is not incident.status:
        said.append(f"Status: {incident.status.value} (was {told.status.value}).")
    if told.eta != incident.eta:
        said.append(_eta(told.eta, incident.eta, zone, now))
    if told.impact != incident.impact and incident.impact:
        said.append(f"Impact: {incident.impact}")
    return tuple(said)


def _said(entry: UpdateEntry, *, external: bool) -> str:
    return entry.public if external else entry.text or entry.public


def _way(before: str, after: str, order: tuple[str, ...]) -> str:
    if before in order and after in order:
        return "raised" if order.index(after) < order.index(before) else "lowered"
    return "changed"


def _eta(before: datetime | None, after: datetime | None, zone: str, now: datetime) -> str:
    """A change of the estimate is said as such."""
    if after is None:
        assert before is not None
        return f"There is no estimate any more (was {clock(before, zone, now)})."
    if before is None:
        return f"Estimated to be fixed by {clock(after, zone, now)}."
    return f"Estimate: was {clock(before, zone, now)}, now {clock(after, zone, now)}."
