"""What a new version of the incident file changes (rules 2, 5, 9, 15, 20, 22).

Two versions are compared, nothing else: whether a group hears of it, or a role is needed, is decided elsewhere.
"""

from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.domain.facts import Seen
from tocsin.domain.history import NEVER_SEEN, NOBODY, GroupHistory, Handover, History, RoleHistory
from tocsin.domain.incident import Incident, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.planning.history.acknowledged import apply_acknowledgments, new_acknowledgments, reopened, with_entries
from tocsin.planning.history.fast_replace import replace

CHANGES_HELD_FOR = timedelta(seconds=2)
"""How long a change waits for more of them (rule 5)."""


def apply_version(history: History, seen: Seen) -> History:
    """The history after a version was seen: an episode begins, goes on, or ends."""
    new, old, at = seen.incident, history.incident, seen.at
    if old is None or (old.unreadable and (history.gone or not new.unreadable)):
        return _first_seen(history, seen)
    if old.unreadable:
        return replace(history, incident=new, seen_at=at)
    if old.resolved and not new.resolved:
        acted = history.acted or not _alerts_wrote(old, new)
        history = replace(_reopen(history, seen), acted=acted)
    else:
        reread = bool(seen.digest) and seen.digest == history.digest
        wrote = history.resolved_at is None and not reread and _somebody_wrote(old, new)
        history = _continue(history, old, seen)
        history = replace(history, acted=history.acted or wrote)
    return replace(history, digest=seen.digest)


def _first_seen(before: History, first: Seen) -> History:
    """First sight, by who was told of a file that could not be read. An incident first seen resolved sends nothing
    (rule 20).
    """
    incident, at = first.incident, first.at
    told = {"reached": before.reached, "subjects": before.subjects, "digest": first.digest}
    if incident.unreadable:
        seen = {"started_at": at, "seen_at": at, "changed_at": at, "severity_changed_at": at}
        return replace(NEVER_SEEN, incident=incident, **seen, **told)
    if incident.resolved:
        return replace(
            NEVER_SEEN,
            incident=incident,
            acknowledged_ever=with_entries({}, incident.acknowledged, first),
            seen_at=at,
            changed_at=at,
            started_at=at,
            resolved_at=at,
            closed=not before.reached,  # whoever was paged while it could not be read hears the end
            episode=0,
            **told,
        )
    people = tuple(dict.fromkeys(ack.by for ack in incident.acknowledged))
    entries = with_entries({}, incident.acknowledged, first)
    return _begin(incident, at, 1, Reason.DECLARED, first_sight=people, acknowledged_ever=entries, **told)


def _reopen(history: History, seen: Seen) -> History:
    """A new episode. Names that stood there before count again only as a newer `{by, at}` (rule 15)."""
    ended, new, at = history.incident, seen.incident, seen.at
    episode = _begin(new, at, history.episode + 1, Reason.REOPENED)
    episode = replace(
        episode,
        acknowledged_ever=history.acknowledged_ever,
        reopened_after=history.resolved_at or at,
        subjects=history.subjects,
        updates_before=ended.updates if ended else (),
        groups_before=history.groups_before.union(history.groups, history.left_groups),
        resolution_before=_unchanged(ended.resolution if ended else "", new.resolution),
        public_resolution_before=_unchanged(ended.public_resolution if ended else "", new.public_resolution),
        alert_title=history.alert_title or episode.alert_title,
    )
    return reopened(episode, new_acknowledgments(ended, seen), seen)


def _unchanged(before: str, now: str) -> str:
    """What was written of the end before, if it still stands there; once it has gone, the same words are new ones."""
    return before if before == now else ""


def _begin(incident: Incident, at: datetime, episode: int, reason: Reason, **kept: object) -> History:
    return replace(
        NEVER_SEEN,
        incident=incident,
        episode=episode,
        reason=reason,
        started_at=at,
        seen_at=at,
        changed_at=at,
        severity_changed_at=at,
        read_at=None if incident.never_read else at,
        public_at=at if _has_public(incident) else None,
        eta_since=at,
        acted=_has_own_entries(incident),
        alert_title=incident.title if incident.declared_by_alerts else "",
        undated=_undated(incident.updates, at),
        **kept,
    )


def _undated(entries: tuple[UpdateEntry, ...], at: datetime) -> tuple[tuple[UpdateEntry, datetime], ...]:
    """The entries without an instant of their own, and when they were first seen."""
    return tuple((entry, at) for entry in entries if entry.at is None)


def _continue(history: History, old: Incident, seen: Seen) -> History:
    """The episode goes on, or ends. Assignments come before acknowledgments, so that both in one edit agree."""
    new, at = seen.incident, seen.at
    changed = replace(old, acknowledged=()) != replace(new, acknowledged=())
    history = replace(
        history,
        incident=new,
        seen_at=at,
        changed_at=at if changed else history.changed_at,
        severity_changed_at=at if old.severity != new.severity else history.severity_changed_at,
        read_at=history.read_at or (None if new.never_read else at),
        public_at=(history.public_at or at) if _has_public(new) else None,
        eta_since=at if old.eta != new.eta else history.eta_since,
        drill_since=at if new.drill and not old.drill else history.drill_since,
        resolution_before=_unchanged(history.resolution_before, new.resolution),
        public_resolution_before=_unchanged(history.public_resolution_before, new.public_resolution),
        verified=history.verified or bool(new.verified_by),
    )
    if changed:
        roles = {name: replace(role, still_asked_at=None) for name, role in history.roles.items()}
        history = replace(history, roles=roles)
    if old.drill and not new.drill and not new.resolved:
        history = _begin_in_earnest(history, old, at)
    for role, person in new.roles:
        if old.assigned(role) != person:
            history = _assign(history, role, person, at)
    history = apply_acknowledgments(history, new_acknowledgments(old, seen), seen)
    if new.resolved and not old.resolved:
        return replace(history, resolved_at=at)
    return history if new.resolved else _hold_changes(history, old, new, at)


def _mended(
    undated: tuple[tuple[UpdateEntry, datetime], ...], old: Incident, new: Incident
) -> tuple[tuple[UpdateEntry, datetime], ...]:
    """Entries without an instant of their own whose words were mended in their place: they are as old as before."""
    if old.updates == new.updates or len(old.updates) != len(new.updates):
        return ()
    first_seen = dict(undated)
    pairs = zip(old.updates, new.updates, strict=True)
    return tuple((after, first_seen[before]) for before, after in pairs if before != after and before in first_seen)


def _begin_in_earnest(history: History, old: Incident, at: datetime) -> History:
    """It is no drill any more: people are asked anew, as after a reopening, since who answered or did not took it for
    an exercise. What readers were told stays. An acknowledgment counts only if it came with this version, or later.
    """
    assert history.incident is not None
    fresh = (ack.by for ack in history.incident.acknowledged if ack not in old.acknowledged)
    return replace(
        history,
        reason=Reason.DECLARED,
        in_earnest_at=at,
        first_accepted_at=None,
        assessed=None,
        paging_at=None,
        paging_services=(),
        first_sight=tuple(dict.fromkeys(fresh)),
        roles={},
        batches=(),
        responders=(),
        responders_answered=NOBODY,
        responders_passed=NOBODY,
        waiting=(),
    )


def _has_public(incident: Incident) -> bool:
    return any(entry.public for entry in incident.updates)


def _has_own_entries(incident: Incident) -> bool:
    """Whether somebody has written under `updates` or `timeline`."""
    return bool(incident.updates or incident.timeline)


def _somebody_wrote(old: Incident, new: Incident) -> bool:
    """Whether a version of an open incident shows that somebody acted: any edit but the resolving one does, and in that
    one a new entry. What alerts wrote themselves does not (rule 28).
    """
    if new.resolved and not old.resolved:
        return bool(new_entries(old, new)) or len(new.timeline) > len(old.timeline)
    return old != new and not _alerts_wrote(old, new)


def _alerts_wrote(old: Incident, new: Incident) -> bool:
    """Whether alerts wrote this version: the file remembers other alerts than before, and says nothing new but what
    alerts may say.
    """
    alerts_may = ("severity", "services", "summary", "status", "resolution", "links", "alerts")
    as_before = replace(new, **{name: getattr(old, name) for name in alerts_may})
    return old.alerts != new.alerts and as_before == old


def _assign(history: History, name: str, person: str, at: datetime) -> History:
    """A name was written for a role: it ends an earlier pass; on an accepted role it asks for a handover (rule 9)."""
    role = history.roles.get(name) or RoleHistory(name)
    role = replace(role, passed=role.passed - {person}, left_out=role.left_out - {person})
    if role.holder is None:
        role = replace(role, restart_at=at)
    elif role.holder == person:
        role = replace(role, handover=None)
    else:
        role = replace(role, handover=Handover(person, at))
    return replace(history, roles={**history.roles, name: role})


def _hold_changes(history: History, old: Incident, new: Incident, at: datetime) -> History:
    """Every group told before hears of a meaningful change that it can see, 2 s after the first (rules 5, 22): external
    ones see no severity, and no entry without a `public` text. Inside it counts too whether it is a drill.
    """
    seen_by_all = any(getattr(old, name) != getattr(new, name) for name in ("status", "eta", "impact"))
    added = new_entries(old, new)
    undated = (*_mended(history.undated, old, new), *_undated(added, at))
    history = replace(history, undated=(*history.undated, *undated)) if undated else history
    told_outside = any(entry.public for entry in added)
    history = replace(
        history,
        news_outdated=not added and (seen_by_all or history.news_outdated),
        public_news_outdated=not told_outside and (seen_by_all or history.public_news_outdated),
    )
    outside = seen_by_all or told_outside
    inside = seen_by_all or bool(added) or (old.severity, old.drill) != (new.severity, new.drill)
    groups = {
        name: _with_change(group, at) if (outside if group.external else inside) else group
        for name, group in history.groups.items()
    }
    return replace(history, groups=groups)


def _with_change(group: GroupHistory, at: datetime) -> GroupHistory:
    """The group with one more change to hear of: with those of the 2 s before, or in a new update (rule 5)."""
    if group.held_since is None:
        return replace(group, held_since=at)
    if group.held_next is None and at - group.held_since >= CHANGES_HELD_FOR:
        return replace(group, held_next=at)
    return group


def new_entries(old: Incident, new: Incident) -> tuple[UpdateEntry, ...]:
    """The `updates` entries that came with a version: as many as the list has grown by, wherever they stand.

    An entry that was merely edited shares its place in the list, its instant or its text with an old one.
    """
    growth = len(new.updates) - len(old.updates)
    if growth <= 0:
        return ()
    if new.updates[: len(old.updates)] == old.updates:  # as a rule, and it spares the counting
        return new.updates[len(old.updates) :]
    if new.updates[growth:] == old.updates:  # written on top
        return new.updates[:growth]
    unmatched = Counter(old.updates)
    fresh: list[UpdateEntry] = []
    for entry in new.updates:
        if unmatched[entry] > 0:
            unmatched[entry] -= 1
        else:
            fresh.append(entry)
    edited = _edited(fresh, tuple(unmatched.elements()))
    added = []
    for entry in fresh:
        if edited[entry] > 0:
            edited[entry] -= 1
        else:
            added.append(entry)
    return tuple(added[-growth:])


def _edited(fresh: Sequence[UpdateEntry], vanished: Sequence[UpdateEntry]) -> Counter[UpdateEntry]:
    """Which of the fresh entries are old ones after an edit, each of the first that it may be of."""
    places: dict[object, deque[int]] = {}
    for place, entry in enumerate(vanished):
        for key in _keys(entry):
            places.setdefault(key, deque()).append(place)
    edited: Counter[UpdateEntry] = Counter()
    taken: set[int] = set()
    for entry in fresh:
        firsts = []
        for key in _keys(entry):
            listed = places.get(key, deque())
            while listed and listed[0] in taken:
                listed.popleft()
            firsts += [listed[0]] if listed else []
        if firsts:
            taken.add(min(firsts))
            edited[entry] += 1
    return edited


def _keys(entry: UpdateEntry) -> list[object]:
    """What an entry after an edit shares with itself before: its instant or its text."""
    return [key for key in (entry.at, entry.text) if key]
