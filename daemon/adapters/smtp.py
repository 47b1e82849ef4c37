"""SMTP: mails through a relay (product.md section 3; rules 37, 38; RFC 5321).

It decides how a try ended from how far the dialogue got: until the dot that ends a mail is written nothing has left,
from then until the reply nobody knows, and the reply settles it. One reader per envelope, a few connections kept, TLS
whenever it was asked for. It must not know when a try is made again, nor what a mail says.

    where                        reply or fault                                  outcome
    connecting, TLS, login       5xx, no STARTTLS, no AUTH, bad certificate      deferred, the provider's fault
    connecting, TLS, login       4xx, refused, unknown name, silence, nonsense   deferred
    MAIL, RCPT, DATA, the dot    530 534 535 538 (login wanted)                  deferred, the provider's fault
    MAIL, RCPT, DATA, the dot    other 5xx; SMTPUTF8 needed and not offered      refused
    MAIL, RCPT, DATA, the dot    4xx                                             deferred
    MAIL, RCPT, DATA             anything else, silence, a lost connection       deferred
    the dot                      anything else, silence, a lost connection       uncertain
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiosmtplib

from daemon.documents import smtp_reply
from daemon.documents.mail import Letterhead, ascii_domain
from daemon.domain.delivery import Deferred, Fault, Message, Outcome, Receipt, Uncertain

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


@dataclass(frozen=True, slots=True)
class _Relay:
    """Where the relay is and how it wants to be spoken to. `security` is `starttls`, `tls` (from the first byte) or
    `none`; there is no falling back from the first two. `login` is a name and a password.
    """

    host: str
    port: int
    security: str
    login: tuple[str, str] | None = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _Connection:
    """One connection. `usable` tells whether the next mail may go by it, as far as we have heard."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self._smtp = smtp
        self._begun = False
        self._used_at = asyncio.get_running_loop().time()

    @property
    def usable(self) -> bool:
        """Whether it still stands and was used a moment ago."""
        return self._smtp.is_connected and asyncio.get_running_loop().time() - self._used_at < KEPT_FOR

    async def envelope(self, sender: str, to: str) -> Outcome | None:
        """Announce a mail. None: the relay waits for it. When the connection is lost, it is not `usable` after."""
        options: Sequence[bytes] = ()
        if not (sender.isascii() and to.isascii()):
            if not self._smtp.supports_extension("smtputf8"):
                return smtp_reply.not_carried(sender, to)
            options = (b"SMTPUTF8", b"BODY=8BITMIME")
        commands = [
            (b"MAIL", b"FROM:<" + sender.encode("utf-8", "replace") + b">", *options),
            (b"RCPT", b"TO:<" + to.encode("utf-8", "replace") + b">"),
            (b"DATA",),
        ]
        if self._begun:
            commands.insert(0, (b"RSET",))
        self._begun = True
        try:
            for command in commands:
                reply = await self._smtp.execute_command(*command)  # after a 421 it is closed
                if reply.code not in ((354,) if command == (b"DATA",) else (250, 251)):
                    return smtp_reply.to_command(reply.code, reply.message)
        except (aiosmtplib.SMTPException, OSError) as trouble:
            self.close()
            return Deferred(f"the connection was lost before the mail was written: {trouble}")
        except asyncio.CancelledError:
            self.close()
            raise
        return None

    async def deliver(self, mail: bytes) -> Outcome:
        """Write the announced mail and its dot, and hear what became of it."""
        protocol = self._smtp.protocol
        if protocol is None:
            return Deferred("the connection was lost before the mail was written")
        end = b".\r\n" if mail.endswith(b"\r\n") else b"\r\n.\r\n"
        try:
            protocol.write(mail.replace(b"\r\n.", b"\r\n..") + end)
            reply = await protocol.read_response()
        except (aiosmtplib.SMTPException, OSError) as trouble:
            self.close()
            return Uncertain(f"the relay did not confirm the mail: {trouble}")
        except asyncio.CancelledError:
            self.close()
            raise
        self._begun = False
        self._used_at = asyncio.get_running_loop().time()
        outcome = smtp_reply.to_dot(reply.code, reply.message)
        if outcome is None or reply.code == 421:
            self.close()
        said = smtp_reply.detail(reply.code, reply.message)
        return outcome or Uncertain(f"a reply to the mail that makes no sense: {said}", str(reply.code))

    async def quit(self) -> None:
        """Leave politely, within a second."""
        try:
            async with asyncio.timeout(1):
                await self._smtp.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Leave at once."""
        self._smtp.close()


async def _connect(relay: _Relay, sender: str, tls: ssl.SSLContext | None) -> _Connection | Deferred:
    """A new connection, secured and logged in as the relay wants it, or why there is none."""
    smtp = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=tls,
        local_hostname=smtp_reply.our_name(socket.gethostname(), sender),
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
    return _Connection(smtp)


class Smtp:
    """A port Transport. `security` is `starttls`, `tls` or `none`; `ca_file` adds trust to the system's (which
    SSL_CERT_FILE replaces). Connects when the first mail leaves.
    """

    receipts = False

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
        self._relay = _Relay(host, port, security, (username, password) if username else None)
        self._letterhead = Letterhead(sender)
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._tls_lock = asyncio.Lock()
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
                self._drop_idle()
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

    async def receipt(self, provider_id: str) -> Receipt:  # noqa: ARG002 - the port's signature
        """For email the server's acceptance is the receipt (rule 34)."""
        return Receipt.DELIVERED

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
            tls = await self._context()
        except OSError as trouble:
            return _connecting_failed(trouble, self._relay)
        connection = await _connect(self._relay, self._letterhead.address, tls)
        failed = isinstance(connection, Deferred) and connection.fault is Fault.PROVIDER
        self._resting = (now + REST, connection) if failed and isinstance(connection, Deferred) else None
        return connection

    async def _context(self) -> ssl.SSLContext | None:
        """One TLS context for all connections: building one costs 20 ms of CPU."""
        if self._relay.security == "none":
            return None
        async with self._tls_lock:
            if self._tls is None:
                self._tls = await asyncio.to_thread(_trust, self._ca_file)
            return self._tls

    def _keep(self, connection: _Connection) -> None:
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.close()

    def _drop_idle(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def _connecting_failed(trouble: Exception, relay: _Relay) -> Deferred:
    """Why no connection came about. What only a change of settings can cure is the provider's fault (rule 38)."""
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        return smtp_reply.while_connecting(trouble.code, trouble.message)
    said = f"{relay}: {trouble}"[: smtp_reply.DETAIL_MOST]
    for cause in (trouble, trouble.__cause__):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return Deferred(said, "tls", Fault.PROVIDER)
    if isinstance(trouble, OSError) and not isinstance(trouble, FileNotFoundError | PermissionError):
        return Deferred(said)
    return Deferred(said, fault=Fault.PROVIDER)  # STARTTLS or AUTH not offered, a CA file that cannot be read


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
