"""What operators hear: when, by which channels, how much in one message, and once an hour also over a restart (rule 39)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.state.notices import QUIET
from tocsin.domain.notification import NOBODY, Kind, Reason
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, Person
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.daemon_parts import DaemonParts
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually

FOLDER = OperatorNotice(Trouble.FOLDER_UNREADABLE, "the folder is gone; new incidents are not seen")
FIELD = OperatorNotice(
    Trouble.FILE_FAULTY, "pay.yaml:3:1: error: eta: this is no instant", about="pay.yaml", minor=True
)


def sent(parts: DaemonParts) -> list[tuple[str, Channel, str]]:
    """The letters: to whom, by which channel, and their words."""
    letters = parts.ledger.pages.letters.values()
    return [(letter.notification.to, letter.notification.via, letter.content.text) for letter in letters]


async def flushed(parts: DaemonParts, *notices: OperatorNotice) -> list[tuple[str, Channel, str]]:
    """What is sent of these."""
    for notice in notices:
        parts.notices.tell(notice)
    await parts.operator_notices.flush()
    return sent(parts)


async def test_a_notice_says_where_answers_go_as_its_header_does() -> None:
    """The settings' mailbox; without one that nobody reads them."""
    for mailbox, says in (("desk@example.com", "Answers go to desk@example.com."), ("", "Nobody reads answers")):
        parts = DaemonParts(StillClock(), replace(paging_policy(), reply_to=mailbox))
        mails = [text for _, via, text in await flushed(parts, FOLDER) if via is Channel.EMAIL]
        assert mails
        assert all(says in text for text in mails)


Story = Sequence[tuple[float, OperatorNotice]]


def told_at(story: Story, seconds: float = 200) -> list[tuple[float, str]]:
    """When messages are decided, in seconds, and the mails' words, if these notices are told at these seconds."""

    async def life(clock: VirtualClock) -> list[tuple[float, str]]:
        parts, start = DaemonParts(clock), clock.now()
        running = asyncio.create_task(parts.operator_notices.run())
        for at, notice in story:
            await asyncio.sleep(at - (clock.now() - start).total_seconds())
            parts.notices.tell(notice)
        await asyncio.sleep(seconds)
        running.cancel()
        letters = parts.ledger.pages.letters.values()
        return [
            ((letter.notification.at - start).total_seconds(), letter.content.text)
            for letter in letters
            if letter.notification.via is Channel.EMAIL
        ]

    times: list[tuple[float, str]] = run_virtually(life)
    return times


def test_the_first_leaves_within_three_seconds_and_a_minute_is_gathered() -> None:
    """Rule 39: the first leaves 2 s after its cause, with what came meanwhile; what follows within a minute leaves
    together at its end, and so on; after a quiet minute the next is a first again.
    """
    troubles = [OperatorNotice(Trouble.PAGE_LOST, f"page {number} lost", about=f"{number}") for number in range(6)]
    at = (10, 11, 15, 50, 80, 200)
    letters = told_at(list(zip(at, troubles, strict=True)))
    assert [(when, [number for number in range(6) if f"page {number} lost" in text]) for when, text in letters] == [
        (12, [0, 1]),
        (72, [2, 3]),
        (132, [4]),
        (202, [5]),
    ]


def test_the_second_provider_that_is_sick_is_told_within_15_s() -> None:
    """Rule 39: while a minute is gathered, too; what else waits goes with it."""
    lost = OperatorNotice(Trouble.PAGE_LOST, "a page is lost")
    main, other = (OperatorNotice(Trouble.PROVIDER_UNWELL, f"{name}: pay", about=name) for name in ("main", "s2"))
    third = OperatorNotice(Trouble.PROVIDER_REFUSES, "20003", about="SMS")
    letters = told_at([(0, main), (4, lost), (5, other), (40, third)])
    assert [when for when, _ in letters] == [2, 12, 42]
    assert all(word in letters[1][1] for word in ("a page is lost", "s2: pay"))


def test_a_number_that_stopped_is_told_at_once() -> None:
    """Rule 51: while a minute is gathered, too, even for the end of something else."""
    main = OperatorNotice(Trouble.PROVIDER_UNWELL, "main: pay", about="main")
    stopped = OperatorNotice(Trouble.NUMBER_STOPPED, "call Eve", about="eve")
    assert [when for when, _ in told_at([(0, main), (20, stopped)])] == [2, 22]


def test_what_is_grave_waits_for_nothing_minor() -> None:
    """A dropped field has just been told: a page that reached nobody leaves within 3 s all the same, and takes the next
    dropped field with it.
    """
    another = replace(FIELD, about="db.yaml", text="db.yaml:3:1: error")
    letters = told_at([(0, FIELD), (10, another), (20, OperatorNotice(Trouble.PAGE_LOST, "a page is lost"))])
    assert [when for when, _ in letters] == [2, 22]
    assert "db.yaml" in letters[1][1]


def test_what_came_back_within_the_hour_is_told_when_it_is_over() -> None:
    """The process waits for that instant though nothing else happens."""

    async def life(clock: VirtualClock) -> list[float]:
        parts, start = DaemonParts(clock), clock.now()
        running = asyncio.create_task(parts.operator_notices.run())
        for at in (0, 1200):
            await asyncio.sleep(at)
            parts.notices.tell(FOLDER)
            await asyncio.sleep(300)
            if not at:
                parts.notices.cured(FOLDER.trouble, "", "it is back")
        await asyncio.sleep(4000)
        running.cancel()
        letters = parts.ledger.pages.letters.values()
        return [(letter.notification.at - start).total_seconds() for letter in letters if letter.content.subject]

    assert run_virtually(life) == [2, 302, 3604]


async def test_every_operator_on_every_channel() -> None:
    """Each gets a letter by each channel they have, with reason and rule, handed to the sender."""
    policy = replace(paging_policy(), operators=("olga", "bo", "zoe"), places={"operators": "tocsin.yaml:4"})
    parts = DaemonParts(StillClock(), policy)
    letters = await flushed(parts, FOLDER)
    assert [(to, via) for to, via, _ in letters] == [(to, via) for to in ("olga", "bo") for via in Channel]
    notification = next(iter(parts.ledger.pages.letters.values())).notification
    assert (notification.incident, notification.kind, notification.reason) == (NOBODY, Kind.OPERATOR, Reason.TROUBLE)
    assert (notification.rule, notification.revision) == ("tocsin.yaml:4", "r1")
    assert len(parts.sender.open) == 4


PHONE, MAILBOX = "+14155550101", "olga@example.com"


@pytest.mark.parametrize(
    ("phone", "email", "notice", "channels"),
    [
        (PHONE, MAILBOX, FOLDER, set(Channel)),
        (PHONE, MAILBOX, FIELD, {Channel.EMAIL}),
        (PHONE, "", FOLDER, {Channel.SMS}),
        (PHONE, "", FIELD, {Channel.SMS}),
        ("", MAILBOX, FOLDER, {Channel.EMAIL}),
        ("", MAILBOX, FIELD, {Channel.EMAIL}),
    ],
)
async def test_a_dropped_field_wakes_nobody(
    phone: str, email: str, notice: OperatorNotice, channels: set[Channel]
) -> None:
    """Trouble goes by every channel; a minor one by email alone, unless a phone is all that there is (rule 39)."""
    policy = paging_policy()
    olga = Person("olga", "Olga", email, phone)
    parts = DaemonParts(StillClock(), replace(policy, people={**policy.people, "olga": olga}))
    assert {via for _, via, _ in await flushed(parts, notice)} == channels


async def test_what_is_grave_is_told_by_sms_without_what_is_not() -> None:
    """The SMS holds the grave notice, the mail both."""
    letters = {via: text for _, via, text in await flushed(DaemonParts(StillClock()), FIELD, FOLDER)}
    assert FOLDER.headline in letters[Channel.SMS]
    assert FIELD.about not in letters[Channel.SMS]
    assert all(notice.text in letters[Channel.EMAIL] for notice in (FIELD, FOLDER))


@pytest.mark.parametrize(("about", "channels"), [("SMS", {Channel.EMAIL}), ("email", {Channel.SMS})])
async def test_a_channel_does_not_tell_that_it_takes_nothing(about: str, channels: set[Channel]) -> None:
    """It goes by the channel that works; that it takes messages again goes by both."""
    clock = StillClock()
    parts = DaemonParts(clock)
    refuses = OperatorNotice(Trouble.PROVIDER_REFUSES, "535 authentication failed", about=about)
    assert {via for _, via, _ in await flushed(parts, refuses)} == channels
    clock.go(timedelta(minutes=1))
    parts.notices.cured(Trouble.PROVIDER_REFUSES, about, "it works")
    assert len(await flushed(parts)) == 3


async def test_who_has_one_channel_is_told_by_it_all_the_same() -> None:
    """It waits there, and leaves with the first that the provider takes, unless it is over by then."""
    olga = Person("olga", "Olga", MAILBOX, "")
    policy = paging_policy()
    parts = DaemonParts(StillClock(), replace(policy, people={**policy.people, "olga": olga}))
    refuses = OperatorNotice(Trouble.PROVIDER_REFUSES, "535 authentication failed", about="email")
    assert {via for _, via, _ in await flushed(parts, refuses)} == {Channel.EMAIL}
    (key,) = parts.ledger.pages.letters
    assert not parts.notices.is_void(key)
    parts.notices.cured(Trouble.PROVIDER_REFUSES, "email", "it works")
    assert parts.notices.is_void(key)


async def test_a_cause_told_by_the_process_before_is_quiet() -> None:
    """The ledger remembers for an hour what was told; another cause of the same flush is told."""
    clock = StillClock()
    parts = DaemonParts(clock)
    await parts.ledger.claim_notice(FOLDER.cause, clock.now(), timedelta(0))
    clock.go(QUIET - timedelta(seconds=1))
    letters = await flushed(parts, FOLDER, OperatorNotice(Trouble.LEDGER_DAMAGED, "the ledger was damaged"))
    (text,) = [text for _, via, text in letters if via is Channel.SMS]
    assert (FOLDER.headline in text, "The ledger was damaged" in text) == (False, True)


@pytest.mark.parametrize("operators", [(), ("zoe",)])
async def test_without_operators_nothing_is_sent(operators: tuple[str, ...]) -> None:
    """Nobody to tell is no trouble."""
    parts = DaemonParts(StillClock(), replace(paging_policy(), operators=operators))
    assert await flushed(parts, FOLDER) == []
    assert not parts.sender.open


async def test_with_the_ledger_in_trouble_they_wait_with_the_sender() -> None:
    """They cannot be written down; they are not lost, and every cause is fresh."""
    parts = DaemonParts(StillClock())
    parts.ledger.trouble = "disk full"
    assert await flushed(parts, FOLDER) == []
    assert len(parts.sender.open) == 2
    assert not any(parcel.lead.recorded for parcel in parts.sender._open.values())


async def test_two_flushes_are_two_messages() -> None:
    """Each has a key of its own."""
    clock = StillClock()
    parts = DaemonParts(clock)
    await flushed(parts, FOLDER)
    clock.go(timedelta(seconds=20))
    assert len(await flushed(parts, OperatorNotice(Trouble.LEDGER_DAMAGED, "the ledger was damaged"))) == 4
    assert isinstance(parts.operator_notices, OperatorNotices)


async def test_the_end_is_told_once_also_by_the_process_after() -> None:
    """Rule 39: whoever was told of a trouble hears that it is over; whoever was not, hears nothing."""
    clock = StillClock()
    parts = DaemonParts(clock)
    parts.notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    assert await flushed(parts) == []
    await flushed(parts, FOLDER)
    after = DaemonParts(clock, ledger=parts.ledger)
    clock.go(timedelta(seconds=20))
    for _ in range(2):
        after.notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
        await flushed(after)
    (_, text) = [text for _, via, text in sent(after) if via is Channel.SMS]
    assert "web-1: The incident folder is back" in text


async def test_what_the_process_before_said_to_be_over_and_is_not_is_told_when_the_hour_is() -> None:
    """Told, over, and back after a restart: "it is over" does not stay the last word, and a cause is told once an hour."""
    clock = StillClock()
    before = DaemonParts(clock)
    await flushed(before, FOLDER)
    clock.go(timedelta(minutes=5))
    before.notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    await flushed(before)
    after = DaemonParts(clock, ledger=before.ledger)
    clock.go(timedelta(minutes=5))
    assert len(await flushed(after, FOLDER)) == 4
    clock.go(timedelta(minutes=50))
    assert len(await flushed(after)) == 6
    last = DaemonParts(clock, ledger=before.ledger)
    clock.go(timedelta(minutes=5))
    assert len(await flushed(last, FOLDER)) == 6
    assert last.notices.waiting_since(grave=True) is None, "that it is broken is the last word already"
    final = DaemonParts(clock, ledger=before.ledger)
    clock.go(timedelta(minutes=5))
    final.notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    assert len(await flushed(final)) == 8


async def test_the_end_of_a_trouble_with_aspects_is_told() -> None:
    """The ledger remembers the trouble and what it is about, beside each cause."""
    clock = StillClock()
    before = DaemonParts(clock)
    await flushed(before, OperatorNotice(Trouble.CONFIG_REFUSED, "all.yaml:3:1", aspect="all.yaml:3:1"))
    after = DaemonParts(clock, ledger=before.ledger)
    clock.go(timedelta(minutes=5))
    after.notices.cured(Trouble.CONFIG_REFUSED, "", "it is good")
    assert len(await flushed(after)) == 4


async def test_a_message_that_tells_an_end_as_well_is_never_void() -> None:
    """Somebody was told of the trouble that is over; they must hear that."""
    clock = StillClock()
    parts = DaemonParts(clock)
    await flushed(parts, FOLDER)
    clock.go(timedelta(minutes=5))
    parts.notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    known = set(parts.ledger.pages.letters)
    await flushed(parts, OperatorNotice(Trouble.LEDGER_UNWRITABLE, "disk full"))
    parts.notices.cured(Trouble.LEDGER_UNWRITABLE, "", "it can be written")
    assert not any(parts.notices.is_void(key) for key in parts.ledger.pages.letters.keys() - known)


async def test_without_the_ledger_the_end_of_what_this_process_told_is_told() -> None:
    """That the ledger cannot be written is told while it cannot be, and so is that it can."""
    clock = StillClock()
    parts = DaemonParts(clock)
    parts.ledger.trouble = "disk full"
    await flushed(parts, OperatorNotice(Trouble.LEDGER_UNWRITABLE, "disk full"))
    parts.ledger.trouble = ""
    clock.go(timedelta(minutes=5))
    parts.notices.cured(Trouble.LEDGER_UNWRITABLE, "", "it can be written")
    assert len(await flushed(parts)) == 2


class LockedLedger(MemoryLedger):
    """Every write waits for somebody's lock, in vain."""

    async def record(self, *_args: object, **_more: object) -> NoReturn:
        """In vain."""
        await self._in_vain()

    async def claim_notice(self, *_args: object) -> NoReturn:
        """In vain."""
        await self._in_vain()

    async def begin_attempt(self, *_args: object, **_more: object) -> NoReturn:
        """In vain."""
        await self._in_vain()

    async def _in_vain(self) -> NoReturn:
        await asyncio.sleep(5)
        raise LedgerError("database is locked")


def test_while_the_ledger_cannot_be_written_nothing_waits_for_it() -> None:
    """Rules 39 and 71: operators hear within 3 s, from memory, of the ledger and of all else that comes up meanwhile."""

    async def life(clock: VirtualClock) -> tuple[int, int]:
        parts = DaemonParts(clock, ledger=LockedLedger())
        running = [asyncio.create_task(part.run()) for part in (parts.operator_notices, parts.sender)]
        parts.notices.tell(OperatorNotice(Trouble.LEDGER_UNWRITABLE, "database is locked"))
        for number in range(10):
            parts.notices.tell(OperatorNotice(Trouble.PAGE_LOST, "lost", about=f"{number}"))
        await asyncio.sleep(2.9)
        for task in running:
            task.cancel()
        (mail,) = parts.sent(Channel.EMAIL)
        return len(parts.sent(Channel.SMS)), mail.content.text.count("- lost")

    assert run_virtually(life) == (1, 10)
