"""What has happened to each incident, from what the ledger gives: spoilt rows of one spoil no other (rule 63)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.planning.history.fold import HistoryError, fold_each, fold_facts
from tocsin.ports.ledger.recorded import IncidentFacts
from tocsin.ports.ledger.trouble import Unreadable, UnreadableError

T = TypeVar("T")

Recorded = Sequence[Fact]
"""The facts of one incident, in the order recorded."""
FACTS_AT_ONCE = 250
"""How many are folded before others have their turn in the loop: some 10 ms."""


async def recorded_history(ledger: IncidentFacts, incident: str) -> tuple[Recorded, History]:
    """The facts of one incident and its history. Raises LedgerError, of it UnreadableError where they cannot be read or
    do not fit together.
    """
    facts = await ledger.facts(incident)
    history = History()
    try:
        for number, after in enumerate(fold_each(facts, history), 1):
            history = after
            if number % FACTS_AT_ONCE == 0:
                await asyncio.sleep(0)
    except HistoryError as fault:
        raise UnreadableError(_unfit(incident, fault)) from fault
    return facts, history


def tell_of(incident: str, facts: Recorded, tell: Callable[[Recorded], T]) -> T:
    """What is told by the facts of one incident. Raises UnreadableError where they do not fit together."""
    try:
        return tell(facts)
    except HistoryError as fault:
        raise UnreadableError(_unfit(incident, fault)) from fault


def histories_of(recorded: Mapping[str, Recorded | Unreadable]) -> tuple[dict[str, History], dict[str, Unreadable]]:
    """The history of each incident whose facts can be read and fit together; and why those of the others do not."""
    histories, unreadable = {}, {}
    for incident, facts in recorded.items():
        history = facts if isinstance(facts, Unreadable) else _history(incident, facts)
        if isinstance(history, Unreadable):
            unreadable[incident] = history
        else:
            histories[incident] = history
    return histories, unreadable


def _history(incident: str, facts: Recorded) -> History | Unreadable:
    try:
        return fold_facts(facts)
    except HistoryError as fault:
        return _unfit(incident, fault)


def _unfit(incident: str, fault: HistoryError) -> Unreadable:
    return Unreadable(incident, f"its facts do not fit together: {fault}")
