"""What operators read of a ledger that cannot be written."""


def ledger_trouble(why: str) -> str:
    """That the ledger cannot be written, in the ledger's words, and who holds it if it is only that."""
    held = ": another program holds it, and `fuser -v tocsin.db` names it" if is_lock(why) else ""
    return f"the ledger cannot be written ({why}){held}; pages go out from memory"


def database_trouble(why: str) -> str:
    """The same of a database on a server, in its words."""
    return f"the database takes nothing from this machine ({why}); pages go out from memory"


def is_lock(why: str) -> bool:
    """Whether another program holds the ledger, in SQLite's words."""
    return "is locked" in why
