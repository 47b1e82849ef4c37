"""One SMTP connection on a wire that a test holds: what it has written, and when the relay speaks or hangs up."""

import asyncio
from collections.abc import Sequence

import pytest
from tocsin.adapters.smtp.connection import RelayConnection
from tocsin.domain.delivery import NOT_LEADING, Accepted, Deferred, Fault, Outcome, Refused, Uncertain

from tests.fakes.fence import FakeFence

SENDER, ANA = "i@example.com", "ana@example.com"
MAIL, RCPT, DATA = b"MAIL FROM:<i@example.com>\r\n", b"RCPT TO:<ana@example.com>\r\n", b"DATA\r\n"


class Wire(asyncio.Transport):
    """What asyncio gives for a connection, without one: the bytes written, and whether it was closed. `limits` are those
    of what may wait to be written; `full`: nothing leaves.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.aborted = False
        self.limits: tuple[int | None, int | None] = (None, None)
        self.full = False
        self.waiting = 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """The connection is told by the test what asyncio would tell it."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        self.waiting += len(data) if self.full else 0

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def empty(self, connection: RelayConnection) -> None:
        """What waits leaves, and so does what is written from now on."""
        self.full, self.waiting = False, 0
        connection.resume_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = high, low

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed


def opened(*extensions: str) -> tuple[RelayConnection, Wire]:
    wire = Wire()
    return RelayConnection(wire, extensions), wire


async def announced(connection: RelayConnection, replies: Sequence[bytes]) -> Outcome | None:
    """Announce a mail to a relay that gives these replies, each when everything is still."""
    waiting = asyncio.create_task(connection.envelope(SENDER, ANA))
    for reply in replies:
        await asyncio.sleep(0.001)
        connection.data_received(reply)
    return await waiting


async def test_commands_wait_for_each_other() -> None:
    """A relay that offers no pipelining hears a command only after it has answered the one before."""
    connection, wire = opened()
    waiting = asyncio.create_task(connection.envelope(SENDER, ANA))
    for command in (MAIL, RCPT, DATA):
        await asyncio.sleep(0.001)
        assert wire.written.endswith(command)
        assert wire.written.count(b"\r\n") == [MAIL, RCPT, DATA].index(command) + 1
        connection.data_received(b"354 go on\r\n" if command == DATA else b"250 ok\r\n")
    assert await waiting is None


async def test_commands_leave_together() -> None:
    """A relay that offers pipelining hears them at once; a refusal is told when all of them are answered."""
    connection, wire = opened("pipelining")
    waiting = asyncio.create_task(connection.envelope(SENDER, ANA))
    await asyncio.sleep(0.001)
    assert wire.written == MAIL + RCPT + DATA
    connection.data_received(b"250 ok\r\n550 unknown\r\n")
    await asyncio.sleep(0.001)
    assert not waiting.done()
    connection.data_received(b"554 nobody\r\n")
    assert await waiting == Refused("550 unknown", "550")
    assert (connection.usable, wire.closed) == (True, False)


async def test_a_refused_reader_gets_no_data() -> None:
    """Without pipelining nothing is said after a refusal."""
    connection, wire = opened()
    assert await announced(connection, [b"250 ok\r\n", b"550 unknown\r\n"]) == Refused("550 unknown", "550")
    assert wire.written == MAIL + RCPT


@pytest.mark.parametrize("last", [b"354 go on\r\n", b"250 what\r\n", b"hello\r\n", b"421 bye\r\n"])
async def test_a_relay_in_an_unknown_state_is_left(last: bytes) -> None:
    """After a refusal, a relay that asks for the mail all the same, says what makes no sense, or says goodbye is left at
    once: what it takes the next bytes for is unknown. The outcome is the refusal.
    """
    connection, wire = opened("pipelining")
    outcome = await announced(connection, [b"250 ok\r\n", b"550 unknown\r\n", last])
    assert outcome == Refused("550 unknown", "550")
    assert (connection.usable, wire.closed) == (False, True)


async def test_lost_before_the_mail_was_written() -> None:
    """A connection that ends between the relay's go-ahead and the mail has carried nothing: trying again is safe."""
    connection, wire = opened("pipelining")
    assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
    connection.connection_lost(ConnectionResetError("reset by peer"))
    written = wire.written
    outcome = await connection.deliver(b"Subject: x\r\n")
    assert outcome == Deferred("the connection was lost before the mail was written: reset by peer")
    assert wire.written == written


async def test_lost_while_it_is_announced() -> None:
    """So has one that ends before the go-ahead; but a refusal that was heard before stays one."""
    for heard, outcome in (
        (b"250 ok\r\n", Deferred("the connection was lost before the mail was written: closed")),
        (b"250 ok\r\n550 unknown\r\n", Refused("550 unknown", "550")),
    ):
        connection, _ = opened("pipelining")
        waiting = asyncio.create_task(connection.envelope(SENDER, ANA))
        await asyncio.sleep(0.001)
        connection.data_received(heard)
        connection.connection_lost(None)
        assert await waiting == outcome
        assert not connection.usable


async def test_lost_after_the_mail_was_written() -> None:
    """From the first byte of the mail on nobody knows, unless the reply came before the end."""
    for heard, outcome in (
        (b"", Uncertain("the relay did not confirm the mail: closed")),
        (b"250 queued as X1\r\n", Accepted("X1")),
    ):
        connection, wire = opened("pipelining")
        assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
        waiting = asyncio.create_task(connection.deliver(b"Subject: x\r\n"))
        await asyncio.sleep(0.001)
        assert wire.written.endswith(b"DATA\r\nSubject: x\r\n.\r\n")
        connection.data_received(heard)
        connection.connection_lost(None)
        assert await waiting == outcome


async def test_the_dot_waits_for_the_mail_and_the_fence() -> None:
    """Rule 53: the dot leaves only once the whole mail has, and the machine still leads then. A mail without its dot was
    not sent, and the relay throws it away with the connection.
    """
    for fence, outcome in ((FakeFence(1), Accepted("X1")), (FakeFence(0), NOT_LEADING)):
        connection, wire = opened("pipelining")
        assert wire.limits == (1, 0)  # else asyncio would say nothing of what has not left yet
        assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
        wire.full = True
        waiting = asyncio.create_task(connection.deliver(b"Subject: x\r\n", fence))
        await asyncio.sleep(0.001)
        assert wire.written.endswith(b"DATA\r\nSubject: x\r\n")
        assert (fence.looks, connection.dotted) == (0, False)
        wire.empty(connection)
        await asyncio.sleep(0.001)
        connection.data_received(b"250 queued as X1\r\n")
        assert await waiting == outcome
        assert wire.written.endswith(b"x\r\n.\r\n") is connection.dotted is isinstance(outcome, Accepted)
        assert (wire.aborted, connection.usable) == (outcome == NOT_LEADING, outcome != NOT_LEADING)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"552 5.3.4 too big\r\n", Refused("552 5.3.4 too big", "552", Fault.MESSAGE)),
        (b"550 spam\r\n", Deferred("550 spam", "550", Fault.PROVIDER, recipient=True)),
        (b"421 bye\r\n", Deferred("421 bye", "421")),
        (b"250 what\r\n", Deferred("a reply before the end of the mail that makes no sense: 250 what", "250")),
    ],
)
@pytest.mark.parametrize("closes", [True, False])
async def test_a_reply_before_the_dot(reply: bytes, outcome: Outcome, closes: bool) -> None:
    """Rule 37: a relay may refuse a mail that is still being written, and close. That is its answer; a mail that was not
    dotted was never taken, and nothing is said any more to a relay in such a state.
    """
    connection, wire = opened("pipelining")
    assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
    wire.full = True
    waiting = asyncio.create_task(connection.deliver(b"Subject: x\r\n", fence := FakeFence(9)))
    await asyncio.sleep(0.001)
    connection.data_received(reply)
    if closes:
        connection.connection_lost(ConnectionResetError("reset by peer"))
    assert await waiting == outcome
    assert wire.written.endswith(b"DATA\r\nSubject: x\r\n")
    assert (fence.looks, connection.dotted, wire.aborted, connection.usable) == (0, False, True, False)


async def test_lost_before_the_dot_was_written() -> None:
    """What was not dotted was not sent (rule 53): a connection that ends while the mail is written has carried nothing."""
    connection, wire = opened("pipelining")
    assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
    wire.full = True
    waiting = asyncio.create_task(connection.deliver(b"Subject: x\r\n"))
    await asyncio.sleep(0.001)
    connection.connection_lost(ConnectionResetError("reset by peer"))
    assert await waiting == Deferred("the connection was lost before the mail was written: reset by peer")
    assert not wire.written.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(
    ("reply", "kept"), [(b"250 ok\r\n", True), (b"451 later\r\n", True), (b"421 bye\r\n", False), (b"what\r\n", False)]
)
async def test_what_follows_the_mail(reply: bytes, kept: bool) -> None:
    """After a clear reply the connection serves the next mail, which begins anew; after goodbye or nonsense it is left."""
    connection, wire = opened("pipelining")
    assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
    waiting = asyncio.create_task(connection.deliver(b"Subject: x\r\n"))
    await asyncio.sleep(0.001)
    connection.data_received(reply)
    await waiting
    assert (connection.usable, wire.closed) == (kept, not kept)
    if kept:
        wire.written = b""
        assert await announced(connection, [b"250 ok\r\n250 ok\r\n354 go on\r\n"]) is None
        assert wire.written == MAIL + RCPT + DATA


async def test_a_reply_in_pieces() -> None:
    """However slowly a reply comes, it is heard whole, and nobody goes on before."""
    connection, _ = opened("pipelining")
    pieces = [b"25", b"0 ok\r", b"\n250 ok\r\n354-go", b" on\r\n35", b"4 now\r\n"]
    assert await announced(connection, pieces) is None


async def test_leaving_is_brief() -> None:
    """A relay that does not answer QUIT is waited for one second at most."""
    connection, wire = opened()
    async with asyncio.timeout(1.5):
        await connection.quit()
    assert (wire.written, wire.closed) == (b"QUIT\r\n", True)
