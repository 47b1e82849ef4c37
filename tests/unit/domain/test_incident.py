"""What an incident's file says, asked."""

from dataclasses import replace

import pytest
from tocsin.domain.incident import Incident, Status

DOWN = Incident("db", "Database down", "sev1", roles=(("scribe", "ana"), ("technical_lead", "bo")))


def test_the_file_names_people_for_roles() -> None:
    """Each role has the person that the file names for it, or nobody."""
    assert [DOWN.assigned(role) for role in ("scribe", "technical_lead", "communications")] == ["ana", "bo", None]


@pytest.mark.parametrize("status", Status)
def test_only_resolved_ends_an_incident(status: Status) -> None:
    """No other status does (P4)."""
    assert replace(DOWN, status=status).resolved == (status is Status.RESOLVED)
