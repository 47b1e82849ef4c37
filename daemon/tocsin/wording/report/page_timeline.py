"""Moments: the story of an incident for a page that is looked at: what happened within a second together, and the
messages of that second as one line that can be opened.

Decides what is folded, and what is left out of a story that is too long. Must not know how it is laid out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from tocsin.domain.delivery import Receipt, Refused
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.text.markdown import Run, Runs
from tocsin.wording.report.deliveries import Sent, told
from tocsin.wording.report.timeline import Step, story

FIRST_MOST = 60
LAST_MOST = 240
"""Of a story with more moments than these together, the first and the last are shown."""
NAMED_MOST = 4
"""More readers of one kind are counted."""
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
}


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened at an instant, a paragraph each; `sent` sums up the messages of that instant, of which `failed` did
    not arrive; `messages` tells each of them.
    """

    at: datetime
    lines: tuple[Runs, ...]
    sent: str = ""
    failed: int = 0
    messages: tuple[Runs, ...] = ()


@dataclass(slots=True)
class _Second:
    lines: list[Runs] = field(default_factory=list)
    messages: list[Runs] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)


def moments(steps: Sequence[Step], sent: Sequence[Sent], policy: Policy) -> list[Moment]:
    """The whole story, in time order."""
    seconds: dict[datetime, _Second] = {}

    def second(at: datetime) -> _Second:
        return seconds.setdefault(at.replace(microsecond=0), _Second())

    for line in story(steps, (), (), policy):
        second(line.at).lines.append(line.words)
    for at, words in told(sent, policy):
        second(at).messages.append(words)
    for each in sent:
        second(each.notification.at).sent.append(each)
    return [
        Moment(
            at,
            tuple(map(_plain, one.lines)),
            _sentence(_summed(one.sent, policy)),
            sum(_failed(each) for each in one.sent),
            tuple(map(_plain, one.messages)),
        )
        for at, one in sorted(seconds.items())
    ]


def shortened(found: Sequence[Moment]) -> tuple[tuple[Moment, ...], tuple[Moment, ...], int]:
    """The first and the last of a long story, and how many are left out between them."""
    left_out = len(found) - FIRST_MOST - LAST_MOST
    if left_out <= 0:
        return tuple(found), (), 0
    return tuple(found[:FIRST_MOST]), tuple(found[-LAST_MOST:]), left_out


def _plain(line: Runs) -> Runs:
    """The line for a page that shows manners and line breaks, and no empty lines: neighbours of one manner as one."""
    stretches = groupby(line, key=lambda run: run.manner)
    texts = [(_BREAKS.sub("\n", "".join(run.text for run in stretch)), manner) for manner, stretch in stretches]
    return tuple(Run(text, manner) for text, manner in texts if text)


def _summed(sent: Sequence[Sent], policy: Policy) -> Iterator[str]:
    """For each kind who got it: people, or groups by their titles."""
    for kind in Kind:
        names = dict.fromkeys(_reader(each, policy) for each in sent if each.notification.kind is kind)
        if names:
            one, many = _CALLED[kind]
            counted = ", ".join(names) if len(names) <= NAMED_MOST else f"{len(names)} readers"
            yield f"{one if len(names) == 1 else many} {counted}"


def _sentence(parts: Iterator[str]) -> str:
    said = "; ".join(parts)
    return said[:1].upper() + said[1:]


def _reader(each: Sent, policy: Policy) -> str:
    about = each.notification
    if about.kind is Kind.UPDATE and about.group:
        return policy.group_title(about.group)
    return one_line(clean(policy.person_name(about.to)))


def _failed(each: Sent) -> bool:
    """Whether it is known that it did not arrive."""
    refused = bool(each.attempts) and isinstance(each.attempts[-1].outcome, Refused)
    return refused or each.receipt is Receipt.UNDELIVERED
