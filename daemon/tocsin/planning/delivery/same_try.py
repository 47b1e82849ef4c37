"""Which tries of a message are one: a failure that surely left nothing goes on to the next provider at once, as part of
the same try, and each provider has its own row (rule 49).

Decides from the rows alone, so that a kill in between changes nothing. Must not know which providers there are.
"""

from collections import Counter
from collections.abc import Sequence

from tocsin.domain.delivery import NOT_LEADING, Attempt, Deferred, Fault, Outcome, Refused, Uncertain
from tocsin.domain.people import MAIN

NONE_YET: frozenset[str] = frozenset()
"""The providers that a letter which was not tried went to: one set for all that wait in a storm."""


def goes_on(outcome: Outcome | None) -> bool:
    """Whether the next provider gets the message at once: this one surely has nothing of it, and the address is not to
    blame, which would be the same elsewhere. A message that is refused for its own sake (too big, taken for spam) goes
    on too: what a provider takes is its own rule. What this machine did not send (rule 53) no provider failed.
    """
    if outcome == NOT_LEADING:
        return False
    match outcome:
        case Deferred(fault=Fault.ADDRESS):
            return False
        case Deferred() | Refused(fault=Fault.MESSAGE):
            return True
        case _:
            return False


def rows_of_try(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The rows of the newest try: those that went on from one provider to another, each once."""
    rows: list[Attempt] = []
    for attempt in attempts:
        if rows and (not goes_on(rows[-1].outcome) or name(attempt) in map(name, rows)):
            rows.clear()
        rows.append(attempt)
    return tuple(rows)


def tried(attempts: Sequence[Attempt]) -> frozenset[str]:
    """The providers that the newest try went to."""
    return frozenset(map(name, rows_of_try(attempts))) if attempts else NONE_YET


def refused_by(attempts: Sequence[Attempt]) -> frozenset[str]:
    """The providers that refused this very message: they do not get it again (rule 37)."""
    return frozenset(name(attempt) for attempt in attempts if isinstance(attempt.outcome, Refused))


def unanswered_by(attempts: Sequence[Attempt]) -> frozenset[str]:
    """The providers that may have the message and never said so: another one that is well gets the next copy."""
    return frozenset(name(attempt) for attempt in attempts if isinstance(attempt.outcome, Uncertain))


def tries(attempts: Sequence[Attempt]) -> int:
    """How often the message was tried, which is what waits count (rule 35)."""
    sent = (attempt for attempt in attempts if attempt.outcome != NOT_LEADING)
    return max(Counter(map(name, sent)).values(), default=0)


def name(attempt: Attempt) -> str:
    """The provider that a row is about; older rows name none."""
    return attempt.provider or MAIN
