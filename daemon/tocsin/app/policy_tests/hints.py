"""Sentences about a failed expectation: the nearest thing that the plan does, and why it does it then.

Decides which message is nearest to what was expected, and the words. Must not decide whether an expectation holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """What the plan said in the `span` that a test is played, and for hints alone what it says `beyond`. `severity` is
    None where it changes on the way.
    """

    spoken: tuple[PlannedMessage, ...]
    span: timedelta
    severity: Severity | None
    beyond: tuple[PlannedMessage, ...] = ()

    @property
    def known(self) -> tuple[PlannedMessage, ...]:
        """All that is known of the plan."""
        return self.spoken + self.beyond


def instead(
    wanted: MessagePattern, spoken: Sequence[PlannedMessage], played: PlayedTest
) -> tuple[str, PlannedMessage | None]:
    """What the plan does instead of sending this, and the nearest thing it says."""
    about = [said for said in spoken if any(map(wanted.about, said.messages))]
    if not about:
        return _another(wanted, spoken, played)
    nearest = min(about, key=lambda said: (len(_differences(wanted, said)), wanted.when.away(said.after)))
    told = [f"{_does(nearest.who, wanted, 0)} at {brief(nearest.after)}"]
    if not wanted.when.holds(nearest.after):
        told[0] += f", not {_moment(wanted.when)}"
        told += _in_time(wanted, about)
    elif nearest.after > played.span:
        told[0] += f", after the {brief(played.span)} played"
    told += _differences(wanted, nearest)
    told += _meanwhile(wanted, spoken, nearest)
    return f"{'; '.join(told)}: {because(nearest, played.severity)}", nearest


def unwanted(found: Sequence[PlannedMessage], severity: Severity | None) -> str:
    """What should not be there: the first of it, and how often."""
    first = found[0]
    said = f"{_does(first.who, first.first, 0)} at {brief(first.after)}"
    more = f", and {counted(len(found) - 1, 'more time')} until {brief(found[-1].after)}" if len(found) > 1 else ""
    return f"{said}{more}: {because(first, severity)}"


def counted(number: int, word: str) -> str:
    """A number of things: `1 message`, `2 messages`, `2 entries`."""
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("y") else f"{number} {word}s"


def _another(
    wanted: MessagePattern, spoken: Sequence[PlannedMessage], played: PlayedTest
) -> tuple[str, PlannedMessage | None]:
    """The reader gets nothing of the kind: who gets it in their place."""
    told = f"{_does(wanted.who, wanted, 1)} in the {brief(played.span)} played"
    others = [said for said in spoken if said.first.kind is wanted.kind]
    if not others:
        verb = "is" if WORDS[wanted.kind][1].startswith("is ") else "does"
        return f"{told}, nor {verb} anybody else", None
    nearest = min(
        others,
        key=lambda said: (not set(wanted.roles) <= set(said.first.roles), wanted.when.away(said.after)),
    )
    return f"{told}; at {brief(nearest.after)} it is {nearest.who}: {because(nearest, played.severity)}", nearest


def _in_time(wanted: MessagePattern, about: Sequence[PlannedMessage]) -> list[str]:
    """What its reader does get in time, where that is not quite what was wanted."""
    said = next((said for said in about if wanted.when.holds(said.after)), None)
    return [f"at {brief(said.after)} {', '.join(_differences(wanted, said))}"] if said else []


def _meanwhile(wanted: MessagePattern, spoken: Sequence[PlannedMessage], nearest: PlannedMessage) -> list[str]:
    """Who gets it for that role in time, where its reader does not."""
    if not wanted.roles or wanted.when.holds(nearest.after):
        return []
    others = [
        said.who
        for said in spoken
        if wanted.when.holds(said.after)
        and said.first.kind is wanted.kind
        and set(wanted.roles) <= set(said.first.roles)
    ]
    return [f"then it is {', '.join(dict.fromkeys(others))}"] if others else []


def _does(who: str, what: MessagePattern | Notification, word: int) -> str:
    """Somebody gets a message (0), or does not (1); a group is many."""
    told = WORDS[what.kind][word]
    return f"{who} {told.replace('hears', 'hear') if what.group else told}"


def _differences(wanted: MessagePattern, said: PlannedMessage) -> list[str]:
    """In what a message differs from what was wanted, its moment apart."""
    each, found = said.first, []
    if not set(wanted.roles) <= set(each.roles):
        found.append(f"as {', '.join(each.roles) or 'no role'}, not as {', '.join(wanted.roles)}")
    for name, asked, has in (
        ("reason", wanted.reason, each.reason),
        ("level", wanted.level, each.level),
        ("round", wanted.round, each.round),
    ):
        if asked not in (None, has):
            found.append(f"with {name} {'none' if has is None else has}, not {asked}")
    reached = {each.via for each in said.messages}
    lacking = [via for via in wanted.via if via not in reached]
    if lacking:
        found.append(f"by {said.channels}, not by {', '.join(lacking)}")
    return found


def _moment(when: When) -> str:
    return f"at {when}" if when.first == when.last else f"in {when}"
