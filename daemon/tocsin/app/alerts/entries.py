"""What a notification comes to for the daemon: entries of the inbox, each small, however many alerts there are.

Each entry is a notification of some of the alerts: judged one after the other they lead to what all of them would at
once. Must not know incidents.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from tocsin.app.alerts.links import incident_links
from tocsin.app.alerts.payload import Alert, AlertGroup
from tocsin.app.alerts.words import incident_summary, incident_title
from tocsin.domain.arrival import AlertEntry, Arrival, FiringAlerts
from tocsin.formats.inbox.entries import ENTRY_MOST, read_entry, write_entry
from tocsin.formats.settings.settings import AlertmanagerSettings
from tocsin.ports.ledger.trouble import Unreadable
from tocsin.text.cleaning import clean, one_line

VALUE_MOST = 120
"""Characters of a label's value that is told."""
MARKS_MOST = 200
"""Alerts of a kind that go into one entry together."""

TRUNCATED_MOST = 1_000_000

Rank = Callable[[str], int]
"""How bad the value of a severity's label is, the worst first."""


def alert_entries(
    group: AlertGroup, settings: AlertmanagerSettings, rank: Rank, refs: Iterator[str]
) -> list[AlertEntry]:
    """The entries of a notification, those of the worst alerts first; each with the next reference."""
    title, summary, links = incident_title(group), incident_summary(group), incident_links(group)
    truncated = max(0, min(group.truncated, TRUNCATED_MOST))

    def entry(firing: tuple[FiringAlerts, ...]) -> AlertEntry:
        began_at, ended_at = group.began_at, group.ended_at
        return AlertEntry(next(refs), group.key, title, summary, truncated, ended_at, firing, began_at, links)

    entries: list[AlertEntry] = []
    for kind in sorted(_kinds(group, settings), key=lambda kind: rank(kind.severity)):
        if entries:
            more = replace(entries[-1], firing=(*entries[-1].firing, kind))
            if len(write_entry(more)) <= ENTRY_MOST:
                entries[-1] = more
                continue
        entries.append(entry((kind,)))
    return entries or [entry(())]


def last_word(group: str, later: Sequence[Arrival | Unreadable]) -> AlertEntry | None:
    """The newest of what waits of a group, oldest first; None: nothing does."""
    bodies = (arrival.body for arrival in reversed(later) if isinstance(arrival, Arrival) and arrival.who == group)
    entries = (read_entry(body.encode()) for body in bodies)
    return next((entry for entry in entries if isinstance(entry, AlertEntry)), None)


def _kinds(group: AlertGroup, settings: AlertmanagerSettings) -> Iterator[FiringAlerts]:
    """The firing alerts by what their labels say."""
    kinds: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in group.firing:
        severity = alert.labels.get(settings.severity_label, "").strip()[:VALUE_MOST]
        service = one_line(clean(alert.labels.get(settings.service_label, "")))[:VALUE_MOST]
        kinds[severity, service].append(alert)
    for (severity, service), alerts in kinds.items():
        for first in range(0, len(alerts), MARKS_MOST):
            some = alerts[first : first + MARKS_MOST]
            newest: datetime = max(alert.starts_at for alert in some)
            yield FiringAlerts(severity, service, newest, "".join(alert.mark for alert in some))
