"""What `ack` and `status` ask a ledger in a file about incidents."""

import json
from collections.abc import Collection, Mapping
from functools import partial

from tocsin.adapters.ledger.schema.incident_rows import (
    all_facts,
    facts_by_incident,
    files_of,
    kept_file,
    versions_of,
)
from tocsin.adapters.ledger.sqlite.file_reader import FileReader
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import Incident
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import Unreadable


class FileIncidents(FileReader):
    """A port RecordedIncidents."""

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded. Raises UnreadableError."""
        query = "SELECT incident, id, kind, body FROM facts WHERE incident = ? ORDER BY sequence"
        return await self.read(partial(all_facts, incident), query, incident)

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something, by its id."""
        query = """
            SELECT incident, id, kind, body FROM facts
            WHERE incident IN (SELECT id FROM incidents WHERE finished = 0) ORDER BY incident, sequence
        """
        return await self.read(facts_by_incident, query)

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The newest version of each of these incidents that was seen and can be read."""
        query = """
            SELECT incident, kind, body FROM facts WHERE id IN (
                SELECT max(id) FROM facts
                WHERE kind = ? AND incident IN (SELECT value FROM json_each(?)) GROUP BY incident
            )
        """
        return await self.read(versions_of, query, Seen.__name__, json.dumps(list(incidents)))

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        return await self.read(lambda rows: tuple(row[0] for row in rows), "SELECT id FROM incidents")

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version."""
        return await self.read(files_of, "SELECT id, file, digest FROM incidents")

    async def file(self, incident: str) -> KeptFile | None:
        """The name and the bytes of the newest good version of an incident's file. Raises UnreadableError."""
        query = "SELECT file, data, digest FROM incidents WHERE id = ?"
        return await self.read(lambda rows: kept_file(incident, next(iter(rows), None)), query, incident)
