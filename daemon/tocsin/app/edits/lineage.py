"""Where the content of a machine's file stands among the versions that the ledger knows of an incident (P9).

A file may lag behind: a clone that was not pulled, a checkout from before. What it says then was said already, and
changes nothing. A file that has held something newer and goes back is an edit like any other. What is compared are
digests, in the order in which they counted: the same content may have counted twice.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tocsin.app.edits.carried_over import LISTS, MAPPINGS, distance, place_of
from tocsin.domain.incident import Incident

_TEXTS = ("title", "public_title", "summary", "impact", "bridge", "resolution", "public_resolution")
_WORDS = (*_TEXTS, "updates", "timeline")
"""The fields that hold words of somebody's own."""
BASES_MOST = 64
"""Versions that are looked at for the one that a save was made of, the newest."""

RecordedVersion = tuple[str, Incident]
"""A version that counted: the digest of the content that brought it, and what has been true since."""


def newest_held(held: Sequence[str], digests: Sequence[str]) -> int:
    """Which of the versions that counted, oldest first, a file has held for sure as the newest; -1: none. `held` are
    the digests of its contents so far, oldest first: each stands for the first version that it can be.
    """
    newest = -1
    for digest in held:
        if digest in digests[newest + 1 :]:
            newest = digests.index(digest, newest + 1)
    return newest


def lags_behind(content: str, held: Sequence[str], digests: Sequence[str]) -> bool:
    """Whether a file that now holds `content` catches up with what counted long ago: it has held nothing newer."""
    return content in digests[max(0, newest_held(held, digests)) :]


def came_from(
    before: Incident | None, now: Incident, held: Sequence[str], versions: Sequence[RecordedVersion]
) -> Incident:
    """What its author knew when a save was made: the version that the file had before (None: nothing), but for what
    came with a pull of one that counted since, as several commits come at once, and a command writes the newest version
    with its edit. `held` are the digests of the file's contents before.

    Words that such a version brought are known where the save has them too: nobody writes the same by chance. Names,
    state and severity may be the same by chance, so of these it is the one version alone that is nearest to the save.
    Nothing counts as taken out that its author may never have seen.
    """
    known = before or Incident(now.id, "", "")
    counted = newest_held(held, [digest for digest, _ in versions])
    newer = [incident for _, incident in versions[max(counted, 0) :] if not incident.unreadable][-BASES_MOST:]
    old, new, others = _entries(known), _entries(now), [_entries(incident) for incident in newer]
    nearest = _nearest(known, now, newer)
    one = _entries(nearest)
    values: dict[str, list[Any]] = {name: [] for name in (*_TEXTS, *LISTS, *MAPPINGS)}
    for place in {**old, **new}:
        pulled = any(new.get(place) == other.get(place) for other in (others if place[0] in _WORDS else [one]))
        values[place[0]] += (new if pulled else old).get(place, ())
    texts = {name: values[name][0] for name in _TEXTS}
    return replace(nearest, **{name: tuple(entries) for name, entries in values.items()} | texts)


def _nearest(before: Incident, now: Incident, newer: Sequence[Incident]) -> Incident:
    """The version that a save is nearest to, of those that it may have been made of. That is none of which something
    stands there as it was before; and not the one before where words stand there that came later.
    """
    old, new, later, proved = _entries(before), _entries(now), [before], list[Incident]()
    for version in newer:
        between = _entries(version)
        changed = [place for place in {**old, **between} if old.get(place) != between.get(place)]
        if all(new.get(place) != old.get(place) for place in changed):
            later.append(version)
            if any(place[0] in _WORDS and new.get(place) == between.get(place) for place in changed):
                proved.append(version)
    return min(proved or later, key=partial(distance, now))


def _entries(incident: Incident) -> Mapping[tuple[str, Hashable], tuple[Any, ...]]:
    """What is written in a field, and of a list or mapping each entry by itself, by its place."""
    entries: dict[tuple[str, Hashable], tuple[Any, ...]] = {(name, ""): (getattr(incident, name),) for name in _TEXTS}
    for name in (*LISTS, *MAPPINGS):
        for entry in getattr(incident, name):
            place = name, entry[0] if name in MAPPINGS else place_of(entry)
            entries[place] = (*entries.get(place, ()), entry)
    return entries
