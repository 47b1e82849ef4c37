"""What is to stand in rows instead of what stands there: looked for beside the writer, written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, bindparam, delete, exists, func, select, true, update

from tocsin.adapters.ledger.removal.pruning import drop_unused
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.rows import content_row, digest_of
from tocsin.adapters.ledger.schema.tolerant import tolerant_insert
from tocsin.domain.delivery import Content
from tocsin.ports.ledger.upkeep import Replaced


class RowChange(NamedTuple):
    """One row, by what its key column holds, and its new values; none: it goes."""

    key: "Column[Any]"
    row: Any
    values: dict[str, Any]


@dataclass
class RowChanges:
    """The changes of one transaction. They are of one `incident`, if one is named, and made only while that is finished
    and has as many `facts` as were looked at. `contents` are words that come, by digest, `dropped` those that may go.
    `replaced` says it all for people.
    """

    incident: str = ""
    facts: int | None = None
    rows: list[RowChange] = field(default_factory=list)
    contents: dict[str, Content] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    replaced: list[Replaced] = field(default_factory=list)

    def add(self, key: "Column[Any]", row: Any, values: dict[str, Any]) -> None:
        """A row that changes; without values it goes."""
        self.rows.append(RowChange(key, row, values))

    def tell(self, place: str, before: str, after: str) -> None:
        """Say it for people: of texts whose lines are as many as before, only those that differ."""
        if before == after:
            return
        lines, new = before.splitlines(), after.splitlines()
        if len(lines) == len(new):
            pairs = ((old, line) for old, line in zip(lines, new, strict=True) if old != line)
            self.replaced += [Replaced(place, *pair) for pair in pairs]
        else:
            self.replaced.append(Replaced(place, before, after))

    def exchange(self, before: str, content: Content) -> str:
        """Other words instead of those of that digest; their own digest."""
        digest = digest_of(content)
        if digest != before:
            self.contents[digest] = content
            self.dropped.add(before)
        return digest


def write_changes(connection: Connection, calls: Sequence[RowChanges]) -> list[bool]:
    """Whether each was made."""
    return [_write(connection, changes) for changes in calls]


def _write(connection: Connection, changes: RowChanges) -> bool:
    if changes.incident and not _rests(connection, changes):
        return False
    for digest in sorted(changes.contents):
        row = content_row(digest, changes.contents[digest])
        connection.execute(tolerant_insert(t.contents).on_conflict_do_nothing(), row)
    by_statement = sorted(changes.rows, key=lambda one: (one.key.table.name, sorted(one.values), str(one.row)))
    for (key, names), rows in groupby(by_statement, key=lambda one: (one.key, tuple(sorted(one.values)))):
        if names:
            statement = update(key.table).where(key == bindparam("this"))
            connection.execute(statement, [{"this": one.row, **one.values} for one in rows])
        else:
            connection.execute(delete(key.table).where(key == bindparam("this")), [{"this": one.row} for one in rows])
    drop_unused(connection, changes.dropped)
    return True


def _rests(connection: Connection, changes: RowChanges) -> bool:
    """Whether the incident is as it was when it was looked at. One that is gone but for facts put aside is."""
    id_ = changes.incident
    finished = connection.execute(select(t.incidents.c.finished).where(t.incidents.c.id == id_)).scalar()
    waits = exists().where(t.notifications.c.incident == id_, t.pending)
    if finished is False or finished == 0 or connection.execute(select(true()).where(waits)).scalar():
        return False
    facts = select(func.count()).where(t.facts.c.incident == id_)
    return changes.facts is None or connection.execute(facts).scalar() == changes.facts
