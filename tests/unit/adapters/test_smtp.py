"""The SMTP transport against a real server that fails on demand: each row of the table in `adapters/smtp/dialogue.py`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.smtp import connection
from tocsin.adapters.smtp import transport as smtp
from tocsin.adapters.smtp.dialogue import our_name
from tocsin.adapters.smtp.transport import Smtp
from tocsin.domain.delivery import NOT_LEADING, Accepted, Content, Deferred, Fault, Message, Refused, Uncertain
from tocsin.domain.people import Channel
from tocsin.ports.transport import CutShortError

from tests.fakes.certificates import Authority
from tests.fakes.smtp_server import Relay

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def mail(number: int = 1, address: str = "ana@example.com", text: str = "text") -> Message:
    content = Content(text, "subject", "<p>html</p>")
    return Message(f"r{number}", Channel.EMAIL, address, "ana", "Ana", content, "pay", 1, "page", AT)


@asynccontextmanager
async def sending(relay: Relay, **settings: Any) -> AsyncIterator[Smtp]:
    transport = Smtp(
        **{"host": "localhost", "port": relay.port, "sender": "i@example.com", "security": "none", **settings}
    )
    try:
        yield transport
    finally:
        await transport.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_mail_arrives_as_it_was_written(pipelining: bool) -> None:
    """Whether or not commands may leave together: every letter and dot survives, and the connection is kept."""
    text = ".\n..\n.x\n" + "é" * 3000
    async with Relay(pipelining=pipelining) as relay, sending(relay) as transport:
        outcomes = [await transport.send(mail(number, text=text)) for number in range(3)]
        assert outcomes == [Accepted("1-1"), Accepted("1-2"), Accepted("1-3")]
        assert relay.arrived[0].data == transport._letterhead.compose(mail(0, text=text))
        assert (relay.arrived[0].sender, relay.arrived[0].to) == ("i@example.com", "ana@example.com")
        assert relay.connections == 1


@pytest.mark.parametrize(
    ("phase", "fault", "outcome"),
    [
        ("connect", "554 5.7.1 go away", Deferred("554 5.7.1 go away", "554", Fault.PROVIDER)),
        ("connect", "421 busy", Deferred("421 busy", "421")),
        ("connect", "drop", Deferred),
        ("ehlo", "421 busy", Deferred("421 busy", "421")),
        ("ehlo", "drop", Deferred),
        ("mail", "550 no such sender", Deferred("550 no such sender", "550", Fault.PROVIDER)),
        ("mail", "530 log in", Deferred("530 log in", "530", Fault.PROVIDER)),
        ("mail", "451 later", Deferred("451 later", "451")),
        ("mail", "421 later", Deferred("421 later", "421")),
        ("mail", "drop", Deferred),
        ("rcpt", "550 5.1.1 unknown", Refused("550 5.1.1 unknown", "550")),
        ("rcpt", "450 greylisted", Deferred("450 greylisted", "450")),
        ("rcpt", "452 over quota", Deferred("452 over quota", "452")),
        ("rcpt", "552 over quota", Deferred("552 over quota", "552")),
        ("rcpt", "999 what", Deferred("a reply that makes no sense: 999 what", "999")),
        ("rcpt", "hello", Deferred("a reply that makes no sense: hello", "0")),
        ("rcpt", "535 log in", Deferred("535 log in", "535", Fault.PROVIDER, recipient=True)),
        ("rcpt", "drop", Deferred),
        ("data", "451 later", Deferred("451 later", "451")),
        ("data", "554 no", Deferred("554 no", "554", Fault.PROVIDER, recipient=True)),
        ("data", "250 what", Deferred("a reply that makes no sense: 250 what", "250")),
        ("data", "drop", Deferred),
        ("dot", "451 later", Deferred("451 later", "451")),
        ("dot", "550 spam", Deferred("550 spam", "550", Fault.PROVIDER, recipient=True)),
        ("dot", "554 spam", Refused("554 spam", "554", Fault.MESSAGE)),
        ("dot", "421 later", Deferred("421 later", "421")),
        ("dot", "drop", Uncertain),
        ("dot", "lose", Uncertain),
        ("dot", "hello", Uncertain),
        ("dot", "354 what", Uncertain("a reply to the mail that makes no sense: 354 what", "354")),
        ("body", "drop", Uncertain),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
async def test_how_a_try_ends(phase: str, fault: str, outcome: Any, pipelining: bool) -> None:
    """Rules 37, 38: each fault has its outcome, and the next mail goes through, by the same transport."""
    async with Relay(pipelining=pipelining) as relay, sending(relay) as transport:
        relay.next(phase, fault)
        got = await transport.send(mail(1))
        assert isinstance(got, outcome) if isinstance(outcome, type) else got == outcome
        assert getattr(got, "fault", Fault.PASSING) is getattr(outcome, "fault", Fault.PASSING) or outcome is Deferred
        arrived = len(relay.arrived)
        assert arrived == (1 if isinstance(got, Uncertain) and fault == "drop" and phase == "dot" else 0)
        if getattr(got, "fault", Fault.PASSING) is not Fault.PROVIDER:
            assert isinstance(await transport.send(mail(2)), Accepted)
            assert len(relay.arrived) == arrived + 1


async def test_nobody_there() -> None:
    """A refused connection and an unknown name are deferred, and nobody's fault that settings could cure."""
    async with Relay() as relay:
        pass
    for host in ("127.0.0.1", "no-such-host.invalid"):
        async with sending(relay, host=host) as transport:
            outcome = await transport.send(mail())
            assert isinstance(outcome, Deferred)
            assert outcome.fault is Fault.PASSING


@pytest.mark.parametrize("phase", ["connect", "ehlo", "auth", "mail", "rcpt", "data", "dot"])
async def test_silence_has_an_end(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At whatever stage the relay falls silent, the try has a deadline: before the dot nothing has left, after it nobody
    knows. No connection is left behind, and a late reply to one mail is never taken for the reply to the next.
    """
    monkeypatch.setattr(smtp, "ENVELOPE_WITHIN", 1)
    monkeypatch.setattr(smtp, "SENT_WITHIN", 1.2 if phase == "dot" else 30)
    login = {"username": "tocsin", "password": "right"}
    async with Relay(user="tocsin", password="right") as relay, sending(relay, **login) as transport:
        relay.next(phase, "hang" if phase != "dot" else "slow 1.6 550 too late")
        async with asyncio.timeout(30):
            outcome = await transport.send(mail(1))
        where = f"localhost:{relay.port}"
        if phase == "dot":
            assert outcome == Uncertain(f"{where} did not confirm the mail within 1 s")
        else:
            assert outcome == Deferred(f"{where} did not answer within 1 s")
        assert isinstance(await transport.send(mail(2)), Accepted)
        await asyncio.sleep(0.05)
        assert (relay.connections, relay.open) == (2, 2 if phase == "dot" else 1)
        assert [arrived.connection for arrived in relay.arrived] == [2]


async def test_the_deadline_is_the_whole_trys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the envelope took is not given to the mail again: a page must be free for another channel in time."""
    monkeypatch.setattr(smtp, "ENVELOPE_WITHIN", 1.9)
    monkeypatch.setattr(smtp, "SENT_WITHIN", 2)
    async with Relay() as relay, sending(relay) as transport:
        relay.next("rcpt", "slow 0.6")
        relay.next("dot", "slow 1.7")
        assert isinstance(await transport.send(mail()), Uncertain)


async def test_one_silence_lets_go_of_every_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a relay stops answering, the connections that waited for work are as dead: the next mails open new ones,
    instead of losing a deadline to each of them.
    """
    monkeypatch.setattr(smtp, "ENVELOPE_WITHIN", 0.3)
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "slow 0.1", times=3)
        await asyncio.gather(*(transport.send(mail(number)) for number in range(3)))
        assert relay.connections == 3
        relay.next("mail", "hang")
        assert isinstance(await transport.send(mail(4)), Deferred)
        assert isinstance(await transport.send(mail(5)), Accepted)
        assert relay.connections == 4


async def test_cancelling_closes_the_connection() -> None:
    """A cancelled try leaves no connection on which the next mail would hear the wrong reply."""
    async with Relay() as relay, sending(relay) as transport:
        assert isinstance(await transport.send(mail(1)), Accepted)
        relay.next("dot", "hang")
        task = asyncio.create_task(transport.send(mail(2)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await transport.send(mail(3)), Accepted)
        assert relay.connections == 2


@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail", "rcpt", "data", "dot"])
async def test_cancelling_at_any_stage(phase: str) -> None:
    """A try that is given up leaves nothing open, whatever it waited for; only past the dot may its mail have left, and
    before it is known that it has not (rule 53).
    """
    async with Relay() as relay, sending(relay) as transport:
        relay.next(phase, "hang")
        task = asyncio.create_task(transport.send(mail(1)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as ended:
            await task
        assert len(relay.arrived) == (phase == "dot")
        assert (isinstance(ended.value, CutShortError) and ended.value.outcome == NOT_LEADING) == (phase != "dot")
        assert isinstance(await transport.send(mail(2)), Accepted)
        await asyncio.sleep(0.05)
        assert (relay.connections, relay.open) == (2, 1)


async def test_a_kept_connection_that_was_closed_costs_nothing() -> None:
    """Whether the relay closed it silently or with a 421, the mail goes by a new one at once."""
    async with Relay() as relay, sending(relay) as transport:
        assert isinstance(await transport.send(mail(1)), Accepted)
        relay.drop_all()
        assert isinstance(await transport.send(mail(2)), Accepted)
        relay.next("mail", "421 idle too long")
        assert isinstance(await transport.send(mail(3)), Accepted)
        relay.next("mail", "drop")
        assert isinstance(await transport.send(mail(4)), Accepted)
        assert (relay.connections, len(relay.arrived)) == (4, 4)


async def test_an_old_connection_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was idle too long is let go of unused; one that is used now and then lives on."""
    monkeypatch.setattr(connection, "KEPT_FOR", 0.3)
    async with Relay() as relay, sending(relay) as transport:
        for number in range(3):
            assert isinstance(await transport.send(mail(number)), Accepted)
            await asyncio.sleep(0.2)
        assert relay.connections == 1
        await asyncio.sleep(0.2)
        assert isinstance(await transport.send(mail(3)), Accepted)
        assert relay.connections == 2
        await asyncio.sleep(0.05)
        assert relay.open == 1


@pytest.mark.parametrize("line", ["421 closing soon", "250 as you like", "hello"])
async def test_a_connection_that_speaks_unasked_is_not_used(line: str) -> None:
    """What a relay says between two mails (that it is about to close) is no reply to the next one."""
    async with Relay() as relay, sending(relay) as transport:
        assert isinstance(await transport.send(mail(1)), Accepted)
        relay.say_unasked(line)
        await asyncio.sleep(0.05)
        assert isinstance(await transport.send(mail(2)), Accepted)
        assert [arrived.connection for arrived in relay.arrived] == [1, 2]
        assert [command for number, command in relay.commands if number == 1][-1] == "DATA"


async def test_leaving() -> None:
    """Closing says QUIT on the connections that are kept, and does not wait for a relay that does not answer."""
    async with Relay() as relay, sending(relay) as transport:
        await transport.send(mail())
        await transport.close()
        await asyncio.sleep(0.05)
        assert (relay.commands[-1], relay.open) == ((1, "QUIT"), 0)
        assert isinstance(await transport.send(mail()), Accepted)


@pytest.mark.parametrize("pipelining", [True, False])
async def test_what_is_said(pipelining: bool) -> None:
    """One reader per mail, greeted by our name; after a refusal the envelope is taken back before the next one."""
    async with Relay(pipelining=pipelining) as relay, sending(relay, sender="i@example.com") as transport:
        for address in ("a@example.com", "b@example.com", "c@example.com"):
            if address.startswith("b"):
                relay.next("rcpt", "550 unknown")
            await transport.send(mail(address=address))
        machine = our_name(socket.gethostname(), "i@example.com")
        refused = ["MAIL FROM:<i@example.com>", "RCPT TO:<b@example.com>", *["DATA"] * pipelining, "RSET"]
        assert [line for _, line in relay.commands] == [
            *(f"EHLO {machine}", "MAIL FROM:<i@example.com>", "RCPT TO:<a@example.com>", "DATA"),
            *(*refused, "MAIL FROM:<i@example.com>", "RCPT TO:<c@example.com>", "DATA"),
        ]


@pytest.mark.parametrize("text", ["plain", "é", "x" * 5000, "a\rb\nc\r\nd", "\x00\x7f"])
async def test_no_mail_needs_eight_bits(text: str) -> None:
    """Unless the address does, nothing is announced, and every line is ASCII and short enough for any relay."""
    async with Relay() as relay, sending(relay) as transport:
        await transport.send(mail(text=text))
        (arrived,) = relay.arrived
        assert arrived.options == ""
        assert arrived.data.isascii()
        assert max(map(len, arrived.data.split(b"\r\n"))) <= 998
        assert b"\n" not in arrived.data.replace(b"\r\n", b"")


async def test_a_second_copy_is_known_by_its_id() -> None:
    """A mail that is sent again after an unclear end bears the first one's Message-ID, so that a reader's mail program
    can show it once; another mail, of the same words to the same reader, has its own.
    """
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "drop")
        assert isinstance(await transport.send(mail(1)), Uncertain)
        assert isinstance(await transport.send(mail(1)), Accepted)
        assert isinstance(await transport.send(mail(2)), Accepted)
        first, again, other = (message_from_bytes(arrived.data)["Message-ID"] for arrived in relay.arrived)
        assert first == again != other


async def test_a_refused_reader_does_not_cost_the_connection() -> None:
    """After a refusal the same connection serves the next reader."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("rcpt", "550 unknown")
        assert isinstance(await transport.send(mail(1)), Refused)
        assert isinstance(await transport.send(mail(2, "bo@example.com")), Accepted)
        assert [arrived.to for arrived in relay.arrived] == ["bo@example.com"]
        assert relay.connections == 1


async def test_a_relay_that_wants_the_mail_all_the_same() -> None:
    """A relay that refuses the reader and asks for the mail in one breath gets no mail, and the next one does."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("rcpt", "550 unknown")
        relay.next("data", "354 go on all the same")
        assert isinstance(await transport.send(mail(1)), Refused)
        assert isinstance(await transport.send(mail(2)), Accepted)
        assert len(relay.arrived) == 1


async def test_connections_are_few() -> None:
    """However many mails wait, at most four dialogues run, and each mail arrives once."""
    async with Relay() as relay, sending(relay) as transport:
        outcomes = await asyncio.gather(*(transport.send(mail(number)) for number in range(60)))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert len({arrived.data for arrived in relay.arrived}) == len(relay.arrived) == 60
        assert 1 < relay.connections <= 4


async def test_a_refused_try_gives_its_place_back() -> None:
    """However many tries end badly, the next mail is not kept waiting."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("rcpt", "550 unknown", times=6)
        relay.next("dot", "drop", times=6)
        for number in range(12):
            await transport.send(mail(number))
        async with asyncio.timeout(2):
            assert isinstance(await transport.send(mail(12)), Accepted)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_and_login(security: str, authority: Authority) -> None:
    """With the right trust and password mails go out encrypted and logged in."""
    server = Relay(tls=authority.server(), at_once=security == "tls", user="tocsin", password="right")
    async with (
        server as relay,
        sending(relay, security=security, ca_file=authority.ca_file, username="tocsin", password="right") as transport,
    ):
        assert isinstance(await transport.send(mail()), Accepted)
        assert (relay.arrived[0].tls, relay.arrived[0].login) == (True, "tocsin")


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["unknown authority", "wrong name", "expired"])
async def test_a_bad_certificate(security: str, wrong: str, authority: Authority) -> None:
    """A certificate that cannot be trusted is the provider's fault (rule 38), and no byte of the mail is shown to it."""
    tls = authority.server(
        name="other.example.com" if wrong == "wrong name" else "localhost", expired=wrong == "expired"
    )
    trust = {} if wrong == "unknown authority" else {"ca_file": authority.ca_file}
    async with (
        Relay(tls=tls, at_once=security == "tls") as relay,
        sending(relay, security=security, **trust) as transport,
    ):
        outcome = await transport.send(mail())
        assert isinstance(outcome, Deferred)
        assert outcome.fault is Fault.PROVIDER
        assert relay.arrived == []


async def test_never_in_the_clear(authority: Authority) -> None:
    """A relay that offers no STARTTLS, or refuses it, gets neither password nor mail."""
    async with Relay(tls=authority.server(), user="tocsin", password="right") as relay:
        for fault in (("offer", "hide"), ("starttls", "454 not now")):
            relay.next(*fault)
            async with sending(
                relay, security="starttls", ca_file=authority.ca_file, username="tocsin", password="right"
            ) as transport:
                outcome = await transport.send(mail())
                assert isinstance(outcome, Deferred)
                assert outcome.fault is (Fault.PROVIDER if fault[0] == "offer" else Fault.PASSING)
        assert (relay.arrived, relay.logins) == ([], 0)


async def test_a_wrong_password_is_not_hammered() -> None:
    """A refused login is the provider's fault (rule 38), and the account gets a rest however many mails wait."""
    async with (
        Relay(user="tocsin", password="right") as relay,
        sending(relay, username="tocsin", password="x") as transport,
    ):
        for number in range(5):
            outcome = await transport.send(mail(number))
            assert isinstance(outcome, Deferred)
            assert (outcome.code, outcome.fault) == ("535", Fault.PROVIDER)
        assert relay.connections == 1
        await asyncio.sleep(0.05)
        assert relay.open == 0


async def test_the_rest_is_over_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rest a refused login is tried again, and a good one ends the matter."""
    monkeypatch.setattr(smtp, "REST", 0.2)
    async with (
        Relay(user="tocsin", password="right") as relay,
        sending(relay, username="tocsin", password="right") as transport,
    ):
        relay.next("auth", "535 locked", times=2)  # the library tries two ways
        assert isinstance(await transport.send(mail(1)), Deferred)
        assert isinstance(await transport.send(mail(1)), Deferred)
        await asyncio.sleep(0.25)
        assert isinstance(await transport.send(mail(1)), Accepted)
        relay.drop_all()
        assert isinstance(await transport.send(mail(2)), Accepted)


async def test_a_rest_does_not_stop_what_is_connected() -> None:
    """A connection that was logged in before goes on being used while new ones are refused."""
    async with (
        Relay(user="tocsin", password="right") as relay,
        sending(relay, username="tocsin", password="right") as transport,
    ):
        relay.next("dot", "slow 0.2")
        relay.next("auth", "")
        slow = asyncio.create_task(transport.send(mail(1)))
        await asyncio.sleep(0.1)
        relay.next("auth", "535 locked", times=2)
        assert isinstance(await transport.send(mail(2)), Deferred)
        assert isinstance(await slow, Accepted)
        assert isinstance(await transport.send(mail(3)), Accepted)


async def test_a_login_that_fails_for_now() -> None:
    """454 at login is passing, and the next mail tries again."""
    async with (
        Relay(user="tocsin", password="right") as relay,
        sending(relay, username="tocsin", password="right") as transport,
    ):
        relay.next("auth", "454 not now", times=2)
        outcome = await transport.send(mail())
        assert outcome == Deferred("454 not now", "454")
        assert isinstance(await transport.send(mail()), Accepted)


async def test_a_relay_without_login_where_one_is_wanted() -> None:
    """A name and password that nobody asks for are a wrong setting, not sent to whoever listens."""
    async with Relay() as relay, sending(relay, username="tocsin", password="right") as transport:
        outcome = await transport.send(mail())
        assert isinstance(outcome, Deferred)
        assert outcome.fault is Fault.PROVIDER


async def test_a_ca_file_that_is_not_there() -> None:
    """A wrong path is told as the provider's fault, in words, and never raises."""
    async with Relay() as relay, sending(relay, security="starttls", ca_file=Path("/nowhere/ca.pem")) as transport:
        outcome = await transport.send(mail())
        assert isinstance(outcome, Deferred)
        assert outcome.fault is Fault.PROVIDER
        assert "ca_file /nowhere/ca.pem cannot be used: No such file" in outcome.detail


async def test_a_ca_file_that_holds_no_certificate(tmp_path: Path) -> None:
    """Rule 39: operators are told of the file, not of the server's TLS; once it is mended the next mail leaves."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    async with Relay() as relay, sending(relay, security="starttls", ca_file=file) as transport:
        outcome = await transport.send(mail())
        assert isinstance(outcome, Deferred)
        assert outcome.fault is Fault.PROVIDER
        assert f"ca_file {file} cannot be used: " in outcome.detail
        assert relay.connections == 0


async def test_a_handshake_that_is_cut_is_nobodys_fault(authority: Authority) -> None:
    """A relay that hangs up during the TLS handshake may do better in a while: nothing is wrong with the settings."""
    async with (
        Relay() as relay,
        sending(relay, security="tls", ca_file=authority.ca_file) as transport,
    ):
        relay.always("connect", "drop")
        outcome = await transport.send(mail())
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.fault) == ("", Fault.PASSING)


@pytest.mark.parametrize("offered", [True, False])
async def test_a_sender_of_any_letters(offered: bool) -> None:
    """A sender with letters beyond ASCII needs a relay that carries them; without one the setting is wrong, nobody's
    address is.
    """
    async with Relay(smtputf8=offered) as relay, sending(relay, sender="störung@example.com") as transport:
        outcome = await transport.send(mail())
        if offered:
            assert isinstance(outcome, Accepted)
            assert (relay.arrived[0].sender, relay.arrived[0].options) == (
                "störung@example.com",
                "SMTPUTF8 BODY=8BITMIME",
            )
        else:
            assert isinstance(outcome, Deferred)
            assert outcome.fault is Fault.PROVIDER


@pytest.mark.parametrize("offered", [True, False])
async def test_an_address_of_any_letters(offered: bool) -> None:
    """An address with letters beyond ASCII needs a relay that carries them; without one it is refused."""
    async with Relay(smtputf8=offered) as relay, sending(relay) as transport:
        outcome = await transport.send(mail(address="änne@bücher.example"))
        assert isinstance(outcome, Accepted if offered else Refused)
        assert [arrived.to for arrived in relay.arrived] == ["änne@xn--bcher-kva.example"] * offered
        assert [arrived.options for arrived in relay.arrived] == ["SMTPUTF8 BODY=8BITMIME"] * offered
        assert isinstance(await transport.send(mail()), Accepted)


async def test_nobody_can_be_asked() -> None:
    """A relay cannot say what it took; its acceptance is the receipt."""
    async with Relay() as relay, sending(relay) as transport:
        assert isinstance(await transport.find(mail(), AT), Uncertain)
        assert not transport.receipts


def test_the_password_is_not_shown() -> None:
    """Nothing of the transport prints its secret."""
    assert "hidden" not in repr(smtp.dialogue.Relay("host", 25, "none", ("tocsin", "hidden")))
