"""What an incident's chart shows: its status, each role from the first page to the acceptance, and what each group was
told.

Decides which lane a fact belongs to. Must not know shapes, colours or room (`chart_svg`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.domain import facts as f
from tocsin.domain.history import History
from tocsin.domain.incident import Status
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.wording.report.chart import Chart, ChartBand, ChartLane, ChartMark, MarkSign, Tone
from tocsin.wording.report.timeline import TimelineStep, acceptances

STATUS_TONES = {
    Status.INVESTIGATING: Tone.ALARM,
    Status.IDENTIFIED: Tone.WARN,
    Status.MONITORING: Tone.NEWS,
    Status.RESOLVED: Tone.GOOD,
}
SEVERITY_TONES = (Tone.ALARM, Tone.WARN, Tone.NEWS)
"""The tones of the worst severities, in the config's order; the others are calm."""
NOBODY = "nobody yet"
AFTER = 0.03
"""How much of the span is left free behind the last that happened."""
AHEAD = timedelta(hours=1)
"""A promised update is drawn if it is no farther ahead than this, or than the incident is old."""


def severity_tone(severity: str, policy: Policy) -> Tone:
    """How bad a severity looks."""
    rank = policy.severity_rank(severity)
    return SEVERITY_TONES[rank] if rank < len(SEVERITY_TONES) else Tone.CALM


@dataclass(slots=True)
class _Row:
    """A lane being filled: `state` holds since `since`."""

    title: str
    state: tuple[Tone, str, bool] | None = None
    since: datetime | None = None
    bands: list[ChartBand] = field(default_factory=list)
    marks: list[ChartMark] = field(default_factory=list)

    def turn(self, state: tuple[Tone, str, bool] | None, at: datetime) -> None:
        """From `at` on this is how it stands."""
        if state == self.state:
            return
        if self.state is not None and self.since is not None and at > self.since:
            tone, label, thin = self.state
            self.bands.append(ChartBand(self.since, at, tone, label, thin))
        self.state, self.since = state, at

    def lane(self, end: datetime, *, noted: bool) -> ChartLane:
        """The lane, as it is at the end."""
        note = "" if not noted or self.state is None else self.state[1] or NOBODY
        self.turn(None, end)
        return ChartLane(self.title, note, tuple(self.bands), tuple(self.marks))


def chart(steps: Sequence[TimelineStep], promises: dict[str, datetime], policy: Policy, now: datetime) -> Chart:
    """The drawing of an incident. `promises` are the next updates that groups wait for, by the group's id."""
    first, last = steps[0].fact.at, steps[-1].after
    over = last.resolved_at
    soon = {name: at for name, at in promises.items() if at - now <= max(now - first, AHEAD)} if over is None else {}
    end = over or max(now, *soon.values(), first)
    status, severity = _Row("Status"), _Row("Severity")
    roles: dict[str, _Row] = {}
    groups: dict[str, _Row] = {}
    for step in steps:
        incident, at = step.after.incident, step.fact.at
        if over is not None and at > over:
            break
        assert incident is not None
        status.turn((STATUS_TONES[incident.status], incident.status.value, False), at)
        worst = severity_tone(incident.severity, policy)
        severity.turn((worst, one_line(clean(incident.severity.upper())), False), at)
        _roles(step, roles, policy)
        _groups(step, groups, policy)
    for name, at in soon.items():
        if name in groups:
            groups[name].marks.append(ChartMark(at, MarkSign.PROMISED))
    rows = [status, *([severity] if severity.bands else [])]
    lanes = (
        *(row.lane(over or now, noted=False) for row in rows),
        *(row.lane(over or now, noted=over is None) for row in roles.values()),
        *(row.lane(end, noted=False) for row in groups.values()),
    )
    about = "Lanes for the status, each role and each group. The list below tells the same, line by line."
    span = max(end - first, timedelta(minutes=1))
    return Chart("Timeline", about, first, first + span * (1 + AFTER), None if over else now, lanes)


def _roles(step: TimelineStep, rows: dict[str, _Row], policy: Policy) -> None:
    """Pages, acceptances and passes, and who has the role since when."""
    for role, sign in _signs(step):
        rows.setdefault(role, _Row("Responder" if role == RESPONDER else policy.role_title(role)))
        rows[role].marks.append(ChartMark(step.fact.at, sign))
    for acceptance in acceptances([step]):
        row = rows.setdefault(acceptance.role, _Row(policy.role_title(acceptance.role)))
        row.marks.append(ChartMark(acceptance.at, MarkSign.ACCEPTED))
    for role, row in rows.items():
        if role != RESPONDER:
            row.turn(_holding(step.after, role, policy), _since(step, role))


def _signs(step: TimelineStep) -> Iterator[tuple[str, MarkSign]]:
    """Roles of which a fact says that somebody was paged, answered as responder, or passed."""
    match step.fact:
        case f.StepFired(role=role, people=people) if role and people:
            yield role, MarkSign.PAGE
        case f.HandoverAsked(role=role) | f.StillThereAsked(role=role):
            yield role, MarkSign.PAGE
        case f.RespondersAsked(people=people) if people:
            yield RESPONDER, MarkSign.PAGE
    if step.before.episode == step.after.episode:
        if step.after.responders_answered - step.before.responders_answered:
            yield RESPONDER, MarkSign.ACCEPTED
        if step.after.responders_passed - step.before.responders_passed:
            yield RESPONDER, MarkSign.PASSED
        for role, former in step.before.roles.items():
            if role and role in step.after.roles and step.after.roles[role].passed - former.passed:
                yield role, MarkSign.PASSED


def _holding(history: History, role: str, policy: Policy) -> tuple[Tone, str, bool] | None:
    ladder = history.roles.get(role)
    if ladder is None or not ladder.needed or history.resolved_at is not None:
        return None
    if ladder.holder is None:
        return (Tone.ALARM, "", True)
    return (Tone.GOOD, policy.person_name(ladder.holder), False)


def _since(step: TimelineStep, role: str) -> datetime:
    """An acceptance counts from its own instant, which a file may have set a little earlier than it was seen."""
    ladder = step.after.roles.get(role)
    accepted = ladder.accepted_at if ladder and ladder.holder else None
    return accepted if accepted and accepted > step.fact.at - timedelta(days=1) else step.fact.at


def _groups(step: TimelineStep, rows: dict[str, _Row], policy: Policy) -> None:
    """What each group was told, the end included."""
    match step.fact:
        case f.Updated(group=group, readers=readers) if readers:
            row = rows.setdefault(group, _Row(policy.group_title(group)))
            row.marks.append(ChartMark(step.fact.at, MarkSign.UPDATE))
        case f.Closed() if not step.before.closed:
            for name in _drawn(step.before.groups, rows):
                rows[name].marks.append(ChartMark(step.fact.at, MarkSign.UPDATE))


def _drawn(groups: Iterable[str], rows: dict[str, _Row]) -> list[str]:
    return [name for name in groups if name in rows]
