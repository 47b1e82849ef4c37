"""The open incidents, as the ledger and the folder know them (`tocsin status`).

Decides which incidents are shown: those open in the ledger, and files that the daemon has not seen yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.file_problems import incident_problems
from tocsin.app.configuration.load import label_of
from tocsin.app.incidents.asked_roles import AskedRole, asked_roles
from tocsin.app.incidents.histories import histories_of, recorded_history
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.read import read_incident, unreadable_incident
from tocsin.planning.current_state import CurrentState, current_state
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.recorded import RecordedIncidents
from tocsin.ports.ledger.trouble import LedgerError, Unreadable
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, problem
from tocsin.text.times import clock


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not resolved: its newest version, how it stands, and what is wrong with its file. `since` is
    when it began, as far as the daemon knows; None: it has not seen it yet. `went_back`: the ledger has it as resolved,
    and its file went back to an older content, so that it may be held (rule 69). `asked` are the roles that nobody has
    accepted, as far as the daemon has asked for them.
    """

    incident: Incident
    state: CurrentState
    problems: tuple[Problem, ...]
    since: datetime | None
    went_back: bool = False
    asked: dict[str, AskedRole] = field(default_factory=dict)


async def open_incidents(
    ledger: RecordedIncidents | None,
    listing: Sequence[Listed] | str,
    folder: Path,
    policy: Policy,
    now: datetime,
    *,
    shared: bool = False,
) -> list[OpenIncident]:
    """Every open incident, the worst first, then the oldest. `listing` is what stands in `folder`, or why that cannot
    be read: then the ledger alone is asked. `shared`: several machines share the ledger, so a file of this one's may
    lag behind, and one that it never had is not gone (P9). Raises LedgerError.
    """
    facts, files_seen = (await ledger.unfinished(), await ledger.files()) if ledger else ({}, {})
    known, unread = histories_of(facts)
    over = {
        id_: digest
        for id_, (_, digest) in files_seen.items()
        if id_ not in unread and (id_ not in known or known[id_].resolved_at)
    }
    by_incident = _by_incident(() if isinstance(listing, str) else listing, files_seen)
    incidents = []
    for id_ in {**known, **by_incident, **unread}:
        files, history = by_incident.get(id_, []), known.get(id_, History())
        previous = history.incident
        if id_ in unread and not files and not unread[id_].ended:
            history = fold_facts([Seen(now, unreadable_incident(f"{id_}.yaml", unread[id_].why, policy, id_))])
        seen = _goes_on(history, files)
        if not seen and files and files[0].digest != over.get(id_):
            answered = await _answered_unread(ledger, id_, files[0]) if ledger and id_ in over else None
            seen = answered is not None
            history = answered or _of_file(files[0], id_, folder, policy, now)
        if history.incident is None or not _goes_on(history, files):
            continue
        problems = tuple(incident_problems(files, folder, policy, previous=previous))
        if not files and not isinstance(listing, str) and not shared:
            problems = (_gone(folder / (files_seen[id_][0] or f"{id_}.yaml"), history.incident),)
        if id_ in unread:
            problems += (_unread(folder / f"{id_}.yaml", unread[id_]),)
        went_back = bool(ledger and not seen and id_ in over and await _went_back(ledger, id_, files[0]))
        if went_back and shared:
            continue
        if went_back:
            problems += (_held(folder / files[0].name, id_),)
        state = current_state(history.incident, policy, history, now)
        since = history.began_at if seen else None
        asked = asked_roles(history, policy, now) if seen else {}
        incidents.append(OpenIncident(history.incident, state, problems, since, went_back, asked))
    return sorted(incidents, key=lambda one: (policy.incident_rank(one.incident), one.since or now, one.incident.id))


def without_ledger(opened: OpenIncident, file: Path, policy: Policy, now: datetime) -> OpenIncident:
    """An incident for somebody who may not read the ledger: that nobody is known to hold its roles is no fact."""
    level = ProblemLevel.WARNING
    unknown = problem(label_of(file), TOP, "no-ledger", holders_unknown(opened.incident, policy, now), level)
    return replace(opened, problems=(*opened.problems, unknown))


def holders_unknown(incident: Incident, policy: Policy, now: datetime) -> str:
    """What can be said of who holds it by the file alone."""
    by_file = [
        " ".join(filter(None, (policy.person_name(entry.by), clock(entry.at, "UTC", now) if entry.at else "")))
        for entry in incident.acknowledged
    ]
    file = f"acknowledged in the file: {', '.join(by_file)}" if by_file else "in the file nobody has acknowledged it"
    return f"who holds which role is not known without the ledger, which has answers by SMS and link; {file}"


def _by_incident(listing: Sequence[Listed], files_seen: dict[str, tuple[str, str]]) -> dict[str, list[Listed]]:
    """The files of each incident, the one that goes on first. One whose name was changed keeps its id (rule 33)."""
    names = {file.name for file in listing}
    owners = {name: id_ for id_, (name, _) in files_seen.items() if name}
    moved = {digest: id_ for id_, (name, digest) in files_seen.items() if digest and name not in names}
    by_incident: dict[str, list[Listed]] = {}
    for file in sorted(listing, key=lambda file: (file.name not in owners, file.name)):
        id_ = owners.get(file.name) or moved.get(file.digest) or incident_id(file.name)
        by_incident.setdefault(id_, []).append(file)
    return by_incident


def _goes_on(history: History, files: Sequence[Listed]) -> bool:
    """Whether it is open. A file that was never readable is over once nobody is paged for it and it is gone."""
    if history.incident is None or history.resolved_at is not None:
        return False
    return bool(files) or not history.unreadable_ended


def _of_file(file: Listed, id_: str, folder: Path, policy: Policy, now: datetime) -> History:
    """What a file says that the daemon has not seen, as if it saw it now; nothing for what is no file (rule 41)."""
    if file.data is None:
        return History()
    reading = read_incident(file.data, file.name, policy, None, label_of(folder / shown(file.name)))
    lines = reading.first_lines or file.trouble
    return fold_facts([Seen(now, reading.incident or unreadable_incident(file.name, lines, policy, id_))])


async def _answered_unread(ledger: RecordedIncidents, incident: str, file: Listed) -> History | None:
    """The history of an incident that is over for the ledger, since somebody has answered for its file, which could not
    be read and says the same still (rule 32); None: it is another.
    """
    try:
        facts, history = await recorded_history(ledger, incident)
    except LedgerError:
        return None
    newest = next((fact for fact in reversed(facts) if isinstance(fact, Seen)), None)
    return history if newest and newest.incident.unreadable and newest.digest == file.digest else None


async def _went_back(ledger: RecordedIncidents, incident: str, file: Listed) -> bool:
    """Whether the file of a resolved incident holds an older version of it (rule 69)."""
    try:
        facts = await ledger.facts(incident)
    except LedgerError:
        return False
    return any(isinstance(fact, Seen) and fact.digest == file.digest for fact in facts)


def _held(path: Path, incident: str) -> Problem:
    message = (
        "an older content of a resolved incident; with two more that went back at once (git checkout) it is held, and "
        f'nobody is paged: put it back, or reopen it with tocsin update {incident} "TEXT"'
    )
    return problem(label_of(path), TOP, "went-back", message, ProblemLevel.WARNING)


def _unread(path: Path, row: Unreadable) -> Problem:
    message = f"in the ledger {row.why}; the daemon sets the incident aside at its next start and declares it anew"
    return problem(label_of(path), TOP, "ledger-row", message, ProblemLevel.WARNING)


def _gone(path: Path, incident: Incident) -> Problem:
    message = "the file is gone, the incident goes on as it last was; put it back, or use tocsin resolve"
    if incident.unreadable:  # there is nothing to write anew
        message = f"the file is gone; put it back, or end its pages with tocsin ack {incident.id} --as PERSON"
    return problem(label_of(path), TOP, "file-gone", message, ProblemLevel.WARNING)
