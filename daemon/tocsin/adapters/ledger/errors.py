"""Faults of the database library as the one exception that leaves this folder, in one line for people."""

import sqlite3

from tocsin.ports.ledger import LedgerError

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def ledger_error(fault: BaseException) -> LedgerError:
    """What went wrong, without the statement that met it."""
    return LedgerError(describe(fault))


def describe(fault: BaseException) -> str:
    """The fault in one line."""
    lines = str(getattr(fault, "orig", None) or fault).splitlines()
    return lines[0] if lines else type(fault).__name__


def is_passing(fault: BaseException) -> bool:
    """Whether it may be over by itself, and leaves the connection as it was: a lock, a full disk."""
    return _code(fault) in _PASSING


def is_damage(fault: BaseException) -> bool:
    """Whether the file itself is damaged, or none of SQLite's."""
    return _code(fault) in _DAMAGE


def is_held_by_another(fault: BaseException) -> bool:
    """Whether another process has a lock on it."""
    return _code(fault) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(fault: BaseException) -> int:
    """SQLite's primary result code; 0 when it has none."""
    code: int = getattr(getattr(fault, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF
