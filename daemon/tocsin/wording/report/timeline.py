"""The story of an incident: one dated line for whatever happened, in time order, as Markdown.

Decides how a fact and a delivery read for people who were not there. Must not know the page they stand on (`review`),
nor decide anything about the incident: what a fact changed is seen from the history before and after it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain import facts as f
from tocsin.domain.history import History
from tocsin.domain.notification import Suppression
from tocsin.domain.policy import Policy
from tocsin.text.markdown import flowing, inline
from tocsin.text.times import utc
from tocsin.wording.report.deliveries import Sent, told
from tocsin.wording.report.versions import gathered, version

INDENT = "  "


@dataclass(frozen=True, slots=True)
class Step:
    """A fact, and the history before and after it."""

    fact: f.Fact
    before: History
    after: History


@dataclass(frozen=True, slots=True)
class Line:
    """What happened at an instant (UTC), as Markdown."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody took a role, perhaps from somebody else."""

    at: datetime
    role: str
    person: str
    former: str | None


def story(steps: Sequence[Step], sent: Sequence[Sent], held: Sequence[Suppression], policy: Policy) -> list[Line]:
    """Every line, in time order; at one instant what the world did before what was sent."""
    lines = [line for step in steps for line in _of_step(step, policy)]
    lines += _written(steps)
    lines += [Line(at, text) for at, text in told(sent, policy)]
    lines += [_held(each, policy) for each in held]
    return sorted(lines, key=lambda line: line.at)


def acceptances(steps: Iterable[Step]) -> Iterator[Acceptance]:
    """Every time somebody took a role."""
    for step in steps:
        for name, role in step.after.roles.items():
            known = step.before.roles.get(name) if step.before.episode == step.after.episode else None
            former = known.holder if known else None
            if role.holder and role.holder != former and role.accepted_at:
                yield Acceptance(role.accepted_at, name, role.holder, former)


def _of_step(step: Step, policy: Policy) -> Iterator[Line]:
    """What a fact says, then who holds what because of it."""
    said = _said(step, policy)
    if said:
        yield Line(step.fact.at, said)
    for each in acceptances([step]):
        former = f", taking over from {inline(policy.person_name(each.former))}" if each.former else ""
        accepted = f"{inline(policy.person_name(each.person))} accepted {inline(policy.role_title(each.role))}"
        yield Line(each.at, f"**{accepted}**{former}")
    if step.before.episode == step.after.episode:
        yield from _lost(step, policy)


def _lost(step: Step, policy: Policy) -> Iterator[Line]:
    """Roles that nobody holds any more, responders who answered, and answers in vain."""
    before, after, at = step.before, step.after, step.fact.at
    for name, role in before.roles.items():
        now = after.roles.get(name)
        if role.holder and (now is None or now.holder is None):
            former, title = policy.person_name(role.holder), policy.role_title(name)
            yield Line(at, f"{inline(former)} no longer holds {inline(title)}")
    for person in sorted(after.responders_answered - before.responders_answered):
        yield Line(at, f"**{inline(policy.person_name(person))} answered as responder**")
    for person, noticed_at in after.vain[len(before.vain) :]:
        yield Line(noticed_at, f"{inline(policy.person_name(person))} acknowledged, but had not been asked")


def _said(step: Step, policy: Policy) -> str:
    """What a fact itself says; nothing for what is told by its messages."""
    match step.fact:
        case f.Seen():
            return version(step.before, step.after, policy)
        case f.Answered(person=person, answer=answer):
            return f"{inline(policy.person_name(person))} answered “{answer.value}”"
        case f.Noted(person=person, text=text):
            return f"**Note** by {inline(policy.person_name(person))}: {flowing(text, INDENT)}"
        case f.ChannelRefused(reader=reader, via=via):
            return f"{inline(policy.person_name(reader))} cannot be reached by {via.value} any more: refused for good"
        case f.PageLost(person=person, page_at=page_at):
            return f"The page of {utc(page_at)} to {inline(policy.person_name(person))} reached nobody"
        case f.Gone():
            return "The file, never readable, was removed"
        case f.RoleDropped(role=role):
            return f"{inline(policy.role_title(role))} was no longer needed"
        case f.StepFired(role=role, people=(), round=None):
            return f"The last resort for {inline(policy.role_title(role))} reached nobody" if role else ""
        case f.StepFired(role=role, people=(), level=level, round=round_):
            return f"Level {level} of {inline(policy.role_title(role))} reached nobody (round {round_})"
        case _:
            return ""


def _written(steps: Iterable[Step]) -> Iterator[Line]:
    """What people wrote under `updates` and `timeline`, at their own instants."""
    versions = [step.fact for step in steps if isinstance(step.fact, f.Seen)]
    for at, update in gathered(versions, lambda incident: incident.updates):
        said = [flowing(update.text, INDENT)] if update.text else []
        said += [f"*in public:* {flowing(update.public, INDENT)}"] if update.public else []
        yield Line(at, f"**Update**{_by(update.by)}: " + f"\\\n{INDENT}".join(said))
    for at, note in gathered(versions, lambda incident: incident.timeline):
        yield Line(at, f"**Note**{_by(note.by)}: {flowing(note.text, INDENT)}")


def _by(person: str) -> str:
    return f" by {inline(person)}" if person else ""


def _held(each: Suppression, policy: Policy) -> Line:
    to = f" to {inline(policy.person_name(each.to))}" if each.to else ""
    why = f"{each.why.value}: {each.detail}" if each.detail else each.why.value
    return Line(each.at, f"Not sent: {each.kind.value.replace('_', '-')}{to} ({inline(why.replace('_', ' '))})")
