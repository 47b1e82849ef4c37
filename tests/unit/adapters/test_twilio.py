"""The Twilio transport against a stand-in that fails on demand."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.twilio import http
from tocsin.adapters.twilio import transport as twilio
from tocsin.adapters.twilio.transport import Twilio
from tocsin.domain.delivery import Accepted, Content, Deferred, Fault, Message, Receipt, Refused, Uncertain
from tocsin.domain.people import Channel

from tests.fakes.full_listener import full_listener
from tests.fakes.twilio_server import Created, StandIn

SENDER, ANA = "+15005550006", "+14155550101"


def now() -> datetime:
    return datetime.now(UTC)


def text(number: int = 1, words: str = "text", valid_for: timedelta | None = None, to: str = ANA) -> Message:
    return Message(f"r{number}", Channel.SMS, to, "ana", "Ana", Content(words), "pay", 1, "page", now(), valid_for)


@asynccontextmanager
async def sending(server: StandIn, **settings: Any) -> AsyncIterator[Twilio]:
    given = {"account_sid": server.account, "auth_token": "token", "sender": SENDER, "api_url": server.url}
    transport = Twilio(**{**given, "clock": SystemClock(), **settings})
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


async def test_what_is_asked_for() -> None:
    """To, From, Body and ValidityPeriod as they were meant, whatever letters they hold, and nothing else."""
    words = "SEV1: ß & +=%\n支払い"
    async with StandIn() as server, sending(server) as transport:
        outcome = await transport.send(text(words=words, valid_for=timedelta(days=3)))
        assert outcome == Accepted(server.created[0].sid)
        assert server.requests == [
            (
                "POST",
                f"/2010-04-01/Accounts/{server.account}/Messages.json",
                {"To": ANA, "From": SENDER, "Body": words, "ValidityPeriod": "36000"},
            )
        ]


@pytest.mark.parametrize(
    ("valid_for", "asked"),
    [
        (None, None),
        (timedelta(), "1"),
        (timedelta(seconds=-5), "1"),
        (timedelta(seconds=90.9), "90"),
        (timedelta(hours=10), "36000"),
        (timedelta(hours=11), "36000"),
    ],
)
async def test_how_long_a_message_is_worth_sending(valid_for: timedelta | None, asked: str | None) -> None:
    """Twilio is told in whole seconds, within what it takes: at least one, at most ten hours."""
    async with StandIn() as server, sending(server) as transport:
        assert isinstance(await transport.send(text(valid_for=valid_for)), Accepted)
        assert server.requests[0][2].get("ValidityPeriod") == asked


async def test_a_messaging_service_and_an_api_key() -> None:
    """A service sends instead of a number, and a key opens the account instead of its token."""
    async with StandIn() as server:
        server.allow("SK1", "secret")
        keys = {"auth_token": "wrong", "api_key": "SK1", "api_secret": "secret"}
        async with sending(server, sender="", messaging_service_sid="MG1", **keys) as transport:
            assert isinstance(await transport.send(text()), Accepted)
            _, path, form = server.requests[0]
            assert server.account in path
            assert form == {"To": ANA, "MessagingServiceSid": "MG1", "Body": "text"}
            assert isinstance(await transport.find(text(), now()), Accepted)


@pytest.mark.parametrize(
    ("fault", "outcome", "created"),
    [
        ("429 7", Deferred("Too Many Requests", "20429", retry_after=timedelta(seconds=7)), 0),
        ("429", Deferred("Too Many Requests", "20429"), 0),
        ("429 86400", Deferred("Too Many Requests", "20429", retry_after=timedelta(hours=1)), 0),
        ("429 Mon, 23 Nov 2026 10:00:00 GMT", Deferred("Too Many Requests", "20429"), 0),
        ("code 21611", Deferred("error 21611", "21611"), 0),
        ("code 21211", Refused("error 21211", "21211"), 0),
        ("code 21610", Refused("error 21610", "21610"), 0),
        ("code 21614", Refused("error 21614", "21614"), 0),
        ("code 30006", Refused("error 30006", "30006"), 0),
        ("code 20003 401", Deferred("error 20003", "20003", Fault.PROVIDER), 0),
        ("code 21606", Deferred("error 21606", "21606", Fault.PROVIDER, recipient=True), 0),
        ("code 21408", Deferred("error 21408", "21408", Fault.PROVIDER, recipient=True), 0),
        ("code 30002", Deferred("error 30002", "30002", Fault.PROVIDER), 0),
        ("code 99999", Deferred("error 99999", "99999", Fault.PROVIDER), 0),
        ("404", Deferred("Twilio answered 404", "404", Fault.PROVIDER), 0),
        ("code 30001", Deferred("error 30001", "30001"), 0),
        ("code 20429 503", Uncertain("error 20429", "20429"), 0),
        ("code 21610 500", Uncertain("error 21610", "21610"), 0),
        ("code 20001 302", Deferred("error 20001", "20001", Fault.PROVIDER), 0),
        ("redirect", Deferred("Twilio answered 307", "307", Fault.PROVIDER), 0),
        ("huge", Uncertain("Twilio's answer 201 has no sid", "201"), 1),
        ("500", Uncertain("Twilio answered 500", "500"), 0),
        ("500 keep", Uncertain("Twilio answered 500", "500"), 1),
        ("code 20500 500", Uncertain("error 20500", "20500"), 0),
        ("503", Uncertain("Twilio answered 503", "503"), 0),
        ("broken", Uncertain("Twilio's answer 201 has no sid", "201"), 1),
        ("nosid", Uncertain("Twilio's answer 201 has no sid", "201"), 1),
        ("drop", Uncertain, 1),
        ("lose", Uncertain, 0),
    ],
)
async def test_how_a_try_ends(fault: str, outcome: Any, created: int) -> None:
    """Rules 37, 38: each fault has its outcome, one request is made for one try, and the next one goes through."""
    async with StandIn() as server, sending(server) as transport:
        server.next("create", fault)
        got = await transport.send(text())
        assert isinstance(got, outcome) if isinstance(outcome, type) else got == outcome
        assert (len(server.sent), len(server.requests)) == (created, 1)
        assert isinstance(await transport.send(text(2)), Accepted)


async def test_nobody_there() -> None:
    """A connection that never came about, or a name that nobody knows, has carried nothing."""
    async with StandIn() as server:
        pass
    for url in (server.url, "http://no-such-host.invalid"):
        async with sending(server, api_url=url) as transport:
            assert isinstance(await transport.send(text()), Deferred)
            assert isinstance(await transport.find(text(), now()), Uncertain)
            assert (await transport.fate("SM1")).receipt is Receipt.UNKNOWN


async def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not come in time leaves the message uncertain; it is then found in the list."""
    monkeypatch.setattr(http, "ANSWER_WITHIN", 0.3)
    async with StandIn() as server, sending(server) as transport:
        server.next("create", "hang")
        began = now()
        assert await transport.send(text()) == Uncertain("Twilio did not answer within 0 s")
        assert await transport.find(text(), began) == Accepted(server.created[0].sid)
        server.next("list", "slow 1")
        assert isinstance(await transport.find(text(), began), Uncertain)


@pytest.mark.parametrize("limit", ["CONNECT_WITHIN", "ANSWER_WITHIN"])
async def test_a_connection_that_never_comes(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody takes the connection nothing has left: the try ends in time, and trying again is safe."""
    monkeypatch.setattr(http, limit, 0.3)
    with full_listener() as url:
        async with StandIn() as server, sending(server, api_url=url) as transport, asyncio.timeout(4):
            assert isinstance(await transport.send(text()), Deferred)


async def test_closing_while_an_answer_is_awaited() -> None:
    """A try under way ends with an outcome when the transport is let go of, and never as if nothing had left."""
    async with StandIn() as server, sending(server) as transport:
        server.next("create", "hang")
        under_way = asyncio.create_task(transport.send(text()))
        await asyncio.sleep(0.1)
        await transport.close()
        assert isinstance(await under_way, Uncertain)
        assert isinstance(await transport.send(text(2)), Accepted)


async def test_starting_twice_is_starting_once() -> None:
    """Tries that come before the start share one client, and none is left open at the end (a warning is an error)."""
    async with StandIn() as server:
        transport = Twilio(
            account_sid=server.account, auth_token="token", sender=SENDER, api_url=server.url, clock=SystemClock()
        )
        outcomes = await asyncio.gather(*(transport.send(text(number)) for number in range(5)), transport.start())
        client = transport._client
        await transport.start()
        assert transport._client is client
        assert all(isinstance(outcome, Accepted) for outcome in outcomes[:5])
        await transport.close()


async def test_answers_are_not_mixed_up() -> None:
    """Many at once: each try hears its own message's sid."""
    async with StandIn() as server, sending(server) as transport:
        outcomes = await asyncio.gather(*(transport.send(text(n, words=f"text {n}")) for n in range(40)))
        bodies = {message.sid: message.body for message in server.created}
        for number, outcome in enumerate(outcomes):
            assert isinstance(outcome, Accepted)
            assert bodies[outcome.provider_id] == f"text {number}"


async def test_looking_up() -> None:
    """Only a message to that number with those words, created since, that is no other try's, is the one looked for."""
    async with StandIn() as server, sending(server) as transport:
        assert isinstance(await transport.find(text(), now()), Deferred)
        server.inbound(ANA, SENDER, "text")
        assert isinstance(await transport.send(text(1)), Accepted)
        assert isinstance(await transport.find(text(2), now()), Deferred)
        for number in range(70):
            await transport.send(text(number + 10, words=f"other {number}"))
        server.next("create", "drop")
        assert isinstance(await transport.send(text(3, words="lost")), Uncertain)
        for number in range(70):
            await transport.send(text(number + 90, words=f"more {number}"))
        lost = next(message for message in server.created if message.body == "lost")
        assert await transport.find(text(3, words="lost"), now()) == Accepted(lost.sid)
        assert isinstance(await transport.find(text(3, words="lost"), now() + timedelta(seconds=200)), Deferred)
        assert isinstance(await transport.find(text(3, words="lost", to="+14155550102"), now()), Deferred)
        server.lag = 60
        assert isinstance(await transport.find(text(3, words="lost"), now()), Deferred)


async def lost(server: StandIn, transport: Twilio, message: Message) -> Created:
    """A message that was created though nobody heard so."""
    server.next("create", "drop")
    assert isinstance(await transport.send(message), Uncertain)
    return server.created[-1]


@pytest.mark.parametrize(("earlier", "is_it"), [(0, True), (110, True), (130, False)])
async def test_clocks_may_differ(earlier: int, is_it: bool) -> None:
    """Twilio's clock may be two minutes behind ours; what is older was sent before, perhaps with the same words."""
    async with StandIn() as server, sending(server) as transport:
        began = now()
        message = await lost(server, transport, text())
        message.at = began.timestamp() - earlier
        assert isinstance(await transport.find(text(), began), Accepted if is_it else Deferred)


@pytest.mark.parametrize(
    ("changed", "is_it"),
    [
        ({}, True),
        ({"body": " text\n"}, True),
        ({"body": "text, and more"}, False),
        ({"body": "Text"}, False),
        ({"to": "+14155550102"}, False),
        ({"sender": "+15005550007"}, False),
        ({"direction": "inbound"}, False),
        ({"direction": "outbound-reply"}, True),
    ],
)
async def test_which_message_it_is(changed: dict[str, str], is_it: bool) -> None:
    """The one from our number to this one, with these very words but for the blanks around them."""
    async with StandIn() as server, sending(server) as transport:
        began = now()
        message = await lost(server, transport, text())
        for name, value in changed.items():
            setattr(message, name, value)
        assert isinstance(await transport.find(text(), began), Accepted if is_it else Deferred)


async def test_what_a_look_up_gave_is_given_once() -> None:
    """A message that was found for one try is not found for another with the same words; for the same try it is again."""
    async with StandIn() as server, sending(server) as transport:
        began = now()
        message = await lost(server, transport, text(1))
        assert await transport.find(text(1), began) == Accepted(message.sid)
        assert isinstance(await transport.find(text(2), began), Deferred)
        assert await transport.find(text(1), began) == Accepted(message.sid)


async def test_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the messages that were accepted the newest are remembered, however many there were."""
    monkeypatch.setattr(twilio, "KNOWN_MOST", 2)
    async with StandIn() as server, sending(server) as transport:
        began = now()
        for number in range(3):
            await transport.send(text(number, words=f"text {number}"))
        outcomes = [await transport.find(text(9, words=f"text {number}"), began) for number in (2, 1, 0)]
        assert [type(outcome) for outcome in outcomes] == [Deferred, Deferred, Accepted]


async def test_a_list_without_end() -> None:
    """Where more was sent to a number since than is looked through, nobody can say that the message is not there."""
    async with StandIn() as server, sending(server) as transport:
        began = now()
        message = await lost(server, transport, text())
        for number in range(twilio.PAGE * twilio.PAGES):
            server.created.append(replace(message, sid=f"SM{number:032}", body=f"other {number}"))
        server.requests.clear()
        assert isinstance(await transport.find(text(), began), Uncertain)
        assert len(server.requests) == twilio.PAGES
        for created in server.created:
            created.at -= 3600
        assert isinstance(await transport.find(text(), began), Deferred)


async def test_looking_up_a_trial_accounts_message() -> None:
    """What a trial account puts before a text does not hide the message."""
    async with StandIn() as server, sending(server) as transport:
        server.next("create", "drop")
        await transport.send(text())
        server.created[0].body = twilio.TRIAL + "text"
        assert isinstance(await transport.find(text(), now()), Accepted)


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        ("accepted", Receipt.QUEUED),
        ("scheduled", Receipt.QUEUED),
        ("queued", Receipt.QUEUED),
        ("sending", Receipt.QUEUED),
        ("partially_delivered", Receipt.SENT),
        ("read", Receipt.DELIVERED),
        ("sent", Receipt.SENT),
        ("delivered", Receipt.DELIVERED),
        ("undelivered", Receipt.UNDELIVERED),
        ("failed", Receipt.UNDELIVERED),
        ("canceled", Receipt.UNDELIVERED),
        ("something new", Receipt.UNKNOWN),
    ],
)
async def test_receipts(status: str, receipt: Receipt) -> None:
    """Each of Twilio's words for a message's state has its meaning."""
    async with StandIn() as server, sending(server) as transport:
        outcome = await transport.send(text())
        assert isinstance(outcome, Accepted)
        server.set_status(outcome.provider_id, status)
        assert (await transport.fate(outcome.provider_id)).receipt is receipt


async def test_asking_to_be_called_back() -> None:
    """Where there is an address for it, each try names itself in it; a try that the ledger does not know, none."""
    async with StandIn() as server, sending(server) as transport:
        await transport.send(replace(text(), attempt="019ab0a1-7000-7000-8000-000000000001"))
        url = "https://tocsin.example.com/twilio/status"
        async with sending(server, status_url=url) as told:
            await told.send(replace(text(), attempt=(id_ := "019ab0a1-7000-7000-8000-000000000002")))
            await told.send(text())
        assert [message.callback for message in server.sent] == ["", f"{url}?try={id_}", ""]


async def test_a_number_refused_after_all() -> None:
    """A code about the number makes an undelivered message a refusal (rule 37)."""
    async with StandIn() as server, sending(server) as transport:
        outcome = await transport.send(text())
        assert isinstance(outcome, Accepted)
        for code, wanted in ((30003, None), (30006, "30006")):
            server.set_status(outcome.provider_id, "undelivered", code)
            fate = await transport.fate(outcome.provider_id)
            assert (fate.receipt, fate.provider_id) == (Receipt.UNDELIVERED, outcome.provider_id)
            assert (fate.refused.code if fate.refused else None) == wanted


@pytest.mark.parametrize("fault", ["500", "drop", "code 20003 401"])
async def test_nothing_raises(fault: str) -> None:
    """Where the list or a message cannot be had, nobody can say."""
    async with StandIn() as server, sending(server) as transport:
        server.always("list", fault)  # aiohttp itself asks twice when a connection is cut, but never for a POST
        server.always("fetch", fault)
        assert isinstance(await transport.find(text(), now()), Uncertain)
        assert (await transport.fate("SM1")).receipt is Receipt.UNKNOWN


async def test_numbers_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a number nor a text comes into the log, whatever its level."""
    caplog.set_level(logging.DEBUG)
    async with StandIn() as server, sending(server) as transport:
        await transport.send(text(words="a secret"))
        await transport.find(text(), now())
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("twilio", "tocsin"))]
    assert not [line for line in ours if ANA in line or "secret" in line]


async def test_settings_come_from_us_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK would read from the environment moves no message elsewhere."""
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    hosts: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "nobody of that name")

    async with StandIn() as server, sending(server, api_url="") as transport:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert isinstance(await transport.send(text()), Deferred)
    assert set(hosts) == {"api.twilio.com"}


def test_the_real_address() -> None:
    """Without `api_url` requests go where Twilio is, with it only scheme and host change."""
    real = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json?Page=1"

    async def rebase(base: str) -> str:
        client = http.HttpClient(base, http.ProviderTime(SystemClock()))
        await client.close()
        return client._rebased(real)

    assert asyncio.run(rebase("")) == real
    assert asyncio.run(rebase("http://127.0.0.1:8/")) == (
        "http://127.0.0.1:8/2010-04-01/Accounts/AC1/Messages.json?Page=1"
    )
