"""Where a notification leads: the runbooks of its alerts, the group in Alertmanager, and where each alert comes from.

They become links of the incident, which insiders alone read. An address that is none, is not of the web, is very long,
or holds a password is left out: it stops no alert.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import quote, urlsplit

from tocsin.app.alerts.payload import Alert, AlertGroup
from tocsin.formats.schema.addresses import why_no_url
from tocsin.formats.schema.patterns import LINKS_MOST
from tocsin.text.cleaning import clean, cut, one_line

ADDRESS_MOST = 700
"""Characters of an address: those of large queries are longer, and no help on a phone."""
LINKS_OCTETS = 1400
"""Octets of all links of an entry of the inbox."""
RUNBOOKS_MOST, SOURCES_LOOKED_AT = 3, 50
TITLE_MOST = 60
"""Characters of a title."""
ALERTMANAGER = "Alertmanager"


def incident_links(group: AlertGroup) -> tuple[tuple[str, str], ...]:
    """Title and address of each link, the most helpful first, each address once, as many as there is room for."""
    links: tuple[tuple[str, str], ...] = ()
    for link in _links(group):
        more = (*links, *links_beside((link,), links))
        if _helps(link[1]) and len(json.dumps(more, ensure_ascii=False).encode("utf-8", "replace")) <= LINKS_OCTETS:
            links = more
    return links


def links_beside(links: Iterable[tuple[str, str]], present: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those of the links that can stand beside the present ones: other addresses, under titles that are free."""
    titles, addresses = {title for title, _ in present}, {address for _, address in present}
    new: list[tuple[str, str]] = []
    for title, address in links:
        if address not in addresses and len(titles) < LINKS_MOST:
            new.append((next(name for name in _names(title) if name not in titles), address))
            titles.add(new[-1][0])
            addresses.add(address)
    return tuple(new)


def runbooks(alerts: Iterable[Alert]) -> tuple[str, ...]:
    """The runbooks that the alerts name, each once."""
    named = (one_line(clean(alert.annotations.get("runbook_url", ""))) for alert in alerts)
    return tuple(dict.fromkeys(filter(None, named)))[:RUNBOOKS_MOST]


def _links(group: AlertGroup) -> Iterator[tuple[str, str]]:
    alerts = group.firing or group.alerts
    for address in runbooks(alerts):
        yield "Runbook", address
    if group.alertmanager:
        base = group.alertmanager.rstrip("/") + "/#/alerts"
        pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in group.group_labels.items())
        these = f"{base}?filter={quote('{' + ','.join(pairs) + '}', safe='')}" if group.group_labels else base
        yield ALERTMANAGER, these if _helps(these) else base
    names = {alert.source: alert.labels.get("alertname", "") for alert in reversed(alerts)}
    for address, name in islice(reversed(names.items()), SOURCES_LOOKED_AT):
        yield cut(f"Source of {one_line(clean(name)) or 'the alert'}", TITLE_MOST), address


def _names(title: str) -> Iterator[str]:
    """The title, then with a number."""
    yield title
    for number in range(2, LINKS_MOST + 2):
        yield f"{title} {number}"


def _helps(address: str) -> bool:
    """Whether it is an address of the web that somebody may read."""
    written = len(address) <= ADDRESS_MOST and clean(address) == address and not why_no_url(address)
    return written and "@" not in urlsplit(address).netloc
