"""Who is asked for the roles that nobody has accepted, since when and by what, and whom the plan pages next for each if
nobody does anything (`tocsin status`, the page of an incident). Nothing is changed.
"""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.history import FiredStep, History
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import NextPages, after_pages, next_pages


@dataclass(frozen=True, slots=True)
class AskedRole:
    """A role that nobody has accepted: the newest step of its escalation, by which channels its people were paged, and
    who is paged next.
    """

    step: FiredStep | None
    via: tuple[Channel, ...]
    coming: NextPages | None


def asked_roles(history: History, policy: Policy, now: datetime) -> dict[str, AskedRole]:
    """Each role that is needed and has no holder; of a file that cannot be read whatever is paged for it (""), until
    somebody has answered.
    """
    incident = history.incident
    if incident is None or history.resolved_at is not None or history.unreadable_ended:
        return {}
    after = after_pages(incident, policy, history, now)
    roles = [name for name, role in after.roles.items() if incident.unreadable or (role.needed and not role.holder)]
    return {
        name: AskedRole(
            after.roles[name].step,
            _channels(after.roles[name].step, after),
            next_pages(incident, policy, after, (name,), now),
        )
        for name in roles
    }


def _channels(step: FiredStep | None, history: History) -> tuple[Channel, ...]:
    """The channels by which the people of a step were paged; none that was refused."""
    pages = [history.newest_pages.get(name) for name in step.people] if step else []
    refused = {(reader, via) for reader, via, _ in history.refused}
    used = {via for page in pages if page for via in page.channels if (page.person, via) not in refused}
    return tuple(channel for channel in Channel if channel in used)
