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


async def inspect_relay(
    relay: dialogue.Relay, sender: str, *, ca_file: Path | None, with_sender: bool, within: float
) -> RelayInspection:
    """Look at a relay for at most so many seconds. Without a login none is tried; `with_sender`: it is asked whether it
    takes the sender.
    """
    address = Letterhead(sender).address
    steps: list[Step] = [Step.CONNECT]
    try:
        async with asyncio.timeout(within):
            tls = trust(ca_file) if relay.security != "none" else None
            connection = await connect(relay, address, tls, steps.append)
            if isinstance(connection, Deferred):
                return RelayInspection(steps[-1], connection)
            version, until = connection.tls_version, _end(connection.certificate.get("notAfter", ""))
            failure = None
            try:
                if with_sender:
                    steps.append(Step.SENDER)
                    failure = await connection.try_sender(address)
            finally:
                await connection.quit()
            return RelayInspection(steps[-1], failure, version, until)
    except TimeoutError:
        return RelayInspection(steps[-1], Deferred(f"{relay} did not answer within {within:.0f} s"))
    except OSError as trouble:  # the file of authorities
        return RelayInspection(Step.TLS, no_connection(trouble, relay))


def _end(not_after: str) -> datetime | None:
    """The last instant of a certificate, in the words of `ssl`."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC) if not_after else None
