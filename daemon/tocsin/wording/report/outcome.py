"""How a try to send a message ended, in words: a word for each outcome, what the provider answered, and which provider
that was where it is not the only one.
"""

from collections.abc import Sequence

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fault, Outcome, Receipt, Record, Refused, Uncertain
from tocsin.domain.people import MAIN
from tocsin.planning.delivery import same_try
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.wording.delivery.answer_words import undelivered_cause


def outcome_word(outcome: Outcome | None) -> str:
    """How a try ended; None is one whose end is not known yet. Once refused, the address stays good (rule 37)."""
    match outcome:
        case Accepted():
            return "accepted"
        case Deferred():
            return "put off"
        case Refused(fault=fault):
            return "refused this once" if fault is Fault.MESSAGE else "refused"
        case Uncertain():
            return "uncertain"
        case None:
            return "on its way"


def provider_answer(outcome: Outcome | None, most: int | None = None) -> str:
    """What the provider said, on one clean line of at most `most` characters. Its code leads where the text does not
    name it; empty where it took the message, or has not answered.
    """
    if outcome is None or isinstance(outcome, Accepted):
        return ""
    answer = outcome.detail if outcome.code in outcome.detail else f"{outcome.code} {outcome.detail}"
    line = one_line(clean(answer))
    return line if most is None else cut(line, most)


def receipt_words(record: Record) -> str:
    """`undelivered: the phone is off or out of reach (30003)`: the provider's last word of a message, and why it was
    not delivered, as the table of codes has it, where its outcome does not say so. Empty while nothing is final.
    """
    if record.receipt is None or not record.receipt.final:
        return ""
    told = next((attempt for attempt in reversed(record.attempts) if attempt.receipt is record.receipt), None)
    if told is None or not told.receipt_code or record.receipt is not Receipt.UNDELIVERED:
        return record.receipt.value
    if isinstance(told.outcome, Refused) and told.outcome.code == told.receipt_code:
        return record.receipt.value
    return f"{record.receipt.value}: {undelivered_cause(told.receipt_code)}"


def provider_of(attempts: Sequence[Attempt]) -> str:
    """The provider that was tried last; empty where all went to the first of the config."""
    return same_try.name(attempts[-1]) if {*map(same_try.name, attempts)} != {MAIN} else ""


def passed_over(attempts: Sequence[Attempt]) -> dict[str, Outcome | None]:
    """The other providers that were tried, each with how that ended last."""
    ended = {same_try.name(attempt): attempt.outcome for attempt in attempts}
    return {name: outcome for name, outcome in ended.items() if name != same_try.name(attempts[-1])}


def try_number(attempts: Sequence[Attempt]) -> int:
    """How often it was tried: what went on to the next provider at once was the same try (rule 49). Attempts that
    cannot be read are counted by the number of the newest.
    """
    elsewhere = sum(same_try.name(attempt) != same_try.name(attempts[-1]) for attempt in attempts)
    return max(same_try.tries(attempts), attempts[-1].number - elsewhere)


def outcome_sentence(outcome: Outcome | None, most: int | None = None, *, tried_again: bool = True) -> str:
    """`refused: 550 no such mailbox`: how a try ended and the provider's answer, of at most `most` characters.
    A message that did not leave is "put off" where it is `tried_again`, else "deferred".
    """
    word = outcome_word(outcome)
    if isinstance(outcome, Deferred) and not tried_again:
        word = "deferred"
    if isinstance(outcome, Uncertain):
        word = f"{word}, it may have left"
    answer = provider_answer(outcome, most)
    return f"{word}: {answer}" if answer else word
