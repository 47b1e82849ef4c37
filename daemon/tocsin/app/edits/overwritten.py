"""What a save of an older text wipes out of an incident's file, though it was written meanwhile by the daemon or a
command, and the edits that put it back (P9).

Nothing says which version an editor had opened, nor who wrote one. So it is decided by the entries: the daemon and the
commands date what they add to the very second, and a version is seen within seconds. A save that has none of what such
a version added is of a text from before it; one that has any of it was made by somebody who had read it, and stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tocsin.domain.incident import Acknowledgment, Edit, Incident, TimelineNote, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import cut, one_line

WITHIN = timedelta(minutes=10)
"""How long after something was written a save that lacks it counts as one of an older text."""
SEEN_WITHIN = timedelta(seconds=15)
"""How long after the daemon or a command wrote it a version is seen at the latest: what is dated by hand rarely is."""
REMEMBERED = 64
"""Versions of an incident that are looked at, the newest: more than people make in that time."""
PUT_BACK = "Put back, as a save of an older text lacked it: "
"""How the note begins that says so. What was lost before it is not put back again: a second save without it stands."""
QUOTED_MOST = 60

Entry = UpdateEntry | TimelineNote | Acknowledgment
SeenVersion = tuple[datetime, Incident]

_LISTS = ("updates", "timeline", "acknowledged")
_FIELDS = ("severity", "status", "summary", "impact", "eta", "public_title", "review", "verified_by")
_ENDS = ("resolution", "public_resolution")


@dataclass(slots=True)
class _Loss:
    """What a save lacks."""

    entries: list[Entry] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)


def remembered(versions: Sequence[SeenVersion], now: datetime) -> tuple[SeenVersion, ...]:
    """Those of the versions, oldest first, that still matter: from the one before those of the last 10 min on, and
    from the last one on in which something was put back.
    """
    begins = 0
    for number, (before, after) in enumerate(pairwise(versions)):
        if after[0] < now - WITHIN or any(
            note.text.startswith(PUT_BACK) and not note.by for note in _added("timeline", before[1], after[1])
        ):
            begins = number + 1
    return tuple(versions[begins:][-REMEMBERED:])


def put_back(versions: Sequence[SeenVersion], saved: Incident, now: datetime, policy: Policy) -> tuple[Edit, ...]:
    """The edits that put back what a save lacks, the last of them the note that says so; none where it lacks nothing.
    `versions` are those seen so far, as they are remembered.
    """
    if not versions:
        return ()
    loss, newest = _Loss(), versions[-1][1]
    for (_, before), (at, after) in reversed(list(pairwise(versions))):
        marks = [entry for name in _LISTS for entry in _added(name, before, after) if _is_written(entry, at)]
        if any(_stands(mark, saved) for mark in marks):
            break
        if marks and now - at <= WITHIN:
            _gather(loss, before, after, newest, saved)
    edits = [*_of_entries(loss), *_of_fields(loss, newest)]
    if not edits:
        return ()
    return (
        *edits,
        Edit(note=TimelineNote(PUT_BACK + "; ".join(_names(loss, policy)) + ".", now.replace(microsecond=0))),
    )


def _added(name: str, before: Incident, after: Incident) -> list[Any]:
    known = set(getattr(before, name))
    return [entry for entry in getattr(after, name) if entry not in known]


def _is_written(entry: Entry, seen_at: datetime) -> bool:
    """Whether the daemon or a command wrote this."""
    return entry.at is not None and abs(seen_at - entry.at) <= SEEN_WITHIN


def _stands(entry: Entry, saved: Incident) -> bool:
    """Whether the save has it, be it with other words."""
    entries: tuple[Entry, ...] = (*saved.updates, *saved.timeline, *saved.acknowledged)
    marks = ((type(known), known.by, known.at) for known in entries)
    return entry in entries or (entry.at is not None and (type(entry), entry.by, entry.at) in marks)


def _gather(loss: _Loss, before: Incident, after: Incident, newest: Incident, saved: Incident) -> None:
    """Add what this version brought, the last one still has, and the save has as it was before."""
    there = {entry for name in _LISTS for entry in getattr(newest, name)}
    brought = [entry for name in _LISTS for entry in _added(name, before, after)]
    loss.entries[:0] = [entry for entry in brought if entry in there and not _stands(entry, saved)]
    for name in _FIELDS + _ENDS:
        old, new, now = (getattr(version, name) for version in (before, after, saved))
        if old != new and now == old != getattr(newest, name):
            loss.fields[name] = getattr(newest, name)
    for attribute, lost in (("roles", loss.roles), ("links", loss.links)):
        old, new, now, last = (dict(getattr(version, attribute)) for version in (before, after, saved, newest))
        lost |= {
            key: last[key] for key in new if old.get(key) != new[key] and now.get(key) == old.get(key) and key in last
        }
    gone = [one for one in _added("services", before, after) if one in newest.services and one not in saved.services]
    loss.services[:0] = gone


def _of_entries(loss: _Loss) -> Iterator[Edit]:
    for entry in loss.entries:
        match entry:
            case UpdateEntry():
                yield Edit(entry=entry)
            case TimelineNote():
                yield Edit(note=entry)
            case Acknowledgment():
                yield Edit(acknowledgment=entry)


def _of_fields(loss: _Loss, newest: Incident) -> Iterator[Edit]:
    values = {name: value for name, value in loss.fields.items() if name not in _ENDS}
    if "eta" in values and values["eta"] is None:
        values["no_eta"] = True
    if values:
        yield Edit(**values)
    if loss.fields.keys() & set(_ENDS):
        if newest.resolution or newest.public_resolution:
            yield Edit(resolution=newest.resolution or None, public_resolution=newest.public_resolution or None)
        else:
            yield Edit(resolution="")
    for role in loss.roles.items():
        yield Edit(role=role)
    if loss.services or loss.links:
        yield Edit(services=tuple(loss.services) or None, links=tuple(loss.links.items()) or None)


def _names(loss: _Loss, policy: Policy) -> Iterator[str]:
    """What was put back, for people."""
    for entry in loss.entries:
        who = f" by {policy.person_name(entry.by)}" if entry.by else ""
        if isinstance(entry, Acknowledgment):
            yield f"acceptance{who}"
        else:
            text = entry.text or (entry.public if isinstance(entry, UpdateEntry) else "")
            yield f"{'update' if isinstance(entry, UpdateEntry) else 'note'}{who} “{cut(one_line(text), QUOTED_MOST)}”"
    yield from (name.replace("_", " ") for name in loss.fields)
    yield from (policy.role_title(role) for role in loss.roles)
    yield from (name for name, lost in (("services", loss.services), ("links", loss.links)) if lost)
