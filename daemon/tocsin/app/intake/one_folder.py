"""What becomes of the files of the only folder there is: what counts in a file is a version of its incident at once."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from tocsin.app.intake.changes import Changes, Overwritten
from tocsin.app.intake.file_notices import NONE_HELD
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incident_state import KnownVersion, known_version
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Gone, Seen
from tocsin.domain.operator_notice import Trouble
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.ledger import IncidentLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import PrunedIncident


class OneFolder:
    """A port of the watch, FolderNews. Saves of older texts go to `put_back`."""

    def __init__(
        self,
        ledger: IncidentLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        put_back: Callable[[Overwritten], None],
    ) -> None:
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._notices = notices
        self._put_back = put_back
        self._kept = NewestFiles(ledger)

    async def take(
        self, changes: Changes, files: Mapping[str, Listed], now: datetime
    ) -> Mapping[str, AbstractSet[str]]:
        """What counts is news of its incident; there is no elsewhere."""
        for version in changes.versions:
            file = files.get(version.file)
            if file is not None and file.data and not version.incident.unreadable:
                # first, so that the bytes share the transaction of what follows: a page would wait for theirs
                self._kept.add(version.incident.id, version.file, version.digest, file.data)
        for version in changes.versions:
            rank = self._config.policy.incident_rank(version.incident)
            self._incidents.add_event(version.incident.id, Seen(now, version.incident, version.digest), rank)
        for overwritten in changes.overwritten:
            self._put_back(overwritten)
        for incident in changes.gone:
            self._incidents.add_event(incident, Gone(now))
        tell_of_files(changes, self._notices)
        return {}

    async def recorded(self, incident: str) -> KnownVersion | None:
        """What the ledger knows of a finished incident; None while it cannot tell: then its file counts anyway."""
        try:
            return known_version(await self._ledger.facts(incident), "")
        except LedgerError:
            return None

    def take_pruned(self) -> Sequence[str]:
        """The incidents that were pruned since this was asked last."""
        return self._incidents.take_pruned()

    async def pruned(self, incident: str) -> PrunedIncident | None:
        """What is left of an incident that was pruned; None while the ledger cannot tell: then its file counts."""
        try:
            return await self._ledger.pruned(incident)
        except LedgerError:
            return None

    async def run(self) -> None:
        """Let the ledger have the bytes of readable versions."""
        await self._kept.run()


def tell_of_files(changes: Changes, notices: Notices) -> None:
    """What the operators hear of the files, and what they were told and is true no more."""
    for name in changes.mended:
        notices.retract(Trouble.FILE_UNREADABLE, name)
        notices.retract(Trouble.FILE_FAULTY, name)
    for about in changes.returned:
        notices.retract(Trouble.FILE_VANISHED, about)
    for notice in changes.notices:
        notices.tell(notice)
    if changes.none_held:
        notices.cured(Trouble.REOPENINGS_HELD, "", NONE_HELD)
