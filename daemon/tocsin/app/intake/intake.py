"""From successive listings of the folder to versions of incidents. The only place that remembers files.

It decides when what stands in a file counts (rules 31, 32), which incident a file is (rule 33), and what the operators
hear of files that vanish or cannot be read. It asks no clock and opens nothing: the same listings at the same instants
give the same changes. It must not know who is paged, nor what was recorded.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.app.edits.overwritten import put_back, remembered
from tocsin.app.intake.changes import Changes, FolderLook, Overwritten, Version
from tocsin.app.intake.checkout import Checkout
from tocsin.app.intake.file_identity import File, Files
from tocsin.app.intake.file_notices import Missing, few, gone, held, unlisted, vanished, wrong
from tocsin.app.intake.half_written import may_be_half_written
from tocsin.app.intake.past_files import PastFiles
from tocsin.app.state.incident_state import NONE_OLDER, KnownVersion
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.incident.file_name import same_stem
from tocsin.formats.incident.read import IncidentReading, read_incident, unreadable_incident
from tocsin.ports.folder import Listed
from tocsin.text.cleaning import shown

STILL = timedelta(seconds=2)
"""How long a doubtful content must stand before it counts (rule 31)."""
PUT_BACK_WITHIN = 2 * STILL
"""How long a save that lacks what was written meanwhile is held at the most until that is put back (P9)."""
UNREADABLE_AFTER = timedelta(seconds=10)
"""How long a file that is not YAML must stand before the last resort is paged (rule 32)."""
GONE_AFTER = timedelta(seconds=10)
"""How long a file may be gone before it counts as vanished; until then its content may turn up elsewhere (rule 33)."""

APART_MOST = 5
"""How many files that vanish together have a notice each, which ends with their return; more have one."""


class Intake:
    """Takes listings in turn. `known` is what the ledger knows by id, so that a restart declares nothing again; of what
    is `finished` (resolved, and nothing due any more) the digest of its file will do. `label` is how problems call the
    folder.
    """

    def __init__(
        self, known: Mapping[str, KnownVersion], label: str = "incidents", finished: Mapping[str, str] | None = None
    ) -> None:
        self._known = dict(known)
        self._past = PastFiles({id_: digest for id_, digest in (finished or {}).items() if id_ not in known})
        self.label = label
        self._files = Files()
        self._policy: Policy | None = None
        self._unlisted_since: datetime | None = None
        self._unlisted_told = False
        self._to_ask: list[str] = []
        self._some_held = False
        self._missed: dict[str, frozenset[str]] = {}

    def note_version(self, id_: str, known: KnownVersion | None) -> None:
        """What the ledger knows of a finished incident whose file has changed: what that says is judged against it.
        None: it cannot tell, and the file counts as a new one's.
        """
        self._past.forget(id_)
        if known:
            self._known[id_] = known

    def note_older(self, id_: str, digests: AbstractSet[str]) -> None:
        """More versions of an incident than its file here has held: going back to them is no edit either."""
        if known := self._known.get(id_):
            self._known[id_] = replace(known, older=known.older | digests - {known.digest})

    def note_pruned(self, id_: str, digests: Sequence[str]) -> None:
        """Nothing is left of an incident but the digests of its versions, the newest last."""
        self._known.pop(id_, None)
        self._past.note_pruned(id_, digests)

    def observe(self, listing: Sequence[Listed] | str, now: datetime, policy: Policy) -> Changes:
        """What this listing changes. A listing that failed (a sentence) changes nothing, and is told after 10 s."""
        look, returned, none_held = FolderLook(now, policy), tuple[str, ...](), False
        if isinstance(listing, str):
            self._unlisted(listing, look)
        else:
            self._unlisted_since, self._unlisted_told = None, False
            first = self._policy is None
            if first:
                expected = ((known.file, id_, known.digest) for id_, known in self._known.items() if known.file)
                self._files.expect(expected, now)
            self._files.compare(listing, now, at_start=first)
            returned = self._note_returned()
            if policy is not self._policy:
                self._policy = policy
                self._read_again()
            for name in sorted(self._files.unsettled):
                if self._judge(self._files.present[name], look):
                    self._files.unsettled.discard(name)
            if not self._files.unsettled:
                self._files.unsettled.clear()  # a table that held many names would stay as large
            self._miss(look)
            self._ask_of_held(look)
            none_held = not (look.unknown or self._to_ask or self._any_held())
        unknown, mended = tuple(look.unknown), tuple(look.mended)
        versions, overwritten, notices = tuple(look.versions), tuple(look.overwritten), few(look.notices)
        told = (unknown, mended, returned, none_held, notices, look.next_look, tuple(look.missing), tuple(look.left))
        return Changes(versions, overwritten, tuple(look.gone), *told)

    def observe_found(
        self, names: Collection[str], found: Mapping[str, Listed], now: datetime, policy: Policy
    ) -> Changes:
        """What a look at the files of these `names` alone changes; `found` are those of them that are there, and those
        that have the same stem. What counts at once whatever the other files are counts; all else changes nothing, and
        the whole folder is to be looked through now (`next_look`), where it comes out as if this look had not been.
        """
        look, in_doubt = FolderLook(now, policy), policy is not self._policy or self._unlisted_since is not None
        for name in () if in_doubt else sorted(names):
            if not self._judge_found(name, found, look):
                in_doubt = True
        told = tuple(look.mended), (), False, few(look.notices), now if in_doubt else None
        return Changes(tuple(look.versions), (), (), (), *told)

    def _judge_found(self, name: str, found: Mapping[str, Listed], look: FolderLook) -> bool:
        """Whether all is said about what stands under this name, whatever else the folder holds."""
        listed, before = found.get(name), self._files.present.get(name)
        if listed is None:
            return before is None
        if before is not None and (listed.digest, listed.trouble) == (before.listed.digest, before.listed.trouble):
            return True
        file = self._files.found(listed, look.now, found.keys() & same_stem(name))
        if file is None or not listed.data or listed.trouble or not self._is_undisputed(file, before):
            return False
        known = self._known.get(file.id)
        reading = self._read(file, known, look.policy, look.now)
        saved = reading.incident
        if saved is None or may_be_half_written(reading, saved, known.incident if known else None):
            return False
        if known and put_back(remembered(known.lately, look.now), saved, look.now, look.policy):
            return False
        self._files.take_in(file)
        self._count(file, reading, saved, known, look)
        return True

    def _is_undisputed(self, file: File, before: File | None) -> bool:
        """Whether a file is a new incident's, or that of an open one of which what it held `before` counts."""
        known = self._known.get(file.id)
        if known is None or before is None:
            return known is None and before is None and not self._past.knows(file.id)
        is_open = not (known.incident.resolved or known.incident.unreadable)
        return is_open and (known.file, known.digest) == (file.listed.name, before.listed.digest)

    def _unlisted(self, why: str, look: FolderLook) -> None:
        """The folder cannot be listed: everything goes on as it was."""
        self._unlisted_since = self._unlisted_since or look.now
        if not self._unlisted_told and look.due(self._unlisted_since, GONE_AFTER):
            self._unlisted_told = True
            look.notices.append(unlisted(why, self._unlisted_since))

    def _read_again(self) -> None:
        """The config has changed: what counts of open incidents is read again, at once."""
        for name, file in self._files.present.items():
            known = self._known.get(file.id)
            if known is None or (known.digest == file.listed.digest and not known.incident.resolved):
                self._files.unsettled.add(name)
            file.reading = None

    def _judge(self, file: File, look: FolderLook) -> bool:
        """Whether all is sentence about what a file holds now."""
        if file.second:
            owner = self._files.owner(file)
            if owner:
                return self._tell_second(file, owner, look)
            file.since = look.now
        known, listed = self._known.get(file.id), file.listed
        if listed.data is None:
            return self._judge_no_file(file, known, look)
        past = self._past.judge(file, look.unknown, look.notices, self._name) if known is None else None
        if past is not None:
            return past
        if known and listed.digest and listed.digest == known.digest:
            if known.file not in {"", listed.name}:
                self._see(file, known.incident, look)  # renamed: the new name is worth remembering
            if known.incident.resolved or known.incident.unreadable:
                return True
        reading = file.reading or self._read(file, known, look.policy, look.now)
        file.reading = reading
        if reading.incident is None:
            return self._judge_unreadable(file, reading, known, look)
        same = known is not None and known.digest == listed.digest
        doubt = not same and may_be_half_written(reading, reading.incident, known.incident if known else None)
        if doubt and not look.due(file.since, STILL):
            return False
        if self._goes_back(file) and (file.held or self._is_checkout(file, look)):
            file.held = self._some_held = True
            return True
        if known and not same and self._is_overwritten(file, reading.incident, known, look):
            return False
        self._count(file, reading, reading.incident, known, look)
        return True

    def _is_overwritten(self, file: File, saved: Incident, known: KnownVersion, look: FolderLook) -> bool:
        """Whether this save does not count yet, as it lacks what is to be put back (P9): that is done once it has stood
        still, since its editor may be at it; and if it is not done in time, the save counts as it is.
        """
        edits = put_back(remembered(known.lately, look.now), saved, look.now, look.policy)
        if not edits:
            return False
        if look.due(file.since, STILL) and not file.lacks:
            file.lacks = True
            look.overwritten.append(Overwritten(saved.id, file.listed.name, file.listed.digest, edits))
        return not look.due(file.since, PUT_BACK_WITHIN)

    def _judge_no_file(self, file: File, known: KnownVersion | None, look: FolderLook) -> bool:
        """What is no file is told once it has stood a while, and never opened (rule 41)."""
        if not look.due(file.since, STILL):
            return False
        problem = self._problem(file.listed.name, "not-a-file", file.listed.trouble)
        self._tell(file, (problem,), look, known, unread=True)
        return True

    def _goes_back(self, file: File) -> bool:
        """Whether a file of a resolved incident holds an older version of it, one that is not resolved."""
        known, digest = self._known.get(file.id), file.listed.digest
        if known is None or file.second or not known.incident.resolved or digest not in known.older:
            return False
        assert self._policy is not None
        file.reading = file.reading or self._read(file, known, self._policy)
        return file.reading.incident is not None and not file.reading.incident.resolved

    def _is_checkout(self, file: File, look: FolderLook) -> bool:
        """Whether so many files went back together that somebody must be asked (rule 69)."""
        if look.checkout is None:
            look.checkout = Checkout(other.since for other in self._files.present.values() if self._goes_back(other))
        if look.checkout.includes(file.since):
            self._to_ask.append(file.id)
            return True
        return False

    def _ask_of_held(self, look: FolderLook) -> None:
        """Ask the operators of what was held, in one notice: once nothing is left that may belong to it."""
        if self._to_ask and not self._any_goes_back():
            look.notices.append(held(self._to_ask))
            self._to_ask = []

    def _any_goes_back(self) -> bool:
        """Whether one of the files that are still to be judged may have to be held."""
        return any(self._goes_back(self._files.present[name]) for name in self._files.unsettled)

    def _any_held(self) -> bool:
        """Whether a file is held, may have to be, or was when it vanished a moment ago."""
        if self._some_held:
            files = [*self._files.present.values(), *self._files.vanished.values()]
            self._some_held = any(file.held for file in files)
        return self._some_held or self._any_goes_back()

    def _read(
        self, file: File, known: KnownVersion | None, policy: Policy, now: datetime | None = None
    ) -> IncidentReading:
        """What the file says under this policy."""
        listed = file.listed
        assert listed.data is not None
        if listed.trouble and not listed.data:
            problem = self._problem(listed.name, "unreadable", listed.trouble)
            return IncidentReading(None, (problem,), complete=False, first_lines=listed.trouble)
        previous = known.incident if known else None
        if previous and previous.unreadable:
            previous = None
        reading = read_incident(listed.data, listed.name, policy, previous, self._name(listed.name), now)
        if reading.incident and previous is None and reading.incident.id != file.id:
            return replace(reading, incident=replace(reading.incident, id=file.id))
        return reading

    def _judge_unreadable(
        self, file: File, reading: IncidentReading, known: KnownVersion | None, look: FolderLook
    ) -> bool:
        """A file that is no YAML: of a known incident it changes nothing, else it pages the last resort (rule 32)."""
        never_read = known is None or known.incident.unreadable
        if not look.due(file.since, UNREADABLE_AFTER if never_read else STILL):
            return False
        if known is None:
            incident = unreadable_incident(file.listed.name, reading.first_lines, look.policy, file.id)
            self._see(file, incident, look)
        self._tell(file, reading.problems, look, known, unread=True)
        return True

    def _count(
        self, file: File, reading: IncidentReading, incident: Incident, known: KnownVersion | None, look: FolderLook
    ) -> None:
        """A version counts, if it is one; its problems are told unless they were."""
        digest = file.listed.digest
        if known is None or known.incident != incident or known.digest != digest:
            self._see(file, incident, look)
        elif file.at_start and not file.told_problems:
            file.told_problems = reading.problems
        if reading.problems != file.told_problems:
            minor = reading.severity_read and not any(problem.code == "not-yaml" for problem in reading.problems)
            self._tell(file, reading.problems, look, minor=minor)
        file.reading = None

    def _see(self, file: File, incident: Incident, look: FolderLook) -> None:
        """This version counts from now."""
        known, digest = self._known.get(file.id), file.listed.digest
        older = (known.older | {known.digest}) - {digest, ""} if known else NONE_OLDER
        lately = remembered((*(known.lately if known else ()), (look.now, incident)), look.now)
        self._known[file.id] = KnownVersion(incident, digest, file.listed.name, older, lately)
        look.versions.append(Version(incident, file.listed.digest, file.listed.name))

    def _miss(self, look: FolderLook) -> None:
        """Files that have been gone for 10 s: a never readable one ends its pages, an open incident goes on, told."""
        missed: dict[str, str] = {}
        for name, file in list(self._files.vanished.items()):
            known = self._known.get(file.id)
            superseded = self._files.superseded(name, file)
            if known and not superseded and not look.due(file.since, GONE_AFTER):
                continue
            self._files.forget(name, file)
            if not superseded:
                look.left.append(file.id)
            if known is None or superseded:
                continue
            if known.incident.unreadable:
                del self._known[file.id]
                look.gone.append(file.id)
                look.notices.append(gone(self._name(name), file.id))
            elif not known.incident.resolved:
                missed[name] = file.id
        if missed:
            together = [list(missed)] if len(missed) > APART_MOST else [[name] for name in missed]
            for names in together:
                notice = vanished([self._name(name) for name in names])
                self._missed[notice.about] = frozenset(names)
                look.notices.append(notice)
                look.missing.append(Missing(tuple(missed[name] for name in names), notice))

    def _note_returned(self) -> tuple[str, ...]:
        """Of which notices all the files are back, by what these are about."""
        returned = tuple(about for about, names in self._missed.items() if names <= self._files.present.keys())
        for about in returned:
            del self._missed[about]
        return returned

    def _tell_second(self, file: File, owner: str, look: FolderLook) -> bool:
        """Of two files with one stem the first seen goes on; the second is a problem. It is looked at again."""
        sentence = f"it has the same id ({file.id}) as {self._name(owner)}, which goes on; give this file another name"
        self._tell(file, (self._problem(file.listed.name, "same-id", sentence),), look)
        return False

    def _tell(
        self,
        file: File,
        problems: tuple[Problem, ...],
        look: FolderLook,
        known: KnownVersion | None = None,
        *,
        minor: bool = False,
        unread: bool = False,
    ) -> None:
        """Tell the operators what is wrong with a file, once. `known` is the incident that goes on regardless; `unread`
        a file nothing of which could be used.
        """
        if problems == file.told_problems:
            return
        if file.told_problems:
            look.mended.append(self._name(file.listed.name))
        file.told_problems = problems
        if problems:
            incident = known.incident if known else None
            look.notices.append(wrong(self._name(file.listed.name), problems, incident, minor=minor, unread=unread))

    def _problem(self, name: str, code: str, message: str) -> Problem:
        """A problem of a whole file."""
        return Problem(self._name(name), 1, 1, ProblemLevel.ERROR, code, message)

    def _name(self, name: str) -> str:
        """How people are told of a file."""
        return f"{self.label}/{shown(name)}" if self.label else shown(name)
