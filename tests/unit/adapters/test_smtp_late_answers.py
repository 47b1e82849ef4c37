"""A relay that takes mails and answers late or never (rule 70): what is heard of them, and what is sent again."""

import asyncio

import pytest
from tocsin.adapters.smtp import connection, late_answers
from tocsin.adapters.smtp import transport as smtp
from tocsin.domain.delivery import Accepted, Deferred, Outcome, Uncertain

from tests.fakes.smtp_server import Relay
from tests.unit.adapters.test_smtp import AT, mail, sending


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try takes 0.3 s at most."""
    monkeypatch.setattr(smtp, "SENT_WITHIN", 0.3)


def pending(outcome: Outcome) -> bool:
    """Whether the relay may still answer."""
    return isinstance(outcome, Uncertain) and outcome.pending


async def test_a_late_answer_is_heard() -> None:
    """Rules 40, 70, D24: taken and answered for after the try has ended: it is found, so no second copy leaves."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "slow 0.6 250 ok queued as LATE1")
        assert isinstance(await transport.send(mail(1)), Uncertain)
        assert not pending(await transport.find(mail(1), AT))
        await asyncio.sleep(0.5)
        assert await transport.find(mail(1), AT) == Accepted("LATE1")
        assert await transport.find(mail(2), AT) == Uncertain(f"localhost:{relay.port} cannot be asked what it took")
        assert len(relay.arrived) == 1
        assert relay.open == 0


async def test_after_two_in_a_row_it_is_waited_for() -> None:
    """Rule 70: one mail without an answer is sent again; from the second on the relay has its ten minutes."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "hang", 2)
        await transport.send(mail(1))
        assert not pending(await transport.find(mail(1), AT))
        await transport.send(mail(1))
        assert pending(await transport.find(mail(1), AT))
        assert await transport.send(mail(2)) == Accepted("3-3"), "nobody else waits for it"
        assert not pending(await transport.find(mail(1), AT)), "it answers others in time again"


async def test_a_late_no_is_no_copy() -> None:
    """It was turned down after all: surely nothing left, so it is tried again."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "slow 1.5 451 try later")  # a busy machine must not take it for an answer in time
        assert isinstance(await transport.send(mail(1)), Uncertain)
        await asyncio.sleep(2.5)
        assert await transport.find(mail(1), AT) == Deferred("451 try later", "451")


async def test_one_copy_that_was_taken_is_enough() -> None:
    """The first copy was turned down late, the second one taken late."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "slow 0.5 451 try later")
        relay.next("dot", "slow 0.5 250 ok queued as B2")
        await asyncio.gather(transport.send(mail(1)), transport.send(mail(1)))
        await asyncio.sleep(0.4)
        assert await transport.find(mail(1), AT) == Accepted("B2")


async def test_ten_minutes_are_the_end_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that never answers is left, and then nobody knows."""
    monkeypatch.setattr(late_answers, "ANSWERED_WITHIN", 0.3)
    async with Relay() as relay, sending(relay) as transport:
        relay.always("dot", "hang")
        await asyncio.gather(transport.send(mail(1)), transport.send(mail(2)))
        assert pending(await transport.find(mail(2), AT))
        assert relay.open == 2
        await asyncio.sleep(0.5)
        assert relay.open == 0
        assert not pending(await transport.find(mail(2), AT))


async def test_few_are_listened_to_and_none_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay's connections are not used up by its silence; closing lets go of them."""
    monkeypatch.setattr(late_answers, "LISTENED_TO_MOST", 2)
    async with Relay() as relay:
        async with sending(relay) as transport:
            relay.always("dot", "hang")
            await asyncio.gather(*(transport.send(mail(number)) for number in range(4)))
            await asyncio.sleep(0.1)
            assert relay.open == 2
            assert not pending(await transport.find(mail(0), AT))
            assert pending(await transport.find(mail(3), AT))
        await asyncio.sleep(0.1)
        assert relay.open == 0


async def test_a_relay_of_few_connections_gets_one_back() -> None:
    """One that takes no more of them while it keeps silent on some: the oldest gives way, and the next mail is taken."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "hang", 2)
        await transport.send(mail(1))
        await transport.send(mail(2))
        assert relay.open == 2
        relay.next("connect", "421 too many connections")
        assert isinstance(await transport.send(mail(3)), Deferred)
        await asyncio.sleep(0.1)
        assert relay.open == 1
        assert pending(await transport.find(mail(2), AT))
        assert isinstance(await transport.send(mail(3)), Accepted)


async def test_a_copy_of_which_nothing_is_known_may_have_left() -> None:
    """One copy was turned down late; of the other nothing was heard any more: nobody can say that none left."""
    async with Relay() as relay, sending(relay) as transport:
        relay.next("dot", "hang")
        await transport.send(mail(1))
        relay.next("dot", "slow 0.5 451 try later")
        await transport.send(mail(1))
        transport._late.make_room()
        await asyncio.sleep(0.4)
        assert isinstance(await transport.find(mail(1), AT), Uncertain)


async def test_a_mail_that_did_not_leave_us_whole_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end waits on our side because the relay does not read: the connection is cut, and no answer is awaited."""
    monkeypatch.setattr(connection.RelayConnection, "wholly_written", False)
    async with Relay() as relay, sending(relay) as transport:
        relay.always("dot", "hang")
        await asyncio.gather(transport.send(mail(1)), transport.send(mail(2)))
        await asyncio.sleep(0.1)
        assert relay.open == 0
        assert not pending(await transport.find(mail(2), AT))


async def test_what_waits_on_our_side_is_not_written() -> None:
    """A relay that reads nothing fills the buffers: the connection knows."""
    never = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    async with server:
        loop, port = asyncio.get_running_loop(), server.sockets[0].getsockname()[1]
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        relay = connection.RelayConnection(transport, ())
        assert relay.wholly_written
        transport.write(b"x" * 50_000_000)
        assert not relay.wholly_written
        transport.abort()
        never.set()
        await asyncio.sleep(0.05)
