"""Which incident each file of a machine's folder is while the ledger is away: a file that was renamed is the incident
that it was (rule 33), which others know and page.
"""

from collections.abc import Mapping, Sequence

from tocsin.app.intake.file_identity import Files
from tocsin.app.intake.intake import GONE_AFTER
from tocsin.ports.clock import Clock
from tocsin.ports.folder import FolderMemory, Listed


class KnownNames:
    """Goes by what this machine's files were called and held last, and from then on by what it is shown."""

    def __init__(self, memory: FolderMemory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._files: Files | None = None

    def incidents(self, listing: Sequence[Listed]) -> Mapping[str, str]:
        """The incident of each file, by its name. It blocks."""
        now = self._clock.now()
        at_start = self._files is None
        if self._files is None:
            self._files = Files()
            there = (file for file in self._memory.load().values() if not file.gone)
            self._files.expect(((file.name, file.incident, file.digest) for file in there), now)
        self._files.compare(listing, now, at_start=at_start)
        for name, file in tuple(self._files.vanished.items()):
            if now - file.since >= GONE_AFTER:
                self._files.forget(name, file)
        return {name: file.id for name, file in self._files.present.items()}
