"""Which adapter carries a channel by each of its providers, as the settings say. It must not know what is sent."""

import importlib
from collections.abc import Mapping

from tocsin.adapters.outbox.transport import Outbox
from tocsin.adapters.smtp.transport import Smtp
from tocsin.domain.people import MAIN, Channel
from tocsin.formats.settings.providers import EmailProvider, MailTransport, SmsProvider, SmsTransport
from tocsin.formats.settings.settings import Settings
from tocsin.ports.clock import Clock
from tocsin.ports.fence import NO_FENCE, Fence
from tocsin.ports.transport import Transport


def make_transports(
    settings: Settings, clock: Clock, fence: Fence = NO_FENCE
) -> dict[Channel, Mapping[str, Transport]]:
    """The transports of each channel by their provider's name, in the order in which they are tried. The
    `fence` stands before all that leaves by them.
    """
    email, sms = settings.email, settings.sms
    outbox = Outbox(
        folder=settings.outbox,
        email_sender=email.sender,
        sms_sender=sms.sender or "",
        sms_senders=sms.senders,
        clock=clock,
        fence=fence,
    )
    status_url = f"{settings.public_url}/twilio/status" if settings.receives_callbacks else ""
    return {
        Channel.EMAIL: {MAIN: outbox}
        if email.transport is MailTransport.OUTBOX
        else {name: _smtp(provider, email.sender, fence) for name, provider in email.providers.items()},
        Channel.SMS: {MAIN: outbox}
        if sms.transport is SmsTransport.OUTBOX
        else {name: _twilio(provider, status_url, clock, fence) for name, provider in sms.providers.items()},
    }


def _smtp(provider: EmailProvider, house: str, fence: Fence) -> Smtp:
    return Smtp(
        host=provider.host or "",
        port=provider.port,
        sender=provider.sender,
        house=house,
        security=provider.security.value,
        username=provider.username or "",
        password=provider.password.get_secret_value() if provider.password else "",
        ca_file=provider.ca_file,
        fence=fence,
    )


def _twilio(provider: SmsProvider, status_url: str, clock: Clock, fence: Fence) -> Transport:
    twilio = importlib.import_module("tocsin.adapters.twilio.transport")  # dear, and not everybody sends by it
    transport: Transport = twilio.Twilio(
        account_sid=provider.account_sid or "",
        sender=provider.sender or "",
        senders=provider.senders,
        messaging_service_sid=provider.messaging_service_sid or "",
        auth_token=provider.auth_token[0].get_secret_value() if provider.auth_token else "",
        api_key=provider.api_key.get_secret_value() if provider.api_key else "",
        api_secret=provider.api_secret.get_secret_value() if provider.api_secret else "",
        api_url=provider.api_url or "",
        status_url=status_url,
        clock=clock,
        fence=fence,
    )
    return transport
