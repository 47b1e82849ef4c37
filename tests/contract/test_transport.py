"""What every Transport holds: the outbox, SMTP over a real relay, Twilio over its stand-in, and the one in memory."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.outbox.transport import Outbox
from tocsin.adapters.smtp.transport import Smtp
from tocsin.adapters.twilio.transport import Twilio
from tocsin.app.wiring.transports import make_transports
from tocsin.domain.delivery import (
    NOT_LEADING,
    Accepted,
    Content,
    Deferred,
    Fate,
    Message,
    Outcome,
    Receipt,
    Refused,
    Uncertain,
)
from tocsin.domain.people import Channel
from tocsin.ports.transport import CutShortError, Transport

from tests.builders.active_config import settings
from tests.fakes.smtp_server import Relay
from tests.fakes.transport import MemoryTransport
from tests.fakes.twilio_server import StandIn


@dataclass
class Way:
    """A transport with what a test may do to the world behind it. A fault that it cannot have is None.

    `arrived` gives what truly arrived, as (address, first line). The others make the next try end so.
    """

    transport: Transport
    via: Channel
    arrived: Callable[[], list[tuple[str, str]]]
    refused: Callable[[], object] | None
    busy: Callable[[], object] | None
    unconfirmed: Callable[[], object] | None


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Way]:
    transport = MemoryTransport()
    yield Way(
        transport,
        Channel.SMS,
        lambda: [(one.message.address, one.message.content.text) for one in transport.arrived],
        lambda: transport.next(Refused("no")),
        lambda: transport.next(Deferred("later")),
        lambda: transport.next(Uncertain("who knows")),
    )


@asynccontextmanager
async def outbox(folder: Path, via: Channel) -> AsyncIterator[Way]:
    box = folder / "outbox"

    def blocked() -> None:
        box.write_text("in the way")
        asyncio.get_running_loop().call_later(0.3, box.unlink)

    def arrived() -> list[tuple[str, str]]:
        if via is Channel.SMS:
            sheets = [json.loads(file.read_bytes()) for file in box.glob("*.json")]
            return [(sheet["to"], sheet["body"]) for sheet in sheets]
        return [_mail(file.read_bytes()) for file in box.glob("*.eml")]

    transport = Outbox(folder=box, email_sender="i@example.com", sms_sender="+15005550006", clock=SystemClock())
    yield Way(transport, via, arrived, None, blocked, None)


@asynccontextmanager
async def relay(folder: Path) -> AsyncIterator[Way]:
    async with Relay() as server:
        yield Way(
            Smtp(host="127.0.0.1", port=server.port, sender="i@example.com", security="none"),
            Channel.EMAIL,
            lambda: [_mail(arrived.data) for arrived in server.arrived],
            lambda: server.next("rcpt", "550 5.1.1 no such user"),
            lambda: server.next("rcpt", "450 4.2.0 greylisted"),
            lambda: server.next("dot", "drop"),
        )


@asynccontextmanager
async def stand_in(folder: Path) -> AsyncIterator[Way]:
    async with StandIn() as server:
        yield Way(
            Twilio(
                account_sid=server.account,
                auth_token="token",
                sender="+15005550006",
                api_url=server.url,
                clock=SystemClock(),
            ),
            Channel.SMS,
            lambda: [(created.to, created.body) for created in server.sent],
            lambda: server.next("create", "code 21610"),
            lambda: server.next("create", "429 1"),
            lambda: server.next("create", "drop"),
        )


@asynccontextmanager
async def second_relay(folder: Path) -> AsyncIterator[Way]:
    """As the daemon makes it of the config: the fallback of a server that nobody listens at."""
    async with Relay(user="pager", password="secret") as server:
        fallback = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "pager"}
        email = {"transport": "smtp", "host": "nowhere.invalid", "sender": "i@example.com"}
        made = fallbacks(email={**email, "fallbacks": {"second": {**fallback, "password": "secret"}}})
        yield Way(
            made[Channel.EMAIL]["second"],
            Channel.EMAIL,
            lambda: [_mail(arrived.data) for arrived in server.arrived],
            lambda: server.next("rcpt", "550 5.1.1 no such user"),
            lambda: server.next("rcpt", "450 4.2.0 greylisted"),
            lambda: server.next("dot", "drop"),
        )


@asynccontextmanager
async def second_account(folder: Path) -> AsyncIterator[Way]:
    """As the daemon makes it of the config: the fallback of an account that is not asked."""
    async with StandIn(account="AC" + "1" * 32, token="its own") as server:
        fallback = {"account_sid": server.account, "auth_token": "its own", "api_url": server.url}
        sms = {"transport": "twilio", "account_sid": "AC" + "0" * 32, "auth_token": "token", "sender": "+15005550006"}
        made = fallbacks(sms={**sms, "fallbacks": {"second": {**fallback, "sender": "+15005550007"}}})
        yield Way(
            made[Channel.SMS]["second"],
            Channel.SMS,
            lambda: [(created.to, created.body) for created in server.sent if created.sender == "+15005550007"],
            lambda: server.next("create", "code 21610"),
            lambda: server.next("create", "429 1"),
            lambda: server.next("create", "drop"),
        )


def fallbacks(**channels: object) -> dict[Channel, Mapping[str, Transport]]:
    """The transports that the daemon makes of these settings."""
    return make_transports(settings(**channels), SystemClock())


WAYS = {
    "memory": memory,
    "outbox, email": lambda folder: outbox(folder, Channel.EMAIL),
    "outbox, sms": lambda folder: outbox(folder, Channel.SMS),
    "smtp": relay,
    "twilio": stand_in,
    "smtp, a fallback": second_relay,
    "twilio, a fallback": second_account,
}


@pytest.fixture(params=WAYS)
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    async with WAYS[request.param](tmp_path) as opened:
        yield opened
        await opened.transport.close()


def _mail(data: bytes) -> tuple[str, str]:
    mail = message_from_bytes(data)
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    return str(mail["To"]).rpartition("<")[2].strip(">"), body.decode().strip()


def message(way: Way, number: int = 1) -> Message:
    address = f"p{number}@example.com" if way.via is Channel.EMAIL else f"+141555501{number:02}"
    return Message(
        f"pay/1/page/{number}",
        way.via,
        address,
        f"p{number}",
        f"P {number}",
        Content(f"text {number}", "subject" if way.via is Channel.EMAIL else ""),
        "pay",
        1,
        "page",
        datetime.now(UTC),
    )


async def test_a_message_arrives_once(way: Way) -> None:
    """What was accepted has arrived, once, at its address, with its words."""
    one = message(way)
    assert isinstance(await way.transport.send(one), Accepted)
    assert way.arrived() == [(one.address, "text 1")]


async def test_many_at_once(way: Way) -> None:
    """Side by side each message arrives once, and none gets another's name."""
    many = [message(way, number) for number in range(40)]
    outcomes = await asyncio.gather(*(way.transport.send(one) for one in many))
    named = [outcome.provider_id for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len(named) == len(many)
    assert max(Counter(name for name in named if name).values()) == 1
    assert Counter(way.arrived()) == Counter((one.address, one.content.text) for one in many)


@pytest.mark.parametrize("fault", ["refused", "busy"])
async def test_what_did_not_leave(way: Way, fault: str) -> None:
    """Refused and deferred messages have not arrived, and the way is open for the next."""
    break_it = getattr(way, fault)
    if break_it is None:
        return
    break_it()
    outcome = await way.transport.send(message(way))
    assert isinstance(outcome, Refused if fault == "refused" else Deferred)
    await asyncio.sleep(0.35 if isinstance(way.transport, Outbox) else 0)
    assert way.arrived() == []
    assert isinstance(await way.transport.send(message(way, 2)), Accepted)
    assert len(way.arrived()) == 1


async def test_what_nobody_confirmed(way: Way) -> None:
    """A message that arrived without an answer is uncertain, and a look-up never says that it is not there."""
    if way.unconfirmed is None:
        return
    one = message(way)
    way.unconfirmed()
    assert isinstance(await way.transport.send(one), Uncertain)
    assert len(way.arrived()) == 1
    assert isinstance(await way.transport.find(one, one.at), (Accepted, Uncertain))
    assert isinstance(await way.transport.send(message(way, 2)), Accepted)


async def test_looking_up(way: Way) -> None:
    """A message that was sent is found where one can look; one that was not, or another's, never is."""
    one, other = message(way), message(way, 2)
    assert not isinstance(await way.transport.find(one, one.at), Accepted)
    sent = await way.transport.send(one)
    assert isinstance(sent, Accepted)
    found = await way.transport.find(one, one.at)
    assert found == sent or isinstance(found, Uncertain)
    assert not isinstance(await way.transport.find(other, one.at), Accepted)
    stranger = replace(other, content=one.content)
    assert not isinstance(await way.transport.find(stranger, one.at), Accepted)


async def test_an_old_message_is_not_the_one(way: Way) -> None:
    """What was sent long before the try is not what the try sent (the one in memory keeps no time)."""
    if isinstance(way.transport, MemoryTransport):
        return
    one = message(way)
    await way.transport.send(one)
    assert not isinstance(await way.transport.find(one, one.at + timedelta(minutes=10)), Accepted)


async def test_receipts(way: Way) -> None:
    """An accepted message has a receipt that is no failure; a name that nobody knows raises nothing."""
    outcome = await way.transport.send(message(way))
    assert isinstance(outcome, Accepted)
    receipt = (await way.transport.fate(outcome.provider_id)).receipt
    assert receipt in (Receipt.QUEUED, Receipt.SENT, Receipt.DELIVERED)
    assert way.transport.receipts or receipt is Receipt.DELIVERED or not outcome.provider_id
    assert isinstance(await way.transport.fate("no such thing"), Fate)


@pytest.mark.parametrize("wait", [0.0, 0.001, 0.005])
async def test_cancelling_harms_nobody_else(way: Way, wait: float) -> None:
    """After a cancelled try the next ones get their own answers; and what says that nothing left has left nothing."""
    task = asyncio.create_task(way.transport.send(message(way)))
    await asyncio.sleep(wait)
    task.cancel()
    ended: Outcome | None = None
    try:
        ended = await task
    except CutShortError as cut:
        ended = cut.outcome
    except asyncio.CancelledError:
        assert wait or isinstance(way.transport, MemoryTransport), "nothing can have left yet, which is known"
    assert ended in {None, NOT_LEADING} or isinstance(ended, Accepted)
    outcomes: list[Outcome] = [await way.transport.send(message(way, number)) for number in (2, 3)]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    arrived = {words for _, words in way.arrived()}
    assert {("text 2"), ("text 3")} <= arrived
    assert ended is None or ("text 1" in arrived) == isinstance(ended, Accepted)


async def test_closing(way: Way) -> None:
    """Closing does no harm unused, used, or twice."""
    await way.transport.close()
    assert isinstance(await way.transport.send(message(way)), Accepted)
    await way.transport.close()
    await way.transport.close()


async def test_what_came_in_can_be_asked_for(way: Way) -> None:
    """A transport whose provider can be asked gives what came in since then, which does not hold what we sent; one
    that cannot be asked says so beforehand.
    """
    sent = message(way)
    await way.transport.send(sent)
    polled = way.transport.polled
    assert (polled is not None) == isinstance(way.transport, Twilio)
    if polled is not None:
        assert await polled.inbox(sent.at - timedelta(minutes=1)) == ()


async def test_warming(way: Way) -> None:
    """What wants to be loaded early is loaded as often as one likes, sends nothing, and the next message leaves."""
    for _ in range(2):
        if way.transport.warmed is not None:
            await way.transport.warmed.start()
    assert way.arrived() == []
    assert isinstance(await way.transport.send(message(way)), Accepted)


async def test_a_copy_by_a_fallback_is_the_same_mail(tmp_path: Path) -> None:
    """Rule 40: a page of uncertain fate leaves once more with the same Message-ID, whoever takes it then."""
    async with Relay() as first, Relay() as spare:
        place = {"host": "127.0.0.1", "security": "none"}
        fallback = {**place, "port": spare.port, "sender": "i@example.org"}
        email = {**place, "transport": "smtp", "port": first.port, "sender": "i@example.com"}
        made = fallbacks(email={**email, "fallbacks": {"spare": fallback}})[Channel.EMAIL]
        async with relay(tmp_path) as way:
            page = message(way)
        for transport in made.values():
            assert isinstance(await transport.send(page), Accepted)
            await transport.close()
        one, other = (message_from_bytes(server.arrived[0].data) for server in (first, spare))
    assert (one["Message-ID"], one["References"]) == (other["Message-ID"], other["References"])
    assert other["From"] == "i@example.org"
