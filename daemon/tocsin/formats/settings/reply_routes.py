"""Where answers come in, as the settings say (rule 42)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ReplyRoutes:
    """Where answers come in: by SMS (`replies`), and at `public_url` by links that `keys` sign; how often receipts of
    pages are asked for, if at all.
    """

    replies: bool = False
    public_url: str = ""
    keys: tuple[str, ...] = ()
    receipts_every: timedelta | None = None

    @property
    def links(self) -> bool:
        """Whether messages carry links."""
        return bool(self.public_url and self.keys)


NO_REPLY_ROUTES = ReplyRoutes()
