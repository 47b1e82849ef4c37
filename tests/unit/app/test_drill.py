"""How a drill goes, out of the ledger: who answered, what arrived, who could not be paged (rule 28)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.incidents.drill import Drill, DrillState
from tocsin.domain.delivery import Receipt
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.incident import Acknowledgment, Incident
from tocsin.domain.notification import Kind, Suppression, Why

from tests.builders.instants import T0
from tests.builders.stories import happen, on_duty, see
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

DRILL = Incident("practice", "Fire drill", "sev1", drill=True)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def ledger() -> MemoryLedger:
    """The drill was declared at T0, and all messages left at once."""
    made = MemoryLedger()
    await see(made, DRILL)
    return made


async def look(ledger: MemoryLedger) -> DrillState:
    return await Drill("practice", ledger, StillClock(T0 + 5 * SECOND)).look()


async def test_an_answer_counts_from_the_instant_of_the_page(ledger: MemoryLedger) -> None:
    """Also one at that very instant, by whoever was asked on any channel; nobody else's."""
    lead = on_duty("engineers")
    await happen(ledger, "practice", Answered(T0, lead, Answer.OK))
    pages = [message for message in (await look(ledger)).messages if message.notification.kind is Kind.PAGE]
    answered = {message.notification.to: message.replied_at for message in pages if message.replied_at}
    assert answered == {lead: T0}


async def test_only_a_providers_last_word_is_a_receipt(ledger: MemoryLedger) -> None:
    """That it is on its way says nothing yet."""
    attempt = next(each for each in ledger.pages.attempts if "sms" in each.reference)
    for receipt, learned_at in ((Receipt.SENT, None), (Receipt.DELIVERED, T0 + 5 * SECOND)):
        await ledger.record_receipt(attempt, receipt, T0 + SECOND)
        state = await look(ledger)
        (message,) = [message for message in state.messages if message.notification.key == attempt.reference]
        assert message.receipt_at == learned_at


@pytest.mark.parametrize("why", [Why.NOBODY_ON_CALL, Why.NO_CHANNEL])
async def test_a_page_that_nobody_could_get_fails_the_drill(ledger: MemoryLedger, why: Why) -> None:
    """Nobody on call, or on call without a channel: that is what a drill is for."""
    assert not (await look(ledger)).failed
    lost = Suppression("lost", "practice", 1, Kind.PAGE, why, T0)
    update = Suppression("update", "practice", 1, Kind.UPDATE, why, T0)
    await ledger.record("practice", [], [], [lost, update])
    state = await look(ledger)
    assert (state.unpaged, state.failed) == ((lost,), True)


async def test_a_role_that_is_needed_no_more_is_not_missed(ledger: MemoryLedger) -> None:
    """After a change to a severity that pages nobody, nobody's answer is waited for."""
    assert (await look(ledger)).missing
    await see(ledger, replace(DRILL, severity="sev4"), T0 + SECOND, "e")
    assert (await look(ledger)).missing == ()


async def test_an_acknowledgment_in_the_file_is_one_reply(ledger: MemoryLedger) -> None:
    """It stands in every version from then on, and was said once."""
    names = [Acknowledgment("bo", T0 + SECOND), Acknowledgment("dee", T0 + 3 * SECOND)]
    for number in (1, 2):
        version = replace(DRILL, acknowledged=tuple(names[:number]))
        await happen(ledger, "practice", Seen(T0 + 2 * number * SECOND, version, str(number)))
    replies = [(reply.person, reply.at - T0) for reply in (await look(ledger)).replies]
    assert replies == [("bo", 2 * SECOND), ("dee", 4 * SECOND)]
