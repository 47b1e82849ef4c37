"""What each version of an incident file brought, in words for the timeline.

Two versions are compared field by field; what people wrote under `updates` and `timeline` is gathered over all of them.
Must not know who was told because of it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, TimelineNote, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.text.markdown import Run, Runs, joined, quoted, runs
from tocsin.text.names import author_name
from tocsin.text.times import recorded
from tocsin.wording.message.update_words import severity_change

FREE_TEXTS = (
    "title",
    "public_title",
    "summary",
    "impact",
    "bridge",
    "resolution",
    "public_resolution",
    "verified_by",
    "review",
)
"""Fields whose new words are quoted."""
ENTRIES = ("updates", "timeline")
"""What people write there stands in the timeline by itself."""
Entry = TypeVar("Entry", UpdateEntry, TimelineNote)


def version(before: History, after: History, policy: Policy, zone: str = "UTC") -> Runs:
    """What the newest version of `after` brought, given what stood before it; its instants are those of `zone`."""
    new, old = after.incident, before.incident
    assert new is not None
    if new.unreadable:
        return runs(Run("Seen", "strong"), ": a file that cannot be read")
    if old is None or old.unreadable or after.episode > max(before.episode, 1):
        return _begun(old, new, policy, again=after.episode > 1)
    changed = joined("; ", _changes(old, new, policy, zone))
    if not changed and _entries_differ(old, new):
        return ()
    if not changed:
        return runs("File saved, with no change that counts")
    if new.resolved and not old.resolved:
        return runs(Run("Resolved", "strong"), ": ", changed)
    return runs("File changed: ", changed)


def gathered(versions: Sequence[Seen], pick: Callable[[Incident], Sequence[Entry]]) -> Iterator[tuple[datetime, Entry]]:
    """Every entry that people wrote, as it last stood, with its instant: its own, else when it was first seen. An entry
    was edited when another with its instant or its text took its place.
    """
    written = WrittenEntries[Entry]()
    for seen in versions:
        written.see(pick(seen.incident), seen.at)
    for entry, seen_at in written.entries:
        yield entry.at or seen_at, entry


class WrittenEntries(Generic[Entry]):
    """The entries of all versions so far, each once. A version costs as much as differs from the one before."""

    def __init__(self) -> None:
        self.entries: list[tuple[Entry, datetime]] = []
        self._places: dict[Entry, int] = {}
        self._version: Sequence[Entry] = ()
        self._standing: Counter[Entry] = Counter()
        self._vanished: defaultdict[object, set[int]] = defaultdict(set)
        """The places of those that stand there no more, by their instants and by their texts."""

    def see(self, version: Sequence[Entry], at: datetime) -> None:
        """One more version, which counts from `at`."""
        removed, added = _differing(self._version, version)
        self._version = version
        self._standing.subtract(removed)
        self._standing.update(added)
        for entry in dict.fromkeys(removed):
            if not self._standing[entry] and entry in self._places:
                self._note_vanished(entry, self._places[entry])
        written_anew = [entry for entry in dict.fromkeys(added) if entry not in self._places]
        for entry in added:
            if entry in self._places:
                self._note_standing(entry, self._places[entry])
        for entry in written_anew:
            self._write(entry, at)

    def _write(self, entry: Entry, at: datetime) -> None:
        """An entry that no version before had: a new one, or an edit of the first that it may be an edit of."""
        place = min((place for key in _keys(entry) for place in self._vanished[key]), default=None)
        if place is None:
            self._places[entry] = len(self.entries)
            self.entries.append((entry, at))
            return
        former, seen_at = self.entries[place]
        self._note_standing(former, place)
        del self._places[former]
        self._places[entry] = place
        self.entries[place] = entry, seen_at

    def _note_vanished(self, entry: Entry, place: int) -> None:
        for key in _keys(entry):
            self._vanished[key].add(place)

    def _note_standing(self, entry: Entry, place: int) -> None:
        for key in _keys(entry):
            self._vanished[key].discard(place)


def _keys(entry: UpdateEntry | TimelineNote) -> list[object]:
    """What an edited entry shares with the one that it was: its instant, or its text."""
    return [key for key in (entry.at, entry.text) if key]


def _differing(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """What of two lists is not their common beginning, or, where one was written on top, their common end."""
    if new[: len(old)] == old:
        return (), new[len(old) :]
    if old and new[-len(old) :] == old:
        return (), new[: -len(old)]
    begins = next((place for place, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(new))
    return old[begins:], new[begins:]


def _begun(old: Incident | None, new: Incident, policy: Policy, *, again: bool) -> Runs:
    """That it was declared, or is open again: who declared it the first time need not have opened it again."""
    begun = Run("Reopened" if again else "Declared", "strong")
    is_told = new.declared_by and not (again and old and old.declared_by == new.declared_by)
    by = runs(" by ", quoted(author_name(new.declared_by, policy))) if is_told else ()
    drill = " (a drill)" if new.drill else ""
    severity = quoted(new.severity.upper())
    return runs(begun, by, f"{drill}: ", quoted(new.title), "; severity ", severity, f", status {new.status.value}")


def _changes(old: Incident, new: Incident, policy: Policy, zone: str) -> Iterator[str | Runs]:
    """Each field that differs, in words."""
    if old.severity != new.severity:
        yield runs("severity ", quoted(severity_change(old.severity, new.severity, policy)))
    if old.status is not new.status:
        yield f"status {old.status.value} → {new.status.value}"
    if old.eta != new.eta:
        was, now = (recorded(eta, zone) if eta else "none" for eta in (old.eta, new.eta))
        yield f"ETA {was} → {now}"
    if old.started_at != new.started_at:
        yield f"began {recorded(new.started_at, zone)}" if new.started_at else "began: (removed)"
    for name in FREE_TEXTS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            words = quoted(author_name(after, policy) if name == "verified_by" else after)
            yield runs(f"{name.replace('_', ' ')}: ", words if words.text else "(removed)")
    if old.services != new.services:
        yield runs("services: ", joined(", ", map(quoted, new.services)) or "none")
    yield from _people(old, new, policy)
    for name in ENTRIES:
        if not _adds_alone(getattr(old, name), getattr(new, name)):
            yield runs(Run(name, "code"), " edited")
    if old.links != new.links:
        yield runs("links: ", joined(", ", (quoted(title) for title, _ in new.links)) or "none")
    if old.drill != new.drill:
        yield "marked as a drill" if new.drill else "no longer a drill"


def _entries_differ(old: Incident, new: Incident) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in ENTRIES)


def _adds_alone(old: Sequence[Entry], new: Sequence[Entry]) -> bool:
    """Whether every entry that stood there still does."""
    removed, added = _differing(old, new)
    return not Counter(removed) - Counter(added)


def _people(old: Incident, new: Incident, policy: Policy) -> Iterator[Runs]:
    """Assignments and acknowledgments that the version brought."""
    for role, person in new.roles:
        if old.assigned(role) != person:
            yield runs(quoted(policy.person_name(person)), " assigned as ", quoted(policy.role_title(role)))
    for role, _ in old.roles:
        if new.assigned(role) is None:
            yield runs("assignment of ", quoted(policy.role_title(role)), " removed")
    known = frozenset(old.acknowledged)
    for ack in new.acknowledged:
        if ack not in known:
            yield runs("acknowledged by ", quoted(policy.person_name(ack.by)))
