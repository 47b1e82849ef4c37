"""What PostgreSQL's faults mean: for the writer, and in a sentence for whoever must put it right."""

import re

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from tocsin.adapters.ledger.errors import describe
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.ports.leadership import LedgerAwayError
from tocsin.ports.ledger.trouble import LedgerError

_COLLISIONS = {"40001", "40P01"}
"""Serialization failure, deadlock."""
_PASSING = {"40", "53", "25006", "55P03"}
"""Classes and states of what may be over in a moment: collisions, no room (disk, memory, connections), a server that
takes no writes for now, a lock that others hold.
"""
_ENDED = {"25P03", "25P04"}
"""The server ended a session whose transaction stood still, or went on for too long."""
_NULS = re.compile(r"NUL \(0x00\)")


NONE_GIVEN = "it wants a password"
_CURES = {
    "password authentication failed": "the password is wrong; it comes from {}",
    "no password supplied": f"{NONE_GIVEN}; give it by {{}}; one in tocsin.yaml never counts",
    "no pg_hba.conf entry": "it lets nobody in from here; its pg_hba.conf must name this role, database and address",
    "authentication failed": "it does not believe that role who it says it is; see its pg_hba.conf",
    "permission denied for database": "the role may not connect to it; GRANT CONNECT ON DATABASE … TO it",
    "is not permitted to log in": "the role may not log in; ALTER ROLE … LOGIN",
    "root certificate file": "the certificate of the authority that signed its own is not where libpq looks; name its "
    "file, which everybody may read, in the address: ?sslmode=verify-full&sslrootcert=/etc/ssl/certs/….pem",
    "definition of service": "the service file of libpq does not have it; see PGSERVICEFILE",
}
"""Words of the server or of libpq, and what is to be done."""
_PASSWORDS = "TOCSIN_LEDGER, a credential file tocsin_ledger, PGPASSWORD, or the passfile of libpq"
_MISSING = re.compile(r'(database|role) "(.*?)" does not exist')
_MAKE = {
    "database": "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0",
    "role": "CREATE ROLE {} LOGIN PASSWORD …",
}
_MAKE_ALL = "grants.sql makes the database and both roles (docs/several-machines.md)"
_TAKES_NO_WRITES = "session is read-only"
"""What libpq says where `target_session_attrs=read-write` is not met."""

_WRONG_OPTION = re.compile(r"invalid (integer value|port number|\w+ value|connection option)\b")
"""What libpq says of an address that it cannot use."""
_OF_ANOTHER = "timeout expired", "invalid response", "expected authentication request"
"""What libpq says of a server that may be none of PostgreSQL."""


def state_of(fault: BaseException) -> str:
    """The SQLSTATE; empty when there is none."""
    return getattr(getattr(fault, "orig", fault), "sqlstate", None) or ""


def is_lost(fault: BaseException) -> bool:
    """Whether the connection is of no use any more, or there was none to be had."""
    if isinstance(fault, OSError) or state_of(fault) in _ENDED:
        return True
    driver = psycopg.OperationalError | psycopg.InterfaceError
    if not isinstance(fault, DBAPIError) or not isinstance(fault.orig, driver):
        return False
    return fault.connection_invalidated or not state_of(fault) or state_of(fault)[:2] in {"08", "57"}


def is_collision(fault: BaseException) -> bool:
    """Whether others wrote the same rows meanwhile."""
    return state_of(fault) in _COLLISIONS


def is_of_one_call(fault: BaseException) -> bool:
    """Whether it is about what was written."""
    return isinstance(fault, IntegrityError | DataError | ValueError | OverflowError) or bool(_NULS.search(str(fault)))


def passes(fault: BaseException) -> bool:
    """Whether it may be over by itself, so that nobody needs to put anything right."""
    state = state_of(fault)
    return is_lost(fault) or state in _PASSING or state[:2] in _PASSING


def server_error(fault: BaseException) -> LedgerError:
    """What went wrong, without the statement that met it; LedgerAwayError where it passes."""
    return (LedgerAwayError if passes(fault) else LedgerError)(describe(fault))


def explain(fault: BaseException, address: ServerAddress) -> LedgerError:
    """Why a server cannot be used, in one line; LedgerAwayError where that may pass by itself."""
    why = describe(fault)
    if missing := _MISSING.search(why):
        sort, name = missing.groups()
        return LedgerError(f"{address.place}: there is no {sort} {name}; {_MAKE[sort].format(name)}; {_MAKE_ALL}")
    for words, cure in _CURES.items():
        if words in why:
            return LedgerError(f"{address.place}: {cure.format(_PASSWORDS)}")
    if is_lost(fault) or isinstance(fault, psycopg.OperationalError):
        brief = _brief(why)
        if wrong := _WRONG_OPTION.search(why):
            return LedgerError(f"{address.place}: its address is wrong: {why[wrong.start() :]}")
        if _TAKES_NO_WRITES in brief:
            return LedgerAwayError(
                f"{address.place} takes no writes ({brief}): it is a standby server, or {address.role} may only read, "
                "and the daemons' role must be named"
            )
        doubt = "; does PostgreSQL listen there?" if any(words in brief for words in _OF_ANOTHER) else ""
        return LedgerAwayError(f"{address.place} cannot be reached: {brief}{doubt}{_another_host(fault)}")
    return (LedgerAwayError if passes(fault) else LedgerError)(f"{address.place}: {why}")


def _another_host(fault: BaseException) -> str:
    """What is to be done about one of several hosts that was reached and refused, where the last of them was not."""
    attempts = str(getattr(fault, "orig", fault))
    cure = next((cure for words, cure in _CURES.items() if words in attempts), "")
    return cure and f"; of another host: {cure.format(_PASSWORDS)}"


def _brief(why: str) -> str:
    """The last part of what libpq says, which repeats the address before it."""
    return why.rpartition("failed: ")[2] or why
