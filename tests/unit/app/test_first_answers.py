"""What was answered by SMS while no daemon ran is judged before late steps fire (rule 62)."""

import asyncio
from typing import Any

import pytest
from tocsin.app.arrivals.first_answers import FirstAnswers
from tocsin.ports.ledger.trouble import LedgerError


class Poll:
    """The question to the provider, which may hang."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()


class Judged:
    """The arrivals: how often they were looked at, and what is wrong with the ledger."""

    def __init__(self, trouble: str = "") -> None:
        self.looks = 0
        self.trouble = trouble

    async def look(self) -> None:
        self.looks += 1
        if self.trouble:
            raise LedgerError(self.trouble)


def answers(poll: Any, judged: Any) -> FirstAnswers:
    return FirstAnswers([poll], judged)


@pytest.mark.parametrize("trouble", ["", "disk full"])
async def test_the_provider_is_asked_then_its_answers_are_judged(trouble: str) -> None:
    """In this order, and a ledger in trouble does not end the daemon."""
    poll, judged = Poll(), Judged(trouble)
    waiting = asyncio.create_task(answers(poll, judged).first_read())
    await asyncio.sleep(0)
    assert (judged.looks, waiting.done()) == (0, False)
    poll.asked.set()
    await asyncio.wait_for(waiting, 5)
    assert judged.looks == 1
