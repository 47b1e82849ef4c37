"""What a plan says at one instant to one reader or group, as one thing: the messages by all channels together.

Decides what belongs together and how it is called; must not know expectations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.notification import Notification, in_one
from tocsin.domain.people import Channel
from tocsin.domain.policy import Severity
from tocsin.wording.message.reason_text import timing


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """Messages that differ by channel only, or by reader within a group. `after`: since the incident was first seen."""

    after: timedelta
    messages: tuple[Notification, ...]

    @property
    def first(self) -> Notification:
        """One of them; all agree on kind, reason, roles, level, round and rule."""
        return self.messages[0]

    @property
    def who(self) -> str:
        """The group, or the one reader."""
        return self.first.group or self.first.to

    def __str__(self) -> str:
        """It as people say it: `page bo as technical_lead by sms, email`."""
        each = self.first
        readers = dict.fromkeys(message.to for message in self.messages)
        of_group = f" ({', '.join(readers)})" if each.group else ""
        roles = f" as {', '.join(each.roles)}" if each.roles else ""
        return f"{each.kind} {self.who}{of_group}{roles} by {self.channels}"

    @property
    def channels(self) -> str:
        """The channels, as people list them."""
        used = {message.via for message in self.messages}
        return ", ".join(via for via in Channel if via in used)

    @property
    def why(self) -> str:
        """The reason, and where on the ladder it stands."""
        each = self.first
        level = "" if each.level is None else f"level {each.level}"
        number = "" if each.round is None else f"round {each.round}"
        return ", ".join(part for part in (str(each.reason), level, number) if part)


def group_messages(messages: Iterable[Notification], start: datetime) -> list[PlannedMessage]:
    """Messages in time order, those that people take for one as one; each reader's closing message by itself."""
    found = in_one(messages, lambda notification: notification, one_closing=False)
    return [PlannedMessage(listed[0].at - start, listed) for listed in found]


def because(spoken: PlannedMessage, severity: Severity | None) -> str:
    """Why the plan says it: the reason, and what in the config makes it come at that moment, with its place.

    Without the severity then in force only what the message itself knows.
    """
    each = spoken.first
    ladder = f"level {each.level} of {', '.join(each.roles)}" if each.level is not None and each.roles else ""
    setting = timing(each, severity)
    place = f" at {setting.place}" if setting and setting.place else ""
    told = [ladder or str(each.reason).replace("_", " "), f"{setting.text}{place}" if setting else ""]
    return ", ".join(part for part in told if part) + (f" ({each.rule})" if each.rule else "")
