"""Rules 40, 49 and 70: mails that a relay took whole and never answered for: who gets the copy, and who waits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from tocsin.domain.delivery import Deferred, Message, Outcome, Uncertain
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import DaemonParts, page_to
from tests.fakes.loop import VirtualClock, run_virtually
from tests.fakes.transport import MemoryTransport

EMAIL, SMS = Channel.EMAIL, Channel.SMS
SILENCE = Uncertain("the relay did not confirm the mail within 20 s")

Story = Callable[[DaemonParts], Awaitable[None]]


class Tarpit(MemoryTransport):
    """A relay that takes each mail, answers no dot, and may still do so."""

    def __init__(self) -> None:
        super().__init__(decide=lambda _message: SILENCE, takes=20.0)
        self.pending = True

    async def find(self, message: Message, since: datetime) -> Outcome:
        """It has the mail in hand."""
        return Uncertain("the relay has the mail and has not answered yet", pending=self.pending)


def live(story: Story, seconds: float, *, with_fallbacks: bool = True) -> DaemonParts:
    """The first relay is a tarpit, all else is well."""

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock, with_fallbacks=with_fallbacks)
        parts.email = Tarpit()
        parts.by_channel[EMAIL]["main"] = parts.email
        parts.declare()
        running = asyncio.create_task(parts.sender.run())
        await story(parts)
        await asyncio.sleep(seconds)
        running.cancel()
        return parts

    return run_virtually(life)


def page(parts: DaemonParts, person: str = "ana", via: Channel = EMAIL) -> Notification:
    return page_to(person, parts.clock.now(), via)


def update(parts: DaemonParts) -> Notification:
    now = parts.clock.now()
    return Notification("pay/1/update/support/1/email", "pay", 1, Kind.CLOSING, Reason.RESOLVED, now, "eve", EMAIL)


def went(parts: DaemonParts, key: str = "") -> list[tuple[str, str]]:
    """Each row: the provider, and how that ended."""
    rows = (attempt for attempt in parts.ledger.pages.attempts if attempt.via is EMAIL and key in attempt.reference)
    return [(attempt.provider, type(attempt.outcome).__name__) for attempt in rows]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_page_that_a_relay_left_unanswered_leaves_by_the_next_one(count: int) -> None:
    """Rules 40, 49: after 30 s, however many are unanswered and whether the relay is known to be slow or not; a page
    that is out by no other way waits for no late answer (rule 70).
    """

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(*(page(parts, person) for person in ("ana", "chen", "eve")[:count]))

    parts = live(story, 52)
    assert len(parts.email_backup.arrived) == count
    assert went(parts, "/ana/") == [("main", "Uncertain"), ("backup", "Accepted")]


def test_so_does_everything_else() -> None:
    """Rule 49: a closing message, and a page that is out by SMS meanwhile: another relay is well, so why wait."""

    async def story(parts: DaemonParts) -> None:
        now = parts.clock.now()
        await parts.enqueue(page(parts), page_to("ana", now, SMS), page(parts, "chen"), update(parts))

    parts = live(story, 52)
    assert len(parts.email_backup.arrived) == 3


def test_without_another_relay_a_page_is_sent_again_unless_it_is_out() -> None:
    """Rules 40, 70: who has no other way gets another copy after 30 s; who has it by SMS, and who is not paged, waits
    for the late answer.
    """

    async def story(parts: DaemonParts) -> None:
        now = parts.clock.now()
        await parts.enqueue(page(parts), page(parts, "chen"), page_to("chen", now, SMS), update(parts))

    parts = live(story, 200, with_fallbacks=False)
    assert len(went(parts, "/ana/")) == 4
    assert len(went(parts, "/chen/")) == 1
    assert len(went(parts, "/closing/") + went(parts, "/update/")) == 1


def test_copies_are_limited_while_an_answer_may_come_and_no_page_is_given_up() -> None:
    """Rule 70: after five it is waited for, not settled; what the relay says late still counts."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts))
        await asyncio.sleep(400)
        assert len(went(parts)) == 5
        assert len(parts.sender.open) == 1
        parts.email.pending = False  # type: ignore[attr-defined]

    parts = live(story, 60, with_fallbacks=False)
    assert not parts.sender.open


def test_the_copy_goes_to_no_relay_that_left_it_unanswered_while_another_is_well() -> None:
    """Rule 49: the next one was busy for a moment; when it is tried again, the silent one gets no second copy."""

    async def story(parts: DaemonParts) -> None:
        parts.email_backup.next(Deferred("421 busy", "421"))
        await parts.enqueue(page(parts))

    parts = live(story, 120)
    rows = went(parts)
    assert rows == [("main", "Uncertain"), ("backup", "Deferred"), ("backup", "Accepted")]


def test_a_relay_that_hangs_keeps_nothing_from_those_that_wait() -> None:
    """Rule 70: what is sent within 30 s of a silent dot goes to the other relay without asking the first."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts))
        await asyncio.sleep(25)
        await parts.enqueue(page(parts, "chen"))

    parts = live(story, 2)
    assert went(parts, "/chen/") == [("backup", "Accepted")]
