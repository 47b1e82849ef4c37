"""Groups of alerts become incident files.

Decides which incident is a group's, and how what follows gets into its file: whole, once, and never over what somebody
wrote meanwhile.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self, TypeVar, TypeVarTuple

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.limit import OpeningLimit
from tocsin.app.alerts.memory import read_memory, with_memory
from tocsin.app.alerts.steps import NO_MEMORY, OVER, Action, AlertStep, declaration, next_step
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.app.incidents.histories import recorded_history
from tocsin.domain.arrival import AlertEntry
from tocsin.domain.facts import Seen
from tocsin.domain.incident import ALERTMANAGER, Incident
from tocsin.domain.policy import Policy
from tocsin.formats.incident.edit import edit_incident, write_incident
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.new_id import candidate_ids
from tocsin.formats.incident.read import digest, read_incident, unreadable_incident
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.recorded import IncidentFacts
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.cleaning import shown
from tocsin.text.yaml import read_yaml

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CatchUp = Callable[[str], Awaitable[bool]]

OPENINGS = (Action.DECLARED, Action.REOPENED)
"""What pages people."""
TRIES = 20
"""How often it is looked again because somebody wrote meanwhile."""
LOOKED_AT = 10
"""Incidents of one group that are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class AlertResult:
    """What came of a notification, for which incident ("" for none), and why nothing did."""

    action: Action
    incident: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class _GroupIncident:
    """An incident of a group. `name` is its file in the folder, None when that is gone; `data` are its bytes, or those
    that the ledger keeps.
    """

    incident: Incident
    name: str | None
    data: bytes


class GroupsLedger(IncidentFacts, Protocol):
    """What is asked about the incidents of groups."""

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        ...

    async def file(self, incident: str) -> KeptFile | None:
        """The newest good version of an incident's file."""
        ...


class AlertIncidents:
    """The folder of incident files, for what Alertmanager tells. Used in one loop, an entry at a time; the folder is
    touched in the `threads` alone, since it may hang. `catch_up`: where other machines have folders too, brings an
    incident's file up to what they wrote.
    """

    def __init__(
        self,
        files: IncidentFiles,
        threads: Executor | None = None,
        catch_up: CatchUp | None = None,
        limit: OpeningLimit | None = None,
    ) -> None:
        self._files = files
        self._threads = threads
        self._catch_up = catch_up
        self._limit = limit or OpeningLimit()

    def alone(self) -> Self:
        """The same, for while the ledger cannot say what other machines wrote: files count as they are here."""
        return type(self)(self._files, self._threads, limit=self._limit)

    async def apply(
        self,
        group: AlertEntry,
        meaning: Meaning,
        policy: Policy,
        ledger: GroupsLedger,
        came_at: datetime,
        now: datetime,
        *,
        over: bool = False,
    ) -> AlertResult:
        """Do what follows from what came in then; `over`: it has ended since. Raises FileError, EditRefusedError or
        LedgerError when it cannot be done now.
        """
        for _ in range(TRIES):
            names = await self._in_threads(self._names, group.group)
            if self._catch_up:
                for name in names[:LOOKED_AT]:
                    await self._catch_up(incident_id(name))
            current = await self._find(group.group, names, policy, ledger)
            memory = read_memory(current.data if current else b"")
            step = next_step(group, current.incident if current else None, memory, meaning, now, over=over)
            severity = meaning.severity(group.firing) if step.action in OPENINGS else ""
            if severity and not self._limit.has_room(severity, now):
                return AlertResult(Action.TOO_MANY, why=severity)
            if current is None or step.action is Action.DECLARED:
                result = await self._declare(group, names, meaning, step, ledger, came_at, now)
            else:
                result = await self._edit(current, step, now)
            if result:
                if severity:
                    self._limit.count(severity, now)
                return result
        raise LedgerError("the incident file keeps changing")

    async def _in_threads(self, ask: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, *args)

    async def _declare(
        self,
        group: AlertEntry,
        names: Sequence[str],
        meaning: Meaning,
        step: AlertStep,
        ledger: GroupsLedger,
        came_at: datetime,
        now: datetime,
    ) -> AlertResult | None:
        """Write a new file; None when somebody else has written one of the group since `names` were read. Its id has
        the day on which that came in: another machine that judges the same later gives it the same.
        """
        if step.action is not Action.DECLARED:
            return AlertResult(step.action, why=step.why)
        incident = declaration(group, meaning, now.replace(microsecond=0), over=step.over)
        data = with_memory(write_incident(incident), step.memory)
        ids_of_files = {incident_id(name) for name in names}

        def moot(names_now: Sequence[str]) -> bool:
            return not set(_of_group(group.group, names_now)) <= set(names)

        for id_ in candidate_ids(incident.title, came_at, group.group):
            if id_ in ids_of_files or await ledger.facts(id_):
                continue
            created = await self._in_threads(self._files.create_unless, f"{id_}.yaml", data, moot)
            done = AlertResult(Action.RESOLVED, id_, OVER) if step.over else AlertResult(Action.DECLARED, id_)
            return done if created else None
        raise AssertionError("ids never run out")

    async def _edit(self, current: _GroupIncident, step: AlertStep, now: datetime) -> AlertResult | None:
        """Make the edit; None when the file is no longer as it was read."""
        id_ = current.incident.id
        result = AlertResult(step.action, id_, step.why)
        if step.action in (Action.NOTHING, Action.TOO_SOON):
            return result
        moved = False

        def change(data: bytes) -> bytes | None:
            nonlocal moved
            moved = data != current.data
            after = None if moved or read_yaml(data, "").broken else data
            if after is not None and step.edit.keys:
                after = edit_incident(data, step.edit)
            return with_memory(after, step.memory) if after is not None else None

        if current.name is None:  # gone from the folder: as the commands do it, from the last good version
            if step.action is not Action.CHANGED or step.edit.severity or step.edit.services:
                anew = edit_incident(current.data, step.edit) if current.data else None
                data = with_memory(anew or write_incident(current.incident, step.edit), step.memory)
                await self._in_threads(self._files.put, f"{id_}.yaml", data, now)
            return result
        if await self._in_threads(self._files.change, current.name, change):
            return result
        if moved:
            return None
        if step.action is Action.CHANGED:
            return AlertResult(Action.NOTHING, id_, "its file cannot be edited, somebody may be at it")
        raise EditRefusedError(f"{shown(current.name)} cannot be edited; correct it, then it will be {step.action}")

    def _names(self, key: str) -> list[str]:
        """The group's files in the folder, the newest first."""
        return _of_group(key, self._files.names())

    async def _find(
        self, key: str, names: Sequence[str], policy: Policy, ledger: GroupsLedger
    ) -> _GroupIncident | None:
        """The group's incident: the open one, else the newest; in the folder, else as the ledger knows it."""
        incidents = [one for name in names[:LOOKED_AT] if (one := await self._read(name, policy, ledger))]
        if not incidents:
            recorded = _of_group(key, await ledger.incidents())[:LOOKED_AT]
            incidents = [one for id_ in recorded if (one := await self._recorded(id_, ledger))]
        incidents = [one for one in incidents if one.incident.declared_by_alerts or read_memory(one.data) != NO_MEMORY]
        return next((one for one in incidents if not one.incident.resolved), next(iter(incidents), None))

    async def _read(self, name: str, policy: Policy, ledger: GroupsLedger) -> _GroupIncident | None:
        """An incident as its file has it. One that cannot be read goes on as it last could be."""
        data = await self._in_threads(self._files.read, name)
        if data is None:
            return None
        incident = read_incident(data, name, policy, None, name).incident
        if incident is None or read_yaml(data, name).broken:
            recorded = await self._recorded(incident_id(name), ledger)
            incident = recorded.incident if recorded else None
            incident = incident or replace(unreadable_incident(name, "", policy), declared_by=ALERTMANAGER)
        return _GroupIncident(incident, name, data)

    async def _recorded(self, id_: str, ledger: GroupsLedger) -> _GroupIncident | None:
        """An incident without a file of the group's name in the folder: in another file that holds what was seen last
        of it (rule 33), else as the ledger keeps it.
        """
        facts, history = await recorded_history(ledger, id_)
        if history.incident is None:
            return None
        newest = next((fact.digest for fact in reversed(facts) if isinstance(fact, Seen)), "")
        renamed = await self._in_threads(self._renamed, newest)
        if renamed is not None:
            return _GroupIncident(history.incident, *renamed)
        file = await ledger.file(id_)
        return _GroupIncident(history.incident, None, file.data if file else b"")

    def _renamed(self, newest: str) -> tuple[str, bytes] | None:
        """A file with this digest, and its bytes."""
        files = ((name, self._files.read(name)) for name in self._files.names())
        return next(((name, data) for name, data in files if data is not None and digest(data) == newest), None)


def _of_group(key: str, names: Iterable[str]) -> list[str]:
    """The names (of files, or ids) of this group's incidents, the newest first: by date, then by number."""
    pattern = re.compile(rf"(\d{{4}}-\d\d-\d\d)-(?:.*-)?{key}(?:-(\d{{1,6}}))?")
    matches = ((pattern.fullmatch(incident_id(name)), name) for name in names if key in name)
    dated = [(match[1], int(match[2] or 1), name) for match, name in matches if match]
    return [name for *_, name in sorted(dated, reverse=True)]
