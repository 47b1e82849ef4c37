"""What each version of an incident file brought, in words for the timeline.

Two versions are compared field by field; what people wrote under `updates` and `timeline` is gathered over all of them.
Must not know who was told because of it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, TimelineNote, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.text.markdown import Run, Runs, joined, quoted, runs
from tocsin.text.times import utc
from tocsin.wording.message.changes import severity_change

Entry = TypeVar("Entry", UpdateEntry, TimelineNote)


def version(before: History, after: History, policy: Policy) -> Runs:
    """What the newest version of `after` brought, given what stood before it."""
    new, old = after.incident, before.incident
    assert new is not None
    if new.unreadable:
        return runs(Run("Seen", "strong"), ": a file that cannot be read")
    if old is None or old.unreadable or after.episode > max(before.episode, 1):
        return _begun(new, again=after.episode > 1)
    changed = joined("; ", _changes(old, new, policy))
    if not changed:
        return runs("File saved, with no change that counts")
    if new.resolved and not old.resolved:
        return runs(Run("Resolved", "strong"), ": ", changed)
    return runs("File changed: ", changed)


def gathered(versions: Sequence[Seen], pick: Callable[[Incident], Sequence[Entry]]) -> Iterator[tuple[datetime, Entry]]:
    """Every entry that people wrote, as it last stood, with its instant: its own, else when it was first seen. An entry
    was edited when another with its instant or its text took its place.
    """
    known: list[tuple[Entry, datetime]] = []
    for seen in versions:
        entries = pick(seen.incident)
        for entry in entries:
            if any(former == entry for former, _ in known):
                continue
            replaced = (
                place for place, (former, _) in enumerate(known) if former not in entries and _edited(former, entry)
            )
            place = next(replaced, None)
            if place is None:
                known.append((entry, seen.at))
            else:
                known[place] = (entry, known[place][1])
    for entry, seen_at in known:
        yield entry.at or seen_at, entry


def _edited(old: Entry, new: Entry) -> bool:
    return (old.at is not None and old.at == new.at) or bool(old.text and old.text == new.text)


def _begun(new: Incident, *, again: bool) -> Runs:
    begun = Run("Reopened" if again else "Declared", "strong")
    by = runs(" by ", quoted(new.declared_by)) if new.declared_by else ()
    drill = " (a drill)" if new.drill else ""
    severity = quoted(new.severity.upper())
    return runs(begun, by, f"{drill}: ", quoted(new.title), "; severity ", severity, f", status {new.status.value}")


def _changes(old: Incident, new: Incident, policy: Policy) -> Iterator[str | Runs]:
    """Each field that differs, in words."""
    if old.severity != new.severity:
        yield runs("severity ", quoted(severity_change(old.severity, new.severity, policy)))
    if old.status is not new.status:
        yield f"status {old.status.value} → {new.status.value}"
    if old.eta != new.eta:
        yield f"ETA {utc(old.eta) if old.eta else 'none'} → {utc(new.eta) if new.eta else 'none'}"
    for name in ("title", "summary", "impact", "resolution", "verified_by", "review"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            words = quoted(after)
            yield runs(f"{name.replace('_', ' ')}: ", words if words.text else "(removed)")
    if old.services != new.services:
        yield runs("services: ", joined(", ", map(quoted, new.services)) or "none")
    yield from _people(old, new, policy)
    if old.updates != new.updates:
        yield runs(Run("updates", "code"), " written")
    if old.timeline != new.timeline:
        yield runs(Run("timeline", "code"), " written")
    if old.drill != new.drill:
        yield "marked as a drill" if new.drill else "no longer a drill"


def _people(old: Incident, new: Incident, policy: Policy) -> Iterator[Runs]:
    """Assignments and acknowledgments that the version brought."""
    for role, person in new.roles:
        if old.assigned(role) != person:
            yield runs(quoted(policy.person_name(person)), " assigned as ", quoted(policy.role_title(role)))
    for role, _ in old.roles:
        if new.assigned(role) is None:
            yield runs("assignment of ", quoted(policy.role_title(role)), " removed")
    for ack in new.acknowledged:
        if ack not in old.acknowledged:
            yield runs("acknowledged by ", quoted(policy.person_name(ack.by)))
