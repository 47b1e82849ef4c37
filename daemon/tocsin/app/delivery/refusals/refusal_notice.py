"""What operators hear of an address that a provider refused for good, and of a message (rule 37).

Decides the sentence and whether it may wake somebody. Must not know how it was found out, nor what is sent instead.
"""

from tocsin.domain.delivery import Fault, Refused
from tocsin.domain.notification import NOBODY, Kind, Notification
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.wording.delivery.answer_words import cause, cure


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
