"""Which content of a file must stand still before it counts (rule 31).

A file may be seen half-written. Decides by comparing two versions, nothing else; must not know time or files.
"""

from dataclasses import fields

from tocsin.domain.incident import Incident
from tocsin.formats.incident.read import IncidentReading

_FIELDS = tuple(field.name for field in fields(Incident) if field.name not in {"id", "unreadable", "odd_name"})


def may_be_half_written(reading: IncidentReading, version: Incident, known: Incident | None) -> bool:
    """Whether this may be half a file: a new one without a good severity; of a known incident, one that drops fields
    or reopens.
    """
    if known is None or known.unreadable:
        return not reading.severity_read
    reopens = known.resolved and not version.resolved
    return (
        reopens or not reading.complete or any(_lost(getattr(known, name), getattr(version, name)) for name in _FIELDS)
    )


def _lost(before: object, after: object) -> bool:
    """Whether a field that said something says nothing now, or its list has become shorter."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(after) < len(before)
    return bool(before) and not after
