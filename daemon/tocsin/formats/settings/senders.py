"""Who an SMS comes from, by the number that it goes to, and whether that sender can be answered (rule 42)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin.text.contacts import by_prefix


@dataclass(frozen=True, slots=True)
class SmsSenders:
    """The senders of one account. `default` is empty where a messaging service picks one of its numbers; `prefixes`
    are the senders for numbers that begin so.
    """

    default: str
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def to(self, number: str) -> str:
        """The sender of an SMS to this E.164 number; empty for the messaging service."""
        return by_prefix(number, self.prefixes) or self.default

    def answerable(self, number: str) -> bool:
        """Whether whoever has that number can answer: a name takes no answers."""
        return not is_name(self.to(number))

    @property
    def all(self) -> tuple[str, ...]:
        """Every sender, the default first."""
        return tuple(dict.fromkeys(filter(None, (self.default, *self.prefixes.values()))))


def is_name(sender: str) -> bool:
    """Whether a sender is a name: neither a number nor a short code."""
    return re.search("[A-Za-z]", sender) is not None
