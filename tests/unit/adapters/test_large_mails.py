"""Mails larger than what the sockets between us and the relay hold: the end of one waits on our side (rules 37, 53)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tocsin.adapters.smtp.connection import RelayConnection, connect, trust
from tocsin.adapters.smtp.dialogue import Relay as Address
from tocsin.domain.delivery import Accepted, Fault, Refused

from tests.fakes.certificates import Authority
from tests.fakes.fence import FakeFence
from tests.fakes.smtp_server import Relay

SENDER, ANA = "i@example.com", "ana@example.com"
LARGE = b"Subject: x\r\n\r\n" + (b"y" * 998 + b"\r\n") * 16_000
"""Linux keeps some 10 MB for a connection of the machine with itself."""


@asynccontextmanager
async def announced(relay: Relay, tls: ssl.SSLContext | None, security: str) -> AsyncIterator[RelayConnection]:
    """A connection on which the relay waits for a mail."""
    connection = await connect(Address("localhost", relay.port, security, None), SENDER, tls)
    assert isinstance(connection, RelayConnection)
    assert await connection.envelope(SENDER, ANA) is None
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_refused_while_it_is_written(security: str, authority: Authority) -> None:
    """A relay that says "too big" in the middle of the mail and closes has refused it: the page goes another way now."""
    tls = None if security == "none" else authority.server()
    async with Relay(tls=tls, at_once=security == "tls") as relay:
        relay.next("body", "552 5.3.4 too big")
        async with announced(relay, trust(authority.ca_file) if tls else None, security) as connection:
            outcome = await connection.deliver(LARGE)
    assert outcome == Refused("552 5.3.4 too big", "552", Fault.MESSAGE)
    assert not connection.dotted


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_the_fence_is_asked_when_the_mail_has_left(security: str, authority: Authority) -> None:
    """Rule 53: TLS hands on what the socket does not take yet; the fence is asked when that has left too, not before."""
    tls, fence = None if security == "none" else authority.server(), FakeFence(1)
    async with Relay(tls=tls, at_once=security == "tls") as relay:
        relay.next("body", "hold")
        async with announced(relay, trust(authority.ca_file) if tls else None, security) as connection:
            delivery = asyncio.create_task(connection.deliver(LARGE, fence))
            await asyncio.sleep(0.1)
            assert (fence.looks, connection.dotted, connection.wholly_written) == (0, False, False)
            relay.holds.go()
            assert isinstance(await delivery, Accepted)
            assert (fence.looks, connection.wholly_written) == (1, True)
        assert relay.arrived[0].data == LARGE
