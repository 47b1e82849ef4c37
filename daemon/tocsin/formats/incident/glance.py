"""An incident file at a glance: what it is called and whether it is over, without a config to read it by.

It decides nothing: lists and suggestions show it. Never raises.
"""

from dataclasses import dataclass

from tocsin.domain.incident import Status
from tocsin.text.cleaning import clean, one_line
from tocsin.text.yaml import read_yaml


@dataclass(frozen=True, slots=True)
class IncidentGlance:
    """The title and the severity as they stand there, empty where they do not; whether it says that it is resolved."""

    title: str = ""
    severity: str = ""
    resolved: bool = False


def glance(data: bytes) -> IncidentGlance:
    """What a file says at a glance."""
    fields = read_yaml(data, "").value
    if not isinstance(fields, dict):
        return IncidentGlance()
    title, severity, status = (
        one_line(clean(value)) if isinstance(value, str) else ""
        for value in (fields.get(key) for key in ("title", "severity", "status"))
    )
    return IncidentGlance(title, severity, status.lower() == Status.RESOLVED)
