"""A specimen incident: played through every severity, so that each template that this config can need is rendered.

Decides what happens in it: everything that makes a message. Must not know templates; the renderer tells what broke.
"""

from datetime import datetime, timedelta

from daemon.app.rehearsal import play
from daemon.documents.script import Step
from daemon.domain.policy import Policy
from daemon.ports import Renderer

SPAN = timedelta(days=8)
"""How long each is followed: past resolution, verification and the review's first reminders."""


def rehearse(policy: Policy, at: datetime, renderer: Renderer) -> None:
    """Play the specimen once for each severity, declared at `at`, and render every message of it."""
    everybody = tuple(policy.people)
    steps = (
        Step(timedelta(minutes=1), entry={"text": "It began with a release.", "public": "We are looking into it."}),
        Step(timedelta(minutes=2), fields={"status": "identified", "eta": (at + timedelta(hours=3)).isoformat()}),
        Step(timedelta(minutes=20), oks=everybody),
        Step(timedelta(minutes=40), fields={"impact": "Some payments fail.", "eta": (at + SPAN).isoformat()}),
        Step(timedelta(hours=3), fields={"status": "resolved", "resolution": "The release was taken back."}),
    )
    services = ", ".join(policy.services)
    for severity in policy.severities:
        text = (
            f"title: Specimen\nseverity: {severity}\nservices: [{services}]\nimpact: All payments fail.\n"
            "summary: What tocsin check renders templates with.\n"
        )
        play(policy, text.encode(), "specimen.yaml", at, SPAN, steps, renderer)
