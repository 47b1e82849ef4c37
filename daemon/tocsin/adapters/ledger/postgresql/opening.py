"""A database on a server becomes a ledger: looked at before it is used, brought up to date by whoever leads.

Decides whether it can be used at all, and says in one line what is wrong where it cannot. Must not know what is kept.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tocsin.adapters.ledger.postgresql.address import READS_WITHIN, TO_WRITE, WRITES_WITHIN, Dialler, ServerAddress
from tocsin.adapters.ledger.postgresql.faults import explain
from tocsin.adapters.ledger.postgresql.nodes import read_machines
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.tables import metadata
from tocsin.planning.machines.leadership import MIGRATES_WITHIN
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.trouble import LedgerError

OLDEST = 15
"""The oldest version of PostgreSQL that is tried."""
READERS = 4
"""Questions asked at once, each on a connection of its own."""
LOOKS_WITHIN = 10.0
"""Seconds for the answer to a look: a server that goes on acknowledging may never say anything."""
LOCKS_MS = 10_000
"""Milliseconds that a migration waits for a table, and all others behind it; then it comes again later."""
SEEN_GONE = "2s"
"""How soon the server gives up a migration whose daemon is gone, and with it the term that it holds."""
MIGRATING = 0x746F6373696E
"""The lock, in the database, of whoever changes its tables."""
NAMES_SCHEMA = "alembic_version"
"""The table that holds the name of the schema."""
_LACKING = text(
    "SELECT current_user, granted, string_agg(name, ', ') "
    "FROM unnest(CAST(:names AS text[])) AS name, unnest(CAST(:rights AS text[])) AS granted "
    "WHERE NOT has_table_privilege(to_regclass(quote_ident(name)), granted) GROUP BY granted"
)
_COLUMNS = text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()")
_OTHERS = text(
    "SELECT current_user, pg_get_userbyid(relowner), min(relname), count(*) FROM pg_class "
    "WHERE oid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(CAST(:names AS text[])) AS name) "
    "AND NOT pg_has_role(relowner, 'USAGE') GROUP BY relowner"
)
OF_ONE_ROW = (t.term, t.lease, t.installation)
"""Tables that have one row from when they are made."""
OF_EACH_VERSION = tuple(table.name for table in (*OF_ONE_ROW, t.nodes, t.writers))
"""Tables that every version of the program has (P9)."""
ANY_HOST: Mapping[str, str] = MappingProxyType({})


class EmptyDatabaseError(LedgerError):
    """There is no ledger in it yet, as no daemon has run."""


class OtherVersionError(LedgerError):
    """Another version of the program keeps it: of its tables only those that say who leads can be read (P9)."""


@dataclass(frozen=True, slots=True)
class OpenedServer:
    """Engines to write and to read by, and the schema as it was found. `newer`: in a line, that a newer program keeps
    what this one may not understand; empty: it does.
    """

    address: ServerAddress
    writing: Engine
    reading: Engine
    schema: str
    newer: str = ""

    def dispose(self) -> None:
        """Let go of all connections."""
        self.writing.dispose()
        self.reading.dispose()


def make_engine(
    address: ServerAddress, answers_within: float | None, given: Mapping[str, str] = TO_WRITE, connections: int = 1
) -> Engine:
    """An engine on a server; `connections` of it are kept, and no more made; none: each is made and ended."""
    kept = {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0}
    pool = kept if connections else {"poolclass": NullPool}
    dial = Dialler(address, given, answers_within)
    return create_engine("postgresql+psycopg://", creator=dial, use_native_hstore=False, **pool)


def open_server(address: ServerAddress) -> OpenedServer:
    """A ledger for a daemon, which may lead or stand by; an empty database is filled. Raises LedgerError, and
    LedgerAwayError where the server does not answer.
    """
    schema = look_before_writing(address)
    if schema is None:
        with _connected(address, TO_WRITE, MIGRATES_WITHIN) as connection:
            schema = bring_up_to_date(connection)
    return _opened(address, TO_WRITE, schema)


def look_before_writing(address: ServerAddress) -> str | None:
    """The schema that a daemon meets which opens it; None: it is empty. Nothing is changed. Raises LedgerError."""
    with _connected(address, TO_WRITE, LOOKS_WITHIN) as connection:
        _check_rights(connection, address, "SELECT", "INSERT", "UPDATE", "DELETE")
        schema = _look_at(connection, address)
        if schema is None or schema < SCHEMA:
            _check_may_make(connection, address)
            _check_owner(connection, address)
        return schema


def open_server_to_read(address: ServerAddress) -> OpenedServer:
    """A ledger that is there, for who only reads it: its role needs no other right. One that a newer program keeps is
    read for as long as all is there that is asked for: migrations only add (P9), and a row that is not understood is
    told where it would count (rule 63). Raises LedgerError.
    """
    newer = ""
    with _connected(address, ANY_HOST, WRITES_WITHIN) as connection:
        _check_rights(connection, address, "SELECT")
        schema = _look_at(connection, address)
        if schema is None:
            raise EmptyDatabaseError(f"{address.place}: there is no ledger in it yet; tocsin run makes it")
        kept = f"another version of tocsin keeps it (schema {schema}, not {SCHEMA})"
        if schema < SCHEMA:
            cure = "it is brought up to date once a tocsin like this leads"
            raise OtherVersionError(f"{address.place}: {kept}; {cure}")
        if lacking := _lacking_columns(connection):
            raise OtherVersionError(f"{address.place}: {kept}, without {lacking}; update tocsin here")
        if oldest_to_lead(connection) > SCHEMA:
            newer = f"{address.place}: {kept}; update tocsin here"
    return _opened(address, ANY_HOST, schema, newer)


def machines_of(address: ServerAddress) -> Machines:
    """The machines that share a ledger, whichever version keeps it: these tables never change. Raises LedgerError."""
    with _connected(address, ANY_HOST, WRITES_WITHIN) as connection:
        return read_machines(connection)


def bring_up_to_date(connection: Connection) -> str:
    """Migrate it to the newest schema, in this transaction, whoever else would do so waiting; gives the schema. A newer
    one stays. Raises LedgerError.
    """
    connection.execute(select(func.set_config("lock_timeout", str(LOCKS_MS), True)))
    with suppress(DBAPIError), connection.begin_nested():  # not every system that a server runs on can tell
        connection.execute(select(func.set_config("client_connection_check_interval", SEEN_GONE, True)))
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
    schema = schema_of(connection)
    if schema is None or schema < SCHEMA:
        importlib.import_module("tocsin.adapters.ledger.migrations.migrate").migrate(connection, schema)
        schema = SCHEMA
    return schema


@contextmanager
def in_one_transaction(address: ServerAddress) -> Iterator[Connection]:
    """A transaction on an empty database that can be used, whoever else would make tables in it waiting. Raises
    LedgerError.
    """
    with _connected(address, TO_WRITE, MIGRATES_WITHIN) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        if _look_at(connection, address) is not None:
            raise LedgerError(f"{address.place}: there is a ledger in it already; name an empty database")
        _check_may_make(connection, address)
        yield connection


def schema_of(connection: Connection) -> str | None:
    """The name of the schema; None in a database without tables of ours."""
    if not inspect(connection).has_table(NAMES_SCHEMA):
        return None
    schema: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return schema


def oldest_to_lead(connection: Connection) -> str:
    """The oldest schema whose program understands what a newer one keeps."""
    oldest: str = connection.execute(select(t.term.c.leads_from)).scalar_one()
    return oldest


@contextmanager
def _connected(address: ServerAddress, given: Mapping[str, str], answers_within: float) -> Iterator[Connection]:
    """A transaction on a connection of its own, whose answers come in time. Raises LedgerError."""
    engine = make_engine(address, answers_within, given, connections=0)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as fault:
        raise explain(fault, address) from None
    finally:
        engine.dispose()


def unopened_server(address: ServerAddress) -> OpenedServer:
    """Engines for a ledger that a daemon is yet to open."""
    return _opened(address, TO_WRITE, "")


def _opened(address: ServerAddress, given: Mapping[str, str], schema: str, newer: str = "") -> OpenedServer:
    writing = make_engine(address, WRITES_WITHIN, given)
    return OpenedServer(address, writing, make_engine(address, READS_WITHIN, given, READERS), schema, newer)


def _look_at(connection: Connection, address: ServerAddress) -> str | None:
    """The schema of a database that can be used; None: it is empty. Raises LedgerError."""
    version, encoding = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
    ).one()
    if version // 10000 < OLDEST:
        raise LedgerError(f"{address.place}: it is PostgreSQL {version // 10000}; tocsin needs {OLDEST} or newer")
    if encoding != "UTF8":
        raise LedgerError(
            f"{address.place}: it is encoded in {encoding}, which cannot hold every text; make it anew with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    schema, tables = schema_of(connection), set(inspect(connection).get_table_names())
    if lacking := _lacking_of_half(connection, schema, tables):
        raise LedgerError(
            f"{address.place}: it holds half a ledger, without {lacking}, as where a restore broke off; restore the "
            "whole copy into an empty database"
        )
    strange = schema is not None and not re.fullmatch(r"\d{4}", schema)
    if strange or (schema is None and tables):
        raise LedgerError(f"{address.place}: it holds tables of another program; give tocsin a database of its own")
    return schema


def _lacking_of_half(connection: Connection, schema: str | None, tables: set[str]) -> str:
    """What a ledger lacks of which only a part is there; empty: it is whole, or is none."""
    if schema is None:
        return "the name of its schema" if tables >= {NAMES_SCHEMA, *OF_EACH_VERSION} else ""
    if not re.fullmatch(r"\d{4}", schema):
        return ""
    needed = {table.name for table in metadata.sorted_tables} if schema == SCHEMA else set(OF_EACH_VERSION)
    if lacking := sorted(needed - tables):
        return f"the tables {', '.join(lacking)}"
    empty = [table.name for table in OF_ONE_ROW if not connection.execute(select(table.c.one)).all()]
    return f"a row in {', '.join(empty)}" if empty else ""


def _lacking_columns(connection: Connection) -> str:
    """What of all that this program asks for is not there; empty: nothing."""
    found = {(row.table_name, row.column_name) for row in connection.execute(_COLUMNS)}
    asked = [(table.name, column.name) for table in metadata.sorted_tables for column in table.columns]
    return ", ".join(f"{table}.{column}" for table, column in asked if (table, column) not in found)


def _check_may_make(connection: Connection, address: ServerAddress) -> None:
    """Raises LedgerError when this role may make no tables in an empty database."""
    role, place, may = connection.exec_driver_sql(
        "SELECT current_user, current_schema(), has_schema_privilege(current_schema(), 'CREATE')"
    ).one()
    if not may:
        raise LedgerError(
            f"{address.place}: {role} may make no tables in it; make {role} its owner, or "
            f"GRANT CREATE ON SCHEMA {place or 'public'} TO {role}"
        )


def _check_owner(connection: Connection, address: ServerAddress) -> None:
    """Raises LedgerError when tables that are to be brought up to date belong to another role, as after a restore."""
    others = connection.execute(_OTHERS, {"names": _our_names()}).all()
    if others:
        role, owner, table, many = others[0]
        theirs = f"{table} and {many - 1} more tables" if many > 1 else f"the table {table}"
        raise LedgerError(
            f"{address.place}: it is to be brought up to schema {SCHEMA}, and only {owner} may change {theirs}; have "
            f"{owner} or a superuser give each to {role}: ALTER TABLE … OWNER TO {role}"
        )


def _our_names() -> list[str]:
    return [NAMES_SCHEMA, *(table.name for table in metadata.sorted_tables)]


def _check_rights(connection: Connection, address: ServerAddress, *rights: str) -> None:
    """Raises LedgerError when this role lacks one of these rights on a table that is there."""
    lacking = connection.execute(_LACKING, {"names": _our_names(), "rights": list(rights)}).all()
    if lacking:
        role, right, tables = lacking[0]
        raise LedgerError(
            f"{address.place}: {role} lacks the right to {right} in {tables}; the owner can give it: "
            f"GRANT {right} ON {tables} TO {role}"
        )
