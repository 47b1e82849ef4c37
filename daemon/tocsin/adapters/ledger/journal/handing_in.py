"""The ledger is given what it lacks of a machine's journal: a database that was put back, or a replica that lagged
behind and took its place, does not know what was sent since (P9).

What is there already stays. Must not know what follows from it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.repetitions import alike
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.decoding import write_instant
from tocsin.adapters.ledger.schema.outcome_codec import write_outcome
from tocsin.adapters.ledger.schema.tolerant import tolerant_insert
from tocsin.adapters.ledger.statements import Row, run_each
from tocsin.adapters.ledger.writes import KEYS_AT_ONCE, NEXT_NUMBER
from tocsin.domain.delivery import Uncertain
from tocsin.domain.notification import NOBODY

LOST_END = Uncertain("the database lost how it ended")
"""How a try is handed in of which the journal does not know it either (rule 40)."""
_ATTEMPT = (
    tolerant_insert(t.attempts)
    .values(number=NEXT_NUMBER.scalar_subquery())
    .on_conflict_do_nothing(index_elements=["id"])
)


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of what a journal knows: its `installation`, the tries that are there, and whether each has
    ended; which of the incidents were pruned, and which incidents there are.
    """

    installation: str
    ended: dict[str, bool]
    pruned: frozenset[str]
    incidents: tuple[str, ...]


def held(attempts: Sequence[Row], *, every_incident: bool) -> Question[Held]:
    """What it holds of these. `every_incident`: the closed ones as well."""
    ids, incidents = sorted(row["id"] for row in attempts), sorted({incident_of(row["key"]) for row in attempts})

    def read(connection: Connection) -> Held:
        ended: dict[str, bool] = {}
        for some in _parts(ids):
            found = select(t.attempts.c.id, t.attempts.c.outcome.is_not(None)).where(t.attempts.c.id.in_(some))
            ended.update((id_, has_ended) for id_, has_ended in connection.execute(found))
        pruned: set[str] = set()
        for some in _parts(incidents):
            pruned.update(
                connection.execute(select(t.pruned.c.incident).where(t.pruned.c.incident.in_(some))).scalars()
            )
        seen = select(t.incidents.c.id) if every_incident else select(t.incidents.c.id).where(t.unfinished)
        installation: str = connection.execute(select(t.installation.c.id)).scalar_one()
        return Held(installation, ended, frozenset(pruned), tuple(connection.execute(seen).scalars()))

    return read


def hand_in(connection: Connection, calls: Sequence[Sequence[Row]]) -> list[None]:
    """Tries that are not there; whoever else hands them in at the same moment, each is there once."""
    rows = {row["id"]: {"same_key": row["key"], **row} for rows in calls for row in rows}
    run_each(connection, _ATTEMPT, [rows[id_] for id_ in sorted(rows)])
    return [None] * len(calls)


def as_handed_in(row: Row, now: datetime) -> Row:
    """A try as the ledger is to have it: ended."""
    if row["outcome"] is not None:
        return row
    return row | {"outcome": write_outcome(LOST_END), "ended_at": write_instant(now)}


def left_unknown(since: datetime) -> Question[Counter[str]]:
    """Messages that left since then, of which the ledger has the tries and not what was decided: how many of each
    sort. They may be decided anew, and leave again.
    """
    known = t.notifications.c.key == t.attempts.c.key
    rest = select(t.attempts.c.key, t.attempts.c.via, t.attempts.c.address).outerjoin(t.notifications, known).distinct()
    rest = rest.where(t.notifications.c.key.is_(None), t.attempts.c.started_at >= write_instant(since))

    def read(connection: Connection) -> Counter[str]:
        rows = connection.execute(rest)
        return Counter(alike(key, via, address) for key, via, address in rows if incident_of(key) != NOBODY)

    return read


def incident_of(key: str) -> str:
    """The incident whose message it was."""
    return key.partition("/")[0]


def _parts(names: Sequence[str]) -> Sequence[Sequence[str]]:
    return [names[start : start + KEYS_AT_ONCE] for start in range(0, len(names), KEYS_AT_ONCE)]
