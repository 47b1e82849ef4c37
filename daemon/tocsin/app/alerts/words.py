"""How a group of alerts reads: the title of its incident, the summary for responders, what ended it.

The title is all of it that outsiders may read; summary and labels are for responders.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from tocsin.app.alerts.links import runbooks
from tocsin.app.alerts.payload import Alert, AlertGroup
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.times import utc

TITLE_MOST = 120
"""Characters of a title."""
LINE_MOST = 300
"""Characters of the line of one alert."""
TEXT_MOST = 1500
"""Characters of a description."""
LISTED_MOST = 20
"""Alerts that are listed; the rest is counted."""
SUMMARY_MOST = 3200
"""Octets of a summary: it has to fit into an entry of the inbox."""
LABELS_MOST = 12
"""Labels of one alert that are shown."""
ALERT = "alertname"
_FIRING = re.compile(r"^\d+ alerts? firing:$", re.MULTILINE)
_ENDED = re.compile(r"All alerts have stopped firing \(Alertmanager, (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\)\.")


NOT_NOW = "The incident file cannot be written now. Try again in a minute."
NOT_SET = "The daemon takes no alerts: web.alertmanager is not set in its config. Restart it, if it was set since."
TOO_MANY = "Alerts have opened very many incidents of this severity lately. Say so again in a minute."
KEPT = "kept: no daemon has judged it yet, it does once it runs; this need not be said again"


def outcome_sentence(incident: str, did: str, why: str, unknown: Sequence[str]) -> str:
    """What a notification led to; `unknown` are services that the config lacks."""
    left_out = f"; there is no service {', '.join(unknown)}" if unknown else ""
    return f"{incident or 'no incident'}: {did}{f' ({why})' if why else ''}{left_out}"


def incident_title(group: AlertGroup) -> str:
    """What is wrong: the summary that all alerts share, else the alert's name with the labels of the group."""
    common = _line(group.common_annotations.get("summary", ""))
    if common:
        return cut(common, TITLE_MOST)
    labels = {name: value for name, value in group.group_labels.items() if name != ALERT}
    name_of_all = group.common_labels.get(ALERT, "")
    if not name_of_all and not labels and group.firing:
        first = group.firing[0]
        name_of_first = first.annotations.get("summary", "") or first.labels.get(ALERT, "")
        more = len(group.firing) - 1
        return cut(_line(name_of_first) or "An alert", TITLE_MOST - 20) + (f" and {more} more" if more else "")
    pairs = ", ".join(f"{_line(name)} {_line(value)}" for name, value in sorted(labels.items()) if value)
    return cut(" ".join(filter(None, (_line(name_of_all) or "Alerts", f"({pairs})" if pairs else ""))), TITLE_MOST)


def incident_summary(group: AlertGroup) -> str:
    """What responders should know: what the alerts share, then the firing ones, a line each, if there is room; where
    none fires any more, when they ended.
    """
    for listed in range(LISTED_MOST, -1, -1):
        text = clean("\n".join(_summary(group, listed)))
        if len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) <= SUMMARY_MOST:
            return text
    return cut(text, SUMMARY_MOST // 8)


def tells_of_firing(summary: str) -> bool:
    """Whether a summary of ours says that alerts fire."""
    return _FIRING.search(summary) is not None


def resolution_text(at: datetime) -> str:
    """What ended it, and when we heard so."""
    return f"All alerts have stopped firing (Alertmanager, {utc(at)})."


def ended_by_alerts_at(text: str) -> datetime | None:
    """When Alertmanager ended an incident whose `resolution` this is; None when somebody else has written it."""
    match = _ENDED.fullmatch(text)
    try:
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _summary(group: AlertGroup, listed: int) -> Iterator[str]:
    shared = group.common_annotations
    description = cut(clean(shared.get("description", "") or shared.get("message", "")), TEXT_MOST)
    if description:
        yield description
    alerts = group.firing or sorted(group.alerts, key=lambda alert: alert.starts_at)
    for link in runbooks(alerts):
        yield f"Runbook: {_line(link)}"
    if common := _labels(group.common_labels, {}):
        yield f"All alerts: {common}"
    number = len(alerts) + max(group.truncated, 0)
    if group.firing:
        yield f"{number} alert{'' if number == 1 else 's'} firing:"
    else:
        yield f"No alert is firing any more{f'; the last ended {utc(group.ended_at)}' if group.ended_at else ''}:"
    for alert in alerts[:listed]:
        yield f"- {cut(_alert(alert, group), LINE_MOST)}"
    if number > listed:
        yield f"- and {number - listed} more"


def _alert(alert: Alert, group: AlertGroup) -> str:
    """One alert: which of them, since when (or from when until when), and what it says for itself."""
    own = _labels(alert.labels, group.common_labels)
    texts = (alert.annotations.get(name, "") for name in ("summary", "description", "message"))
    shared = set(group.common_annotations.values())
    annotation = next((_line(text) for text in texts if text and text not in shared), "")
    began, ended = utc(alert.starts_at), alert.ended_at
    since = f"from {began} until {utc(ended)}" if ended else f"since {began}" if alert.firing else f"began {began}"
    return ": ".join(filter(None, (f"{own}, {since}" if own else since, annotation)))


def _labels(labels: Mapping[str, str], apart: Mapping[str, str]) -> str:
    """Labels that are not the same `apart`, the alert's name before the others."""
    names = [name for name, value in labels.items() if value and apart.get(name) != value]
    names.sort(key=lambda name: (name != ALERT, name))
    pairs = [_line(labels[name]) if name == ALERT else f"{_line(name)}={_line(labels[name])}" for name in names]
    return " ".join(pairs[:LABELS_MOST])


def _line(text: str) -> str:
    """A text from outside on one line, not too long."""
    return cut(one_line(clean(text[:TEXT_MOST])), LINE_MOST)
