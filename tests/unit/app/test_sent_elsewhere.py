"""To which page a try belongs that another machine made from memory (R52)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SENT, SentElsewhere
from tocsin.app.hand_ins.hand_in import SentFromMemory, SentStep
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.domain.delivery import Accepted, Attempt
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import letter, page_to
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

AT = datetime(2026, 11, 26, 10, tzinfo=UTC)
HOURS = [AT + timedelta(hours=number) for number in range(3)]


class Sending:
    """No parcel is open."""

    open: Mapping[str, Any] = MappingProxyType({})

    def resume(self, parcel: Any) -> None:
        """Never."""


class Heard:
    """Nobody asks it."""

    def note_left(self, *_: Any) -> None:
        """Never read."""


@pytest.mark.parametrize(
    ("minutes", "hour"), [(-1, 0), (0, 0), (59, 0), (61, 1), (150, 2)], ids=["before all", "at once", "0", "1", "2"]
)
async def test_of_pages_for_one_step_the_newest_decided_before_the_try_was_sent(minutes: int, hour: int) -> None:
    """R52: somebody assigned three times was asked three times; the page asked for now is not sent again."""
    ledger = MemoryLedger()
    pages = [page_to("ana", at) for at in HOURS]
    await ledger.record(pages[0].incident, (), [letter(page) for page in pages], ())
    started_at = AT + timedelta(minutes=minutes)
    attempt = Attempt("", "of another machine", 0, Channel.SMS, "+49", started_at, Accepted("id"), started_at)
    elsewhere = SentElsewhere(StillClock(AT), ledger, Sending(), Heard(), Incidents(Agenda()))
    assert await elsewhere.judge(SentFromMemory("b", SentStep.of(pages[0]), attempt), AT) == SENT
    tried = [record.decided.at for record in await ledger.records(pages[0].incident) if record.attempts]
    assert tried == [HOURS[hour]]


async def test_a_try_whose_end_was_not_written_has_it_from_who_judges_next() -> None:
    """Rule 52: the leader was killed between the two writes; how it ended is known from the hand-in, and counts once."""
    ledger, page = MemoryLedger(), page_to("ana", AT)
    await ledger.record(page.incident, (), [letter(page)], ())
    left = Attempt("", "of another machine", 0, Channel.SMS, "+49", AT, Accepted("id"), AT)
    await ledger.begin_attempt(page.key, left.via, left.address, left.started_at, left.possible_duplicate)
    elsewhere = SentElsewhere(StillClock(AT), ledger, Sending(), Heard(), Incidents(Agenda()))
    for _ in range(2):
        assert await elsewhere.judge(SentFromMemory("b", SentStep.of(page), left), AT) == SENT
    (record,) = await ledger.records(page.incident)
    assert [attempt.outcome for attempt in record.attempts] == [Accepted("id")]
