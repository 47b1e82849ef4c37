"""The subject that each reader's mails of an incident have for its whole life: the title that their first message had.

So mail programs keep one thread, whatever becomes of title, status and severity, and after a reopening too.
"""

from tocsin.domain import facts as f
from tocsin.domain.history import History
from tocsin.planning.history.fast_replace import replace


def note_subjects(history: History, fact: f.Fact) -> History:
    """The history, knowing the subject of those for whom this fact decided a first message."""
    readers, external = _told(fact)
    new = [reader for reader in readers if reader not in history.subjects]
    if not new or history.incident is None:
        return history
    subject = history.incident.title_for(external=external)
    return replace(history, subjects={**history.subjects, **dict.fromkeys(new, subject)})


def _told(fact: f.Fact) -> tuple[tuple[str, ...], bool]:
    """For whom a fact decided messages, and whether with public wording. Who took a role unasked will be written to."""
    match fact:
        case f.Paged(person=person) | f.RoleAccepted(person=person):
            return (person,), False
        case f.StoodDown(person=person, via=via):
            return ((person,) if via else ()), False
        case f.VerifyAsked(people=people) | f.ReviewAsked(people=people):
            return people, False
        case f.Updated(readers=readers, external=external):
            return tuple(reader for reader, _ in readers), external
        case _:
            return (), False
