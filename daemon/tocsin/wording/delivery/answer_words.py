"""What a provider's answer says is wrong, and what helps, as operators read it (rules 37 to 39).

Decides from how a try ended alone. It must not know whose message it was.
"""

import re

from tocsin.domain.delivery import Deferred, Fault, Outcome, Refused
from tocsin.domain.people import Channel
from tocsin.text.scalars import variable_name
from tocsin.wording.delivery.sms_verdicts import sms_verdict
from tocsin.wording.delivery.smtp_verdicts import Place, known_smtp_verdict, smtp_verdict
from tocsin.wording.delivery.verdict import Verdict


def known_verdict(via: Channel, outcome: Outcome) -> Verdict | None:
    """What stands in the tables of an answer that was not good; None where nothing does."""
    if not isinstance(outcome, (Deferred, Refused)):
        return None
    if via is Channel.SMS:
        verdict = sms_verdict(outcome.code)
        return verdict if verdict is not None and verdict.fault is outcome.fault else None
    return known_smtp_verdict(outcome.fault, outcome.code, outcome.detail)


def was_taken_back(via: Channel, outcome: Outcome | None) -> bool:
    """Whether an answer that says an address is wrong was kept as being about this message alone (rule 38)."""
    if not isinstance(outcome, Refused) or outcome.fault is not Fault.MESSAGE:
        return False
    if via is Channel.SMS:
        verdict = sms_verdict(outcome.code)
        return verdict is not None and verdict.fault is Fault.ADDRESS
    refusing = outcome.code.isdecimal() and 400 <= int(outcome.code) < 600
    return refusing and smtp_verdict(Place.RCPT, int(outcome.code), outcome.detail).fault is Fault.ADDRESS


def cause(via: Channel, refused: Refused) -> str:
    """What is wrong with an address or a message that was refused, with the code or in the provider's own words."""
    verdict = known_verdict(via, refused)
    if via is Channel.SMS or verdict is None:
        words = verdict.meaning if verdict else refused.detail or "the provider gave no reason"
        return words if not refused.code or refused.code in words else f"{words} ({refused.code})"
    code = "" if refused.code in refused.detail else f"{refused.code} "
    return f"{verdict.meaning} ({code}{refused.detail})"


def cure(via: Channel, refused: Refused) -> str:
    """What helps an address or a message that was refused; if nothing is known, to look at it again."""
    verdict = known_verdict(via, refused)
    if verdict and verdict.cure:
        return verdict.cure
    return "look at its words" if refused.fault is Fault.MESSAGE else f"check the {via.traits.address_word}"


def provider_cure(via: Channel, outcome: Outcome) -> str:
    """What cures a provider that takes no messages; empty where its own words are all that is known."""
    verdict = known_verdict(via, outcome)
    return verdict.cure if verdict and verdict.fault is Fault.PROVIDER else ""


def for_provider(cure: str, channel: str, setting: str) -> str:
    """A cure that names settings and variables of a channel's first provider, for the one at `setting`."""
    variables = f"TOCSIN_{variable_name(setting.replace('.', '__'))}__"
    cure = cure.replace(f"TOCSIN_{channel.upper()}__", variables)
    return re.sub(rf"\b{channel}\.(?=[a-z])", f"{setting}.", cure)


def wrongly_refused(via: Channel, refused: Refused) -> str:
    """What operators are to do when a provider refuses one address after the other, the last one so."""
    if via is Channel.SMS:
        act = "may the account and the sender write to these numbers? Look into the provider's console"
    else:
        act = "is email.host the server that sends for you, and may it write to these domains?"
    return f"{act} Three addresses in a row were refused, so none is taken to be wrong: {cause(via, refused)}"


def undelivered_cause(code: str) -> str:
    """Why the SMS provider did not deliver what it had taken, with the code."""
    verdict = sms_verdict(code)
    words = verdict.meaning if verdict else "no reason was given"
    return f"{words} ({code})" if code else words


def undelivered_cure(code: str) -> str:
    """What helps there."""
    verdict = sms_verdict(code)
    return (verdict.cure if verdict else "") or "look into the provider's console and its status page"
