"""Trouble: a library's fault as the one exception that leaves this room, in one line for people."""

from daemon.ports import LedgerTrouble


def trouble(fault: BaseException) -> LedgerTrouble:
    """What went wrong, without the statement that met it."""
    return LedgerTrouble(said(fault))


def said(fault: BaseException) -> str:
    """The fault in one line."""
    lines = str(getattr(fault, "orig", None) or fault).splitlines()
    return lines[0] if lines else type(fault).__name__
