"""What is asked about who is signed in."""

from contextlib import suppress

from sqlalchemy import Connection, RowMapping, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.decoding import read_instant
from tocsin.domain.people import Session


def sessions(connection: Connection) -> tuple[Session, ...]:
    """All that can be read, in the order they began: who is not known to be signed in is not."""
    rows = connection.execute(select(t.sessions).order_by(t.sessions.c.began_at, t.sessions.c.digest)).mappings()
    return tuple(session for row in rows if (session := _session(row)) is not None)


def session(digest: str) -> Question[Session | None]:
    """One of them."""
    query = select(t.sessions).where(t.sessions.c.digest == digest)

    def read(connection: Connection) -> Session | None:
        row = connection.execute(query).mappings().one_or_none()
        return _session(row) if row else None

    return read


def _session(row: RowMapping) -> Session | None:
    with suppress(ValueError, TypeError):
        return Session(row["digest"], row["person"], read_instant(row["began_at"]))
    return None
