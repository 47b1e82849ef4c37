"""Notifications as Alertmanager posts them (webhook, version 4)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tocsin.app.alerts.entries import alert_entries
from tocsin.app.alerts.payload import AlertGroup, read_notification
from tocsin.domain.arrival import AlertEntry, FiringAlerts
from tocsin.formats.settings.settings import AlertmanagerSettings

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00Z"
LABELS = {"alertname": "HighErrorRate", "job": "api"}


def alert(instance: str = "a", began: float = 0, ended: float | None = None, **labels: str) -> dict[str, Any]:
    """One alert; minutes after T0."""
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {**LABELS, "instance": instance, **labels},
        "annotations": {"summary": f"Errors on {instance}"},
        "startsAt": (T0 + timedelta(minutes=began)).isoformat().replace("+00:00", ".123456789Z"),
        "endsAt": ZERO if ended is None else (T0 + timedelta(minutes=ended)).isoformat().replace("+00:00", "Z"),
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        "fingerprint": f"{abs(hash(instance)) & 0xFFFFFFFFFFFFFFFF:016x}",
    }


def notification(alerts: Sequence[Mapping[str, Any]], **changes: Any) -> bytes:
    """The body of a notification. Its status is that of its alerts."""
    firing = any(each["status"] == "firing" for each in alerts)
    shared = set.intersection(*({*each["labels"].items()} for each in alerts)) if alerts else set()
    said = set.intersection(*({*each["annotations"].items()} for each in alerts)) if alerts else set()
    body = {
        "receiver": "tocsin",
        "status": "firing" if firing else "resolved",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": dict(shared),
        "commonAnnotations": dict(said),
        "externalURL": "http://alertmanager.example.com:9093",
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
    }
    return json.dumps(body | changes).encode()


def group(*alerts: Mapping[str, Any], **changes: Any) -> AlertGroup:
    """What is read of it."""
    read = read_notification(notification(alerts, **changes))
    assert not isinstance(read, str), read
    return read


def entries(*alerts: Mapping[str, Any], **changes: Any) -> list[AlertEntry]:
    """What it comes to for the daemon."""
    refs = (f"reference{number}" for number in count())
    return alert_entries(group(*alerts, **changes), AlertmanagerSettings(), lambda _: 0, refs)


def firing(*alerts: Mapping[str, Any]) -> tuple[FiringAlerts, ...]:
    """Those that fire, as the daemon hears of them."""
    return tuple(some for one in entries(*alerts) for some in one.firing)


def entry(*alerts: Mapping[str, Any], **changes: Any) -> AlertEntry:
    """What it comes to, as one."""
    (one,) = entries(*alerts, **changes)
    return one
