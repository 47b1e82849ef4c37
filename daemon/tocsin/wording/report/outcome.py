"""How a try to send a message ended, in words: a word for each outcome, and what the provider answered."""

from tocsin.domain.delivery import Accepted, Deferred, Outcome, Refused, Uncertain
from tocsin.text.cleaning import clean, cut, one_line


def outcome_word(outcome: Outcome | None) -> str:
    """How a try ended; None is one whose end is not known yet."""
    match outcome:
        case Accepted():
            return "accepted"
        case Deferred():
            return "put off"
        case Refused():
            return "refused"
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
