"""The timeline of an incident: one dated line for whatever happened, in time order.

Decides how a fact and a delivery read for people who were not there. Must not know the page they stand on, nor how it
is written: a line is made of runs. What a fact changed is seen from the history before and after it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain import facts as f
from tocsin.domain.delivery import Record
from tocsin.domain.history import History
from tocsin.domain.notification import Suppression
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_each
from tocsin.text.markdown import Run, Runs, joined, quoted, quoted_lines, runs
from tocsin.text.names import author_name
from tocsin.text.times import brief, recorded
from tocsin.wording.report.deliveries import deliveries
from tocsin.wording.report.versions import gathered, version

NOTE = Run("Note", "strong")
UPDATE = Run("Update", "strong")


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A fact, and the history before and after it."""

    fact: f.Fact
    before: History
    after: History


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """What happened at an instant (UTC)."""

    at: datetime
    words: Runs


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody took a role, perhaps from somebody else."""

    at: datetime
    role: str
    person: str
    former: str | None


def steps_of(facts: Sequence[f.Fact]) -> list[TimelineStep]:
    """Each fact with the history before and after it, from the first version on. Raises HistoryError."""
    begins = next((place for place, fact in enumerate(facts) if isinstance(fact, f.Seen)), len(facts))
    begun = facts[begins:]
    histories = [History(), *fold_each(begun, History())]
    return [TimelineStep(*step) for step in zip(begun, histories, histories[1:], strict=False)]


def timeline_lines(
    steps: Sequence[TimelineStep], records: Sequence[Record], policy: Policy, zone: str = "UTC"
) -> list[TimelineLine]:
    """Every line, in time order; at one instant what the world did before what was sent. Instants that the words name
    are those of `zone`.
    """
    lines = [line for step in steps for line in _of_step(step, policy, zone)]
    lines += _written(steps, policy)
    lines += [TimelineLine(at, words) for at, words in deliveries(records, policy, zone)]
    lines += [_suppressed(record.decided, policy) for record in records if isinstance(record.decided, Suppression)]
    return sorted(lines, key=lambda line: line.at)


def acceptances(steps: Iterable[TimelineStep]) -> Iterator[Acceptance]:
    """Every time somebody took a role."""
    for step in steps:
        for name, role in step.after.roles.items():
            before = step.before.roles.get(name) if step.before.episode == step.after.episode else None
            former = before.holder if before else None
            if role.holder and role.holder != former and role.accepted_at:
                yield Acceptance(role.accepted_at, name, role.holder, former)


def _of_step(step: TimelineStep, policy: Policy, zone: str) -> Iterator[TimelineLine]:
    """What a fact says, then who holds what because of it."""
    words = _words(step, policy, zone)
    if words:
        yield TimelineLine(step.fact.at, words)
    for acceptance in acceptances([step]):
        former = runs(", taking over from ", _person(acceptance.former, policy)) if acceptance.former else ()
        accepted = _strong(_person(acceptance.person, policy), " accepted ", _role(acceptance.role, policy))
        yield TimelineLine(acceptance.at, accepted + former)
    if step.before.episode == step.after.episode:
        yield from _lost(step, policy)


def _lost(step: TimelineStep, policy: Policy) -> Iterator[TimelineLine]:
    """Roles that nobody holds any more, responders who answered, and answers in vain."""
    before, after, at = step.before, step.after, step.fact.at
    for name, role in before.roles.items():
        now = after.roles.get(name)
        if role.holder and (now is None or now.holder is None):
            yield TimelineLine(at, runs(_person(role.holder, policy), " no longer holds ", _role(name, policy)))
    for person in sorted(after.responders_answered - before.responders_answered):
        yield TimelineLine(at, _strong(_person(person, policy), " answered as responder"))
    for person, noticed_at in after.ineffective_acks[len(before.ineffective_acks) :]:
        yield TimelineLine(noticed_at, runs(_person(person, policy), " acknowledged, but had not been asked"))


def _words(step: TimelineStep, policy: Policy, zone: str) -> Runs:
    """What a fact itself says; nothing for what is told by its messages."""
    match step.fact:
        case f.Seen():
            return version(step.before, step.after, policy, zone)
        case f.Answered(person=person, answer=answer, asked_only=asked_only):
            return runs(_person(person, policy), f" answered “{answer.value}{' all' if asked_only else ''}”")
        case f.Noted(person=person, text=text):
            return runs(NOTE, " by ", _person(person, policy), ": ", quoted_lines(text))
        case f.ChannelRefused() | f.RefusalTakenBack():
            return _refusal(step.fact, policy)
        case f.PageLost():
            return _page_lost(step.fact, policy, zone)
        case f.Gone():
            return runs("The file, never readable, was removed")
        case f.ClockMoved(by=by):
            way = "forward" if by > timedelta(0) else "back"
            return runs(f"The clock was put {way} by {brief(abs(by))}; the times before this were put right with it")
        case f.RoleDropped(role=role):
            return runs(_role(role, policy), " was no longer needed")
        case f.StepFired(role=role, people=(), round=None):
            return runs("The last resort for ", _role(role, policy), " reached nobody") if role else ()
        case f.StepFired(role=role, people=(), level=level, round=round_):
            return runs(f"Level {level} of ", _role(role, policy), f" reached nobody (round {round_})")
        case _:
            return ()


def _page_lost(fact: f.PageLost, policy: Policy, zone: str) -> Runs:
    """That a page reached nobody, or did after all; nothing for one that did not arrive by one of its channels."""
    page, person = f"The page of {recorded(fact.page_at, zone)}", _person(fact.person, policy)
    if fact.delivered:
        return runs(f"{page} reached ", person, " after all")
    if fact.stopped:
        return runs(
            person, f" answered STOP after the page of {recorded(fact.page_at, zone)}, and has no other channel"
        )
    return runs(f"{page} to ", person, " reached nobody") if fact.via is None else ()


def _refusal(fact: f.ChannelRefused | f.RefusalTakenBack, policy: Policy) -> Runs:
    reader, via = _person(fact.reader, policy), fact.via.traits
    if isinstance(fact, f.ChannelRefused):
        return runs(reader, f" cannot be reached by {fact.via.value} any more: refused for good")
    return runs(f"{via.provider[:1].upper()}{via.provider[1:]} was wrong about ", reader, f"'s {via.address_word}")


def _written(steps: Iterable[TimelineStep], policy: Policy) -> Iterator[TimelineLine]:
    """What people wrote under `updates` and `timeline`, at their own instants."""
    versions = [step.fact for step in steps if isinstance(step.fact, f.Seen)]
    for at, update in gathered(versions, lambda incident: incident.updates):
        texts = [runs(quoted_lines(update.text))] if update.text else []
        texts += [runs(Run("in public:", "slight"), " ", quoted_lines(update.public))] if update.public else []
        yield TimelineLine(at, runs(UPDATE, _by(update.by, policy), ": ", joined("\n", texts)))
    for at, note in gathered(versions, lambda incident: incident.timeline):
        yield TimelineLine(at, runs(NOTE, _by(note.by, policy), ": ", quoted_lines(note.text)))


def _by(person: str, policy: Policy) -> Runs:
    return runs(" by ", quoted(author_name(person, policy))) if person else ()


def _suppressed(suppression: Suppression, policy: Policy) -> TimelineLine:
    to = runs(" to ", _person(suppression.to, policy)) if suppression.to else ()
    why = f"{suppression.why.value}: {suppression.detail}" if suppression.detail else suppression.why.value
    kind = suppression.kind.value.replace("_", "-")
    return TimelineLine(suppression.at, runs(f"Not sent: {kind}", to, " (", quoted(why.replace("_", " ")), ")"))


def _person(person: str, policy: Policy) -> Run:
    return quoted(policy.person_name(person))


def _role(role: str, policy: Policy) -> Run:
    return quoted(policy.role_title(role))


def _strong(*parts: str | Run) -> Runs:
    return tuple(replace(run, manner="strong") for run in runs(*parts))
