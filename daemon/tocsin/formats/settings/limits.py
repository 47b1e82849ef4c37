"""The `limits` of tocsin.yaml: how many pages one address takes in a storm (rule 45).

Decides names and defaults. What follows from a limit is `planning.delivery.room`'s.
"""

from datetime import timedelta

from pydantic import Field

from tocsin.domain.people import Channel, Limit
from tocsin.formats.schema.fields import Count, Duration, Model

_BURST = "pages to one address that leave at once, each by itself"
_EVERY = "how often one more may leave; what waits then leaves as one message"


class SmsLimits(Model):
    """Pages to one number."""

    burst: Count = Field(default=3, description=_BURST)
    every: Duration = Field(default=timedelta(minutes=2), description=_EVERY)


class EmailLimits(Model):
    """Pages to one mailbox."""

    burst: Count = Field(default=10, description=_BURST)
    every: Duration = Field(default=timedelta(minutes=1), description=_EVERY)


class AddressLimits(Model):
    """By channel."""

    sms: SmsLimits = Field(default_factory=SmsLimits, description="pages to one number")
    email: EmailLimits = Field(default_factory=EmailLimits, description="pages to one mailbox")

    def of(self, via: Channel) -> Limit:
        """The limit of a channel."""
        limits = self.sms if via is Channel.SMS else self.email
        return Limit(limits.burst, limits.every)
