"""A parcel as its transport gets it, the same for each attempt but for the address and the attempt's own number.

It decides how long a message is worth keeping. It must not know how it leaves.
"""

from datetime import datetime, timedelta

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Attempt, Message
from tocsin.domain.notification import SIGN_IN_CODE_LASTS, Kind, Notification
from tocsin.domain.people import StakeholderGroup

SMS_VALID_FOR = {Kind.PAGE: timedelta(hours=1), Kind.SIGN_IN: SIGN_IN_CODE_LASTS}
"""How long the provider may keep a page that it cannot deliver, or a code; anything else as long as it wants."""


def message(parcel: Parcel, attempt: Attempt, context: DeliveryContext) -> Message:
    """The message of one attempt; that of a bundle is about several incidents."""
    notification, bundle, policy = parcel.lead.notification, parcel.bundle, context.config.policy
    content = bundle.content if bundle else parcel.lead.letter.content
    person, group = policy.people.get(notification.to), _mailing_list(notification, context)
    return Message(
        reference=bundle.id if bundle else notification.key,
        via=notification.via,
        address=attempt.address,
        person=notification.to,
        name=person.name if person else "",
        content=context.sign_in_codes.put_in(notification.key, content),
        incident=notification.incident,
        episode=notification.episode,
        kind=notification.kind.value,
        at=_made_at(parcel, attempt) if bundle else notification.at,
        valid_for=SMS_VALID_FOR.get(notification.kind),
        attempt=attempt.id,
        unsubscribe_url=context.reply_options.unsubscribe(notification),
        one_click=policy.lets_go_from(notification.group or "", notification.to),
        incidents=parcel.incidents if len(parcel.members) > 1 else (),
        reply_to=policy.reply_to,
        mailing_list=group.id if group else "",
        list_title=group.title if group else "",
        external=notification.external,
    )


def _mailing_list(notification: Notification, context: DeliveryContext) -> StakeholderGroup | None:
    """The group whose readers get this, of updates and what closes them; None for what is for one person. A closing
    names no group: it is that of a reader whom nothing but updates has reached, in the order of rule 21.
    """
    policy, reader = context.config.policy, notification.to
    if notification.kind is not Kind.CLOSING:
        return policy.stakeholders.get(notification.group or "")
    if reader not in policy.people:
        return policy.group_of(reader)
    if reader in context.incidents.history(notification.incident).newest_pages:
        return None
    groups = sorted(policy.stakeholders.values(), key=lambda group: group.external)
    return next((group for group in groups if reader in group.people), None)


def _made_at(parcel: Parcel, attempt: Attempt) -> datetime:
    """When these pages were first tried as this bundle: the same for each try, also after a start."""
    return next((known.started_at for known in parcel.attempts if known.bundle == attempt.bundle), attempt.started_at)
