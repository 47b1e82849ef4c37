"""A parcel as its transport gets it, the same for each attempt but for the address and the attempt's own number.

It decides how long a message is worth keeping. It must not know how it leaves.
"""

from datetime import timedelta

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Attempt, Message

SMS_VALID_FOR = timedelta(hours=1)
"""How long the provider may keep a page that it cannot deliver."""


def message(parcel: Parcel, attempt: Attempt, context: DeliveryContext) -> Message:
    """The message of one attempt."""
    notification = parcel.lead.notification
    person = context.config.policy.people.get(notification.to)
    return Message(
        reference=notification.key,
        via=notification.via,
        address=attempt.address,
        person=notification.to,
        name=person.name if person else "",
        content=parcel.lead.letter.content,
        incident=notification.incident,
        episode=notification.episode,
        kind=notification.kind.value,
        at=notification.at,
        valid_for=SMS_VALID_FOR if parcel.lead.page else None,
        attempt=attempt.id,
        unsubscribe_url=context.reply_options.unsubscribe(notification),
    )
