"""How a notice to operators names an incident: they know it by its title, not by its id. Must not know what is told."""

from tocsin.domain.history import History
from tocsin.text.cleaning import clean, cut, one_line

TITLE_MOST = 45
"""Letters of a title, so that an SMS has room for what is wrong."""


def named_incident(incident: str, history: History) -> str:
    """`SEV1 Card payments fail`; before its file was seen, and where that has no title, by its id."""
    known = history.incident
    title = one_line(clean(known.title)) if known else ""
    return f"{known.severity.upper()} {cut(title, TITLE_MOST)}" if known and title else f"incident {incident}"
