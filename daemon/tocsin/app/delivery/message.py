"""A parcel as its transport gets it, the same for each attempt but for the address and the attempt's own number.

It decides how long a message is worth keeping. It must not know how it leaves.
"""

from datetime import datetime, timedelta

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Attempt, Message
from tocsin.domain.notification import Notification
from tocsin.domain.policy import Policy

SMS_VALID_FOR = timedelta(hours=1)
"""How long the provider may keep a page that it cannot deliver."""


def message(parcel: Parcel, attempt: Attempt, context: DeliveryContext) -> Message:
    """The message of one attempt; that of a bundle is about several incidents."""
    notification, bundle = parcel.lead.notification, parcel.bundle
    person = context.config.policy.people.get(notification.to)
    return Message(
        reference=bundle.id if bundle else notification.key,
        via=notification.via,
        address=attempt.address,
        person=notification.to,
        name=person.name if person else "",
        content=bundle.content if bundle else parcel.lead.letter.content,
        incident=notification.incident,
        episode=notification.episode,
        kind=notification.kind.value,
        at=_made_at(parcel, attempt) if bundle else notification.at,
        valid_for=SMS_VALID_FOR if parcel.lead.page else None,
        attempt=attempt.id,
        unsubscribe_url=context.reply_options.unsubscribe(notification),
        one_click=_lets_go(notification, context.config.policy),
        incidents=parcel.incidents if bundle else (),
    )


def _lets_go(notification: Notification, policy: Policy) -> bool:
    """Whether a click of this reader takes effect."""
    group = policy.stakeholders.get(notification.group or "")
    return group is not None and group.lets_go(notification.to) and policy.lets_go(notification.to)


def _made_at(parcel: Parcel, attempt: Attempt) -> datetime:
    """When these pages were first tried as this bundle: the same for each try, also after a start."""
    return next((known.started_at for known in parcel.attempts if known.bundle == attempt.bundle), attempt.started_at)
