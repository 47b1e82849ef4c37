"""One connection to a mail relay: opened, secured and logged in by aiosmtplib, spoken on by us from there.

So we know how far the dialogue of a mail got when it breaks, and a mail's commands leave together where the relay
allows it (RFC 2920). What the replies mean stands in `adapters/smtp/dialogue.py`; how long is waited is the caller's.
"""

import asyncio
import contextlib
import math
import socket
import ssl
from collections import deque
from collections.abc import Callable, Container
from enum import Enum
from pathlib import Path

import aiosmtplib

from tocsin.adapters.smtp import dialogue
from tocsin.domain.delivery import NOT_LEADING, Deferred, Fault, Outcome, Uncertain
from tocsin.ports.fence import NO_FENCE, Barrier

KEPT_FOR = 20.0
"""Seconds for which an unused connection is trusted; relays and routers drop idle ones without a word."""
LOOKS_EVERY = 0.02
"""Seconds between two looks at what has left: asyncio does not say when the last bytes below TLS have."""


class Step(Enum):
    """What is asked of a relay before it gets a mail, in this order; TLS from the first byte belongs to CONNECT."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    READER = "reader"


class TrustError(Exception):
    """A file of authorities cannot be used; which, and why."""


class _LostError(Exception):
    """The connection broke."""


Begins = Callable[[Step, ssl.SSLObject | None], None]
"""Hears of each step as it begins, and of the TLS that the connection has by then."""


def _unheeded(_step: Step, _tls: ssl.SSLObject | None) -> None:
    """Nobody wants to know how far it got."""


class RelayConnection(asyncio.Protocol):
    """A connection that is ready for mails, one after the other. `extensions` are what the relay offers, in small
    letters. `dotted`: the dot of the mail that was announced last has left, or is about to.
    """

    def __init__(self, transport: asyncio.Transport, extensions: Container[str]) -> None:
        self._transport = transport
        self._below = _below_tls(transport)
        self._extensions = extensions
        self._reader = dialogue.ReplyReader()
        self._unread: deque[dialogue.SmtpReply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""
        self._rung = False
        self._announced = False
        self.dotted = False
        self._used_at = asyncio.get_running_loop().time()
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=1, low=0)  # 0 makes the transport of TLS pause for ever

    @property
    def usable(self) -> bool:
        """Whether it still stands, says nothing unasked, and was used a moment ago."""
        fresh = asyncio.get_running_loop().time() - self._used_at < KEPT_FOR
        return fresh and not (self._lost or self._unread or self._transport.is_closing())

    @property
    def wholly_written(self) -> bool:
        """Whether nothing that we said waits on our side: neither for TLS nor for the socket below it."""
        waiting = (layer.get_write_buffer_size() for layer in (self._transport, self._below))
        return not self._lost and not any(waiting)

    async def envelope(self, sender: str, to: str) -> Outcome | None:
        """Announce a mail. None: the relay waits for it. When the connection is lost, it is not `usable` after."""
        if not (sender.isascii() and to.isascii()) and "smtputf8" not in self._extensions:
            return dialogue.not_carried(sender, to)
        commands = dialogue.envelope_commands(sender, to, again=self._announced)
        pipelined = "pipelining" in self._extensions
        self._announced, self.dotted = True, False
        outcome = None
        try:
            if pipelined:
                self._transport.write(b"".join(commands))
            for command in commands:
                if not pipelined:
                    self._transport.write(command)
                reply = await self._reply()
                answer = dialogue.after_command(command, reply)
                outcome = outcome or answer
                if outcome and (reply.code in (354, 421) or (answer and not reply.refuses)):
                    self.close()  # who knows what the relay waits for: after a 354 for a mail that would reach nobody
                if outcome and (not pipelined or self._transport.is_closing()):
                    break
        except _LostError as trouble:
            return outcome or Deferred(f"the connection was lost before the mail was written: {trouble}")
        return outcome

    async def try_sender(self, sender: str) -> Outcome | None:
        """Announce a mail from this sender, until `take_back`: nothing is written. None: the relay would take it."""
        if not sender.isascii() and "smtputf8" not in self._extensions:
            return dialogue.not_carried(sender, "")
        command, *_ = dialogue.envelope_commands(sender, "", again=False)
        try:
            self._transport.write(command)
            return dialogue.after_command(command, await self._reply())
        except _LostError as trouble:
            return Deferred(f"the connection was lost: {trouble}")

    async def try_reader(self, sender: str, reader: str) -> Outcome | None:
        """Name a reader of the mail that was announced; None: the relay would take it to them."""
        _, command, *_ = dialogue.envelope_commands(sender, reader, again=False)
        try:
            self._transport.write(command)
            return dialogue.after_command(command, await self._reply())
        except _LostError as trouble:
            return Deferred(f"the connection was lost: {trouble}")

    async def take_back(self) -> None:
        """No mail follows what was announced."""
        with contextlib.suppress(_LostError):
            self._transport.write(dialogue.RSET)
            await self._reply()

    async def deliver(self, mail: bytes, fence: Barrier = NO_FENCE, until: float = math.inf) -> Outcome:
        """Write the announced mail, then its dot if the fence lets it, and hear what became of it. A mail without its
        dot is none: the relay throws it away with the connection (RFC 5321). A relay may answer sooner ("too big") and
        close: its answer counts, and nothing more is written to it. Raises TimeoutError when that has not ended
        `until` then, by the loop's time: the connection is as it was, and `answer` listens on.
        """
        loop = asyncio.get_running_loop()
        clock = loop.call_at(until, self._ring) if until < math.inf else None
        try:
            await self._written()
            self._transport.write(dialogue.dot_stuffed(mail))
            await self._written()
            if self._unread:
                self._transport.abort()
                return dialogue.before_the_dot(self._unread.popleft())
            if not fence.holds():
                self._transport.abort()
                return NOT_LEADING
            self.dotted = True
            self._transport.write(dialogue.DOT)
            return await self.answer()
        except _LostError as trouble:
            return Deferred(f"the connection was lost before the mail was written: {trouble}")
        finally:
            self._rung = False
            if clock is not None:
                clock.cancel()

    async def answer(self) -> Outcome:
        """What became of the mail whose dot was written."""
        try:
            reply = await self._reply()
        except _LostError as trouble:
            return Uncertain(f"the relay did not confirm the mail: {trouble}")
        self._announced = False
        self._used_at = asyncio.get_running_loop().time()
        outcome = dialogue.after_mail(reply)
        if reply.code == 421 or isinstance(outcome, Uncertain):
            self.close()
        return outcome

    async def quit(self) -> None:
        """Leave politely, within a second."""
        try:
            async with asyncio.timeout(1):
                self._transport.write(dialogue.QUIT)
                await self._reply()
        except (_LostError, TimeoutError):
            pass
        finally:
            self.close()

    def give_up(self) -> None:
        """Leave at once; what we have said and the relay has not taken is dropped."""
        self.close() if self.wholly_written else self._transport.abort()

    def close(self) -> None:
        """Leave at once."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Asyncio's call: bytes of replies."""
        self._unread.extend(self._reader.feed(data))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's call: nothing more will come."""
        self._lost = str(exc or "closed")
        self._wake()

    def resume_writing(self) -> None:
        """Asyncio's call: all that was written has left (TLS, if there is any)."""
        self._wake()

    def _ring(self) -> None:
        """The time for a mail is over."""
        self._rung = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _written(self) -> None:
        """Wait until all that was written has left, or the relay has spoken, which it is not asked to."""
        while not (self._unread or self.wholly_written):
            if self._below is not self._transport:
                asyncio.get_running_loop().call_later(LOOKS_EVERY, self._wake)
            await self._news()

    async def _reply(self) -> dialogue.SmtpReply:
        """The next reply."""
        while not self._unread:
            await self._news()
        return self._unread.popleft()

    async def _news(self) -> None:
        """Wait for anything to happen. Whoever stops waiting for it closes the connection: the next mail must not hear
        of it. Raises TimeoutError when the time is over.
        """
        if self._lost:
            raise _LostError(self._lost)
        if self._rung:
            raise TimeoutError
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.give_up()
            raise


async def connect(
    relay: dialogue.Relay, sender: str, tls: ssl.SSLContext | None, begins: Begins = _unheeded
) -> RelayConnection | Deferred:
    """A new connection, secured and logged in as the relay wants it, or why there is none."""
    smtp = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=False,  # below, as a step of its own
        tls_context=tls,
        local_hostname=dialogue.our_name(socket.gethostname(), sender),
        timeout=None,
    )
    try:
        begins(Step.CONNECT, None)
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        if relay.security == "starttls":
            begins(Step.TLS, None)
            await smtp.starttls()
            await smtp.ehlo()
        begins(Step.LOGIN, smtp.get_transport_info("ssl_object"))
        if relay.login:
            await smtp.login(*relay.login)
    except (aiosmtplib.SMTPException, OSError, ValueError) as trouble:
        smtp.close()
        return no_connection(trouble, relay)
    except asyncio.CancelledError:
        smtp.close()
        raise
    transport = smtp.transport
    if not isinstance(transport, asyncio.Transport):
        return Deferred(f"{relay}: the connection was lost at once")
    return RelayConnection(transport, frozenset(smtp.esmtp_extensions))


def _below_tls(transport: asyncio.Transport) -> asyncio.WriteTransport:
    """What carries a connection's bytes to the socket. Asyncio keeps it to itself where there is TLS (3.11 to 3.14)."""
    tls = getattr(transport, "_ssl_protocol", None)
    below = transport if tls is None else tls._transport  # noqa: SLF001 - no other way to know that all bytes have left
    return below or transport  # None: closed already


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Whom we trust: the system's authorities, and those in a file. Raises TrustError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as trouble:  # ssl's own errors are such; neither names the file
            why = trouble.reason if isinstance(trouble, ssl.SSLError) else trouble.strerror
            raise TrustError(f"ca_file {ca_file} cannot be used: {why or trouble}") from None
        # Python 3.13 asks of certificates what many a private authority's lack; names and dates are checked.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def no_connection(trouble: Exception, relay: dialogue.Relay) -> Deferred:
    """Why no connection came about. What only a change of settings can cure is the provider's fault (rule 38)."""
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        return dialogue.while_connecting(dialogue.SmtpReply(trouble.code, trouble.message))
    detail = f"{relay}: {trouble}"[: dialogue.DETAIL_MOST]
    for cause in (trouble, trouble.__cause__):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return Deferred(detail, "tls", Fault.PROVIDER)
    if isinstance(trouble, OSError):
        return Deferred(detail)
    return Deferred(detail, fault=Fault.PROVIDER)  # STARTTLS or AUTH not offered, a ca_file that cannot be used
