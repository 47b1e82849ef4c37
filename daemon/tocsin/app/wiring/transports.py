"""Which adapter carries a channel, as the settings say. It must not know what is sent."""

from tocsin.adapters.outbox.transport import Outbox
from tocsin.adapters.smtp.transport import Smtp
from tocsin.adapters.twilio.transport import Twilio
from tocsin.domain.people import Channel
from tocsin.formats.settings.settings import MailTransport, Settings, SmsTransport
from tocsin.ports.clock import Clock
from tocsin.ports.transport import Transport


def make_transports(settings: Settings, clock: Clock) -> dict[Channel, Transport]:
    """The transport of each channel."""
    email, sms = settings.email, settings.sms
    outbox = Outbox(folder=settings.outbox, email_sender=email.sender, sms_sender=sms.sender or "", clock=clock)
    transports: dict[Channel, Transport] = {Channel.EMAIL: outbox, Channel.SMS: outbox}
    if email.transport is MailTransport.SMTP:
        transports[Channel.EMAIL] = Smtp(
            host=email.host or "",
            port=email.port,
            sender=email.sender,
            security=email.security.value,
            username=email.username or "",
            password=email.password.get_secret_value() if email.password else "",
            ca_file=email.ca_file,
        )
    if sms.transport is SmsTransport.TWILIO:
        transports[Channel.SMS] = Twilio(
            account_sid=sms.account_sid or "",
            sender=sms.sender or "",
            messaging_service_sid=sms.messaging_service_sid or "",
            auth_token=sms.auth_token[0].get_secret_value() if sms.auth_token else "",
            api_key=sms.api_key.get_secret_value() if sms.api_key else "",
            api_secret=sms.api_secret.get_secret_value() if sms.api_secret else "",
            api_url=sms.api_url or "",
            status_url=f"{settings.public_url}/twilio/status" if settings.receives_callbacks else "",
            clock=clock,
        )
    return transports
