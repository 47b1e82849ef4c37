"""The timeline for a page in a browser: what happened within a second together, and the messages of that second as one
line that can be opened.

Decides what is folded, and what is left out of a timeline that is too long. Must not know how it is laid out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from tocsin.domain.delivery import Receipt, Record, Refused
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.text.markdown import Run, Runs
from tocsin.wording.report.deliveries import deliveries, of_messages
from tocsin.wording.report.timeline import TimelineStep, timeline_lines

FIRST_MOST = 100
LAST_MOST = 400
"""Of a timeline with more paragraphs than these together, the first and the last are shown."""
NAMED_MOST = 4
"""More readers of one kind are counted."""
T = TypeVar("T")
_BREAKS = re.compile("\n+")
_CALLED = {
    Kind.PAGE: ("page to", "pages to"),
    Kind.STAND_DOWN: ("stand-down to", "stand-downs to"),
    Kind.UPDATE: ("update to", "updates to"),
    Kind.CLOSING: ("closing message to", "closing messages to"),
    Kind.REMINDER: ("reminder to", "reminders to"),
    Kind.VERIFY: ("request to confirm health to", "requests to confirm health to"),
    Kind.REVIEW: ("request to finish the review to", "requests to finish the review to"),
    Kind.OPERATOR: ("notice to", "notices to"),
    Kind.ANSWER: ("answer to", "answers to"),
    Kind.SIGN_IN: ("code to sign in to", "codes to sign in to"),
}


@dataclass(frozen=True, slots=True)
class TimelineMoment:
    """What happened at an instant, a paragraph each; `sent` sums up the messages of that instant, of which `failed` did
    not arrive; `messages` tells each of them.
    """

    at: datetime
    lines: tuple[Runs, ...]
    sent: str = ""
    failed: int = 0
    messages: tuple[Runs, ...] = ()


Moments = tuple[TimelineMoment, ...]


@dataclass(slots=True)
class _Second:
    lines: list[Runs] = field(default_factory=list)
    messages: list[Runs] = field(default_factory=list)
    sent: list[Record] = field(default_factory=list)


def moments(
    steps: Sequence[TimelineStep], records: Sequence[Record], policy: Policy, zone: str = "UTC"
) -> list[TimelineMoment]:
    """The whole timeline, a second at a time. Instants that the words name are those of `zone`."""
    seconds: dict[datetime, _Second] = {}

    def second_of(at: datetime) -> _Second:
        return seconds.setdefault(at.replace(microsecond=0), _Second())

    for line in timeline_lines(steps, (), policy, zone):
        second_of(line.at).lines.append(line.words)
    for at, words in deliveries(records, policy, zone):
        second_of(at).messages.append(words)
    for record in of_messages(records):
        second_of(record.notification.at).sent.append(record)
    return [
        TimelineMoment(
            at,
            tuple(map(_plain, second.lines)),
            _sentence(_summed(second.sent, policy)),
            sum(map(_failed, second.sent)),
            tuple(map(_plain, second.messages)),
        )
        for at, second in sorted(seconds.items())
    ]


def first_and_last(whole: Sequence[TimelineMoment]) -> tuple[Moments, Moments, int]:
    """The first and the last of a long timeline, and how many paragraphs are left out between them."""
    return excerpt(whole, lambda moment: len(moment.lines) + len(moment.messages), _shortened)


def excerpt(
    entries: Sequence[T], length: Callable[[T], int], shortened: Callable[[T, int], T]
) -> tuple[tuple[T, ...], tuple[T, ...], int]:
    """The first and the last of what is too long for a page, and how many paragraphs are left out between them.
    `length` is how many an entry has, at least one; `shortened` is one that has only so many.
    """
    total = sum(max(length(entry), 1) for entry in entries)
    if total <= FIRST_MOST + LAST_MOST:
        return tuple(entries), (), 0

    def take(some: Iterable[T], most: int) -> tuple[tuple[T, ...], int]:
        taken: list[T] = []
        room = most
        for entry in some:
            paragraphs = max(length(entry), 1)
            taken.append(entry if paragraphs <= room else shortened(entry, room))
            room -= min(paragraphs, room)
            if not room:
                break
        return tuple(taken), most - room

    first, begins = take(entries, FIRST_MOST)
    last, ends = take(reversed(entries[len(first) :]), LAST_MOST)
    return first, last[::-1], total - begins - ends


def _shortened(moment: TimelineMoment, most: int) -> TimelineMoment:
    """The moment with so many paragraphs, and a word that there are more."""
    lines = moment.lines[:most]
    messages = moment.messages[: most - len(lines)]
    more = len(moment.lines) + len(moment.messages) - len(lines) - len(messages)
    return replace(moment, lines=(*lines, (Run(f"and {more} more at this instant", "slight"),)), messages=messages)


def _plain(line: Runs) -> Runs:
    """The line for a page that shows manners and line breaks, and no empty lines: neighbours of one manner as one."""
    stretches = groupby(line, key=lambda run: run.manner)
    texts = [(_BREAKS.sub("\n", "".join(run.text for run in stretch)), manner) for manner, stretch in stretches]
    return tuple(Run(text, manner) for text, manner in texts if text)


def _summed(records: Sequence[Record], policy: Policy) -> Iterator[str]:
    """For each kind who got it: people, or groups by their titles."""
    for kind in Kind:
        readers = [record.notification for record in records if record.notification.kind is kind]
        names = dict.fromkeys(_reader(notification, policy) for notification in readers)
        if names:
            one, many = _CALLED[kind]
            counted = ", ".join(names) if len(names) <= NAMED_MOST else f"{len(names)} readers"
            yield f"{one if len(names) == 1 else many} {counted}"


def _sentence(parts: Iterator[str]) -> str:
    sentence = "; ".join(parts)
    return sentence[:1].upper() + sentence[1:]


def _reader(notification: Notification, policy: Policy) -> str:
    if notification.kind is Kind.UPDATE and notification.group:
        return policy.group_title(notification.group)
    return one_line(clean(policy.person_name(notification.to)))


def _failed(record: Record) -> bool:
    """Whether it is known that it did not arrive."""
    refused = bool(record.attempts) and isinstance(record.attempts[-1].outcome, Refused)
    return refused or record.receipt is Receipt.UNDELIVERED
