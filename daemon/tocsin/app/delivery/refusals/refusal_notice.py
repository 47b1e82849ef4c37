"""What operators hear of an address that a provider refused for good, and of a message (rule 37).

Decides the sentence and whether it may wake somebody. Must not know how it was found out, nor what is sent instead.
"""

from datetime import datetime

from tocsin.app.delivery.context import DeliveryContext
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Fault, Refused
from tocsin.domain.notification import NOBODY, Kind, Notification
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.wording.delivery.answer_words import cause, cure
from tocsin.wording.delivery.sms_verdicts import says_stop


def hear_refusal(
    context: DeliveryContext, notification: Notification, address: str, refused: Refused, now: datetime
) -> None:
    """A message to this address was refused: operators hear of it; or, where the number answered STOP, whoever acts on
    that (rule 51).
    """
    if says_stop(notification.via, refused):
        opt_out = OptOut(notification.via, address, now, f"{refused.code} {notification.key}")
        context.config.opt_outs.hear(opt_out)
    else:
        context.notices.tell(refusal_notice(notification, refused, context.config.policy))


def refusal_notice(notification: Notification, refused: Refused, policy: Policy) -> OperatorNotice:
    """What operators hear at once; of a stakeholder's plain address by email only, where nobody is to be woken."""
    via = notification.via
    person = policy.people.get(notification.to)
    place = f" ({person.place})" if person and person.place else ""
    if refused.fault is Fault.MESSAGE:
        return _message_notice(notification, refused)
    fault = f"{notification.to} cannot be reached by {via.traits.word} any more: {cause(via, refused)}"
    text = f"{fault}; {cure(via, refused)}{place}"
    return OperatorNotice(Trouble.ADDRESS_REFUSED, text, about=refused_about(notification), minor=person is None)


def refused_about(notification: Notification) -> str:
    """Whose address it is: what the notice is about."""
    return f"{notification.to}'s {notification.via.traits.address_word}"


def _message_notice(notification: Notification, refused: Refused) -> OperatorNotice:
    """Nothing is wrong with the address. Of what is no page by email only: nobody waits for that."""
    via, incident = notification.via, notification.incident
    which = f"the {via.traits.word} to {notification.to}" + (f" about {incident}" if incident != NOBODY else "")
    text = (
        f"{cure(via, refused)} ({which} was refused: {cause(via, refused)}; its {via.traits.address_word} stays good)"
    )
    return OperatorNotice(
        Trouble.MESSAGE_REFUSED, text, about=via.traits.word, minor=notification.kind is not Kind.PAGE
    )
