"""Where the content of a machine's file stands among the versions that the ledger knows of an incident (P9).

A file may lag behind: a clone that was not pulled, a checkout from before. What it says then was said already, and
changes nothing. A file that has held something newer and goes back is an edit like any other. What is compared are
digests, in the order in which they counted: the same content may have counted twice.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tocsin.app.edits.carried_over import LISTS, MAPPINGS, VALUES, place_of
from tocsin.domain.incident import Incident

_TEXTS = ("title", "public_title", "summary", "impact", "bridge", "resolution", "public_resolution")
_OWN_WORDS = ("public_title", "summary", "impact", "resolution", "public_resolution", "updates", "timeline")
"""The fields that hold words of somebody's own, which nobody else writes by chance."""
_STATE = tuple(name for name in VALUES if name not in _TEXTS)
"""The fields of which one value stands at a time: what they said before is said again by a choice."""
BASES_MOST = 64
"""Versions that are looked at for what a save was made of, the newest."""

RecordedVersion = tuple[str, Incident]
"""A version that counted: the digest of the content that brought it, and what has been true since."""
Entries = Mapping[tuple[str, Hashable], tuple[Any, ...]]
"""What is written in a field, and of a list or mapping each entry by itself, by its place."""


def held_versions(held: Sequence[str], digests: Sequence[str]) -> Sequence[int]:
    """Which of the versions that counted, oldest first, a file has held for sure, in that order. `held` are the digests
    of its contents so far, oldest first: each stands for the first version that it can be.
    """
    versions = [-1]
    for digest in held:
        if digest in digests[versions[-1] + 1 :]:
            versions.append(digests.index(digest, versions[-1] + 1))
    return versions[1:]


def newest_held(held: Sequence[str], digests: Sequence[str]) -> int:
    """The last of these; -1: none."""
    return [-1, *held_versions(held, digests)][-1]


def lags_behind(content: str, held: Sequence[str], digests: Sequence[str]) -> bool:
    """Whether a file that now holds `content` catches up with what counted long ago: it has held nothing newer."""
    return content in digests[max(0, newest_held(held, digests)) :]


def came_from(
    before: Incident | None, now: Incident, held: Sequence[str], versions: Sequence[RecordedVersion]
) -> Incident:
    """What its author knew when a save was made: what that file said before, and what came since of the saves of others
    that the author has seen, as a `git pull` and an edit, or several commits, may come at once, and a command writes
    the newest version with its edit. `held` are the digests of the file's contents before. Where nobody can tell what
    it said `before` (None), it has said what those of its contents changed that counted.

    Of each version only what it changed is looked at, which is one save. Nothing counts as taken out, or set back, that
    the author may never have seen.
    """
    digests = [digest for digest, _ in versions]
    own, counted = held_versions(held, digests), newest_held(held, digests)
    said = _entries(Incident(now.id, "", ""))
    old, new = _entries(before) if before else said, _entries(now)
    known = dict(old)
    for number, (_, version) in list(enumerate(versions))[-BASES_MOST:]:
        if version.unreadable:
            continue
        there = _entries(version)
        given, said = _given(said, there), there
        same = {place: entries for place, entries in given.items() if entries == new.get(place, ())}
        if number in own:
            if before is None:
                known |= {place: entries for place, entries in there.items() if entries == new.get(place)} | given
        elif _has_words(same, old) or (given == same and (before is None or number > counted)):
            known |= {place: entries for place, entries in given.items() if place in same or place[0] in _STATE}
    values: dict[str, list[Any]] = {name: [] for name in (*VALUES, *LISTS, *MAPPINGS)}
    for (name, _), entries in known.items():
        values[name] += entries
    alone = {name: values[name][0] for name in VALUES}
    return replace(now, **{name: tuple(entries) for name, entries in values.items()} | alone)


def _given(said: Entries, there: Entries) -> dict[tuple[str, Hashable], tuple[Any, ...]]:
    """What a version brought, by the places that it changed; nothing where it took something out."""
    places = [place for place in {**said, **there} if said.get(place) != there.get(place)]
    return {place: tuple(one for one in there.get(place, ()) if one not in said.get(place, ())) for place in places}


def _has_words(same: Entries, old: Entries) -> bool:
    """Whether there are somebody's own words in what a save has of another one, and were not there before."""
    return any(place[0] in _OWN_WORDS and any(entries) and entries != old.get(place) for place, entries in same.items())


def _entries(incident: Incident) -> Entries:
    entries: dict[tuple[str, Hashable], tuple[Any, ...]] = {(name, ""): (getattr(incident, name),) for name in VALUES}
    for name in (*LISTS, *MAPPINGS):
        for entry in getattr(incident, name):
            place = name, entry[0] if name in MAPPINGS else place_of(entry)
            entries[place] = (*entries.get(place, ()), entry)
    return entries
