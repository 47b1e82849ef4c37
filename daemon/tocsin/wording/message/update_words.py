"""What an update says to its group: the change first, in a sentence, then what else is true (rules 22, 56, 57).

External groups hear of title, status, impact, ETA and `public` texts only (`docs/behaviour.md`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.planning.history.fast_replace import replace
from tocsin.text.cleaning import clean
from tocsin.text.names import author_name
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock, span

FIRST_NEWS_MOST = 3
"""How many entries a group's first update tells, the newest: what happened before it heard (rule 56)."""

_ORDER = tuple(Status)


@dataclass(frozen=True, slots=True)
class News:
    """An `updates` entry as a reader gets it. `by` and `at` are empty where the file is silent, and for outsiders; only
    news that is told again has its time for them too. It is `outdated` where status, impact or ETA changed after it.
    """

    text: str
    by: str = ""
    at: str = ""
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class GroupView:
    """A version of an incident as a group reads it at `now`, in its zone and language. `previous` is the version that
    it was last told of; None: it hears for the first time in the episode. It is `again` a group of the incident after
    it had its last word. `before` are entries that stood there when the incident was opened again: they are no news.
    `undated` are entries without an instant of their own, and when each was first seen. `outdated` tells that status,
    impact or ETA have changed since the newest entry that it can see.
    """

    incident: Incident
    previous: Incident | None
    external: bool
    zone: str
    now: datetime
    language: Language
    before: tuple[UpdateEntry, ...] = ()
    undated: tuple[tuple[UpdateEntry, datetime], ...] = ()
    again: bool = False
    outdated: bool = False

    def time(self, at: datetime) -> str:
        """A time of day as this reader has it, with the day if it is another."""
        return clock(at, self.zone, self.now, self.language)

    @property
    def eta_passed(self) -> bool:
        """Whether the time by which it should have been fixed is over (rule 57)."""
        return has_passed(self.incident, self.now)


def group_view(
    incident: Incident, history: History, group: str, *, external: bool, zone: str, now: datetime, language: Language
) -> GroupView:
    """The version as a group reads it, after what the history says that it was told before."""
    known, left = history.groups.get(group), history.left_groups.get(group)
    previous = known.told_version if known else left
    return GroupView(
        _without_old_eta(incident, history),
        _without_old_eta(previous, history) if previous else None,
        external,
        zone,
        now,
        language,
        before=history.updates_before,
        undated=history.undated,
        again=known is None and left is not None,
        outdated=history.public_news_outdated if external else history.news_outdated,
    )


def _without_old_eta(version: Incident, history: History) -> Incident:
    """The version without an ETA from before the reopening: it was another end that was expected then."""
    old = version.eta and history.episode > 1 and history.started_at and version.eta <= history.started_at
    return replace(version, eta=None) if old else version


def has_passed(incident: Incident, now: datetime) -> bool:
    """Whether an open incident's ETA is no longer one (rule 57)."""
    return incident.eta is not None and incident.eta <= now and not incident.resolved


def status_text(status: Status, language: Language) -> str:
    """The status in a reader's words."""
    match status:
        case Status.INVESTIGATING:
            return language.say("looking for the cause")
        case Status.IDENTIFIED:
            return language.say("cause found")
        case Status.MONITORING:
            return language.say("fix in place")
        case Status.RESOLVED:
            return language.say("resolved")


def standing(status: Status, previous: Status | None, language: Language) -> str:
    """The standing sentence for a status; `previous` is the one that the reader last heard of. It is honest where there
    is nothing new to say, and where the response had to go back.
    """
    if status is previous:
        return _still(status, language)
    back = previous is not None and _ORDER.index(status) < _ORDER.index(previous)
    match status:
        case Status.INVESTIGATING:
            if back:
                return language.say("We are looking for the cause again.")
            return language.say("We are investigating.")
        case Status.IDENTIFIED:
            if back:
                return language.say("We are working on a fix again.")
            return language.say("We have found the cause and are working on it.")
        case Status.MONITORING:
            return language.say("A fix is in place; we are watching it.")
        case Status.RESOLVED:
            return language.say("The incident is resolved.")


def _still(status: Status, language: Language) -> str:
    match status:
        case Status.INVESTIGATING:
            return language.say("We are still investigating.")
        case Status.IDENTIFIED:
            return language.say("We know the cause and are still working on it.")
        case Status.MONITORING:
            return language.say("The fix is in place; we are still watching it.")
        case Status.RESOLVED:
            return language.say("The incident is resolved.")


def changes(view: GroupView, policy: Policy) -> tuple[str, ...]:
    """What has changed since the group was last told, a sentence each. Entries are news and not among them; nor is an
    impact, which is told beside the old one.
    """
    incident, previous, language = view.incident, view.previous, view.language
    if previous is None:
        return ()
    sentences: list[str] = []
    if previous.drill and not incident.drill:
        sentences.append(language.say("This is no exercise any more: it is real."))
    elif incident.drill and not previous.drill:
        sentences.append(language.say("From now on this is an exercise."))
    if not view.external and previous.severity != incident.severity:
        sentences.append(severity_sentence(previous.severity, incident.severity, policy, language))
    if previous.status is not incident.status:
        sentences.append(standing(incident.status, previous.status, language))
    eta = _eta_sentence(view, previous)
    sentences += [eta] if eta else []
    if previous.impact and not incident.impact:
        sentences.append(language.say("The impact is no longer stated."))
    return tuple(sentences)


def lead(view: GroupView, changed: Sequence[str], *, reopened: bool) -> str:
    """The change, in a sentence. Empty where somebody's own words are the change: news, or the impact."""
    incident, previous, language = view.incident, view.previous, view.language
    if previous is None:
        return language.say("This incident is open again.") if reopened else standing(incident.status, None, language)
    if view.again and not previous.drill:
        return language.say("From now on we write to you about this incident again.")
    if changed:
        return changed[0]
    if new_entries(view) or incident.impact != previous.impact:
        return ""
    return expected(view) if view.eta_passed else standing(incident.status, previous.status, language)


def expected(view: GroupView) -> str:
    """By when it should be fixed, or that it takes longer; empty where nobody said, or where the changes say it."""
    incident, previous, language = view.incident, view.previous, view.language
    if incident.eta is None or incident.resolved:
        return ""
    time = view.time(incident.eta)
    if not view.eta_passed:
        known = previous is None or previous.eta == incident.eta
        return _estimate(view, time) if known else ""
    if incident.status is Status.MONITORING:
        return language.say("Making sure takes longer than the {time} we expected; no new estimate yet.", time=time)
    return language.say("This takes longer than the {time} we expected; no new estimate yet.", time=time)


def news(view: GroupView, policy: Policy) -> tuple[News, ...]:
    """The entries that this reader's group has not read, oldest first; at its first update only the newest few."""
    entries = [_news(entry, view, policy, dated=not view.external) for entry in new_entries(view)]
    return tuple(entries if view.previous else entries[-FIRST_NEWS_MOST:])


def last_news(view: GroupView, policy: Policy) -> News | None:
    """The newest entry that its readers can see, with its time, for an update that has no news; None: there is none.
    One that is outdated is told only with its time, so that nobody takes it for how it stands now.
    """
    if new_entries(view):
        return None
    told = _readable(_added(view.incident.updates, view.before), external=view.external)
    if not told:
        return None
    first_seen = {entry: at for entry, at in view.undated if entry == told[-1]}
    newest = _news(replace(told[-1], at=told[-1].at or first_seen.get(told[-1])), view, policy, dated=True)
    if view.outdated:
        return replace(newest, outdated=True) if newest.at else None
    return newest


def impact_was(view: GroupView) -> str:
    """What the group was told of the impact before, where that has changed."""
    previous = view.previous
    return clean(previous.impact) if previous and previous.impact != view.incident.impact else ""


def severity_means(view: GroupView, policy: Policy) -> str:
    """What a severity that is new to an internal group means, in the config's own words."""
    previous, incident = view.previous, view.incident
    if view.external or previous is None or previous.severity == incident.severity:
        return ""
    severity = policy.severity(incident.severity)
    if not severity.meaning:
        return ""
    return view.language.say("{severity} means: {meaning}", severity=severity.name.upper(), meaning=severity.meaning)


def pace(view: GroupView, group: str, policy: Policy) -> str:
    """How often an internal group hears from now on, where a change of severity has changed that."""
    previous, incident, language = view.previous, view.incident, view.language
    if view.external or previous is None or previous.severity == incident.severity:
        return ""
    before, after = (_every(policy, version.severity, group) for version in (previous, incident))
    if after is None or before in (None, after):
        return ""
    return language.say("From now on you hear at the latest {span} after the last update.", span=span(after, language))


def severity_change(before: str, after: str, policy: Policy) -> str:
    """Which way a severity went, for people who keep records: `raised from SEV2 to SEV1`."""
    return f"{_direction(before, after, policy)} from {before.upper()} to {after.upper()}"


def new_entries(view: GroupView) -> tuple[UpdateEntry, ...]:
    """The entries not read yet that this group's readers can see. As in rule 22 an entry is new when the list has
    grown: a mended old one is not told again.
    """
    known = view.previous.updates if view.previous else view.before
    return _readable(_added(view.incident.updates, known), external=view.external)


def _added(entries: tuple[UpdateEntry, ...], known: tuple[UpdateEntry, ...]) -> tuple[UpdateEntry, ...]:
    """The entries that came since `known`, as many as the list has grown by, wherever they stand."""
    if entries[: len(known)] == known:  # as a rule, and it spares the counting
        return entries[len(known) :]
    growth = len(entries) - len(known)
    if growth <= 0:
        return ()
    if entries[growth:] == known:  # written on top
        return entries[:growth]
    counted, unknown = Counter(known), []
    for entry in entries:
        if counted[entry] > 0:
            counted[entry] -= 1
        else:
            unknown.append(entry)
    return tuple(unknown[-growth:])


def _readable(entries: tuple[UpdateEntry, ...], *, external: bool) -> tuple[UpdateEntry, ...]:
    return tuple(entry for entry in entries if clean(entry.public if external else entry.text or entry.public))


def _news(entry: UpdateEntry, view: GroupView, policy: Policy, *, dated: bool) -> News:
    at = view.time(entry.at) if dated and entry.at else ""
    if view.external:
        return News(clean(entry.public), at=at)
    return News(clean(entry.text or entry.public), author_name(clean(entry.by), policy), at)


def severity_sentence(before: str, after: str, policy: Policy, language: Language) -> str:
    """Which way a severity went, for a reader."""
    names = {"before": before.upper(), "after": after.upper()}
    match _direction(before, after, policy):
        case "raised":
            return language.say("Severity raised from {before} to {after}.", **names)
        case "lowered":
            return language.say("Severity lowered from {before} to {after}.", **names)
    return language.say("Severity changed from {before} to {after}.", **names)


def _direction(before: str, after: str, policy: Policy) -> str:
    if before not in policy.severities or after not in policy.severities:
        return "changed"
    return "raised" if policy.severity_rank(after) < policy.severity_rank(before) else "lowered"


def _eta_sentence(view: GroupView, previous: Incident) -> str:
    """A change of the estimate is said as such; one that is over already is no estimate (see `expected`)."""
    before, after, language = previous.eta, view.incident.eta, view.language
    if before == after or (after is not None and view.eta_passed):
        return ""
    if after is None:
        assert before is not None
        return language.say("There is no estimate any more (we had said {before}).", before=view.time(before))
    if before is None:
        return _estimate(view, view.time(after))
    time = view.time(after)
    was = view.time(before).removesuffix(f" {time.rpartition(' ')[2]}")  # its zone is said once
    if view.incident.status is Status.MONITORING:
        return language.say("We expect to be sure by {time} (we had said {before}).", time=time, before=was)
    return language.say("Expected to be fixed by {time} (we had said {before}).", time=time, before=was)


def _estimate(view: GroupView, time: str) -> str:
    """What is expected by then: that it is fixed, or where a fix is in place, that it holds."""
    if view.incident.status is Status.MONITORING:
        return view.language.say("We expect to be sure by {time}.", time=time)
    return view.language.say("Expected to be fixed by {time}.", time=time)


def _every(policy: Policy, severity: str, group: str) -> timedelta | None:
    """The first interval of a group's stream under a severity; None where it has no such thing."""
    streams = policy.severity(severity).updates if severity in policy.severities else ()
    stream = next((stream for stream in streams if group in stream.to), None)
    return stream.cadence.spans[0].every if stream and stream.cadence.spans else None
