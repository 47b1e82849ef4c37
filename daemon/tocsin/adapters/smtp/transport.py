"""SMTP: mails through a relay (product.md section 3; rules 37, 38; RFC 5321).

It decides how a try ended from how far the dialogue got: until the dot that ends a mail is written nothing has left,
from then until the reply nobody knows, and the reply settles it (`adapters/smtp/dialogue.py` has the table). One
reader per envelope, a few connections kept, TLS whenever it was asked for. Faults that only other settings can cure
(no STARTTLS, no AUTH, a bad certificate, a login refused) are the provider's. It must not know when a try is made
again, nor what a mail says.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Container
from datetime import datetime
from pathlib import Path

import aiosmtplib

from tocsin.adapters.smtp import dialogue
from tocsin.domain.delivery import Deferred, Fate, Fault, Message, Outcome, Receipt, Uncertain
from tocsin.wording.message.email import Letterhead, ascii_domain

CONNECTIONS = 4
"""Connections to the relay at once, and kept (notes: performance 1b; more bring nothing)."""
KEPT_FOR = 20.0
"""Seconds for which an unused connection is trusted; relays and routers drop idle ones without a word."""
ENVELOPE_WITHIN = 10.0
"""Seconds for everything before the mail's own bytes."""
SENT_WITHIN = 20.0
"""Seconds for a try in all; a page then still goes by another channel within 30 s of its beginning (rule 37)."""
REST = 10.0
"""Seconds without new connections after the relay refused our login or TLS, so that no account is locked."""


class _LostError(Exception):
    """The connection broke."""


class _Connection(asyncio.Protocol):
    """One connection, once aiosmtplib has opened, secured and logged it in. From there on the dialogue is ours, so that
    we know how far it got, and so that a mail's commands leave together where the relay allows it (RFC 2920).
    """

    def __init__(self, transport: asyncio.Transport, extensions: Container[str]) -> None:
        self._transport = transport
        self._extensions = extensions
        self._replies = dialogue.Replies()
        self._heard: deque[dialogue.Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""
        self._begun = False
        self._used_at = asyncio.get_running_loop().time()
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether it still stands, says nothing unasked, and was used a moment ago."""
        fresh = asyncio.get_running_loop().time() - self._used_at < KEPT_FOR
        return fresh and not (self._lost or self._heard or self._transport.is_closing())

    async def envelope(self, sender: str, to: str) -> Outcome | None:
        """Announce a mail. None: the relay waits for it. When the connection is lost, it is not `usable` after."""
        if not (sender.isascii() and to.isascii()) and "smtputf8" not in self._extensions:
            return dialogue.not_carried(sender, to)
        commands = dialogue.envelope(sender, to, again=self._begun)
        together = "pipelining" in self._extensions
        self._begun = True
        outcome = None
        try:
            if together:
                self._transport.write(b"".join(commands))
            for command in commands:
                if not together:
                    self._transport.write(command)
                reply = await self._hear()
                outcome = outcome or dialogue.to_command(command, reply)
                if outcome and reply.code in (0, 354, 421):
                    self.close()  # after a 354 the relay waits for a mail that would reach nobody
                if outcome and (not together or self._transport.is_closing()):
                    break
        except _LostError as trouble:
            return outcome or Deferred(f"the connection was lost before the mail was written: {trouble}")
        return outcome

    async def deliver(self, mail: bytes) -> Outcome:
        """Write the announced mail and its dot, and hear what became of it."""
        if self._lost:
            return Deferred(f"the connection was lost before the mail was written: {self._lost}")
        try:
            self._transport.write(dialogue.stuffed(mail))
            reply = await self._hear()
        except _LostError as trouble:
            return Uncertain(f"the relay did not confirm the mail: {trouble}")
        self._begun = False
        self._used_at = asyncio.get_running_loop().time()
        outcome = dialogue.to_dot(reply)
        if reply.code == 421 or isinstance(outcome, Uncertain):
            self.close()
        return outcome

    async def quit(self) -> None:
        """Leave politely, within a second."""
        try:
            async with asyncio.timeout(1):
                self._transport.write(dialogue.QUIT)
                await self._hear()
        except (_LostError, TimeoutError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Leave at once."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Asyncio's call: bytes of replies."""
        self._heard.extend(self._replies.feed(data))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's call: nothing more will come."""
        self._lost = str(exc or "closed")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _hear(self) -> dialogue.Reply:
        """The next reply. Whoever stops waiting for it closes the connection: the next mail must not hear it."""
        while not self._heard:
            if self._lost:
                raise _LostError(self._lost)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.close()
                raise
        return self._heard.popleft()


async def _connect(relay: dialogue.Relay, sender: str, tls: ssl.SSLContext | None) -> _Connection | Deferred:
    """A new connection, secured and logged in as the relay wants it, or why there is none."""
    smtp = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=tls,
        local_hostname=dialogue.our_name(socket.gethostname(), sender),
        timeout=None,
    )
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        if relay.login:
            await smtp.login(*relay.login)
    except (aiosmtplib.SMTPException, OSError, ValueError) as trouble:
        smtp.close()
        return _connecting_failed(trouble, relay)
    except asyncio.CancelledError:
        smtp.close()
        raise
    transport = smtp.transport
    if not isinstance(transport, asyncio.Transport):
        return Deferred(f"{relay}: the connection was lost at once")
    return _Connection(transport, frozenset(smtp.esmtp_extensions))


class Smtp:
    """A port Transport. `security` is `starttls`, `tls` or `none`; `ca_file` adds trust to the system's (which
    SSL_CERT_FILE replaces). Connects when the first mail leaves.
    """

    receipts = False
    polled = None
    warmed = None

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        security: str = "starttls",
        username: str = "",
        password: str = "",
        ca_file: Path | None = None,
    ) -> None:
        assert security in ("starttls", "tls", "none"), security
        self._relay = dialogue.Relay(host, port, security, (username, password) if username else None)
        self._letterhead = Letterhead(sender)
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[_Connection] = []
        self._resting: tuple[float, Deferred] | None = None

    async def send(self, message: Message) -> Outcome:
        """Try once, for at most `SENT_WITHIN` from when a connection is free. Cancelling gives no outcome."""
        mail = self._letterhead.compose(message)
        async with self._places:
            started = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout_at(started + ENVELOPE_WITHIN):
                    reached = await self._reach(ascii_domain(message.address))
            except TimeoutError:
                while self._idle:
                    self._idle.pop().close()  # they are as dead, or as slow
                return Deferred(f"{self._relay} did not answer within {ENVELOPE_WITHIN:.0f} s")
            if not isinstance(reached, _Connection):
                return reached
            try:
                async with asyncio.timeout_at(started + SENT_WITHIN):
                    outcome = await reached.deliver(mail)
            except TimeoutError:
                return Uncertain(f"{self._relay} did not confirm the mail within {SENT_WITHIN:.0f} s")
            self._keep(reached)
            return outcome

    async def find(self, message: Message, since: datetime) -> Outcome:  # noqa: ARG002 - the port's signature
        """Nobody can ask a relay what it took."""
        return Uncertain(f"{self._relay} cannot be asked what it took")

    async def fate(self, provider_id: str) -> Fate:  # noqa: ARG002 - the port's signature
        """For email the server's acceptance is the receipt (rule 34)."""
        return Fate(Receipt.DELIVERED)

    async def close(self) -> None:
        """Say goodbye on the kept connections, briefly."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))

    async def _reach(self, to: str) -> _Connection | Outcome:
        """A connection on which the relay waits for the mail, or how the try ended. A kept connection that the relay
        has closed meanwhile is replaced at once: nothing has left by it.
        """
        while True:
            kept = self._idle.pop() if self._idle else None
            if kept is not None and not kept.usable:
                kept.close()
                continue
            connection = kept or await self._connect()
            if not isinstance(connection, _Connection):
                return connection
            outcome = await connection.envelope(self._letterhead.address, to)
            if outcome is None:
                return connection
            if kept is None or kept.usable:
                self._keep(connection)
                return outcome

    async def _connect(self) -> _Connection | Deferred:
        now = asyncio.get_running_loop().time()
        if self._resting and now < self._resting[0]:
            return self._resting[1]
        try:
            tls = self._trust()
        except OSError as trouble:
            return _connecting_failed(trouble, self._relay)
        connection = await _connect(self._relay, self._letterhead.address, tls)
        self._resting = None
        if isinstance(connection, Deferred) and connection.fault is Fault.PROVIDER:
            self._resting = (now + REST, connection)
        return connection

    def _trust(self) -> ssl.SSLContext | None:
        """One TLS context for all connections: building one costs 20 ms of CPU."""
        if self._tls is None and self._relay.security != "none":
            context = ssl.create_default_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
                # Python 3.13 asks of certificates what many a private authority's lack; names and dates are checked.
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._tls = context
        return self._tls

    def _keep(self, connection: _Connection) -> None:
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.close()


def _connecting_failed(trouble: Exception, relay: dialogue.Relay) -> Deferred:
    """Why no connection came about. What only a change of settings can cure is the provider's fault (rule 38)."""
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        return dialogue.while_connecting(dialogue.Reply(trouble.code, trouble.message))
    said = f"{relay}: {trouble}"[: dialogue.DETAIL_MOST]
    for cause in (trouble, trouble.__cause__):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return Deferred(said, "tls", Fault.PROVIDER)
    if isinstance(trouble, OSError) and not isinstance(trouble, FileNotFoundError | PermissionError):
        return Deferred(said)
    return Deferred(said, fault=Fault.PROVIDER)  # STARTTLS or AUTH not offered, a CA file that cannot be read
