"""Where the ledger is: a file of SQLite, or a database on a PostgreSQL server that several machines share.

Decides what an address may look like, and keeps its password apart from it: that never stands in a file, and is shown
nowhere. Must not know which options libpq has, nor whether anything is there.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

SQLITE = "sqlite:///"
SERVER = re.compile(
    r"(?P<scheme>postgres(?:ql)?://)"
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?"
    r"(?P<hosts>[^@/?]*)"
    r"(?:/(?P<database>[^/?]*))?"
    r"(?:\?(?P<options>.*))?"
)
"""An address of libpq. Of several hosts each may have its port; a folder of sockets is written %2Frun%2Fpostgresql."""
EXAMPLES = f"{SQLITE}../var/tocsin.db or postgresql://tocsin@db.example.com/tocsin"


@dataclass(frozen=True, slots=True)
class LedgerAddress:
    """Either a `file`, or a `server`: the address of a database, without the `password`, which is apart (empty: libpq
    finds it, in a passfile or by a service, or none is needed).
    """

    file: Path | None = None
    server: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """What people call it: nothing secret, and no options."""
        return str(self.file) if self.file is not None else self.server.partition("?")[0]

    @property
    def written(self) -> str:
        """As it is written in tocsin.yaml, without what is secret."""
        return f"{SQLITE}{self.file}" if self.file is not None else self.server

    @property
    def role(self) -> str:
        """Whom the address of a server says that it enters as; empty: libpq knows."""
        parts = SERVER.fullmatch(self.server)
        return (parts["user"] or "") if parts else ""

    def with_password(self, password: str) -> "LedgerAddress":
        """The same database, entered by this password."""
        return replace(self, password=password)


def is_address(text: str) -> bool:
    """Whether this is meant as the address of a ledger, not as a password alone."""
    return "://" in text


def read_address(text: str) -> LedgerAddress:
    """The ledger of this address; a password in it is taken out. Raises ValueError, with words that repeat nothing of
    it.
    """
    if text.startswith(SQLITE) and not re.search(r"[?#]", text) and text not in {SQLITE, f"{SQLITE}:memory:"}:
        return LedgerAddress(Path(text.removeprefix(SQLITE)))
    if not text.startswith(("postgresql:", "postgres:")):
        raise ValueError(f"must be a SQLite file or a PostgreSQL database; write it such as {EXAMPLES}")
    parts = SERVER.fullmatch(text)
    if parts is None or re.search(r"\s", text):
        raise ValueError(
            "it is no address of a PostgreSQL database; write it such as postgresql://tocsin@db.example.com/tocsin, or "
            "with several hosts postgresql://tocsin@db1,db2/tocsin"
        )
    options = [option for option in (parts["options"] or "").split("&") if option]
    others = [option for option in options if not option.startswith("password=")]
    secrets = [option.partition("=")[2] for option in options if option not in others]
    if not parts["database"] and not any(option.startswith(("dbname=", "service=")) for option in others):
        raise ValueError("it names no database; write it such as postgresql://tocsin@db.example.com/tocsin")
    user = f"{parts['user']}@" if parts["user"] else ""
    database = "" if parts["database"] is None else f"/{parts['database']}"
    query = f"?{'&'.join(others)}" if others else ""
    password = unquote([parts["password"] or "", *secrets][-1])
    return LedgerAddress(None, f"{parts['scheme']}{user}{parts['hosts']}{database}{query}", password)
