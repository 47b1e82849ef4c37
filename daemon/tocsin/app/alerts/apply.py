"""Alerts: groups of alerts become incident files (product.md section 8).

Decides which incident is a group's, and how what follows gets into its file: whole, once, and never over what somebody
wrote meanwhile. Must not know requests.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts import memory as alert_memory
from tocsin.app.alerts import payload as alertmanager
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.steps import ALERTMANAGER, Did, Step, declaration, step
from tocsin.app.incidents.commands import EditRefusedError, IncidentCommands
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.formats.incident.edit import edit_incident, write_incident
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.new_id import candidate_ids
from tocsin.formats.incident.read import read_incident, unreadable_incident
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.ledger import IncidentLedger, LedgerError
from tocsin.text.cleaning import shown
from tocsin.text.yaml import read_yaml

TRIES = 20
"""How often it is looked again because somebody wrote meanwhile."""
LOOKED_AT = 10
"""Incidents of one group that are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a notification, for which incident ("" for none), and why nothing did."""

    did: Did
    incident: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """An incident of a group. `name` is its file in the folder, None when that is gone; `data` are its bytes, or those
    that the ledger keeps.
    """

    incident: Incident
    name: str | None
    data: bytes


class Alerts:
    """The folder of incident files, for what Alertmanager tells. Used in one loop, a notification at a time."""

    def __init__(self, files: IncidentFiles) -> None:
        self._files = files
        self._alone = asyncio.Lock()

    async def take(
        self, group: alertmanager.Group, meaning: Meaning, policy: Policy, ledger: IncidentLedger, now: datetime
    ) -> Taken:
        """Do what follows. Raises FileError, Refused or LedgerError when it cannot be done now."""
        async with self._alone:
            for _ in range(TRIES):
                names = await asyncio.to_thread(self._names, group.key)
                found = await self._find(group.key, names, policy, ledger)
                memory = alert_memory.read(found.data if found else b"")
                todo = step(group, found.incident if found else None, memory, meaning, now)
                if found is None or todo.did is Did.DECLARED:
                    taken = await self._declare(group, names, meaning, todo, ledger, now)
                else:
                    taken = await self._edit(found, todo, policy, ledger, now)
                if taken:
                    return taken
        raise LedgerError("the incident file keeps changing")

    async def _declare(
        self,
        group: alertmanager.Group,
        names: Sequence[str],
        meaning: Meaning,
        todo: Step,
        ledger: IncidentLedger,
        now: datetime,
    ) -> Taken | None:
        """Write a new file; None when somebody else has written one of the group since `names` were read."""
        if todo.did is not Did.DECLARED:
            return Taken(todo.did, why=todo.why)
        incident = replace(declaration(group, meaning), declared_at=now.replace(microsecond=0))
        data = alert_memory.written(write_incident(incident), todo.memory)
        taken = {incident_id(name) for name in names}

        def moot(there: Sequence[str]) -> bool:
            return not set(_of_group(group.key, there)) <= set(names)

        for id_ in candidate_ids(incident.title, now, group.key):
            if id_ in taken or await ledger.facts(id_):
                continue
            created = await asyncio.to_thread(self._files.create_unless, f"{id_}.yaml", data, moot)
            return Taken(Did.DECLARED, id_) if created else None
        raise AssertionError("ids never run out")

    async def _edit(
        self, found: _Found, todo: Step, policy: Policy, ledger: IncidentLedger, now: datetime
    ) -> Taken | None:
        """Make the edit; None when the file is no longer as it was found."""
        taken = Taken(todo.did, found.incident.id, todo.why)
        if todo.did in (Did.NOTHING, Did.TOO_SOON):
            return taken
        moved = False

        def change(data: bytes) -> bytes | None:
            nonlocal moved
            moved = data != found.data
            after = None if moved or read_yaml(data, "").broken else data
            if after is not None and todo.edit.keys:
                after = edit_incident(data, todo.edit)
            return alert_memory.written(after, todo.memory) if after is not None else None

        if found.name is None:  # gone from the folder: as the desk does it, from the last good version
            if todo.did is not Did.CHANGED or todo.edit.severity or todo.edit.services:
                await IncidentCommands(self._files, policy, ledger, now).edit(found.incident.id, todo.edit)
            return taken
        if await asyncio.to_thread(self._files.change, found.name, change):
            return taken
        if moved:
            return None
        if todo.did is Did.CHANGED:
            return Taken(Did.NOTHING, found.incident.id, "its file cannot be edited, somebody may be at it")
        raise EditRefusedError(f"{shown(found.name)} cannot be edited; correct it, then it will be {todo.did}")

    def _names(self, key: str) -> list[str]:
        """The group's files in the folder, the newest first."""
        return _of_group(key, self._files.names())

    async def _find(self, key: str, names: Sequence[str], policy: Policy, ledger: IncidentLedger) -> _Found | None:
        """The group's incident: the open one, else the newest; in the folder, else as the ledger knows it."""
        found = [each for name in names[:LOOKED_AT] if (each := await self._read(name, policy, ledger))]
        if not found:
            ids = _of_group(key, await ledger.incidents())[:LOOKED_AT]
            found = [each for id_ in ids if (each := await self._kept(id_, ledger))]
        return next((each for each in found if not each.incident.resolved), next(iter(found), None))

    async def _read(self, name: str, policy: Policy, ledger: IncidentLedger) -> _Found | None:
        """An incident as its file has it. One that cannot be read goes on as it last could be."""
        data = self._files.read(name)
        if data is None:
            return None
        incident = read_incident(data, name, policy, None, name).incident
        if incident is None or read_yaml(data, name).broken:
            kept = await self._kept(incident_id(name), ledger)
            incident = (
                kept.incident if kept else replace(unreadable_incident(name, "", policy), declared_by=ALERTMANAGER)
            )
        return _Found(incident, name, data)

    async def _kept(self, id_: str, ledger: IncidentLedger) -> _Found | None:
        """An incident without a file in the folder."""
        incident, kept = fold_facts(await ledger.facts(id_)).incident, await ledger.file(id_)
        return _Found(incident, None, kept[1] if kept else b"") if incident else None


def _of_group(key: str, names: Iterable[str]) -> list[str]:
    """The names (of files, or ids) of this group's incidents, the newest first: by date, then by number."""
    pattern = re.compile(rf"(\d{{4}}-\d\d-\d\d)-(?:.*-)?{key}(?:-(\d{{1,6}}))?")
    found = ((pattern.fullmatch(incident_id(name)), name) for name in names if key in name)
    placed = [(match[1], int(match[2] or 1), name) for match, name in found if match]
    return [name for *_, name in sorted(placed, reverse=True)]
