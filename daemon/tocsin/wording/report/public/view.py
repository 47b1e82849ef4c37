"""An incident as outsiders may see it: what external groups were told, at the instants at which they were told it, in
the words of their emails (title, status, impact, ETA, `public` texts, the standing sentence: `docs/behaviour.md`). A
version that they were not told of is not shown.

Decides what of an incident is public, and whether it is at all. Must not know how it is laid out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from tocsin.domain.facts import Closed, Seen, Updated
from tocsin.domain.incident import Incident, Status
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.wording import title_text
from tocsin.wording.report.chart import Chart, ChartBand, ChartLane, ChartMark, MarkSign
from tocsin.wording.report.chart_lanes import AFTER, STATUS_TONES
from tocsin.wording.report.page_timeline import excerpt
from tocsin.wording.report.public.updates import PublicUpdate, news_told_again, public_updates, version_told, view_told
from tocsin.wording.report.timeline import TimelineStep


@dataclass(frozen=True, slots=True)
class PublicView:
    """The public view. `updates` are oldest first, never empty. `key` names it to the world, the `id`
    to insiders alone. `next_update_at` is what was promised last, `since` when it really began, or, of one that is
    `reopened`, when it began again; `last_news` what an update without news of its own told again.
    """

    id: str
    key: str
    title: str
    status: Status
    impact: str
    eta: datetime | None
    updates: tuple[PublicUpdate, ...]
    next_update_at: datetime | None
    resolved_at: datetime | None
    since: datetime | None = None
    reopened: bool = False
    last_news: str = ""

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
    told = [step for step in steps if isinstance(step.fact, Updated) and step.fact.external and step.fact.readers]
    if newest.drill or not told:
        return None
    public = [*told, *_ends(steps)]
    public.sort(key=lambda step: step.fact.at)
    last = public[-1]
    version, resolved = version_told(last), isinstance(last.fact, Closed)
    if version.drill:  # what they heard last is that it was an exercise
        return None
    groups = {step.fact.group for step in told if isinstance(step.fact, Updated)}
    waits = [at for name, at in promises.items() if name in groups]
    # The end says no more than that it ended, and an exercise nothing: what they last read of the impact stands.
    read = next((before for before in map(version_told, reversed(told)) if not before.drill), None)
    return PublicView(
        id=version.id,
        key=_key(steps),
        title=_title(last, newest),
        status=Status.RESOLVED if resolved else version.status,
        impact=clean(read.impact) if read else "",
        eta=view_told(last, last.fact).incident.eta if isinstance(last.fact, Updated) else None,
        updates=tuple(public_updates(public, policy)),
        next_update_at=None if resolved else min(waits, default=None),
        resolved_at=last.fact.at if resolved else None,
        since=last.before.began_at,
        reopened=last.before.episode > 1,
        last_news=news_told_again(view_told(last, last.fact), policy) if isinstance(last.fact, Updated) else "",
    )


def _key(steps: Sequence[TimelineStep]) -> str:
    """What names the incident outside, for ever, and tells nothing of its id: whoever guesses that would have to guess
    its first file too, octet by octet.
    """
    first = next(step.fact for step in steps if isinstance(step.fact, Seen))
    text = f"tocsin public 1\0{first.incident.id}\0{first.digest}\0{first.at.isoformat()}"
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _title(last: TimelineStep, newest: Incident) -> str:
    """The title of what they were last told. Where that was one for insiders and a public one is written since, which
    nobody was told yet: the neutral one, as neither is for them.
    """
    version = version_told(last)
    is_mistake = bool(newest.public_title) and not version.public_title
    title = "" if is_mistake else last.before.title_for(version, external=True)
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
    """The closings that outsiders heard: of episodes in which they were told something, if it was no exercise then. One
    that follows another tells people whom that one has not reached.
    """
    for step in steps:
        heard = any(reader.external for reader in step.before.reached.values()) and not step.before.closed
        if isinstance(step.fact, Closed) and heard and not version_told(step).drill:
            yield step
