"""Rehearsal: the plan on a clock that jumps, without a ledger. What it prints is what the daemon would send (P10).

`simulate`, policy tests and `diff` are this. Every message counts as delivered at its instant, operators hear nothing
(timeline.md rules 29, 30).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.domain.delivery import Content
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ASKING, NO_REPLY_OFFER, Kind, Notification, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.incident import read as incident_file
from tocsin.formats.policy_test import script as scripts
from tocsin.formats.policy_test.script import Step
from tocsin.planning.history.fold import remember
from tocsin.planning.plan import plan
from tocsin.ports.renderer import Renderer
from tocsin.text import yaml
from tocsin.text.gsm import segments

HELD = timedelta(seconds=2)
LOOK_AHEAD = timedelta(days=3700)
LOOKS_MAX = 200_000
CODE = "A1"
"""The reply code that is shown: a real one is given out when a page leaves (product.md section 7)."""

_KINDS = list(Kind)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a rehearsal, with its words (none without a renderer)."""

    notification: Notification
    address: str
    content: Content | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The messages from `start` to `end` in time order, the instant of the first after it, and how it stood then."""

    incident: str
    start: datetime
    end: datetime
    messages: tuple[Said, ...]
    next_at: datetime | None
    history: History
    problems: tuple[Problem, ...]


class WithReplies:
    """A renderer whose SMS say how to answer, with a code that is always the same."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
    ) -> Content:
        """The words this reader gets."""
        asked = notification.via is Channel.SMS and notification.kind in ASKING
        said = ReplyOffer(CODE) if asked else invitation
        return self._renderer.render(notification, incident, history, policy, said)


class _Stage:
    """One incident on a clock that jumps."""

    def __init__(self, policy: Policy, name: str, renderer: Renderer | None) -> None:
        self.policy = policy
        self.name = name
        self.renderer = renderer
        self.history = History()
        self.value: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.said: list[Said] = []

    def open(self, data: bytes, at: datetime) -> None:
        """The file is first seen."""
        value = yaml.read(data, self.name).value
        self.value = dict(value) if isinstance(value, dict) else {}
        self._see(data, at)

    def play(self, step: Step, at: datetime) -> None:
        """One step takes effect."""
        for reader, via in step.fails:
            self._note(ChannelRefused(at, reader, via))
        if step.fields is not None or step.entry is not None:
            self.value.update(step.fields or {})
            if step.entry is not None:
                known = self.value.get("updates")
                entries = known if isinstance(known, list) else [known] if known else []
                self.value["updates"] = [*entries, dict(step.entry)]
            self._see(json.dumps(self.value, ensure_ascii=False, default=_written).encode(), at)
        for people, answer in ((step.oks, Answer.OK), (step.passes, Answer.PASS)):
            for person in people:
                self._note(Answered(at, person, answer))

    def look(self, now: datetime) -> datetime | None:
        """Plan at that instant, say what is due, and give the next look."""
        assert self.history.incident is not None
        made = plan(self.history.incident, self.policy, self.history, now)
        self.said += [self._words(due) for due in made.due]
        self.history = made.history
        return made.next_look

    def spoke_after(self, end: datetime) -> bool:
        """Whether a message beyond `end` is known."""
        return any(said.notification.at > end for said in reversed(self.said))

    def _see(self, data: bytes, at: datetime) -> None:
        previous = self.history.incident
        reading = incident_file.read(data, self.name, self.policy, previous, self.name)
        self.problems += [problem for problem in reading.problems if problem not in self.problems]
        incident = reading.incident or previous
        if incident is None:
            incident = incident_file.unreadable(self.name, reading.first_lines, self.policy)
        if incident != previous:
            self._note(Seen(at, incident))

    def _note(self, fact: Fact) -> None:
        self.history = remember(self.history, fact)

    def _words(self, due: Due) -> Said:
        notification, incident = due.notification, self.history.incident
        assert incident is not None
        content = self.renderer.render(notification, incident, due.history, self.policy) if self.renderer else None
        person = self.policy.people.get(notification.to)
        return Said(notification, person.address(notification.via) if person else notification.to, content)


def play(
    policy: Policy,
    data: bytes,
    name: str,
    at: datetime,
    span: timedelta,
    steps: Sequence[Step],
    renderer: Renderer | None = None,
) -> Rehearsed:
    """Play a file called `name`, first seen at `at`, with a script, for a span, and as far beyond as the next message.

    Steps after the span are ignored.
    """
    return _played(_Stage(policy, name, renderer), data, at, span, steps, LOOK_AHEAD)


def play_within(
    policy: Policy, data: bytes, name: str, at: datetime, span: timedelta, steps: Sequence[Step]
) -> Rehearsed:
    """`play` without words and no further than the span: what comes next is not looked for."""
    return _played(_Stage(policy, name, None), data, at, span, steps, HELD)


def _played(
    stage: _Stage, data: bytes, at: datetime, span: timedelta, steps: Sequence[Step], ahead: timedelta
) -> Rehearsed:
    """Play to the end of the span, and `ahead` beyond it at most, as far as the next message."""
    end = at + span
    waiting = [step for step in scripts.in_time_order(steps) if at + step.after <= end]
    stage.open(data, at)
    now: datetime | None = at
    for _ in range(LOOKS_MAX):
        assert now is not None
        while waiting and at + waiting[0].after <= now:
            stage.play(waiting.pop(0), now)
        looks_at = stage.look(now)
        coming = [each for each in (looks_at, at + waiting[0].after if waiting else None) if each]
        now = min(coming) if coming else None
        if now is None or now > end + ahead or (now > end + HELD and stage.spoke_after(end)):
            break
    inside = [said for said in stage.said if at <= said.notification.at <= end]
    after = [said.notification.at for said in stage.said if said.notification.at > end]
    assert stage.history.incident is not None
    return Rehearsed(
        stage.history.incident.id,
        at,
        end,
        tuple(sorted(inside, key=_order)),
        min(after, default=None),
        stage.history,
        tuple(stage.problems),
    )


def rehearse(
    policy: Policy,
    incident_text: str,
    incident_id: str,
    at: datetime,
    span: timedelta,
    script: Sequence[Mapping[str, Any]],
    renderer: Renderer | None = None,
) -> dict[str, Any]:
    """`play` for a script given as plain mappings; the document that `tocsin simulate --format json` prints."""
    steps = [scripts.step(entry, policy) for entry in script]
    return document(play(policy, incident_text.encode(), f"{incident_id}.yaml", at, span, steps, renderer))


def document(rehearsed: Rehearsed) -> dict[str, Any]:
    """A rehearsal as the JSON document of product.md section 7."""
    return {
        "incident": rehearsed.incident,
        "from": written(rehearsed.start),
        "to": written(rehearsed.end),
        "messages": [_message(said, rehearsed.start) for said in rehearsed.messages],
        "next": written(rehearsed.next_at) if rehearsed.next_at else None,
    }


def written(at: datetime) -> str:
    """An instant as JSON shows it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(said: Said, start: datetime) -> dict[str, Any]:
    each, content = said.notification, said.content
    text = content.text if content else ""
    sms = each.via is Channel.SMS
    return {
        "at": written(each.at),
        "after": int((each.at - start).total_seconds()),
        "kind": each.kind.value,
        "reason": each.reason.value,
        "to": each.to,
        "roles": list(each.roles),
        "group": each.group,
        "via": each.via.value,
        "address": said.address,
        "level": each.level,
        "round": each.round,
        "subject": None if sms else content.subject if content else "",
        "text": text,
        "segments": segments(text) if sms else None,
    }


def _order(said: Said) -> tuple[datetime, int, str, str]:
    each = said.notification
    return each.at, _KINDS.index(each.kind), each.to, each.via.value


def _written(value: object) -> str:
    """A value of a `set` that JSON has no word for, as a file would write it."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
