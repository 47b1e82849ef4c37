"""What operators hear of an address that a provider refused for good.

Decides the sentence and whether it may wake somebody. Must not know how it was found out, nor what is sent instead.
"""

from tocsin.domain.delivery import Refused
from tocsin.domain.notification import Notification
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.wording.message import refusal


def refusal_notice(notification: Notification, refused: Refused, policy: Policy) -> OperatorNotice:
    """What operators hear at once; of a stakeholder's plain address by email only, where nobody is to be woken."""
    via = notification.via
    person = policy.people.get(notification.to)
    place = f" ({person.place})" if person and person.place else ""
    fault = f"{notification.to} cannot be reached by {via.traits.word} any more: {refusal.cause(refused)}"
    about = f"{notification.to}'s {via.traits.address_word}"
    text = f"{fault}; {refusal.cure(via, refused)}{place}"
    return OperatorNotice(Trouble.ADDRESS_REFUSED, text, about=about, minor=person is None)
