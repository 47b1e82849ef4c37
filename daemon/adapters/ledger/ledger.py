"""Ledger: the port, on SQLAlchemy Core. Each call is one transaction (grouped with its neighbours by the writer).

Reads go over a second connection in threads, so that they never wait for the writer nor the loop for them.
"""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlalchemy.exc import SQLAlchemyError

from daemon.adapters.ledger import tables as t
from daemon.adapters.ledger.codec import fact_body, outcome_body, read_fact
from daemon.adapters.ledger.opening import Opened
from daemon.adapters.ledger.rows import attempt_of, content_row, digest_of, held_row, notification_of, notification_row
from daemon.adapters.ledger.tables import PENDING, read_instant, written
from daemon.adapters.ledger.writer import Writer
from daemon.domain.delivery import Attempt, Content, Outcome, Receipt
from daemon.domain.facts import Answered, Fact
from daemon.domain.notification import Suppression
from daemon.domain.people import Channel
from daemon.ports import LedgerTrouble, Letter

KEYS_AT_ONCE = 500
"""The most keys of one query."""
CONFIGS_KEPT = 20
"""How many configs keep their files."""

COUNT_TRIES = select(func.count()).where(t.attempts.c.key == bindparam("tried"))
BEGIN_TRY = insert(t.attempts)
END_TRY = update(t.attempts).where(t.attempts.c.id == bindparam("try"))
_PENDING = t.notifications.c.state == PENDING
SETTLE = update(t.notifications).where(t.notifications.c.key == bindparam("settled"), _PENDING)
"""Statements of the hot path, put together once."""

T = TypeVar("T")
_RANK = {receipt.value: rank for rank, receipt in enumerate(Receipt)}


class SqlLedger:
    """The durable record of one daemon."""

    def __init__(self, opened: Opened) -> None:
        self.set_aside: Path | None = opened.set_aside
        self._engine: Engine = opened.engine
        self._writer = Writer(opened.engine)

    async def record(
        self, incident: str, facts: Sequence[Fact], letters: Sequence[Letter], held: Sequence[Suppression]
    ) -> frozenset[str]:
        """Write facts and notifications together; the keys that were new. A key already there stays as it is."""
        known = [
            {"incident": incident, "at": written(fact.at), "kind": type(fact).__name__, "body": fact_body(fact)}
            for fact in facts
        ]
        contents: dict[int, str] = {}
        words: dict[str, Content] = {}
        for letter in letters:
            if id(letter.content) not in contents:
                contents[id(letter.content)] = digest_of(letter.content)
            words[contents[id(letter.content)]] = letter.content
        rows = [notification_row(each.notification, contents[id(each.content)]) for each in letters]
        rows += [held_row(each) for each in held]

        def write(connection: Connection) -> frozenset[str]:
            if known:
                row = {"id": incident, "finished": False, "file": "", "digest": "", "data": None}
                upsert = insert_or(t.incidents).values(row)
                connection.execute(upsert.on_conflict_do_update(["id"], set_={"finished": False}))
                connection.execute(insert(t.facts), known)
            fresh = _fresh(connection, [row["key"] for row in rows])
            new = [row for row in rows if row["key"] in fresh]
            if words:
                texts = [content_row(digest, content) for digest, content in words.items()]
                connection.execute(insert_or(t.contents).on_conflict_do_nothing(), texts)
            if new:
                connection.execute(insert_or(t.notifications).on_conflict_do_nothing(), new)
            return frozenset(row["key"] for row in new if row["state"] == PENDING)

        return await self._writer.do(write)

    async def begin(self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "") -> Attempt:
        """Record a try before its first byte leaves."""
        row = {
            "key": key,
            "via": via.value,
            "address": address,
            "started_at": written(at),
            "possible_duplicate": possible_duplicate,
        }

        def write(connection: Connection) -> Attempt:
            number = int(connection.execute(COUNT_TRIES, {"tried": key}).scalar_one()) + 1
            made = connection.execute(BEGIN_TRY, {**row, "number": number}).inserted_primary_key
            assert made is not None
            return Attempt(made[0], key, number, via, address, at, possible_duplicate=possible_duplicate)

        return await self._writer.do(write)

    async def end(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Record how a try ended."""
        values = {"try": attempt.id, "outcome": outcome_body(outcome), "ended_at": written(at)}
        await self._writer.do(lambda connection: _run(connection.execute(END_TRY, values)))

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """Nothing more will be tried for this notification."""
        values = {"settled": key, "state": state, "settled_at": written(at)}
        await self._writer.do(lambda connection: _run(connection.execute(SETTLE, values)))

    async def receipt(self, attempt: Attempt, receipt: Receipt, at: datetime) -> None:
        """What the provider said became of a try; never moves backwards."""
        this = t.attempts.c.id == attempt.id

        def write(connection: Connection) -> None:
            known = connection.execute(select(t.attempts.c.receipt).where(this)).scalar()
            if known is None or _RANK[receipt.value] > _RANK[known]:
                values = {"receipt": receipt.value, "receipt_at": written(at)}
                connection.execute(update(t.attempts).where(this).values(values))

        await self._writer.do(write)

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded."""
        query = select(t.facts.c.kind, t.facts.c.body).where(t.facts.c.incident == incident).order_by(t.facts.c.id)
        return await self._read(lambda connection: tuple(read_fact(*row) for row in connection.execute(query)))

    async def unfinished(self) -> dict[str, tuple[Fact, ...]]:
        """The facts of every incident that may still need something, by its id."""
        query = (
            select(t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
            .join(t.incidents, t.incidents.c.id == t.facts.c.incident)
            .where(t.incidents.c.finished.is_(False))
            .order_by(t.facts.c.incident, t.facts.c.id)
        )

        def read(connection: Connection) -> dict[str, tuple[Fact, ...]]:
            rows = connection.execute(query)
            return {
                name: tuple(read_fact(kind, body) for _, kind, body in each)
                for name, each in groupby(rows, key=lambda row: row[0])
            }

        return await self._read(read)

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        return await self._read(lambda connection: tuple(connection.execute(select(t.incidents.c.id)).scalars()))

    async def finish(self, incident: str) -> None:
        """Nothing can become due for this incident again without a new fact: a start need not load it."""
        done = update(t.incidents).where(t.incidents.c.id == incident).values({"finished": True})
        await self._writer.do(lambda connection: _run(connection.execute(done)))

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """Keep the bytes of the newest good version of an incident's file."""
        row = {"id": incident, "finished": False, "file": file, "digest": digest, "data": zlib.compress(data)}
        kept = {name: row[name] for name in ("file", "digest", "data")}
        upsert = insert_or(t.incidents).values(row).on_conflict_do_update(["id"], set_=kept)
        await self._writer.do(lambda connection: _run(connection.execute(upsert)))

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version."""
        query = select(t.incidents.c.id, t.incidents.c.file, t.incidents.c.digest)
        return await self._read(lambda connection: {row[0]: (row[1], row[2]) for row in connection.execute(query)})

    async def file(self, incident: str) -> tuple[str, bytes] | None:
        """The name and the bytes of the newest good version of an incident's file."""
        query = select(t.incidents.c.file, t.incidents.c.data).where(t.incidents.c.id == incident)
        row = await self._read(lambda connection: connection.execute(query).first())
        return (row[0], zlib.decompress(row[1])) if row is not None and row[1] is not None else None

    async def answered_since(self, last: int) -> tuple[tuple[int, str, Answered], ...]:
        """Answers recorded by other processes after a row: (row, incident, answer), in order."""
        query = (
            select(t.facts.c.id, t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
            .where(t.facts.c.kind == Answered.__name__, t.facts.c.id > last)
            .order_by(t.facts.c.id)
        )

        def read(connection: Connection) -> tuple[tuple[int, str, Answered], ...]:
            found = ((row[0], row[1], read_fact(row[2], row[3])) for row in connection.execute(query))
            return tuple((number, name, fact) for number, name, fact in found if isinstance(fact, Answered))

        return await self._read(read)

    async def unsettled(self) -> tuple[Letter, ...]:
        """Every notification that is not settled, with its attempts, oldest first."""
        return await self._read(lambda connection: tuple(_unsettled(connection)))

    async def remember_config(self, revision: str, files: Mapping[str, bytes], at: datetime) -> None:
        """A good config came into force."""
        texts = {name: data.decode("latin-1") for name, data in files.items()}
        row = {"revision": revision, "since": written(at), "files": zlib.compress(json.dumps(texts).encode())}

        def write(connection: Connection) -> None:
            connection.execute(insert(t.configs).values(row))
            newest = connection.execute(select(func.max(t.configs.c.id))).scalar_one()
            old = update(t.configs).where(t.configs.c.id <= newest - CONFIGS_KEPT, t.configs.c.files.is_not(None))
            connection.execute(old.values({"files": None}))

        await self._writer.do(write)

    async def last_good_config(self) -> tuple[str, datetime, dict[str, bytes]] | None:
        """The config that came into force last: its revision, since when, and its files."""
        query = select(t.configs).order_by(t.configs.c.id.desc()).limit(1)
        row = await self._read(lambda connection: connection.execute(query).mappings().first())
        if row is None or row["files"] is None:
            return None
        texts: dict[str, str] = json.loads(zlib.decompress(row["files"]))
        files = {name: text.encode("latin-1") for name, text in texts.items()}
        return row["revision"], read_instant(row["since"]), files

    async def notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Whether operators may hear of this cause now: they were not told of it within `quiet`. Counts as telling."""

        def write(connection: Connection) -> bool:
            told = connection.execute(select(t.notices.c.at).where(t.notices.c.cause == cause)).scalar()
            if told is not None and at - read_instant(told) < quiet:
                return False
            row = {"cause": cause, "at": written(at)}
            connection.execute(
                insert_or(t.notices).values(row).on_conflict_do_update(["cause"], set_={"at": row["at"]})
            )
            return True

        return await self._writer.do(write)

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        await asyncio.to_thread(self._writer.close)
        self._engine.dispose()

    async def _read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a thread. Raises LedgerTrouble."""

        def read() -> T:
            with self._engine.connect().execution_options(reading=True) as connection:
                return query(connection)

        try:
            return await asyncio.to_thread(read)
        except (SQLAlchemyError, OSError) as fault:
            raise LedgerTrouble(str(getattr(fault, "orig", None) or fault).splitlines()[0]) from None


def _run(_: object) -> None:
    """A statement's result is of no interest."""


def _fresh(connection: Connection, keys: list[str]) -> frozenset[str]:
    """Those of the keys that the ledger does not hold yet."""
    known: set[str] = set()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        part = keys[start : start + KEYS_AT_ONCE]
        found = select(t.notifications.c.key).where(t.notifications.c.key.in_(part))
        known.update(connection.execute(found).scalars())
    return frozenset(keys) - known


def _unsettled(connection: Connection) -> Iterator[Letter]:
    pending = t.notifications.c.state == PENDING
    tries: dict[str, list[Attempt]] = {}
    joined = select(t.attempts).join(t.notifications, t.notifications.c.key == t.attempts.c.key).where(pending)
    for row in connection.execute(joined.order_by(t.attempts.c.id)).mappings():
        tries.setdefault(row["key"], []).append(attempt_of(row))
    letters = (
        select(t.notifications, t.contents.c.subject, t.contents.c.text, t.contents.c.html)
        .join(t.contents, t.contents.c.digest == t.notifications.c.content)
        .where(pending)
        .order_by(t.notifications.c.id)
    )
    words: dict[str, Content] = {}
    for row in connection.execute(letters).mappings():
        content = words.setdefault(row["content"], Content(row["text"], row["subject"], row["html"]))
        yield Letter(notification_of(row), content, tuple(tries.get(row["key"], ())))
