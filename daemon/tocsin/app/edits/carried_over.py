"""What a save changed of a file, done to another version of the same incident: several machines have a folder each, and
each one's file may lag behind what the others wrote (P9).

Of a field the later value counts, of a list its entries: those that came join, those that were taken out go, and those
that were rewritten are rewritten where they stand. Nothing else of the save counts. Pure; it knows no file.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tocsin.domain.incident import Acknowledgment, Incident, TimelineNote, UpdateEntry

VALUES = (
    "title", "public_title", "severity", "status", "summary", "impact", "eta", "started_at", "declared_at",
    "declared_by", "bridge", "resolution", "public_resolution", "verified_by", "review", "drill", "reviewed_drill",
    "unreadable", "alerts",
)  # fmt: skip
LISTS = ("services", "acknowledged", "updates", "timeline")
MAPPINGS = ("roles", "links")
_MAY_STAND_IN = ("title", "severity")
"""The fields for which something else stands where no version gave them."""


def carried_over(before: Incident, now: Incident, newest: Incident) -> Incident:
    """The newest version with what differs between the version that a file had before and the one it has now. A title
    or severity that only stands in for one is no difference; where the newest has no other, that of the file counts.
    """
    standing_in = [name for name in _MAY_STAND_IN if name in now.never_read]
    values: dict[str, Any] = {
        name: getattr(now, name)
        for name in VALUES
        if name not in standing_in and (getattr(before, name) != getattr(now, name) or name in newest.never_read)
    }
    for name in LISTS:
        values[name] = _list(getattr(before, name), getattr(now, name), getattr(newest, name))
    for name in MAPPINGS:
        values[name] = _mapping(getattr(before, name), getattr(now, name), getattr(newest, name))
    never_read = tuple(name for name in newest.never_read if name in standing_in)
    return replace(newest, **values, never_read=never_read)


def _list(before: Sequence[Any], now: Sequence[Any], newest: Sequence[Any]) -> tuple[Any, ...]:
    """The newest list, with what joined another one and without what left it."""
    if before in (now, newest):
        return tuple(newest if before == now else now)
    left, joined = list((Counter(before) - Counter(now)).elements()), list((Counter(now) - Counter(before)).elements())
    entries = list(newest)
    for entry in left:
        places = [place for place, one in enumerate(entries) if one == entry]
        places = places or [place for place, one in enumerate(entries) if _is_rewritten(entry, one)]
        if not places:
            continue
        rewritten = next((new for new in joined if _is_rewritten(entry, new)), None)
        if rewritten is not None and rewritten not in entries:
            entries[places[0]] = rewritten
        elif entries.count(entry) > now.count(entry):
            entries.remove(entry)
    for entry in joined:
        if entry not in newest and entry not in entries:
            entries.append(entry)
    return tuple(entries)


def _is_rewritten(old: Hashable, new: Hashable) -> bool:
    """Whether it is the same person's entry of the same instant, in other words."""
    return place_of(old) == place_of(new) != old


def place_of(entry: Hashable) -> Hashable:
    """What stays of an entry when it is rewritten: whose it is and its instant; without an instant, only itself."""
    if isinstance(entry, UpdateEntry | TimelineNote | Acknowledgment) and entry.at is not None:
        return type(entry), entry.by, entry.at
    return entry


def _mapping(
    before: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]], newest: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The newest mapping, with the entries that another one changed, got or lost."""
    if before in (now, newest):
        return tuple(newest if before == now else now)
    old, new, entries = dict(before), dict(now), dict(newest)
    for key in _changed_keys(old, new):
        if key in new:
            entries[key] = new[key]
        else:
            entries.pop(key, None)
    return tuple(entries.items())


def _changed_keys(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]
