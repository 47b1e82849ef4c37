"""What `tocsin simulate --format json` prints, of an incident file and a script given as plain values."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tocsin.app.simulation.play import document, play
from tocsin.domain.policy import Policy
from tocsin.formats.policy_test.script import read_step


def simulated(
    policy: Policy, incident_text: str, at: datetime, span: timedelta, steps: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The document for an incident of the id `trouble`, without words."""
    read_steps = [read_step(entry, policy) for entry in steps]
    return document(play(policy, incident_text.encode(), "trouble.yaml", at, span, read_steps))
