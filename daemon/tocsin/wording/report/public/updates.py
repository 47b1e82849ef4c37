"""What outsiders were told at each instant, in the words of their emails.

Groups that were told at one instant are one entry: what each of them read stands there once, and of the sentences that
say how it stands only one, that of the group which had heard before. What a group reads at its first update, and others
were told already, is not told again. Must not know what else of an incident is public.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.facts import Closed, Updated
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.closing_words import duration, resolution
from tocsin.wording.message.update_words import GroupView, changes, expected, group_view, last_news, news, standing
from tocsin.wording.report.timeline import TimelineStep

ZONE = "UTC"
"""Whose clock the words are for: nobody's in particular."""
LAST_WORD = "Regular updates end here. We will write again when it is resolved, or sooner if there is news for you."
AGAIN = "This incident is open again."
EXERCISE = "This was an exercise of ours: there is no disruption."
STANDING = frozenset(standing(now, before, ENGLISH) for now in Status for before in (None, *Status))
"""Every sentence that says how it stands, and no more."""


@dataclass(frozen=True, slots=True)
class PublicUpdate:
    """What outsiders were told at an instant, a paragraph each: what had changed, then the news (or the standing
    sentence); the impact, where it was new; and the status of that version.
    """

    at: datetime
    changes: tuple[str, ...]
    words: tuple[str, ...]
    status: Status
    impact: str = ""


@dataclass(slots=True)
class _Heard:
    """What outsiders heard in an episode up to now: news and estimates, and the impact that they read last."""

    episode: int
    texts: set[str] = field(default_factory=set)
    impact: str = ""


def public_updates(public: Sequence[TimelineStep], policy: Policy) -> Iterator[PublicUpdate]:
    """The entries of these steps: updates of external groups, and ends."""
    told = _Heard(0)
    together: dict[datetime, list[TimelineStep]] = {}
    for step in public:
        together.setdefault(step.fact.at, []).append(step)
    for at, steps in together.items():
        if steps[0].before.episode != told.episode:
            told = _Heard(steps[0].before.episode)
        yield _update(at, steps, told, policy)


def version_told(step: TimelineStep) -> Incident:
    """The version that a step told of."""
    assert step.before.incident is not None
    return step.before.incident


def view_told(step: TimelineStep, fact: Updated) -> GroupView:
    """The version that the group was told of, as it read it."""
    incident = version_told(step)
    return group_view(incident, step.before, fact.group, external=True, zone=ZONE, now=fact.at, language=ENGLISH)


def news_told_again(view: GroupView, policy: Policy) -> str:
    """The newest public text, as an update that has no news tells it again."""
    newest = last_news(view, policy)
    if newest is None:
        return ""
    if newest.outdated:
        return ENGLISH.say("Written at {time}: {news}", time=newest.at, news=newest.text)
    if newest.at:
        return ENGLISH.say("Last news, {time}: {news}", time=newest.at, news=newest.text)
    return ENGLISH.say("Last news: {news}", news=newest.text)


def _update(at: datetime, steps: Sequence[TimelineStep], told: _Heard, policy: Policy) -> PublicUpdate:
    """What was told at an instant."""
    changed, texts, estimates = dict[str, None](), dict[str, None](), dict[str, None]()
    stands: list[str] = []
    impact, version = "", version_told(steps[-1])
    for step in sorted(steps, key=_is_first):
        if not isinstance(step.fact, Updated):
            texts |= dict.fromkeys(_end(step))
        elif version.drill:
            stands.append(EXERCISE)
        else:
            view = view_told(step, step.fact)
            changed |= dict.fromkeys(_changes(step, step.fact, view, policy, told))
            texts |= dict.fromkeys(_news(view, policy, told))
            if view.previous is None and not view.eta_passed and (estimate := expected(view)) not in told.texts:
                estimates |= dict.fromkeys(filter(None, (estimate,)))
            stands.append(standing(view.incident.status, view.previous.status if view.previous else None, ENGLISH))
            impact = _new_impact(view, told) or impact
    told.texts |= changed.keys() | texts.keys() | estimates.keys()
    words = [*([*texts] or stands[:1]), *estimates]
    changes = [sentence for sentence in changed if sentence not in STANDING or (texts and sentence == stands[0])]
    words += [LAST_WORD] if any(_is_last_word(step) for step in steps) else []
    ended = any(isinstance(step.fact, Closed) for step in steps)
    return PublicUpdate(at, tuple(changes), tuple(words), Status.RESOLVED if ended else version.status, impact)


def _is_first(step: TimelineStep) -> bool:
    """Whether it is the first that a group hears in the episode."""
    return isinstance(step.fact, Updated) and step.fact.group not in step.before.groups


def _is_last_word(step: TimelineStep) -> bool:
    lowered = isinstance(step.fact, Updated) and step.fact.reason is Reason.SEVERITY_LOWERED
    return lowered and not any(group.external for group in step.after.groups.values())


def _changes(step: TimelineStep, fact: Updated, view: GroupView, policy: Policy, told: _Heard) -> Iterator[str]:
    """What an update says has changed since the one before, and that it takes longer, where that is new."""
    if view.previous is None and fact.group in step.before.groups_before:
        yield AGAIN
    yield from changes(view, policy)
    if view.eta_passed and (late := expected(view)) and late not in told.texts:
        yield late


def _news(view: GroupView, policy: Policy, told: _Heard) -> Iterator[str]:
    """The public texts that the group had not read; where it hears for the first time, that nobody outside had."""
    for entry in news(view, policy):
        if view.previous or entry.text not in told.texts:
            yield entry.text


def _new_impact(view: GroupView, told: _Heard) -> str:
    """The impact, where outsiders did not read it before."""
    impact, before = clean(view.incident.impact), told.impact
    told.impact = impact
    return impact if impact != before else ""


def _end(step: TimelineStep) -> Iterator[str]:
    """What the end says: as in the template of the same name."""
    lasted = duration(step.before, ENGLISH)
    yield f"This incident is resolved. It lasted {lasted}." if lasted else "This incident is resolved."
    word = resolution(version_told(step), step.before, external=True)
    if word:
        yield word
