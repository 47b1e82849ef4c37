"""An incident as outsiders may see it: what external groups were told, at the instants at which they were told it, in
the words of their emails (title, status, impact, ETA, `public` texts, the standing sentence: `docs/behaviour.md`). A
version that they were not told of is not shown.

Decides what of an incident is public, and whether it is at all. Must not know how it is laid out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain.facts import Closed, Updated
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.closing_words import duration, resolution
from tocsin.wording.message.update_words import GroupView, changes, group_view, news, standing
from tocsin.wording.message.wording import title_text
from tocsin.wording.report.chart import Chart, ChartBand, ChartLane, ChartMark, MarkSign
from tocsin.wording.report.chart_lanes import AFTER, STATUS_TONES
from tocsin.wording.report.page_timeline import excerpt
from tocsin.wording.report.timeline import TimelineStep

ZONE = "UTC"
"""Whose clock the words are for: nobody's in particular."""
LAST_WORD = "Regular updates end here. The next one comes when it is resolved, or sooner if there is news."
AGAIN = "This incident is open again."


@dataclass(frozen=True, slots=True)
class PublicUpdate:
    """What outsiders were told at an instant, a paragraph each: what had changed, then the news (or the standing
    sentence); and the status of that version.
    """

    at: datetime
    changes: tuple[str, ...]
    words: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class PublicView:
    """The public view. `updates` are oldest first, never empty. `next_update_at` is what was promised last, `since`
    when it really began.
    """

    id: str
    title: str
    status: Status
    impact: str
    eta: datetime | None
    updates: tuple[PublicUpdate, ...]
    next_update_at: datetime | None
    resolved_at: datetime | None
    since: datetime | None = None

    @property
    def began_at(self) -> datetime:
        """When outsiders first heard of it."""
        return self.updates[0].at

    @property
    def excerpt(self) -> tuple[tuple[PublicUpdate, ...], tuple[PublicUpdate, ...], int]:
        """The first and the last updates of many, and how many paragraphs are left out between them."""
        return excerpt(self.updates, lambda update: len(update.changes) + len(update.words), _shortened)

    @property
    def latest(self) -> PublicUpdate:
        """What they heard last."""
        return self.updates[-1]


def public_view(steps: Sequence[TimelineStep], promises: dict[str, datetime], policy: Policy) -> PublicView | None:
    """The public view, None when there is none: no external group was told, or it is a drill. `promises` are the next
    updates by group.
    """
    newest = steps[-1].after.incident
    assert newest is not None
    told = [step for step in steps if isinstance(step.fact, Updated) and step.fact.external]
    if newest.drill or not any(isinstance(step.fact, Updated) and step.fact.readers for step in told):
        return None
    public = [*told, *_ends(steps)]
    public.sort(key=lambda step: step.fact.at)
    last = public[-1]
    version, resolved = _version(last), isinstance(last.fact, Closed)
    groups = {step.fact.group for step in told if isinstance(step.fact, Updated)}
    waits = [at for name, at in promises.items() if name in groups]
    # The end says no more than that it ended: what they last read of the impact stands.
    read = _version(next(step for step in reversed(public) if isinstance(step.fact, Updated)))
    return PublicView(
        id=version.id,
        title=_title(version, steps[-1].after),
        status=Status.RESOLVED if resolved else version.status,
        impact=clean(read.impact),
        eta=None if resolved else version.eta,
        updates=tuple(_updates(public, policy)),
        next_update_at=None if resolved else min(waits, default=None),
        resolved_at=last.fact.at if resolved else None,
        since=last.before.began_at,
    )


def _title(version: Incident, history: History) -> str:
    """The title of what they were last told; if that was one for insiders, a public one counts at once."""
    newest = history.incident
    title = version.public_title or (newest.public_title if newest else "") or history.title_for(version, external=True)
    return title_text(title, ENGLISH, external=True)


def public_chart(view: PublicView, now: datetime) -> Chart:
    """The drawing of the public view: its status, and when outsiders heard."""
    until = view.resolved_at or now
    bands = [
        ChartBand(update.at, following, STATUS_TONES[update.status], update.status.value)
        for update, following in zip(view.updates, [*(update.at for update in view.updates[1:]), until], strict=True)
        if following > update.at
    ]
    joined: list[ChartBand] = []
    for band in bands:
        last = joined[-1] if joined else None
        if last and (last.label, last.end) == (band.label, band.start):
            joined[-1] = ChartBand(last.start, band.end, band.tone, band.label)
        else:
            joined.append(band)
    marks = [ChartMark(update.at, MarkSign.UPDATE) for update in view.updates]
    promised = view.next_update_at
    marks += [ChartMark(promised, MarkSign.PROMISED)] if promised and promised > now else []
    end = max(until, promised or until)
    length = max(end - view.began_at, timedelta(minutes=1)) * (1 + AFTER)
    lanes = (ChartLane("Status", bands=tuple(joined)), ChartLane("Updates", marks=tuple(marks)))
    about = "The status over time, and the updates. The list below tells the same."
    return Chart("Timeline", about, view.began_at, view.began_at + length, None if view.resolved_at else now, lanes)


def _shortened(update: PublicUpdate, most: int) -> PublicUpdate:
    """The update with so many paragraphs, and a word that there are more."""
    changes = update.changes[:most]
    words = update.words[: most - len(changes)]
    more = len(update.changes) + len(update.words) - len(changes) - len(words)
    return replace(update, changes=changes, words=(*words, f"(and {more} more)"))


def _ends(steps: Sequence[TimelineStep]) -> Iterator[TimelineStep]:
    """The closings that outsiders heard: of episodes in which they were told something."""
    for step in steps:
        if isinstance(step.fact, Closed) and any(reader.external for reader in step.before.reached.values()):
            yield step


def _version(step: TimelineStep) -> Incident:
    assert step.before.incident is not None
    return step.before.incident


def _updates(public: Sequence[TimelineStep], policy: Policy) -> Iterator[PublicUpdate]:
    """What was told, groups told at one instant together."""
    together: dict[datetime, list[TimelineStep]] = {}
    for step in public:
        together.setdefault(step.fact.at, []).append(step)
    for at, simultaneous in together.items():
        changed = dict.fromkeys(word for step in simultaneous for word in _changes(step, policy))
        words = dict.fromkeys(word for step in simultaneous for word in _words(step, policy))
        ended = any(isinstance(step.fact, Closed) for step in simultaneous)
        status = Status.RESOLVED if ended else _version(simultaneous[-1]).status
        yield PublicUpdate(at, tuple(changed), tuple(words), status)


def _changes(step: TimelineStep, policy: Policy) -> Iterator[str]:
    """What an update says has changed since the one before, as in its template."""
    if isinstance(step.fact, Updated):
        view = _view(step, step.fact)
        if view.previous is None and step.fact.group in step.before.groups_before:
            yield AGAIN
        said = () if news(view, policy) else (_standing(view),)
        yield from (change for change in changes(view, policy) if change not in said)


def _view(step: TimelineStep, fact: Updated) -> GroupView:
    """The version that the group was told of, as it read it."""
    return group_view(_version(step), step.before, fact.group, external=True, zone=ZONE, now=fact.at, language=ENGLISH)


def _standing(view: GroupView) -> str:
    return standing(view.incident.status, view.previous.status if view.previous else None, ENGLISH)


def _words(step: TimelineStep, policy: Policy) -> Iterator[str]:
    """What else an update says, or the end: as in the templates of the same name."""
    fact, incident = step.fact, _version(step)
    if not isinstance(fact, Updated):
        lasted = duration(step.before, ENGLISH)
        yield f"This incident is resolved. It lasted {lasted}." if lasted else "This incident is resolved."
        word = resolution(incident, step.before, external=True)
        if word:
            yield word
        return
    view = _view(step, fact)
    yield from [entry.text for entry in news(view, policy)] or [_standing(view)]
    if fact.reason is Reason.SEVERITY_LOWERED and not any(group.external for group in step.after.groups.values()):
        yield LAST_WORD
