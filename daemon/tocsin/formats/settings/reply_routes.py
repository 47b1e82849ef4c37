"""Where answers come in, as the settings say (rule 42)."""

from dataclasses import dataclass
from datetime import timedelta

from tocsin.formats.settings.senders import SmsSenders


@dataclass(frozen=True, slots=True)
class ReplyRoutes:
    """Where answers come in: by SMS, where each account that may send to a number (`senders`) can be answered from
    there, and must name a code if `needs_code`; and at `public_url` by links that `keys` sign. How often receipts of
    pages are asked for, if at all.
    """

    senders: tuple[SmsSenders, ...] = ()
    public_url: str = ""
    keys: tuple[str, ...] = ()
    receipts_every: timedelta | None = None
    needs_code: bool = False

    def takes_sms(self, number: str) -> bool:
        """Whether an SMS to this number can be answered, whichever provider carries it: words are written before that
        is known.
        """
        return bool(self.senders) and all(senders.answerable(number) for senders in self.senders)

    def hears(self, number: str) -> bool:
        """Whether an SMS from this number comes in at all, by whichever account (rule 51)."""
        return any(senders.answerable(number) for senders in self.senders)

    @property
    def links(self) -> bool:
        """Whether messages carry links."""
        return bool(self.public_url and self.keys)


NO_REPLY_ROUTES = ReplyRoutes()
