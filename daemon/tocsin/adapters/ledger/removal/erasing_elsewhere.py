"""A person is taken out of what belongs to no incident that is there: what came in, sessions, former configs, notices,
facts that were put aside. Questions alone, as in `erasing`.
"""

import json
import re
import zlib
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, func, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.removal.forgotten import Forgotten
from tocsin.adapters.ledger.removal.pruning import ASIDE
from tocsin.adapters.ledger.removal.row_changes import RowChanges
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.configs import unpack_config
from tocsin.domain.arrival import HANDED_IN, ArrivalKind
from tocsin.ports.ledger.upkeep import ERASED

NAME_NO_PERSON = HANDED_IN | {ArrivalKind.RECEIPT, ArrivalKind.ALERT, ArrivalKind.WORD}
"""Arrivals whose `who` is a machine, a try, a group of alerts, a cause."""


class ArrivalPage(NamedTuple):
    """Some judged arrivals; `after` is the row behind which the next begin, None: there are no more."""

    changes: RowChanges
    after: int | None


def put_aside(connection: Connection) -> tuple[str, ...]:
    """The names of facts that were put aside (rule 63), but of an incident that is not finished."""
    names = select(t.facts.c.incident).where(t.facts.c.incident.contains(ASIDE, autoescape=True)).distinct()
    unfinished = set(connection.execute(select(t.incidents.c.id).where(t.unfinished)).scalars())
    listed = sorted(connection.execute(names).scalars())
    return tuple(name for name in listed if name.partition(ASIDE)[0] not in unfinished)


def arrivals(forgotten: Forgotten, after: int, most: int) -> Question[ArrivalPage]:
    """Judged arrivals from them, or that name them: nobody reads again what they say."""
    columns = t.arrivals.c
    some = select(t.arrivals).where(columns.result.is_not(None), columns.id > after).order_by(columns.id).limit(most)

    def read(connection: Connection) -> ArrivalPage:
        changes = RowChanges()
        rows = connection.execute(some).mappings().all()
        for row in rows:
            _change_arrival(changes, forgotten, row)
        return ArrivalPage(changes, rows[-1]["id"] if len(rows) == most else None)

    return read


def _change_arrival(changes: RowChanges, forgotten: Forgotten, row: RowMapping) -> None:
    kind, who, words = row["kind"], row["who"], row["words"]
    theirs = kind not in NAME_NO_PERSON and forgotten.is_theirs(who)
    body = _plain(row["body"])
    packed = kind == ArrivalKind.VERSION
    names = theirs or packed or forgotten.names(body) or f'"{forgotten.erasure.person}"' in body
    values = {"who": ERASED if theirs else who, "body": "" if names else row["body"]}
    values["words"] = words and ("" if theirs else forgotten.text(words))
    if any(values[name] != row[name] for name in values):
        changes.add(t.arrivals.c.id, row["id"], values)
        changes.tell(f"came in ({kind}), from", who, values["who"])
        changes.tell(f"came in ({kind})", "a version of a file" if packed else body if names else "", "")
        changes.tell(f"answer to it ({kind})", words or "", values["words"] or "")


def _plain(body: str) -> str:
    """What a body says, with letters for their escapes in JSON."""
    head, brace, rest = body.partition("{")
    with suppress(ValueError):
        return head + json.dumps(json.loads(brace + rest), ensure_ascii=False) if brace else body
    return body


def others(forgotten: Forgotten) -> Question[RowChanges]:
    """They are signed out; former configs that name them keep their files no more; what is known of when operators were
    told about them goes, but of incidents that are not finished.
    """

    def read(connection: Connection) -> RowChanges:
        changes = RowChanges()
        for digest, person in connection.execute(select(t.sessions.c.digest, t.sessions.c.person)):
            if forgotten.is_theirs(person):
                changes.add(t.sessions.c.digest, digest, {})
                changes.tell("session, of", person, "")
        _forget_configs(connection, changes, forgotten)
        unfinished = set(connection.execute(select(t.incidents.c.id).where(t.unfinished)).scalars())
        for (cause,) in connection.execute(select(t.notices.c.cause).order_by(t.notices.c.cause)):
            parts = cause.split(":")
            if unfinished.isdisjoint(parts) and any(map(forgotten.is_theirs, parts)):
                changes.add(t.notices.c.cause, cause, {})
                changes.tell("operators were told of", cause, "")
        return changes

    return read


def _forget_configs(connection: Connection, changes: RowChanges, forgotten: Forgotten) -> None:
    """The one that came into force last is in force."""
    configs = t.configs.c
    newest = connection.execute(select(func.max(configs.id))).scalar()
    kept = select(configs.id, configs.revision, configs.files).where(configs.files.is_not(None), configs.id != newest)
    as_key = re.compile(rf"(?m)^\s*[\"']?{re.escape(forgotten.erasure.person)}[\"']?\s*:")
    for row, revision, value in connection.execute(kept).all():
        text = ""
        with suppress(ValueError, TypeError, zlib.error):
            files, _ = unpack_config(value)
            text = b"\n".join(files.values()).decode("utf-8", "replace")
        if as_key.search(text) or forgotten.names(text):
            changes.add(configs.id, row, {"files": None})
            changes.tell("former config, whose files go", revision, "")
