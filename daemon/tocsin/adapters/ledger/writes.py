"""What the writer does in a transaction, each for many callers at once, one statement for all of them.

Nothing is asked first and written then: what a write depends on stands in its statement, so that whoever writes at the
same moment changes nothing about it. Rows that others may write too are written in one order. SQLite and PostgreSQL run
the same statements. Must not know threads or tasks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    Dialect,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    not_,
    select,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler

from tocsin.adapters.ledger.reads.messages import pending_letters
from tocsin.adapters.ledger.removal.pruning import drop_unused
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.codec import read_fact
from tocsin.adapters.ledger.schema.decoding import RowError, write_instant
from tocsin.adapters.ledger.schema.tables import PENDING
from tocsin.adapters.ledger.schema.tolerant import TolerantInsert, tolerant_insert
from tocsin.adapters.ledger.statements import COMPILED_MAX, Row, ask, insert_if_new, run_each
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.delivery import CERTAINTY, Receipt
from tocsin.domain.notification import ASKING

KEYS_AT_ONCE = 500
"""Keys that one query asks about."""
CONFIGS_KEPT = 20
"""How many configs keep their files."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordEntry:
    """What one call writes about an incident. `contents` are by digest; `links` are those in the words; `finished`: a
    start need not load it; `anew`: what was recorded before that instant is put aside first.
    """

    incident: str
    facts: Sequence[Row] = ()
    contents: Mapping[str, Row] = field(default_factory=dict)
    notifications: Sequence[Row] = ()
    links: Sequence[Row] = ()
    finished: bool = False
    anew: datetime | None = None


class BundleEntry(NamedTuple):
    """One try of a bundle: its id, its words, their digest and links, and a row for each page that it stands for."""

    id: str
    digest: str
    content: Row
    attempts: Sequence[Row]
    links: Sequence[Row] = ()


class NoticeClaim(NamedTuple):
    """What one `claim_notice` call asks."""

    cause: str
    at: datetime
    quiet: timedelta


def _insert_if_new(table: Table) -> TolerantInsert:
    return tolerant_insert(table).on_conflict_do_nothing()


def _insert_or_replace(table: Table, key: str, *columns: str) -> TolerantInsert:
    """An insert that replaces only these columns of a row already there."""
    row = tolerant_insert(table)
    return row.on_conflict_do_update(index_elements=[key], set_={column: row.excluded[column] for column in columns})


_STATE = _insert_or_replace(t.incidents, "id", "finished")
_NEXT_FACT = select(func.coalesce(func.max(t.facts.c.sequence), literal_column("0")) + literal_column("1")).where(
    t.facts.c.incident == bindparam("same_incident")
)
_FACT = insert(t.facts).values(sequence=_NEXT_FACT.scalar_subquery())
_CONTENT = _insert_if_new(t.contents)
_NOTIFICATION = _insert_if_new(t.notifications)
_LINK = _insert_if_new(t.answer_links)
NEXT_NUMBER = select(func.count() + literal_column("1")).where(t.attempts.c.key == bindparam("same_key"))
_BEGIN = insert(t.attempts).values(number=NEXT_NUMBER.scalar_subquery())
_BUNDLE = _insert_if_new(t.bundles)
_CHANGE_ATTEMPT = update(t.attempts).where(t.attempts.c.id == bindparam("this"))
_RECEIPT_RANK = case(
    *((t.attempts.c.receipt == literal_column(f"'{known}'"), literal_column(str(known.rank))) for known in Receipt),
    else_=literal_column("0"),
)
_CERTAINTY = case(
    *(
        (
            func.substr(t.attempts.c.outcome, literal_column("9"), literal_column(str(len(known.__name__))))
            == literal_column(f"'{known.__name__}'"),
            literal_column(str(certainty)),
        )
        for known, certainty in CERTAINTY.items()
    ),
    else_=literal_column("0"),
)
"""Of what stands after `{"is": "`."""
_END = _CHANGE_ATTEMPT.where(bindparam("certainty") >= _CERTAINTY)
_RECEIPT = _CHANGE_ATTEMPT.where(bindparam("rank") > _RECEIPT_RANK)
_SETTLE = update(t.notifications).where(t.notifications.c.key == bindparam("this"), t.pending)
_KEEP_FILE = _insert_or_replace(t.incidents, "id", "file", "digest", "data")
_ARRIVAL = _insert_if_new(t.arrivals)
_SPENT = t.arrivals.c.kind.in_([literal_column(f"'{kind.value}'") for kind in (ArrivalKind.VERSION, ArrivalKind.PRUNE)])
"""What says nothing more once it is judged: whole files, of which the facts hold what counts; and names that are to be
forgotten.
"""
_RESULT = update(t.arrivals).where(t.arrivals.c.id == bindparam("this"), t.unjudged)
_RESULT = _RESULT.values(body=case((_SPENT, literal_column("''")), else_=t.arrivals.c.body))
_OPT_OUT = _insert_if_new(t.opt_outs)
_OPT_IN = delete(t.opt_outs).where(t.opt_outs.c.via == bindparam("of"), t.opt_outs.c.address == bindparam("this"))
_SESSION = _insert_if_new(t.sessions)
_END_SESSIONS = delete(t.sessions).where(t.sessions.c.digest.in_(bindparam("digests", expanding=True)))
_QUIET = and_(t.notices.c.at > bindparam("quiet_since"), t.notices.c.at <= bindparam("now"))
_NOTICE = tolerant_insert(t.notices)
_NOTICE = _NOTICE.on_conflict_do_update(index_elements=["cause"], set_={"at": _NOTICE.excluded.at}, where=not_(_QUIET))
_OLD_CONFIGS = select(func.max(t.configs.c.id) - literal_column(str(CONFIGS_KEPT)))
_FORGET_FILES = update(t.configs).where(
    t.configs.c.id <= _OLD_CONFIGS.scalar_subquery(), t.configs.c.files.is_not(None)
)


def record(connection: Connection, entries: Sequence[RecordEntry]) -> list[frozenset[str]]:
    """Facts, and the notifications whose keys are new; which of those are to be sent, for each entry."""
    for entry in entries:
        if entry.anew is not None:
            put_aside(connection, entry.incident, entry.anew)
    touched = {entry.incident: entry.finished for entry in entries if entry.facts or entry.finished}
    states = [{**_incident(incident), "finished": touched[incident]} for incident in sorted(touched)]
    run_each(connection, _STATE, states)
    add_facts(connection, [row for entry in entries for row in entry.facts])
    contents = {digest: row for entry in entries for digest, row in entry.contents.items()}
    run_each(connection, _CONTENT, [contents[digest] for digest in sorted(contents)])
    first: dict[str, Row] = {}
    for entry in entries:
        for row in entry.notifications:
            first.setdefault(row["key"], row)
    are_new = insert_if_new(connection, _NOTIFICATION, list(first.values()))
    new = {key for key, is_new in zip(first, are_new, strict=True) if is_new}
    if len(new) < len(first):
        drop_unused(connection, contents)
    _record_links(connection, entries)
    return [
        frozenset(
            row["key"]
            for row in entry.notifications
            if row["state"] == PENDING and row["key"] in new and first[row["key"]] is row
        )
        for entry in entries
    ]


def add_facts(connection: Connection, facts: Sequence[Row]) -> None:
    """Facts, each after those of its incident that are there."""
    run_each(connection, _FACT, [{"same_incident": row["incident"], **row} for row in facts])


def _record_links(connection: Connection, entries: Sequence[RecordEntry] | Sequence["BundleEntry"]) -> None:
    """Whom the links in words are for. The same person in the same episode has the same link in all messages."""
    links: dict[str, Row] = {}
    for entry in entries:
        for row in entry.links:
            links.setdefault(row["digest"], row)
    run_each(connection, _LINK, [links[digest] for digest in sorted(links)])


def record_answers(connection: Connection, calls: Sequence[tuple[RecordEntry, Sequence[RecordEntry]]]) -> list[bool]:
    """Each letter together with the answers it tells of; whether it was new. If not, none of them is written."""
    new = []
    for letter, answers in calls:
        (keys,) = record(connection, [replace(letter, links=())])
        new.append(bool(keys))
        if keys:
            record(connection, answers)
            _record_links(connection, [letter])
    return new


def put_aside(connection: Connection, incident: str, at: datetime) -> None:
    """What the ledger knows of an incident counts no more (rule 63): its facts stay under another name, all but the
    reply codes that can be read, which people still have. Letters that want an answer are superseded: whoever declares
    it anew asks anew.
    """
    facts = t.facts.c
    mine = facts.incident == incident
    codes = [row for row, body in connection.execute(select(facts.id, facts.body).where(mine, t.coded)) if _reads(body)]
    aside = f"{incident} (put aside {write_instant(at)})"
    before = select(func.coalesce(func.max(facts.sequence), literal_column("0"))).where(facts.incident == aside)
    sequence = facts.sequence + connection.execute(before).scalar_one()
    connection.execute(update(t.facts).where(mine, facts.id.not_in(codes)).values(incident=aside, sequence=sequence))
    for key, _, letter in list(pending_letters(connection, incident)):
        if isinstance(letter, RowError) or letter.notification.kind in ASKING:
            run_each(connection, _SETTLE, [{"this": key, "state": "superseded", "settled_at": write_instant(at)}])


def _reads(body: str) -> bool:
    try:
        read_fact("Coded", body)
    except ValueError:
        return False
    return True


def settle_unreadable(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Letters of incidents that cannot be read are given up."""
    for row in rows:
        for key, _, letter in list(pending_letters(connection, row["incident"])):
            if isinstance(letter, RowError):
                run_each(connection, _SETTLE, [{"this": key, "state": "unwanted", "settled_at": row["settled_at"]}])
    return [None] * len(rows)


def begin_attempt(connection: Connection, rows: Sequence[Row]) -> list[int]:
    """Attempts that begin; the number of each. Numbers count from 1 for each key."""
    run_each(connection, _BEGIN, [{"same_key": row["key"], **row} for row in rows])
    ids, numbers = [row["id"] for row in rows], dict[str, int]()
    for start in range(0, len(ids), KEYS_AT_ONCE):
        numbers.update(_numbers(connection, ids[start : start + KEYS_AT_ONCE]))
    return [numbers[id_] for id_ in ids]


def _numbers(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The number of each of these attempts. The last one is named again until they are a power of two: so the question
    is compiled for a few lengths only.
    """
    asked = [*ids, *[ids[-1]] * ((1 << (len(ids) - 1).bit_length()) - len(ids))]
    compiled = _compiled_numbers(len(asked), connection.dialect)
    return dict(ask(connection, compiled, {f"id{place}": id_ for place, id_ in enumerate(asked)}))


@lru_cache(COMPILED_MAX)
def _compiled_numbers(count: int, dialect: Dialect) -> SQLCompiler:
    ids = [bindparam(f"id{place}", type_=String) for place in range(count)]
    compiled = select(t.attempts.c.id, t.attempts.c.number).where(t.attempts.c.id.in_(ids)).compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def begin_bundle(connection: Connection, entries: Sequence[BundleEntry]) -> list[list[int]]:
    """Tries of bundles that begin: the number of each page's attempt. Those of one try come one after the other."""
    contents = {entry.digest: entry.content for entry in entries}
    run_each(connection, _CONTENT, [contents[digest] for digest in sorted(contents)])
    run_each(connection, _BUNDLE, [{"id": entry.id, "content": entry.digest} for entry in entries])
    _record_links(connection, entries)
    begun = iter(begin_attempt(connection, [row for entry in entries for row in entry.attempts]))
    return [list(islice(begun, len(entry.attempts))) for entry in entries]


def end_attempt(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """How attempts ended; `this` is the attempt's id, `certainty` how much that says. Only forward."""
    run_each(connection, _END, _in_order(rows))
    return [None] * len(rows)


def settle(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Notifications for which nothing more is tried; `this` is the key. The first state stands."""
    run_each(connection, _SETTLE, _in_order(rows))
    return [None] * len(rows)


def record_receipt(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """What became of attempts; `this` is the attempt's id, `rank` how far along that is. Only forward."""
    run_each(connection, _RECEIPT, _in_order(rows))
    return [None] * len(rows)


def record_arrival(connection: Connection, rows: Sequence[Row]) -> list[bool]:
    """What came in; whether each was new."""
    return insert_if_new(connection, _ARRIVAL, rows)


def record_result(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Arrivals that need nothing more; `this` is the row. The first result stands."""
    run_each(connection, _RESULT, rows)
    return [None] * len(rows)


def opt_out(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Addresses that want nothing more. The first time stands."""
    run_each(connection, _OPT_OUT, rows)
    return [None] * len(rows)


def opt_in(connection: Connection, rows: Sequence[Row]) -> list[bool]:
    """Addresses that may be written to again; whether each might not."""
    return [connection.execute(_OPT_IN, row).rowcount == 1 for row in rows]


def begin_session(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """People who have signed in."""
    run_each(connection, _SESSION, rows)
    return [None] * len(rows)


def end_sessions(connection: Connection, ended: Sequence[Sequence[str]]) -> list[None]:
    """Sessions that are over, by their digests."""
    digests = sorted({digest for some in ended for digest in some})
    for start in range(0, len(digests), KEYS_AT_ONCE):
        connection.execute(_END_SESSIONS, {"digests": digests[start : start + KEYS_AT_ONCE]})
    return [None] * len(ended)


def keep_file(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """The newest good version of incidents' files."""
    run_each(connection, _KEEP_FILE, [{**_incident(row["id"]), **row} for row in rows])
    return [None] * len(rows)


def record_config(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Configs that came into force. Only the newest keep their files."""
    connection.execute(insert(t.configs), rows)
    connection.execute(_FORGET_FILES, {"files": None})
    return [None] * len(rows)


def claim_notice(connection: Connection, claims: Sequence[NoticeClaim]) -> list[bool]:
    """Whether each cause may be told now. A notice in the future means a clock put back: it does not count."""
    rows = [
        {
            "cause": claim.cause,
            "at": write_instant(claim.at),
            "now": write_instant(claim.at),
            "quiet_since": write_instant(claim.at - claim.quiet),
        }
        for claim in claims
    ]
    return [run_each(connection, _NOTICE, [row]) == 1 for row in rows]


def _incident(incident: str) -> Row:
    return {"id": incident, "finished": False, "file": b"", "digest": "", "data": None}


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """By what they change: two transactions that change the same rows never wait for each other."""
    return sorted(rows, key=itemgetter("this"))
