"""A relay looked at without sending anything: connected to, secured, logged in to, asked whether it takes the sender
and some readers.

It says the very words that a mail begins with (`adapters/smtp/connection.py`), then RSET and QUIT: no DATA.
What its answers mean for a mail stands in `adapters/smtp/dialogue.py`; what follows from them is not known here.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.smtp import dialogue
from tocsin.adapters.smtp.connection import RelayConnection, Step, TrustError, connect, no_connection, trust
from tocsin.domain.delivery import Deferred, Fault, Outcome
from tocsin.wording.message.email import Letterhead


@dataclass(frozen=True, slots=True)
class RelayInspection:
    """How far a relay went along: the last step that was begun, and how that failed (None: it did not); of the readers
    whom. With TLS its version, and the instant at which the relay's certificate ends.
    """

    step: Step
    failure: Outcome | None
    tls: str = ""
    certificate_until: datetime | None = None
    reader: str = ""


class _Course:
    """How far it got, and how the connection was protected by then."""

    def __init__(self) -> None:
        self.step, self.reader = Step.CONNECT, ""
        self._tls: ssl.SSLObject | None = None

    def begin(self, step: Step, tls: ssl.SSLObject | None) -> None:
        """Take note of a step."""
        self.step, self._tls = step, tls or self._tls

    def ended(self, failure: Outcome | None) -> RelayInspection:
        """All that was seen."""
        if self._tls is None:
            return RelayInspection(self.step, failure, reader=self.reader)
        until = str((self._tls.getpeercert() or {}).get("notAfter", ""))
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None
        return RelayInspection(self.step, failure, self._tls.version() or "", end, self.reader)


async def inspect_relay(
    relay: dialogue.Relay,
    sender: str,
    *,
    ca_file: Path | None,
    with_sender: bool,
    within: float,
    readers: Sequence[str] = (),
) -> RelayInspection:
    """Look at a relay for at most so many seconds. Without a login none is tried; `with_sender`: it is asked whether it
    takes the sender, and mail to these readers, whose addresses are of ASCII.
    """
    address, course = Letterhead(sender).address, _Course()
    try:
        async with asyncio.timeout(within):
            tls = trust(ca_file) if relay.security != "none" else None
            connection = await connect(relay, address, tls, course.begin)
            if isinstance(connection, Deferred):
                return course.ended(connection)
            failure = None
            try:
                if with_sender:
                    course.begin(Step.SENDER, None)
                    failure = await connection.try_sender(address)
                    if failure is None:
                        failure = await _try_readers(connection, address, readers, course)
                        await connection.take_back()
            finally:
                await connection.quit()
            return course.ended(failure)
    except TimeoutError:
        return course.ended(Deferred(f"{relay} did not answer within {within:.0f} s"))
    except TrustError as trouble:
        return RelayInspection(Step.TLS, no_connection(trouble, relay))


async def _try_readers(
    connection: RelayConnection, sender: str, readers: Sequence[str], course: _Course
) -> Outcome | None:
    """The worst of what the relay says of mail to these: that it denies, else the first that it does not take."""
    worst = None
    for reader in readers:
        if course.step is not Step.READER:
            course.begin(Step.READER, None)
        failure = await connection.try_reader(sender, reader)
        denies = isinstance(failure, Deferred) and failure.fault is Fault.PROVIDER
        if failure is not None and (worst is None or denies):
            worst, course.reader = failure, reader
        if denies:
            break
    return worst
