"""Mails through an SMTP relay (rules 37, 38, 70; RFC 5321).

How a try ended follows from how far the dialogue got: until the dot that ends a mail is written nothing has left, from
then until the reply nobody knows, and the reply settles it (`adapters/smtp/dialogue.py` has the table). One reader per
envelope, a few connections kept, TLS whenever it was asked for. Faults that only other settings can cure (no STARTTLS,
no AUTH, a bad certificate, a login refused) are the provider's. It must not know when a try is made again.
"""

import asyncio
import ssl
from datetime import datetime
from pathlib import Path

from tocsin.adapters.smtp import dialogue
from tocsin.adapters.smtp.connection import RelayConnection, TrustError, connect, no_connection, trust
from tocsin.adapters.smtp.late_answers import LateAnswers
from tocsin.domain.delivery import NOT_LEADING, Deferred, Fate, Fault, Message, Outcome, Receipt, Uncertain
from tocsin.ports.fence import NO_FENCE, Fence, FenceOfTry
from tocsin.ports.transport import CutShortError
from tocsin.wording.message.email import Letterhead, ascii_domain

CONNECTIONS = 4
"""Connections to the relay at once, and kept; more of them send no faster."""
ENVELOPE_WITHIN = 10.0
"""Seconds for everything before the mail's own bytes."""
SENT_WITHIN = 20.0
"""Seconds for a try in all; the answer to the dot is listened for beyond it (`late_answers`)."""
BUSY = "421"
"""The code of a relay that takes no more connections now."""
REST = 10.0
"""Seconds without new connections after the relay refused our login or TLS, so that no account is locked."""


class Smtp:
    """A port Transport. `house` is the first provider's sender, as in `Letterhead`. `security` is `starttls`, `tls` or
    `none`; `ca_file` adds trust to the system's (which SSL_CERT_FILE replaces). Connects when the first mail leaves.
    """

    receipts = False
    polled = None
    warmed = None
    skew = None

    def __init__(  # noqa: PLR0913 - settings, each by its name
        self,
        *,
        host: str,
        port: int,
        sender: str,
        house: str = "",
        security: str = "starttls",
        username: str = "",
        password: str = "",
        ca_file: Path | None = None,
        fence: Fence = NO_FENCE,
    ) -> None:
        assert security in ("starttls", "tls", "none"), security
        self._relay = dialogue.Relay(host, port, security, (username, password) if username else None)
        self._letterhead = Letterhead(sender, house)
        self._ca_file = ca_file
        self._fence = fence
        self._tls: ssl.SSLContext | None = None
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[RelayConnection] = []
        self._late = LateAnswers()
        self._rest: tuple[float, Deferred] | None = None

    async def send(self, message: Message) -> Outcome:
        """Try once, for at most `SENT_WITHIN` from when a connection is free. Cancelled before the dot no mail left."""
        mail, fence = self._letterhead.compose(message), FenceOfTry(self._fence, message.attempt)
        connection: RelayConnection | Outcome | None = None
        try:
            async with self._slots:
                started = asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout_at(started + ENVELOPE_WITHIN):
                        connection = await self._announce(ascii_domain(message.address), fence)
                except TimeoutError:
                    while self._idle:
                        self._idle.pop().close()  # they are as dead, or as slow
                    return Deferred(f"{self._relay} did not answer within {ENVELOPE_WITHIN:.0f} s")
                if not isinstance(connection, RelayConnection):
                    return connection
                return await self._deliver(message.reference, connection, mail, fence, started + SENT_WITHIN)
        except asyncio.CancelledError:
            if isinstance(connection, RelayConnection):
                if connection.dotted:
                    raise
                connection.close()
            raise CutShortError(NOT_LEADING) from None

    async def find(self, message: Message, since: datetime) -> Outcome:  # noqa: ARG002 - the port's signature
        """Nobody can ask a relay what it took; it may have answered late, or be about to."""
        return self._late.find(message.reference) or Uncertain(f"{self._relay} cannot be asked what it took")

    async def fate(self, provider_id: str) -> Fate:  # noqa: ARG002 - the port's signature
        """For email the server's acceptance is the receipt (rule 34)."""
        return Fate(Receipt.DELIVERED)

    async def answers(self) -> bool:
        """Connect as for a mail; the connection is kept for one."""
        try:
            async with asyncio.timeout(ENVELOPE_WITHIN):
                connection = await self._connect()
        except TimeoutError:
            return False
        if isinstance(connection, Deferred):
            return False
        self._keep(connection)
        return True

    async def close(self) -> None:
        """Say goodbye on the kept connections, briefly."""
        idle, self._idle = self._idle, []
        await asyncio.gather(self._late.close(), *(connection.quit() for connection in idle))

    async def _deliver(
        self, reference: str, connection: RelayConnection, mail: bytes, fence: FenceOfTry, until: float
    ) -> Outcome:
        """Write the announced mail and hear what became of it. A relay that has it and says nothing in time is listened
        to on, and the next try does not wait for that.
        """
        try:
            outcome = await connection.deliver(mail, fence, until)
        except TimeoutError:
            if connection.dotted and connection.wholly_written:
                answer = asyncio.create_task(connection.answer(), name=f"mail {reference}")
                self._late.listen(reference, answer, connection)
            else:
                connection.give_up()
            if not connection.dotted:
                return Deferred(f"{self._relay} did not take the mail within {SENT_WITHIN:.0f} s")
            return Uncertain(f"{self._relay} did not confirm the mail within {SENT_WITHIN:.0f} s")
        if not isinstance(outcome, Uncertain):
            self._late.note_answer()
        self._keep(connection)
        return outcome

    async def _announce(self, to: str, fence: FenceOfTry) -> RelayConnection | Outcome:
        """A connection on which the relay waits for the mail to this address, or how the try ended. An idle connection
        that the relay has closed meanwhile is replaced at once: nothing has left by it.
        """
        while True:
            idle = self._idle.pop() if self._idle else None
            if idle is not None and not idle.usable:
                idle.close()
                continue
            if idle is None and not fence.holds():
                return NOT_LEADING
            connection = idle or await self._connect()
            if not isinstance(connection, RelayConnection):
                return connection
            if not fence.holds():
                self._keep(connection)
                return NOT_LEADING
            outcome = await connection.envelope(self._letterhead.address, to)
            if outcome is None:
                return connection
            if idle is None or connection.usable:
                self._keep(connection)
                return outcome

    async def _connect(self) -> RelayConnection | Deferred:
        """A new connection, unless the relay has just refused our login or TLS."""
        now = asyncio.get_running_loop().time()
        if self._rest and now < self._rest[0]:
            return self._rest[1]
        try:
            tls = self._trust()
        except TrustError as trouble:
            return no_connection(trouble, self._relay)
        connection = await connect(self._relay, self._letterhead.address, tls)
        if isinstance(connection, Deferred) and connection.fault is Fault.PROVIDER:
            self._rest = (now + REST, connection)
        elif isinstance(connection, Deferred) and connection.code == BUSY:
            self._late.make_room()
        return connection

    def _trust(self) -> ssl.SSLContext | None:
        """One TLS context for all connections: building one costs 20 ms of CPU."""
        if self._tls is None and self._relay.security != "none":
            self._tls = trust(self._ca_file)
        return self._tls

    def _keep(self, connection: RelayConnection) -> None:
        """Let the next mail have the connection, if it can."""
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.close()
