"""Where a server is, and how it is called: libpq's address as people wrote it, with bounds on every wait.

libpq knows several hosts, service files, password files and certificates; none of that is done here. An address is
never shown with its password.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from tocsin.adapters.clock import boottime
from tocsin.ports.ledger.trouble import LedgerError

R = TypeVar("R")

WRITES_WITHIN, READS_WITHIN = 5.0, 30.0
"""Seconds for the answer to one statement, a COMMIT among them; to a question, of which much may come back."""
SAME_FAULT = 3.0
"""The most seconds for which a server that could not be reached is not asked again."""
DEFAULTS = MappingProxyType(
    {
        "connect_timeout": "3",
        "tcp_user_timeout": "5000",
        "keepalives": "1",
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "3",
        "client_encoding": "UTF8",
        "fallback_application_name": "tocsin",
    }
)
"""What holds unless the address says otherwise: a server that is gone is known for it within seconds."""
TO_WRITE = MappingProxyType({"target_session_attrs": "read-write"})
"""Of several hosts the one that takes writes."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose every answer comes within a time: a server that was stopped, or a network that drops, leaves
    nobody waiting.
    """

    answers_within: float | None = None

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """What the server answers. One that says nothing is hung up on: what becomes of it nobody knows."""
        try:
            return super().wait(gen, interval, self.answers_within if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server did not answer within {self.answers_within:g} s") from None


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """An address of libpq, `postgresql://…`; `password` is used where it names none."""

    text: str = field(repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """The parameters of libpq. Raises LedgerError."""
        try:
            options = conninfo_to_dict(self.text)
        except psycopg.ProgrammingError:
            raise LedgerError(
                "the address of the ledger is none of libpq's; write it such as postgresql://tocsin@db.example.com/tocsin"
            ) from None
        return {**({"password": self.password} if self.password else {}), **options}

    @property
    def place(self) -> str:
        """Where it leads, in words without secrets."""
        options = self.options
        if service := options.get("service"):
            return f"PostgreSQL by the service {service}"
        hosts = str(options.get("host") or options.get("hostaddr") or "this machine").split(",")
        ports = [f" port {port}" if port else "" for port in str(options.get("port") or "").split(",")]
        if len(set(ports)) == 1:
            places = ", ".join(hosts) + ports[0]
        else:
            places = ", ".join(f"{host}{port}" for host, port in zip(hosts, ports, strict=False))
        name = options.get("dbname") or options.get("user") or ""
        return f"PostgreSQL at {places}{f', database {name}' if name else ''}"

    @property
    def role(self) -> str:
        """Whom the server is entered as, in words."""
        user = self.options.get("user")
        return f"the role {user}" if user else "its role"

    def connect(self, given: Mapping[str, str], answers_within: float | None) -> BoundedConnection:
        """A connection, `given` what holds beside the defaults. Raises psycopg.Error."""
        options = {**DEFAULTS, **given, **self.options}
        connection = BoundedConnection.connect(**options, prepare_threshold=None)
        connection.answers_within = answers_within
        return connection


class Dialler:
    """Makes connections. A server that could not be reached is not asked again for as long as that took to find out:
    whoever has something urgent hears at once that it is away.
    """

    def __init__(self, address: ServerAddress, given: Mapping[str, str], answers_within: float | None) -> None:
        self._address = address
        self._given = given
        self._answers_within = answers_within
        self._why = ""
        self._again_at = 0.0

    def __call__(self) -> BoundedConnection:
        """Raises psycopg.Error."""
        began = boottime()
        if self._why and began < self._again_at:
            raise psycopg.OperationalError(self._why)
        try:
            connection = self._address.connect(self._given, self._answers_within)
        except psycopg.Error as fault:
            ended = boottime()
            self._why, self._again_at = str(fault), ended + min(ended - began, SAME_FAULT)
            raise
        self._why = ""
        return connection
