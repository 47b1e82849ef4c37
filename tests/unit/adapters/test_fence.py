"""The fence in front of each way out: what may not leave does not, and is recorded as not sent (rule 53)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.outbox.transport import Outbox
from tocsin.adapters.smtp.transport import Smtp
from tocsin.adapters.twilio.transport import Twilio
from tocsin.domain.delivery import NOT_LEADING, Accepted, Content, Deferred, Message
from tocsin.domain.people import Channel
from tocsin.ports.fence import Fence
from tocsin.ports.transport import CutShortError, Transport

from tests.fakes.fence import AwayFence, FakeFence
from tests.fakes.smtp_server import Relay
from tests.fakes.twilio_server import StandIn

Opens = Callable[[Fence], Any]


def page(via: Channel, number: int = 1) -> Message:
    address = "ana@example.com" if via is Channel.EMAIL else "+14155550101"
    at = datetime.now(UTC)
    return Message(f"r{number}", via, address, "ana", "Ana", Content("text", "s"), "pay", 1, "page", at)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@asynccontextmanager
async def mailing(relay: Relay, fence: Fence) -> AsyncIterator[Smtp]:
    transport = Smtp(host="localhost", port=relay.port, sender="i@example.com", security="none", fence=fence)
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def texting(server: StandIn, fence: Fence) -> AsyncIterator[Twilio]:
    account, url = server.account, server.url
    transport = Twilio(
        account_sid=account, auth_token="token", sender="+15005550006", api_url=url, clock=SystemClock(), fence=fence
    )
    try:
        yield transport
    finally:
        await transport.close()


@pytest.mark.parametrize(
    ("holds_for", "connections", "commands", "arrives"),
    [
        (0, 0, [], False),
        (1, 1, ["EHLO"], False),
        (2, 1, ["EHLO", "MAIL", "RCPT", "DATA"], False),
        (3, 1, ["EHLO", "MAIL", "RCPT", "DATA"], True),
    ],
)
async def test_a_mail(holds_for: int, connections: int, commands: list[str], arrives: bool) -> None:
    """It is asked before the relay is, before MAIL, and before the dot; what had no dot never arrives."""
    async with Relay() as relay, mailing(relay, FakeFence(holds_for)) as transport:
        outcome = await transport.send(page(Channel.EMAIL))
        assert isinstance(outcome, Accepted) if arrives else outcome == NOT_LEADING
        spoken = [line.split(" ")[0].upper() for _, line in relay.commands]
        assert (relay.connections, [verb for verb in spoken if verb != "QUIT"]) == (connections, commands)
        assert len(relay.arrived) == arrives
        transport._fence = FakeFence(9)
        assert isinstance(await transport.send(page(Channel.EMAIL, 2)), Accepted)
        assert len(relay.arrived) == 1 + arrives


async def test_an_sms() -> None:
    """It is asked once the connection stands, before the request; then the request is not made."""
    async with StandIn() as server, texting(server, fence := FakeFence(1)) as transport:
        assert isinstance(await transport.send(page(Channel.SMS)), Accepted)
        assert await transport.send(page(Channel.SMS, 2)) == NOT_LEADING
        assert (len(server.requests), len(server.created)) == (1, 1)
        fence.holds_for = 9
        assert isinstance(await transport.send(page(Channel.SMS, 3)), Accepted)


async def test_an_sms_that_is_cut_short() -> None:
    """Before its request left it is known that nothing was created; afterwards nobody knows."""
    async with StandIn() as server, texting(server, FakeFence(9)) as transport:
        loading = asyncio.create_task(transport.send(page(Channel.SMS)))
        await asyncio.sleep(0)
        loading.cancel()
        with pytest.raises(CutShortError) as ended:
            await loading
        assert ended.value.outcome == NOT_LEADING
        server.next("create", "hang")
        asking = asyncio.create_task(transport.send(page(Channel.SMS, 2)))
        while not server.created:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError) as ended_late:
            await asking
        assert not isinstance(ended_late.value, CutShortError)
        assert len(server.created) == 1


async def test_only_what_creates_is_asked_for() -> None:
    """A machine that does not lead may look: at what became of a message, and at what came in."""
    async with StandIn() as server, texting(server, fence := FakeFence(0)) as transport:
        assert isinstance(await transport.find(page(Channel.SMS), datetime.now(UTC)), Deferred)
        assert await transport.inbox(datetime.now(UTC)) == ()
        assert fence.looks == 0


@pytest.mark.parametrize("via", list(Channel))
async def test_a_file(tmp_path: Path, via: Channel) -> None:
    """It is asked when the file is whole, before it gets its name; then no file is left behind."""
    outbox: Transport = Outbox(
        folder=tmp_path,
        email_sender="i@example.com",
        sms_sender="+15005550006",
        clock=SystemClock(),
        fence=FakeFence(1),
    )
    assert isinstance(await outbox.send(page(via)), Accepted)
    assert await outbox.send(page(via, 2)) == NOT_LEADING
    assert len(files_in(tmp_path)) == 1


async def test_from_memory(tmp_path: Path) -> None:
    """Rule 54: what the ledger does not know of has a fence of its own, on each way out; what it knows does not pass."""
    fence = AwayFence()
    outbox = Outbox(
        folder=tmp_path, email_sender="i@example.com", sms_sender="+15005550006", clock=SystemClock(), fence=fence
    )
    async with Relay() as relay, mailing(relay, fence) as mails, StandIn() as server, texting(server, fence) as texts:
        ways: list[tuple[Transport, Channel]] = [(mails, Channel.EMAIL), (texts, Channel.SMS), (outbox, Channel.SMS)]
        for transport, via in ways:
            assert await transport.send(replace(page(via), attempt="a1")) == NOT_LEADING
            assert isinstance(await transport.send(page(via, 2)), Accepted)
            fence.lets = False
            assert await transport.send(page(via, 3)) == NOT_LEADING
            fence.lets = True
        assert (len(relay.arrived), len(server.created), len(files_in(tmp_path))) == (1, 1, 1)
