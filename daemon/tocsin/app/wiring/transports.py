"""Ways: the transports of a config, and what becomes of those that were replaced.

It decides which adapter carries a channel. It must not know what is sent.
"""

import asyncio
from collections.abc import Iterable, Mapping

from tocsin.adapters.outbox.transport import Outbox
from tocsin.adapters.smtp.transport import Smtp
from tocsin.adapters.twilio.transport import Twilio
from tocsin.domain.people import Channel
from tocsin.formats.settings.settings import MailTransport, Settings, SmsTransport
from tocsin.ports.clock import Clock
from tocsin.ports.transport import Transport

RETIRES_AFTER = 60.0
"""Seconds for which a transport that was replaced may finish what it has begun."""


def ways(settings: Settings, clock: Clock) -> dict[Channel, Transport]:
    """The transport of each channel."""
    email, sms = settings.email, settings.sms
    outbox = Outbox(folder=settings.outbox, email_sender=email.sender, sms_sender=sms.sender or "", clock=clock)
    found: dict[Channel, Transport] = {Channel.EMAIL: outbox, Channel.SMS: outbox}
    if email.transport is MailTransport.SMTP:
        found[Channel.EMAIL] = Smtp(
            host=email.host or "",
            port=email.port,
            sender=email.sender,
            security=email.security.value,
            username=email.username or "",
            password=email.password.get_secret_value() if email.password else "",
            ca_file=email.ca_file,
        )
    if sms.transport is SmsTransport.TWILIO:
        found[Channel.SMS] = twilio = Twilio(
            account_sid=sms.account_sid or "",
            sender=sms.sender or "",
            messaging_service_sid=sms.messaging_service_sid or "",
            auth_token=sms.auth_token[0].get_secret_value() if sms.auth_token else "",
            api_key=sms.api_key.get_secret_value() if sms.api_key else "",
            api_secret=sms.api_secret.get_secret_value() if sms.api_secret else "",
            api_url=sms.api_url or "",
        )
        twilio.status_url = f"{settings.public_url}/twilio/status" if settings.told else ""
    return found


def carried_by(settings: Settings) -> object:
    """What the transports are made from: they are made anew when it changes."""
    return settings.email, settings.sms, settings.public_url if settings.told else None


async def warm(ways: Mapping[Channel, Transport]) -> None:
    """Load what a transport would else load while the first page waits (the SDK's message part, half a second)."""
    sms = ways[Channel.SMS]
    if isinstance(sms, Twilio):
        await sms.start()


class Retired:
    """Transports that were replaced: closed when what they had begun must have ended."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Transport] = asyncio.Queue()

    def put(self, ways: Iterable[Transport]) -> None:
        """These carry nothing new."""
        for way in set(ways):
            self._waiting.put_nowait(way)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            way = await self._waiting.get()
            await asyncio.sleep(RETIRES_AFTER)
            await way.close()
