"""What a plan sends at one instant to one reader or group, by all channels together, and how people call it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.notification import Notification, in_one
from tocsin.domain.people import Channel
from tocsin.domain.policy import Severity
from tocsin.wording.report.reason_text import timing


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """Messages that differ by channel only, or by reader within a group. `after`: since the incident was first seen."""

    after: timedelta
    notifications: tuple[Notification, ...]

    @property
    def first(self) -> Notification:
        """One of them; all agree on kind, reason, roles, level, round and rule."""
        return self.notifications[0]

    @property
    def who(self) -> str:
        """The group, or the one reader."""
        return self.first.group or self.first.to

    def __str__(self) -> str:
        """It as people say it: `page bo as technical_lead by sms, email`."""
        first = self.first
        readers = dict.fromkeys(notification.to for notification in self.notifications)
        of_group = f" ({', '.join(readers)})" if first.group else ""
        roles = f" as {', '.join(first.roles)}" if first.roles else ""
        return f"{first.kind} {self.who}{of_group}{roles} by {self.channels}"

    @property
    def channels(self) -> str:
        """The channels, as people list them."""
        used = {notification.via for notification in self.notifications}
        return ", ".join(via for via in Channel if via in used)

    @property
    def why(self) -> str:
        """The reason, and where on the ladder it stands."""
        first = self.first
        level = "" if first.level is None else f"level {first.level}"
        number = "" if first.round is None else f"round {first.round}"
        return ", ".join(part for part in (str(first.reason), level, number) if part)


def group_messages(messages: Iterable[Notification], start: datetime) -> list[PlannedMessage]:
    """Messages in time order, those that people take for one as one; each reader's closing message by itself."""
    groups = in_one(messages, lambda notification: notification, one_closing=False)
    return [PlannedMessage(group[0].at - start, group) for group in groups]


def because(message: PlannedMessage, severity: Severity | None) -> str:
    """Why the plan says it: the reason, and what in the config makes it come at that moment, with its place.

    Without the severity then in force only what the message itself knows.
    """
    first = message.first
    ladder = f"level {first.level} of {', '.join(first.roles)}" if first.level is not None and first.roles else ""
    setting = timing(first, severity)
    place = f" at {setting.place}" if setting and setting.place else ""
    parts = [ladder or str(first.reason).replace("_", " "), f"{setting.text}{place}" if setting else ""]
    return ", ".join(part for part in parts if part) + (f" ({first.rule})" if first.rule else "")
