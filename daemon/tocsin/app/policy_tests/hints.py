"""Sentences about a failed expectation: the nearest thing that the plan does, and why it does it then.

Decides which message is nearest to what was expected, and the words; whether an expectation holds is not decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tocsin.app.policy_tests.planned_message import PlannedMessage, because
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.policy import Severity
from tocsin.formats.policy_test.expectations import MessagePattern, When
from tocsin.text.times import brief

WORDS = {
    Kind.PAGE: ("is paged", "is not paged"),
    Kind.STAND_DOWN: ("is stood down", "is not stood down"),
    Kind.UPDATE: ("hears an update", "hears no update"),
    Kind.CLOSING: ("gets the closing message", "gets no closing message"),
    Kind.REMINDER: ("is reminded of an update", "is not reminded of an update"),
    Kind.VERIFY: ("is asked to verify", "is not asked to verify"),
    Kind.REVIEW: ("is asked for the review", "is not asked for the review"),
}
"""How people say that a message of a kind is sent, and that it is not."""


@dataclass(frozen=True, slots=True)
class PlayedTest:
    """What the plan does in the `span` that a test is played, and for hints alone what it does `beyond`. `severity` is
    None where it changes on the way. `waits_for` is what groups wait for that have heard nothing by then.
    """

    planned: tuple[PlannedMessage, ...]
    span: timedelta
    severity: Severity | None
    beyond: tuple[PlannedMessage, ...] = ()
    waits_for: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> tuple[PlannedMessage, ...]:
        """All that is known of the plan."""
        return self.planned + self.beyond


def instead(
    wanted: MessagePattern, planned: Sequence[PlannedMessage], played: PlayedTest
) -> tuple[str, PlannedMessage | None]:
    """What the plan does instead of sending this, and the nearest message of it."""
    about = [message for message in planned if any(map(wanted.about, message.notifications))]
    if not about:
        return _another(wanted, planned, played)
    nearest = min(about, key=lambda message: (len(_differences(wanted, message)), wanted.when.away(message.after)))
    parts = [f"{_does(nearest.who, wanted, 0)} at {brief(nearest.after)}"]
    if not wanted.when.holds(nearest.after):
        parts[0] += f", not {_moment(wanted.when)}"
        parts += _in_time(wanted, about)
    elif nearest.after > played.span:
        parts[0] += f", after the {brief(played.span)} played"
    if wanted.group in played.waits_for and nearest.after > played.span:
        parts.append(f"until then they wait for {played.waits_for[wanted.group]}")
    parts += _differences(wanted, nearest)
    parts += _meanwhile(wanted, planned, nearest)
    return f"{'; '.join(parts)}: {because(nearest, played.severity)}", nearest


def unwanted(unexpected: Sequence[PlannedMessage], severity: Severity | None) -> str:
    """What should not be there: the first of it, and how often."""
    first = unexpected[0]
    sentence = f"{_does(first.who, first.first, 0)} at {brief(first.after)}"
    more = (
        f", and {counted(len(unexpected) - 1, 'more time')} until {brief(unexpected[-1].after)}"
        if len(unexpected) > 1
        else ""
    )
    return f"{sentence}{more}: {because(first, severity)}"


def counted(number: int, word: str) -> str:
    """A number of things: `1 message`, `2 messages`, `2 entries`."""
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("y") else f"{number} {word}s"


def _another(
    wanted: MessagePattern, planned: Sequence[PlannedMessage], played: PlayedTest
) -> tuple[str, PlannedMessage | None]:
    """The reader gets nothing of the kind: who gets it in their place."""
    waits = f", they wait for {played.waits_for[wanted.group]}" if wanted.group in played.waits_for else ""
    lack = f"{_does(wanted.who, wanted, 1)} in the {brief(played.span)} played{waits}"
    others = [message for message in planned if message.first.kind is wanted.kind]
    if not others:
        verb = "is" if WORDS[wanted.kind][1].startswith("is ") else "does"
        return f"{lack}, nor {verb} anybody else", None
    nearest = min(
        others,
        key=lambda message: (not set(wanted.roles) <= set(message.first.roles), wanted.when.away(message.after)),
    )
    return f"{lack}; at {brief(nearest.after)} it is {nearest.who}: {because(nearest, played.severity)}", nearest


def _in_time(wanted: MessagePattern, about: Sequence[PlannedMessage]) -> list[str]:
    """What its reader does get in time, where that is not quite what was wanted."""
    message = next((candidate for candidate in about if wanted.when.holds(candidate.after)), None)
    return [f"at {brief(message.after)} {', '.join(_differences(wanted, message))}"] if message else []


def _meanwhile(wanted: MessagePattern, planned: Sequence[PlannedMessage], nearest: PlannedMessage) -> list[str]:
    """Who gets it for that role in time, where its reader does not."""
    if not wanted.roles or wanted.when.holds(nearest.after):
        return []
    others = [
        message.who
        for message in planned
        if wanted.when.holds(message.after)
        and message.first.kind is wanted.kind
        and set(wanted.roles) <= set(message.first.roles)
    ]
    return [f"then it is {', '.join(dict.fromkeys(others))}"] if others else []


def _does(who: str, what: MessagePattern | Notification, word: int) -> str:
    """Somebody gets a message (0), or does not (1); a group is many."""
    words = WORDS[what.kind][word]
    return f"{who} {words.replace('hears', 'hear') if what.group else words}"


def _differences(wanted: MessagePattern, message: PlannedMessage) -> list[str]:
    """In what a message differs from what was wanted, its moment apart."""
    first, differences = message.first, []
    if not set(wanted.roles) <= set(first.roles):
        differences.append(f"as {', '.join(first.roles) or 'no role'}, not as {', '.join(wanted.roles)}")
    for name, expected, actual in (
        ("reason", wanted.reason, first.reason),
        ("level", wanted.level, first.level),
        ("round", wanted.round, first.round),
    ):
        if expected not in (None, actual):
            differences.append(f"with {name} {'none' if actual is None else actual}, not {expected}")
    reached = {notification.via for notification in message.notifications}
    lacking = [via for via in wanted.via if via not in reached]
    if lacking:
        differences.append(f"by {message.channels}, not by {', '.join(lacking)}")
    return differences


def _moment(when: When) -> str:
    return f"at {when}" if when.first == when.last else f"in {when}"
