"""The subject that each reader's mails of an incident have for its whole life: the title that their first message had.

So mail programs keep one thread, whatever becomes of title, status and severity, and after a reopening too. Two titles
are given up for a better one, once each and with the next message: the one for insiders that an outsider was told by,
and the one that stood for a title which was never read, or which only an alert had written. Whoever sees the mistake
could not mend it otherwise.
"""

from tocsin.domain import facts as f
from tocsin.domain.history import History, Subject
from tocsin.domain.incident import Incident
from tocsin.planning.history.fast_replace import replace


def subject_for(reader: str, history: History, incident: Incident, *, external: bool) -> Subject:
    """The subject of a message that is decided now, with public wording or not."""
    known = history.subjects.get(reader)
    return _titled(history, incident, external=external) if known is None else _still(known, history, incident)


def _still(known: Subject, history: History, incident: Incident) -> Subject:
    """The subject of somebody who has one, unless it gives way to a better one."""
    if known.placeholder and not incident.has_placeholder:
        return _titled(history, incident, external=known.internal)
    if known.internal and incident.public_title:
        return Subject(incident.public_title)
    return known


def _titled(history: History, incident: Incident, *, external: bool) -> Subject:
    if external and incident.public_title:
        return Subject(incident.public_title)
    title = history.title_for(incident, external=external)
    return Subject(title, internal=external, placeholder=incident.has_placeholder or not title)


def note_subjects(history: History, fact: f.Fact) -> History:
    """The history, knowing the subjects of those for whom this fact decided a message."""
    if history.incident is None:
        return history
    readers, external = _told(history, fact)
    if not readers:
        return history
    incident, before = history.incident, history.subjects
    first = _titled(history, incident, external=external)  # one for all who are told for the first time
    told = {reader: _still(before[reader], history, incident) if reader in before else first for reader in readers}
    new = {reader: subject for reader, subject in told.items() if before.get(reader) != subject}
    return replace(history, subjects={**history.subjects, **new}) if new else history


def _told(history: History, fact: f.Fact) -> tuple[tuple[str, ...], bool]:
    """For whom a fact decided messages, and whether with public wording. Who took a role unasked will be written to;
    reminders and closings go to those who have heard before.
    """
    match fact:
        case f.Paged(person=person) | f.RoleAccepted(person=person):
            return (person,), False
        case f.StoodDown(person=person, via=via):
            return ((person,) if via else ()), False
        case f.VerifyAsked(people=people) | f.ReviewAsked(people=people):
            return people, False
        case f.Updated(readers=readers, external=external):
            return tuple(reader for reader, _ in readers), external
        case f.Reminded() | f.EtaReminded():
            return tuple(reader for reader, subject in history.subjects.items() if not subject.internal), False
        case f.Closed():
            return tuple(history.subjects), False
        case _:
            return (), False


def with_taken_back(history: History, fact: f.Updated) -> History:
    """Outsiders hear of a drill only that it is one."""
    if not fact.external or history.incident is None:
        return history
    readers = frozenset(reader for reader, _ in fact.readers)
    known = history.taken_back
    return replace(history, taken_back=known | readers if history.incident.drill else known - readers)
