"""A save of an older text gets back what the daemon or a command had written meanwhile (P9)."""

import asyncio
from concurrent.futures import Executor
from functools import partial

import structlog

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.edits.overwritten import PUT_BACK
from tocsin.app.incidents.commands import EditRefusedError, small_enough
from tocsin.app.intake.changes import Overwritten
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.incident.edit import edit_incident
from tocsin.formats.incident.read import digest
from tocsin.text.cleaning import shown

log = structlog.get_logger()


class OlderSaves:
    """Mends them. The incident folder, which may hang, is touched in the `threads` alone."""

    def __init__(self, files: IncidentFiles, threads: Executor | None, notices: Notices) -> None:
        self._files = files
        self._threads = threads
        self._notices = notices

    async def mend(self, overwritten: Overwritten) -> None:
        """Put back what it lacks; what cannot be is told, and the save counts as it is."""
        incident, file = overwritten.incident, shown(overwritten.file)
        note = overwritten.edits[-1].note
        lacked = note.text.removeprefix(PUT_BACK) if note else ""
        change, loop = partial(_mended, overwritten), asyncio.get_running_loop()
        try:
            done = await loop.run_in_executor(self._threads, self._files.change, overwritten.file, change)
        except (EditRefusedError, FileError) as fault:
            log.warning("not put back", incident=incident, lacked=lacked, why=str(fault))
            saved = f"{file} was saved by an editor that had an older text, and what it lacks was not put back"
            self._notices.tell(OperatorNotice(Trouble.EDITS_UNWRITTEN, f"{saved}: {lacked} {fault}", about=incident))
            return
        if done:
            log.info("put back", incident=incident, lacked=lacked)


def _mended(overwritten: Overwritten, data: bytes) -> bytes | None:
    """A save with what it lacks, comments kept; None where the file holds something else by now. Raises
    EditRefusedError.
    """
    if digest(data) != overwritten.digest:
        return None
    after: bytes | None = data
    for edit in overwritten.edits:
        after = edit_incident(after, edit) if after is not None else None
    if after is None:
        raise EditRefusedError(f"{shown(overwritten.file)} cannot be edited with everything else kept")
    return small_enough(after, overwritten.edits[-1])
