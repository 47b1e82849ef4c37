"""What a plan says at one instant to one reader or group, as one thing: the messages by all channels together.

Decides what belongs together and how it is called; must not know expectations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.domain.policy import Severity
from tocsin.text.times import brief


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


def together(messages: Iterable[Notification], start: datetime) -> list[PlannedMessage]:
    """Messages in time order, those that belong together as one."""
    found: dict[tuple[object, ...], list[Notification]] = {}
    for each in messages:
        key = (each.at, each.kind, each.group or each.to, each.reason, each.roles, each.level, each.round, each.rule)
        found.setdefault(key, []).append(each)
    return [PlannedMessage(listed[0].at - start, tuple(listed)) for listed in found.values()]


def because(spoken: PlannedMessage, severity: Severity | None) -> str:
    """Why the plan says it: the reason, and what in the config makes it come at that moment, with its place.

    Without the severity then in force only what the message itself knows.
    """
    each = spoken.first
    ladder = f"level {each.level} of {', '.join(each.roles)}" if each.level is not None and each.roles else ""
    told = [ladder or str(each.reason).replace("_", " "), _timing(each, severity)]
    return ", ".join(part for part in told if part) + (f" ({each.rule})" if each.rule else "")


def _timing(each: Notification, severity: Severity | None) -> str:
    """The setting that decides when it comes."""
    if severity is None:
        return ""
    page = severity.page
    if page and each.reason in (Reason.ESCALATED, Reason.REPEATED, Reason.LAST_RESORT):
        return f"acknowledge_within {brief(page.acknowledge_within)} at {page.place}"
    if page and page.still_there_after and each.reason is Reason.STILL_THERE:
        return f"still_there_after {brief(page.still_there_after)} at {page.place}"
    if each.reason is Reason.DUE:
        cadence = next((stream.cadence for stream in severity.updates if stream.place == each.rule), None)
        if cadence and cadence.cron:
            return f'cron "{cadence.cron}" in {cadence.timezone}'
        return f"every {', then '.join(brief(span.every) for span in cadence.spans)}" if cadence else ""
    spans = {
        Kind.REMINDER: ("remind_before", severity.remind_before),
        Kind.VERIFY: ("verify_after", severity.verify_after),
        Kind.REVIEW: ("remind_every", severity.review.remind_every if severity.review else None),
    }
    name, span = spans.get(each.kind, ("", None))
    return f"{name} {brief(span)}" if span else ""
