"""An incident file and a script played with a policy, without a ledger: what `tocsin simulate`, policy tests and `diff`
go by, and what the daemon would send (P10).

The file is first seen at the start; operators hear nothing (rules 2, 29, 30).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

from tocsin.app.simulation.projection import Event, project
from tocsin.app.simulation.step_effects import PlayedPart, parts_of
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ASKING, NO_REPLY_OFFER, Kind, Notification, ReplyOffer
from tocsin.domain.plan import AfterPages, Due
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.incident.read import read_incident, unreadable_incident
from tocsin.formats.policy_test.script import ScriptStep, in_time_order
from tocsin.formats.settings.reply_routes import ReplyRoutes
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.history.versions import CHANGES_HELD_FOR
from tocsin.ports.renderer import Renderer
from tocsin.text.decoding import TOP
from tocsin.text.gsm import segments
from tocsin.text.times import brief, iso_utc
from tocsin.text.yaml import read_yaml

NEXT_WITHIN = timedelta(days=3700)
"""How far after the span the next message is looked for."""
CODE = "A1"
"""The reply code that is shown: a real one is given out when a page leaves (rule 42)."""

_KINDS = list(Kind)


@dataclass(frozen=True, slots=True)
class SimulatedMessage:
    """One message of a simulation, with its words (none without a renderer)."""

    notification: Notification
    address: str
    content: Content | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """The messages from `start` to `end` in time order, the first `ahead` of them, and the history after these. `parts`
    is what the script did in that time, `unplayed` how many of its steps come later.
    """

    incident: str
    start: datetime
    end: datetime
    messages: tuple[SimulatedMessage, ...]
    ahead: tuple[Notification, ...]
    history: History
    problems: tuple[Problem, ...]
    parts: tuple[PlayedPart, ...] = ()
    unplayed: int = 0

    @property
    def next_at(self) -> datetime | None:
        """The instant of the first message after the end."""
        return min((message.at for message in self.ahead), default=None)


class WithReplies:
    """A renderer whose SMS say how to answer where that is possible, with a code that is always the same."""

    def __init__(self, renderer: Renderer, routes: ReplyRoutes) -> None:
        self._renderer = renderer
        self._routes = routes

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The words this reader gets."""
        person = policy.people.get(notification.to)
        number = person.address(notification.via) if person and notification.via.traits.takes_replies else ""
        by_code = number and self._routes.takes_sms(number) and notification.kind in ASKING
        offer = ReplyOffer(CODE) if by_code else invitation
        return self._renderer.render(notification, incident, history, policy, offer, after)


class _IncidentFile:
    """The incident file as it is first seen and then edited by the script, the problems of all its versions, and what
    the script did.
    """

    def __init__(self, policy: Policy, name: str, data: bytes) -> None:
        self.problems: list[Problem] = []
        self.parts: list[PlayedPart] = []
        self._told: set[str] = set()
        self._policy = policy
        self._name = name
        self._data = data

    def appear(self, history: History, at: datetime) -> History:
        """The file is first seen."""
        history = self._see(history, self._data, at, self.problems.append)
        self._told = {problem.message for problem in self.problems}
        return history

    @cached_property
    def _value(self) -> dict[str, Any]:
        """What the file says, as the script changes it; of most files no script does."""
        value = read_yaml(self._data, self._name).value
        return dict(value) if isinstance(value, dict) else {}

    def happen(self, step: ScriptStep, history: History, at: datetime) -> History:
        """One step of the script takes effect. Fields and entry are one edit, told of as two parts."""
        for part in parts_of(step):
            before, merged = history, "entry" in part and step.fields is not None
            if not merged:
                history = self._part(PlayedPart(at, before, before, **part), step, history)
            self.parts.append(PlayedPart(at, before, history, **part))
        return history

    def _part(self, part: PlayedPart, step: ScriptStep, history: History) -> History:
        if part.fail:
            return apply_fact(history, ChannelRefused(part.at, *part.fail))
        if part.ok or part.declines:
            answer = Answer.OK if part.ok else Answer.PASS
            return apply_fact(history, Answered(part.at, part.ok or part.declines, answer))
        self._value.update(step.fields or {})
        if step.entry is not None:
            updates = self._value.get("updates")
            entries = updates if isinstance(updates, list) else [updates] if updates else []
            self._value["updates"] = [*entries, dict(step.entry)]
        data = json.dumps(self._value, ensure_ascii=False, default=_plain).encode()
        return self._see(history, data, part.at, partial(self._tell_of_step, step))

    def _tell_of_step(self, step: ScriptStep, problem: Problem) -> None:
        """A problem with what a step brings; what it leaves as it was is told already. No file has a place for it."""
        if problem.message not in self._told:
            after = f"{problem.message} (by the script, after {brief(step.after)})"
            self.problems.append(replace(problem, line=TOP[0], column=TOP[1], message=after))
            self._told.add(problem.message)

    def _see(self, history: History, data: bytes, at: datetime, tell: Callable[[Problem], None]) -> History:
        previous = history.incident
        reading = read_incident(data, self._name, self._policy, previous, self._name)
        for problem in reading.problems:
            tell(problem)
        incident = reading.incident or previous
        if incident is None:
            incident = unreadable_incident(self._name, reading.first_lines, self._policy)
        return history if incident == previous else apply_fact(history, Seen(at, incident))


def play(
    policy: Policy,
    data: bytes,
    name: str,
    at: datetime,
    span: timedelta,
    steps: Sequence[ScriptStep],
    renderer: Renderer | None = None,
) -> Simulation:
    """Play a file called `name`, first seen at `at`, with a script, for a span, and as far beyond as the next message.

    Steps after the span are ignored.
    """
    return _play(_IncidentFile(policy, name, data), policy, at, span, steps, NEXT_WITHIN, renderer)


def play_within(
    policy: Policy, data: bytes, name: str, at: datetime, span: timedelta, steps: Sequence[ScriptStep]
) -> Simulation:
    """`play` without words and no further than the span: what comes next is not looked for."""
    return _play(_IncidentFile(policy, name, data), policy, at, span, steps, CHANGES_HELD_FOR, None)


def _play(
    file: _IncidentFile,
    policy: Policy,
    at: datetime,
    span: timedelta,
    steps: Sequence[ScriptStep],
    beyond: timedelta,
    renderer: Renderer | None,
) -> Simulation:
    """Play to the end of the span, and `beyond` it at most, as far as the next message."""
    end = at + span
    script = [step for step in in_time_order(steps) if at + step.after <= end]
    events: list[Event] = [(at, file.appear), *((at + step.after, partial(file.happen, step)) for step in script)]
    projection = project(History(), policy, at, end, end + beyond, events)
    within = sorted((due for due in projection.due if at <= due.notification.at <= end), key=_order)
    ahead = tuple(due.notification for due in projection.due if due.notification.at > end)
    assert projection.history.incident is not None
    return Simulation(
        projection.history.incident.id,
        at,
        end,
        tuple(_with_words(due, policy, renderer) for due in within),
        ahead,
        projection.history,
        tuple(file.problems),
        tuple(file.parts),
        len(steps) - len(script),
    )


def document(simulation: Simulation) -> dict[str, Any]:
    """A simulation as the JSON document of `tocsin simulate` (rule 30)."""
    return {
        "incident": simulation.incident,
        "from": iso_utc(simulation.start),
        "to": iso_utc(simulation.end),
        "messages": [_entry(message, simulation.start) for message in simulation.messages],
        "next": iso_utc(simulation.next_at) if simulation.next_at else None,
    }


def _entry(message: SimulatedMessage, start: datetime) -> dict[str, Any]:
    notification, content = message.notification, message.content
    text = content.text if content else ""
    short = notification.via.traits.short
    return {
        "at": iso_utc(notification.at),
        "after": int((notification.at - start).total_seconds()),
        "kind": notification.kind.value,
        "reason": notification.reason.value,
        "to": notification.to,
        "roles": list(notification.roles),
        "group": notification.group,
        "via": notification.via.value,
        "address": message.address,
        "level": notification.level,
        "round": notification.round,
        "subject": None if short else content.subject if content else "",
        "text": text,
        "segments": segments(text) if short else None,
    }


def _with_words(due: Due, policy: Policy, renderer: Renderer | None) -> SimulatedMessage:
    notification, incident = due.notification, due.history.incident
    assert incident is not None
    content = renderer.render(notification, incident, due.history, policy, after=due.after) if renderer else None
    person = policy.people.get(notification.to)
    return SimulatedMessage(notification, person.address(notification.via) if person else notification.to, content)


def _order(due: Due) -> tuple[datetime, int, str, str]:
    """Rule 29: by instant, kind, reader and channel."""
    notification = due.notification
    return notification.at, _KINDS.index(notification.kind), notification.to, notification.via.value


def _plain(value: object) -> str:
    """A value of a `set` that JSON has no word for, as a file would write it."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
