"""Which file is which incident, from one listing to the next (rule 33).

Decides what a new name is: a file that is back, one renamed, a second one for an id, or a new incident's. Must not know
what files say nor when it counts.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.problem import Problem
from tocsin.formats.incident.file_name import incident_id, stem
from tocsin.formats.incident.read import IncidentReading
from tocsin.ports.folder import Listed


@dataclass(slots=True)
class File:
    """A file in the folder: what it holds, since when, and as which incident. `second`: another file has its id;
    `at_start`: it holds this since before we started; `held`: what it holds does not count, since many files went
    back to older contents at once (rule 69); `lacks`: it is asked to be put back what this content lacks (P9).
    `told_problems` are the problems that operators have heard of.
    """

    listed: Listed
    id: str
    since: datetime
    at_start: bool = False
    second: bool = False
    held: bool = False
    lacks: bool = False
    reading: IncidentReading | None = None
    told_problems: tuple[Problem, ...] = ()


class Files:
    """The files there are, those that have just gone, and whose content is still to be judged (`unsettled`)."""

    def __init__(self) -> None:
        self.present: dict[str, File] = {}
        self.vanished: dict[str, File] = {}
        self.unsettled: set[str] = set()
        self._owners: dict[str, str] = {}
        self._listing: Sequence[Listed] | None = None
        self._contents: set[str] = set()

    def expect(self, names: Iterable[tuple[str, str, str]], now: datetime) -> None:
        """At the start: files as (name, incident id, digest) that are missed until they are found."""
        for name, id_, digest in names:
            self.vanished[name] = File(Listed(name, None, digest), id_, now)
            self._owners[id_] = name

    def compare(self, listing: Sequence[Listed], now: datetime, *, at_start: bool) -> None:
        """Note which files came, changed and went since the last listing; in the same one, none."""
        if listing is self._listing:
            return
        self._listing, self._contents = listing, {listed.digest for listed in listing}
        names = {listed.name for listed in listing}
        for name in sorted(self.present.keys() - names):
            went = self.present.pop(name)
            self.unsettled.discard(name)
            went.since = now
            if not went.second:
                self.vanished[name] = went
        for listed in listing:
            file = self.present.get(listed.name)
            if file is None:
                self.present[listed.name] = self._arrived(listed, names, now, at_start=at_start)
                self.unsettled.add(listed.name)
            elif listed is not file.listed:
                if (listed.digest, listed.trouble) != (file.listed.digest, file.listed.trouble):
                    file.since, file.reading, file.at_start, file.held, file.lacks = now, None, False, False, False
                    self.unsettled.add(listed.name)
                    file.listed = listed
                    self._claim(file, names)
                file.listed = listed
        if self.vanished:
            for name in self.vanished.keys() & names:
                del self.vanished[name]

    def found(self, listed: Listed, now: datetime, twins: AbstractSet[str]) -> File | None:
        """A file that was looked at alone, as what it is whatever else the folder holds by now, if that is for sure:
        the undisputed file of its incident, or that of a new one, whose id, stem and content are nobody else's. `twins`
        are the names of its stem that are there. None: that depends on other files. It is not taken in yet.
        """
        file = self.present.get(listed.name)
        if file is not None:
            disputed = file.second or file.held or listed.name in self.unsettled
            owned = self._owners.get(file.id) == listed.name
            changed = replace(file, listed=listed, since=now, reading=None, at_start=False, lacks=False)
            return changed if owned and not disputed else None
        id_ = incident_id(listed.name)
        known = listed.name in self.vanished or id_ in self._owners or id_ != stem(listed.name)
        renamed = any(gone.listed.digest == listed.digest for gone in self.vanished.values())
        if known or renamed or twins != {listed.name} or listed.digest in self._contents:
            return None
        return File(listed, id_, now)

    def take_in(self, file: File) -> None:
        """A file that was found alone counts as it is."""
        self._listing = None
        self._contents.add(file.listed.digest)
        self.present[file.listed.name] = file
        self._owners[file.id] = file.listed.name

    def owner(self, file: File) -> str | None:
        """The other file that has this one's id; None when the id is (from now on) this one's own."""
        self._claim(file, self.present.keys())
        return self._owners.get(file.id) if file.second else None

    def superseded(self, name: str, file: File) -> bool:
        """Whether another name has taken over a vanished file's id."""
        return self._owners.get(file.id) != name

    def forget(self, name: str, file: File) -> None:
        """A vanished file is given up: its id is free, if it still is this file's."""
        del self.vanished[name]
        if self._owners.get(file.id) == name:
            del self._owners[file.id]

    def _arrived(self, listed: Listed, names: set[str], now: datetime, *, at_start: bool) -> File:
        """A file that was not there before: it is back, renamed, or new."""
        before = self.vanished.get(listed.name) or self._renamed(listed, names)
        id_ = before.id if before else incident_id(listed.name)
        file = File(listed, id_, now, at_start, told_problems=before.told_problems if before else ())
        file.held = before is not None and before.held and before.listed.digest == listed.digest
        self._claim(file, names)
        return file

    def _claim(self, file: File, names: AbstractSet[str]) -> None:
        """The id is this file's, unless another file that is there has it. What is no file claims nothing."""
        if file.listed.data is None:
            file.second = False
            return
        owner = self._owners.get(file.id)
        there = self.present.get(owner) if owner else None
        obstructed = there is not None and there.listed.data is None
        file.second = owner in names and owner != file.listed.name and not obstructed
        if not file.second:
            self._owners[file.id] = file.listed.name

    def _renamed(self, listed: Listed, names: set[str]) -> File | None:
        """The vanished file whose very content this one holds."""
        if not listed.digest:
            return None
        for name, file in self.vanished.items():
            if file.listed.digest == listed.digest and name not in names and not self.superseded(name, file):
                return file
        return None
