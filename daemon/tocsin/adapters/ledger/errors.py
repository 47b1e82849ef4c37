"""Faults of the database library as the one exception that leaves this folder, in one line for people."""

from tocsin.ports.ledger.trouble import LedgerError


def ledger_error(fault: BaseException) -> LedgerError:
    """What went wrong, without the statement that met it."""
    return LedgerError(describe(fault))


def describe(fault: BaseException) -> str:
    """The fault in one line."""
    lines = str(getattr(fault, "orig", None) or fault).splitlines()
    return lines[0] if lines else type(fault).__name__
