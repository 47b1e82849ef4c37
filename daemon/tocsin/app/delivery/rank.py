"""Which letter leaves a queue first (rule 48).

Decides from what the letter is and from how bad its incident is now. Must not know what waits beside it.
"""

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.queue import Rank
from tocsin.domain.notification import Kind, Notification

KINDS = {Kind.PAGE: 0, Kind.UPDATE: 2}
"""Pages go first, updates last, everything else between them."""


def rank(notification: Notification, context: DeliveryContext) -> Rank:
    """Pages first, among them the worse severity, then the earlier instant. The rest in the order in which it comes."""
    if notification.kind is not Kind.PAGE:
        return KINDS.get(notification.kind, 1), 0, 0.0
    incident = context.incidents.history(notification.incident).incident
    severity = context.config.policy.severity_rank(incident.severity if incident else "")
    return KINDS[Kind.PAGE], severity, notification.at.timestamp()
