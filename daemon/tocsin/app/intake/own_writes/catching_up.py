"""A machine's file that lags behind what other machines wrote is brought up to that before it is edited (P9).

Only what the ledger knows as an older version is replaced: what nobody has judged yet stays, and is edited as it is.
"""

import asyncio
from concurrent.futures import Executor

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.domain.facts import Seen
from tocsin.formats.incident.read import digest
from tocsin.ports.ledger.recorded import RecordedIncidents
from tocsin.ports.ledger.trouble import LedgerError


async def catch_up(
    incident: str, files: IncidentFiles, ledger: RecordedIncidents | None, threads: Executor | None = None
) -> bool:
    """Have the incident's file hold the newest good version, if it holds an older one; whether it did. A file that is
    not there is none of ours: whoever edits the incident writes it anew. Raises FileError.
    """
    if ledger is None:
        return False
    try:
        facts, kept = await ledger.facts(incident), await ledger.file(incident)
    except LedgerError:
        return False
    digests = [fact.digest for fact in facts if isinstance(fact, Seen)]
    if kept is None or kept.digest not in digests[-1:]:
        return False
    older = frozenset(digests) - {kept.digest}

    def put_newest() -> bool:
        name = kept.name if kept.name in files.names() else files.find(incident)
        return name is not None and files.change(name, lambda data: kept.data if digest(data) in older else None)

    return await asyncio.get_running_loop().run_in_executor(threads, put_newest)
