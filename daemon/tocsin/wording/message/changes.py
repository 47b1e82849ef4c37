"""What a group has not heard yet: what differs between the version it was last told of and this one (rule 22).

External groups hear of title, status, impact, ETA and `public` texts only (`docs/behaviour.md`).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.text.times import clock, moved

FRESH = {
    Status.INVESTIGATING: "We are investigating.",
    Status.IDENTIFIED: "We have found the cause and are working on it.",
    Status.MONITORING: "A fix is in place and we are watching it.",
    Status.RESOLVED: "The incident is resolved.",
}
STILL = {
    Status.INVESTIGATING: "We are still investigating.",
    Status.IDENTIFIED: "We know the cause and are still working on it.",
    Status.MONITORING: "The fix is in place and we are still watching it.",
    Status.RESOLVED: "The incident is resolved.",
}
"""What is said when there is nothing new to say: honest, for a reader to whom the status is new, or not."""


@dataclass(frozen=True, slots=True)
class News:
    """An `updates` entry as a reader gets it. `by` and `at` are empty where the file is silent, and for outsiders."""

    text: str
    by: str = ""
    at: str = ""


def news(
    incident: Incident, previous: Incident | None, *, external: bool, zone: str, now: datetime
) -> tuple[News, ...]:
    """The `updates` entries that this reader's group has not read, oldest first; at the first update only the newest.

    As in rule 22 an entry is new when the list has grown: a mended old one is not told again. `previous` is the version
    that the group was last told of; times are in `zone`.
    """
    entries = [_news(entry, external, zone, now) for entry in _new_entries(incident, previous)]
    readable = tuple(entry for entry in entries if entry.text)
    return readable if previous else readable[-1:]


def standing(status: Status, previous: Status | None) -> str:
    """The standing sentence for a status; `previous` is the one that the reader last heard of."""
    return (STILL if status is previous else FRESH)[status]


def changes(
    incident: Incident, previous: Incident | None, policy: Policy, *, external: bool, zone: str, now: datetime
) -> tuple[str, ...]:
    """What else has changed since the group was told of `previous`, a sentence each. Times are in `zone`."""
    if previous is None:
        return ()
    sentences: list[str] = []
    if not external and previous.severity != incident.severity:
        sentences.append(f"Severity {severity_change(previous.severity, incident.severity, policy)}.")
    if previous.status is not incident.status:
        sentences.append(f"Status: {incident.status.value} (was {previous.status.value}).")
    if previous.eta != incident.eta:
        sentences.append(_eta(previous.eta, incident.eta, zone, now))
    if previous.impact and not incident.impact:
        sentences.append("The impact is no longer stated.")
    return tuple(sentences)


def severity_change(before: str, after: str, policy: Policy) -> str:
    """Which way a severity went: `raised from SEV2 to SEV1`."""
    direction = "changed"
    if before in policy.severities and after in policy.severities:
        direction = "raised" if policy.severity_rank(after) < policy.severity_rank(before) else "lowered"
    return f"{direction} from {before.upper()} to {after.upper()}"


def _new_entries(incident: Incident, previous: Incident | None) -> list[UpdateEntry]:
    if previous is None:
        return list(incident.updates)
    if incident.updates[: len(previous.updates)] == previous.updates:  # as a rule, and it spares the counting
        return list(incident.updates[len(previous.updates) :])
    grown = len(incident.updates) - len(previous.updates)
    if grown > 0 and incident.updates[grown:] == previous.updates:  # written on top
        return list(incident.updates[:grown])
    known, unknown = Counter(previous.updates), []
    for entry in incident.updates:
        if known[entry] > 0:
            known[entry] -= 1
        else:
            unknown.append(entry)
    return unknown[-grown:] if grown > 0 else []


def _news(entry: UpdateEntry, external: bool, zone: str, now: datetime) -> News:
    if external:
        return News(clean(entry.public))
    return News(clean(entry.text or entry.public), clean(entry.by), clock(entry.at, zone, now) if entry.at else "")


def _eta(before: datetime | None, after: datetime | None, zone: str, now: datetime) -> str:
    """A change of the estimate is said as such."""
    if after is None:
        assert before is not None
        return f"There is no ETA any more (was {clock(before, zone, now)})."
    if before is None:
        return f"ETA: {clock(after, zone, now)}."
    return f"ETA: {moved(before, after, zone, now)}."
