"""What is asked about the daemon itself: the configs that were in force, and what operators were told."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.configs import unpack_config
from tocsin.adapters.ledger.schema.decoding import RowError, decode, read_instant
from tocsin.ports.ledger.ledger import KeptConfig

_KEPT = select(t.configs).where(t.configs.c.files.is_not(None)).order_by(t.configs.c.id.desc())


def last_good_config(vouches: Callable[[str | None, str, bytes], bool]) -> Question[KeptConfig | None]:
    """The config that came into force last and can be read. `vouches`: whether the code beside one holds."""
    kept = _KEPT.execution_options(stream_results=True)  # the first that can be read is wanted, not all

    def read(connection: Connection) -> KeptConfig | None:
        with connection.execute(kept) as rows:
            for row in rows.mappings():
                with suppress(RowError):
                    config = decode("configs", row["id"], _config, row)
                    return replace(config, sealed=vouches(row["seal"], config.revision, row["files"]))
        return None

    return read


def kept_files(connection: Connection) -> list[Mapping[str, bytes]]:
    """The files of all configs that are kept and can be read, the newest first."""
    found: list[Mapping[str, bytes]] = []
    for row in connection.execute(_KEPT).mappings():
        with suppress(RowError):
            found.append(decode("configs", row["id"], _config, row).files)
    return found


def _config(row: RowMapping) -> KeptConfig:
    files, templates = unpack_config(row["files"])
    since = read_instant(row["since"])
    if since.tzinfo is None:
        raise ValueError("since: it has no offset")
    return KeptConfig(row["revision"], since, files, row["mac"] or "", templates)


def noticed_at(cause: str) -> Question[datetime | None]:
    """When this cause was last told; None: never."""
    query = select(t.notices.c.at).where(t.notices.c.cause == cause)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        with suppress(ValueError):
            return read_instant(at) if at else None
        return None

    return read


def noticed(trouble: str) -> Question[dict[str, datetime]]:
    """Every cause of a trouble that was told, and when last."""
    of_trouble = (t.notices.c.cause == trouble) | t.notices.c.cause.startswith(f"{trouble}:", autoescape=True)
    query = select(t.notices.c.cause, t.notices.c.at).where(of_trouble)

    def read(connection: Connection) -> dict[str, datetime]:
        causes = {}
        for cause, at in connection.execute(query):
            with suppress(ValueError):
                causes[cause] = read_instant(at)
        return causes

    return read
