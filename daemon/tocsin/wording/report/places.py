"""Where those who work on an incident meet, and where they look: the bridge, the runbook and links of its services and
its own, each leading where a browser or a phone can follow.
"""

import re

from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.wording.message.page_words import meeting_place

LEADS_ON = ("https://", "http://", "tel:")


def places(incident: Incident, policy: Policy) -> list[tuple[str, str, str]]:
    """A word for each, what is read, and where it leads; empty: it is words alone."""
    services = [policy.services[name] for name in incident.services if name in policy.services]
    bridge = meeting_place(incident, policy)
    runbook = next((service.runbook for service in services if service.runbook), "")
    links = dict(pair for pairs in (*(service.links for service in services), incident.links) for pair in pairs)
    named = [("Meet", bridge, leads_to(bridge)), ("Runbook", runbook, leads_to(runbook))]
    named += [("Link", one_line(clean(title)), leads_to(address)) for title, address in links.items()]
    return [place for place in named if place[1]]


def leads_to(place: str) -> str:
    """Where a browser or a phone gets to it, as a mail has it."""
    if place.startswith(LEADS_ON):
        return place
    number = re.sub("[ -]", "", place)
    return f"tel:{number}" if re.fullmatch(r"\+[0-9]+", number) else ""
