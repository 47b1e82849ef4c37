"""Two people edit one incident: whether somebody changed, since a form was made, what it sets, and who and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.app.edits.changes import FieldChange, Telling, deed, field_value, set_fields
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import Edit, Incident


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else's change of a field: who made it, as far as the file says, and when it was seen; None: just now."""

    change: FieldChange
    by: str = ""
    at: datetime | None = None


def version_of(facts: Iterable[Fact], digest: str) -> Incident | None:
    """The version with this digest, as it was seen; None: none was."""
    versions = [fact.incident for fact in facts if isinstance(fact, Seen) and fact.digest == digest]
    return versions[-1] if versions else None


def conflicts(base: Incident, current: Incident, edit: Edit, facts: Sequence[Fact], version: str) -> list[Conflict]:
    """What was changed since `base`, the version with that digest, of the fields that an edit sets; what came to be as
    it wants it is none. `current` is what the file says now, which need not have been seen yet.
    """
    wanted = set_fields(edit)
    fields = [
        field for field, value in wanted.items() if field_value(base, field) != field_value(current, field) != value
    ]
    return [last_change(base, current, field, facts, version) for field in fields]


def last_change(base: Incident, current: Incident, field: str, facts: Sequence[Fact], version: str) -> Conflict:
    """Who changed a field last since `base`, and when."""
    before, conflict = base, None
    steps = [*_since(facts, version), (None, current)]
    for at, incident in steps:
        old, new = field_value(before, field), field_value(incident, field)
        if old != new:
            conflict = Conflict(FieldChange(field, old, new), author(before, incident), at)
        before = incident
    assert conflict is not None, "the field differs between the first and the last of them"
    return conflict


def author(before: Incident, after: Incident) -> str:
    """Who wrote a version, by the entries that it adds; empty: it does not say."""
    for old, new in ((before.timeline, after.timeline), (before.updates, after.updates)):
        known = set(old)
        added = [entry.by for entry in new if entry not in known and entry.by]
        if added:
            return added[-1]
    return ""


def conflict_sentence(conflict: Conflict, telling: Telling) -> str:
    """Who did what, and when."""
    who = telling.policy.person_name(conflict.by) or "Somebody"
    when = f"at {telling.at(conflict.at)}" if conflict.at else "just now"
    return f"{who} {deed(conflict.change, telling)} {when}"


def _since(facts: Iterable[Fact], version: str) -> list[tuple[datetime | None, Incident]]:
    """The versions that were seen after that of a digest."""
    versions = [fact for fact in facts if isinstance(fact, Seen)]
    place = max((number for number, fact in enumerate(versions) if fact.digest == version), default=len(versions))
    return [(fact.at, fact.incident) for fact in versions[place + 1 :]]
