"""How much of what a machine remembers of its folder the ledger in hand bears out (P9).

The memory outlives the database: a replica that lagged behind was promoted, a dump was put back, another database was
named. Then it says of a file that it was handed in, and nobody has heard of that. So nothing counts as handed in by the
memory's word alone: it is asked of the ledger, by the rule by which the leader judges what is handed in.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from tocsin.app.edits.lineage import lags_behind
from tocsin.app.hand_ins.hand_in import FileVersion, arrival_of
from tocsin.domain.arrival import ArrivalKind, Judgement
from tocsin.ports.folder import RememberedFile

ANY_TIME = datetime.min.replace(tzinfo=UTC)
"""When a version is handed in does not name it."""


class VersionLedger(Protocol):
    """What is known of versions, and of what was handed in."""

    async def version_digests(
        self, incidents: Collection[str], *, newest: bool = False
    ) -> Mapping[str, tuple[str, ...]]:
        """The digests of all versions of each of these incidents, oldest first; `newest`: of the last one alone."""
        ...

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        """Whether an arrival is there, judged or not."""
        ...

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        """What became of an arrival; None: it is not judged yet, or nothing of that kind and `ref` came in."""
        ...


async def not_borne_out(machine: str, files: Mapping[str, RememberedFile], ledger: VersionLedger) -> frozenset[str]:
    """The incidents, by which the machine's `files` are named, of which the ledger lacks what their file held last.
    Raises LedgerError. Of most files the newest version alone is asked for.
    """
    newest = await ledger.version_digests(files.keys(), newest=True)
    others = [incident for incident, file in files.items() if newest.get(incident, ())[-1:] != (file.digest,)]
    known = await ledger.version_digests(others) if others else {}
    lost = set[str]()
    for incident in others:
        file, digests = files[incident], known.get(incident, ())
        if not (_is_said(file, digests) or await _is_heard(as_handed_in(machine, file), ledger, knows=bool(digests))):
            lost.add(incident)
    return frozenset(lost)


def as_handed_in(machine: str, file: RememberedFile) -> FileVersion:
    """What a file holds, as the version by which it was handed in: the ledger takes that once. What was there before
    nobody can tell.
    """
    return FileVersion(machine, file.incident, file.name, file.data, held=file.held[:-1])


def _is_said(file: RememberedFile, digests: Sequence[str]) -> bool:
    """Whether its content was said, and by none older than what it held before: who goes back makes an edit too."""
    return lags_behind(file.digest, file.held[:-1], digests)


async def _is_heard(version: FileVersion, ledger: VersionLedger, *, knows: bool) -> bool:
    """Whether it was judged by what this ledger holds, if it `knows` anything of the incident, and changed nothing; or
    waits to be judged, with what was there before: whoever hands it in again must not be quicker. Raises LedgerError.
    """
    ref = arrival_of(version, ANY_TIME).ref
    if not await ledger.has_arrived(ArrivalKind.VERSION, ref):
        return False
    return knows or await ledger.outcome(ArrivalKind.VERSION, ref) is None
