"""A ledger's schema is brought up to date by the scripts beside this, all of them in one transaction.

Imported only when there is something to do: alembic takes longer to import than most commands run.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from tocsin.ports.ledger.trouble import LedgerError


def migrate(connection: Connection, schema: str | None) -> None:
    """From this schema (None: an empty file) to the newest, in the connection's transaction. Raises LedgerError when
    the schema is none of ours.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if schema is not None and schema not in known:
        raise LedgerError(f"it was written by a newer tocsin (schema {schema}); update tocsin")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as fault:
        raise LedgerError(str(fault)) from None
