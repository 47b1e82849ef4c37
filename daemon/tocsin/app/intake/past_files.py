"""The files of incidents that are over: resolved and nothing due any more, or pruned from the ledger.

Of such an incident a digest is all that is kept here. Its file is not read while that says nothing new.
"""

from collections.abc import Callable, Mapping, Sequence

from tocsin.app.intake.file_identity import File
from tocsin.app.intake.file_notices import stale
from tocsin.domain.operator_notice import OperatorNotice


class PastFiles:
    """The digest of each finished incident's newest version, by its id; of one that was pruned, once that was asked
    for, those of all its versions, the newest last.
    """

    def __init__(self, finished: Mapping[str, str]) -> None:
        self._finished = dict(finished)
        self._pruned: dict[str, Sequence[str]] = {}

    def forget(self, incident: str) -> None:
        """More is known of it, or nothing: its file is read."""
        self._finished.pop(incident, None)

    def note_pruned(self, incident: str, digests: Sequence[str]) -> None:
        """Nothing but these is left of it: a file that is none of them is a new incident's."""
        self.forget(incident)
        self._pruned[incident] = digests

    def knows(self, incident: str) -> bool:
        """Whether anything of it is kept here."""
        return incident in self._finished or incident in self._pruned

    def judge(
        self, file: File, unknown: list[str], notices: list[OperatorNotice], name: Callable[[str], str]
    ) -> bool | None:
        """Whether all is said about what a file of such an incident holds; if not, its versions are asked for. None:
        it is none, or says something new of one that was pruned. What says something old of that changes nothing (P7),
        and is told: who put it there may wait for pages.
        """
        digest = file.listed.digest
        if file.id in self._finished:
            if self._finished[file.id] != digest:
                unknown.append(file.id)
            return self._finished[file.id] == digest
        digests = self._pruned.get(file.id, ())
        if digest not in digests:
            return None
        if digest != digests[-1]:
            notices.append(stale(name(file.listed.name)))
        return True
