"""What operators hear: when, by which channels, how much in one message, and once an hour also over a restart (rule 39)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.delivery.operator_notices import GATHERS, MOST, OperatorNotices
from tocsin.app.state.notices import QUIET
from tocsin.domain.notification import NOBODY, Kind, Reason
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, Person

from tests.builders.daemon_parts import DaemonParts
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
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


def test_what_comes_together_is_one_message_within_fifteen_seconds() -> None:
    """Troubles of a few seconds leave together; the first waits no longer than 15 s."""

    async def life(clock: VirtualClock) -> list[tuple[float, str]]:
        parts, start = DaemonParts(clock), clock.now()
        running = asyncio.create_task(parts.operator_notices.run())
        await asyncio.sleep(10)
        parts.notices.tell(FOLDER)
        await asyncio.sleep(5)
        parts.notices.tell(OperatorNotice(Trouble.LEDGER_UNWRITABLE, "the ledger cannot be written"))
        await asyncio.sleep(60)
        running.cancel()
        letters = list(parts.ledger.pages.letters.values())
        return [((each.notification.at - start).total_seconds(), each.content.text) for each in letters]

    letters = run_virtually(life)
    assert GATHERS < 15
    assert {round(at) for at, _ in letters} == {10 + round(GATHERS)}
    assert all("folder is gone" in text for _, text in letters)
    assert any("ledger cannot" in text for _, text in letters)


async def test_every_operator_on_every_channel() -> None:
    """Each gets a letter by each channel they have, with reason and rule, handed to the sender."""
    policy = replace(paging_policy(), operators=("olga", "bo", "zoe"), places={"operators": "tocsin.yaml:4"})
    parts = DaemonParts(StillClock(), policy)
    letters = await flushed(parts, FOLDER)
    assert [(to, via) for to, via, _ in letters] == [(to, via) for to in ("olga", "bo") for via in Channel]
    notification = next(iter(parts.ledger.pages.letters.values())).notification
    assert (notification.incident, notification.kind, notification.reason) == (NOBODY, Kind.OPERATOR, Reason.TROUBLE)
    assert (notification.rule, notification.revision) == ("tocsin.yaml:4", "r1")
    assert parts.sender.unsettled_count == 4


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
    assert letters[Channel.SMS] == f"tocsin: {FOLDER.text}"
    assert all(notice.text in letters[Channel.EMAIL] for notice in (FIELD, FOLDER))


async def test_the_words() -> None:
    """By SMS the first and how many more, within two segments; by email a line each, the rest counted."""
    parts = DaemonParts(StillClock())
    notices = [
        OperatorNotice(Trouble.FILE_FAULTY, f"trouble {number} " + "x" * 400, about=f"{number}.yaml")
        for number in range(MOST + 3)
    ]
    letters = {via: text for _, via, text in await flushed(parts, *notices)}
    assert letters[Channel.SMS].startswith("tocsin: trouble 0 xxx")
    assert letters[Channel.SMS].endswith(f"... (and {MOST + 2} more)")
    assert len(letters[Channel.SMS]) <= 306
    assert letters[Channel.EMAIL].count("\n- trouble") == MOST
    assert letters[Channel.EMAIL].endswith("- and 3 more\n")
    subjects = [letter.content.subject for letter in parts.ledger.pages.letters.values() if letter.content.subject]
    assert subjects == [f"tocsin: {MOST + 3} problems"]


async def test_a_cause_told_by_the_process_before_is_quiet() -> None:
    """The ledger remembers for an hour what was told; another cause of the same flush is told."""
    clock = StillClock()
    parts = DaemonParts(clock)
    await parts.ledger.claim_notice(FOLDER.cause, clock.now(), timedelta(0))
    clock.go(QUIET - timedelta(seconds=1))
    letters = await flushed(parts, FOLDER, OperatorNotice(Trouble.LEDGER_DAMAGED, "the ledger was damaged"))
    assert {text for _, via, text in letters if via is Channel.SMS} == {"tocsin: the ledger was damaged"}


@pytest.mark.parametrize("operators", [(), ("zoe",)])
async def test_without_operators_nothing_is_sent(operators: tuple[str, ...]) -> None:
    """Nobody to tell is no trouble."""
    parts = DaemonParts(StillClock(), replace(paging_policy(), operators=operators))
    assert await flushed(parts, FOLDER) == []
    assert parts.sender.unsettled_count == 0


async def test_with_the_ledger_in_trouble_they_wait_with_the_sender() -> None:
    """They cannot be written down; they are not lost, and every cause is fresh."""
    parts = DaemonParts(StillClock())
    parts.ledger.trouble = "disk full"
    assert await flushed(parts, FOLDER) == []
    assert parts.sender.unsettled_count == 2
    assert not any(delivery.recorded for delivery in parts.sender._open.values())


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
    assert [text for _, via, text in sent(after) if via is Channel.SMS][1:] == ["tocsin: it is over: it is back"]
