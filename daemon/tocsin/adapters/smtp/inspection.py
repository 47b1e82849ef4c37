"""A relay looked at without sending anything: connected to, secured, logged in to, asked whether it takes the sender.

It says the very words that a mail begins with (`adapters/smtp/connection.py`), then RSET and QUIT: no RCPT, no DATA.
What its answers mean for a mail stands in `adapters/smtp/dialogue.py`; what follows from them is not known here.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.smtp import dialogue
from tocsin.adapters.smtp.connection import Step, connect, no_connection, trust
from tocsin.domain.delivery import Deferred, Outcome
from tocsin.wording.message.email import Letterhead


@dataclass(frozen=True, slots=True)
class RelayInspection:
    """How far a relay went along: the last step that was begun, and how that failed (None: it did not). With TLS its
    version, and the instant at which the relay's certificate ends.
    """

    step: Step
    failure: Outcome | None
    tls: str = ""
    certificate_until: datetime | None = None


class _Course:
    """How far it got, and how the connection was protected by then."""

    def __init__(self) -> None:
        self.step = Step.CONNECT
        self._tls: ssl.SSLObject | None = None

    def begin(self, step: Step, tls: ssl.SSLObject | None) -> None:
        """Take note of a step."""
        self.step, self._tls = step, tls or self._tls

    def ended(self, failure: Outcome | None) -> RelayInspection:
        """All that was seen."""
        if self._tls is None:
            return RelayInspection(self.step, failure)
        until = str((self._tls.getpeercert() or {}).get("notAfter", ""))
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None
        return RelayInspection(self.step, failure, self._tls.version() or "", end)


async def inspect_relay(
    relay: dialogue.Relay, sender: str, *, ca_file: Path | None, with_sender: bool, within: float
) -> RelayInspection:
    """Look at a relay for at most so many seconds. Without a login none is tried; `with_sender`: it is asked whether it
    takes the sender.
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
            finally:
                await connection.quit()
            return course.ended(failure)
    except TimeoutError:
        return course.ended(Deferred(f"{relay} did not answer within {within:.0f} s"))
    except OSError as trouble:  # the file of authorities
        return RelayInspection(Step.TLS, no_connection(trouble, relay))
