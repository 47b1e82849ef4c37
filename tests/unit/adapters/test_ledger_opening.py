"""How a ledger file is opened: what every connection is set to, what becomes of a damaged file, who is refused."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.migrations.migrate import migrate
from tocsin.adapters.ledger.schema.tables import LEADS_FROM, metadata
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import (
    CONNECTIONS,
    OpenedLedger,
    check_place,
    make_engine,
    open_existing,
    open_file,
)
from tocsin.adapters.ledger.sqlite.seal import Seal
from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import Accepted, Bundle, Content, Letter, Proof, ProvedBy, Receipt, numbered_attempt
from tocsin.domain.facts import Answer, Answered, Coded, Seen
from tocsin.domain.notification import AnswerLink
from tocsin.domain.people import Channel, Session
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "data" / "ledger"
FACT = Answered(T0, "ana", Answer.OK)
SET = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}
"""What each connection must have; 2 is FULL: a commit is on disk, not only with the kernel."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


def reading(engine: Engine) -> Connection:
    return engine.connect().execution_options(reading=True)


def settings_of(engine: Engine) -> list[dict[str, object]]:
    """The pragmas of more connections than the engine keeps, all open at once."""
    with ExitStack() as stack:
        connections = [stack.enter_context(reading(engine)) for _ in range(CONNECTIONS + 2)]
        return [
            {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SET} for connection in connections
        ]


def test_every_connection_writes_through(path: Path) -> None:
    """Each connection of the daemon flushes every commit, waits for others' locks, and keeps foreign keys; also one that
    is made after all were let go.
    """
    engine = open_file(path, "now").engine
    for _ in range(2):
        assert settings_of(engine) == [SET] * (CONNECTIONS + 2)
        engine.dispose()


async def test_two_processes_write_at_once(path: Path) -> None:
    """A daemon and another process that read and write at the same time wait for each other; neither fails, and only
    one of them is granted a claim.
    """
    daemon = SqlLedger(FileStore(open_file(path, "now")))
    command = SqlLedger(FileStore(OpenedLedger(make_engine(path), Seal(path))))
    for number in range(15):
        claims = await asyncio.gather(
            daemon.claim_notice(f"cause-{number}", T0, timedelta(hours=1)),
            command.claim_notice(f"cause-{number}", T0, timedelta(hours=1)),
        )
        assert sorted(claims) == [False, True]
    await command.close()
    await daemon.close()


async def test_a_question_holds_up_no_writer(path: Path) -> None:
    """While a question is answered, another process can write: it takes no lock to ask, and sees one moment."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record("db", (FACT,), (), ())
    opened = open_existing(path)
    assert opened is not None
    with reading(opened.engine) as asking:
        count = asking.exec_driver_sql("SELECT count(*) FROM facts").scalar()
        async with asyncio.timeout(2):
            await ledger.record("db", (FACT,), (), ())
        assert asking.exec_driver_sql("SELECT count(*) FROM facts").scalar() == count == 1
    opened.engine.dispose()
    await ledger.close()


def harm_a_page(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])


async def test_what_lies_beside_goes_along(path: Path) -> None:
    """A damaged file that another process has open is set aside with its log: the fresh ledger must not take that for
    its own.
    """
    ledger = SqlLedger(FileStore(open_file(path, "before")))
    await ledger.record("db", (FACT,) * 200, (), ())
    await ledger.close()
    other = sqlite3.connect(path)
    other.execute("INSERT INTO notices VALUES ('disk', '2026-11-23T10:00:00.000000+00:00')")
    other.commit()
    harm_a_page(path)
    beside = {suffix: path.with_name(f"tocsin.db{suffix}").stat().st_ino for suffix in ("", "-wal", "-shm")}
    ledger = SqlLedger(FileStore(open_file(path, "stamp")))
    assert ledger.store.set_aside == path.with_name("tocsin.db.damaged-stamp")
    for suffix, inode in beside.items():
        assert path.with_name(f"tocsin.db.damaged-stamp{suffix}").stat().st_ino == inode
    assert await ledger.noticed_at("disk") is None
    await ledger.record("db", (FACT,), (), ())
    other.close()
    assert await ledger.facts("db") == (FACT,)
    await ledger.close()


@pytest.mark.parametrize("what", ["a folder", "a file for a folder"])
def test_what_cannot_be_opened_is_named(tmp_path: Path, what: str) -> None:
    """Where no ledger can be made, one LedgerError names the path in one line."""
    path = tmp_path / "var" / "tocsin.db"
    if what == "a folder":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("not a folder")
    with pytest.raises(LedgerError) as refused:
        open_file(path, "now")
    assert str(refused.value).startswith(f"{path}: ")
    assert len(str(refused.value).splitlines()) == 1
    assert not list(tmp_path.rglob("*damaged*"))


def test_a_command_sets_nothing_aside(path: Path) -> None:
    """A command that meets a damaged file says so, with its path, and leaves the file to the daemon; a file with other
    tables and none of ours counts as no ledger.
    """
    path.parent.mkdir()
    path.write_bytes(harm := b"this is no database, but it is long enough to be taken for one " * 100)
    with pytest.raises(LedgerError, match=r"tocsin\.db: file is not a database"):
        open_existing(path)
    assert path.read_bytes() == harm
    assert [beside.name for beside in path.parent.iterdir()] == ["tocsin.db"]
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    assert open_existing(path) is None
    assert open_existing(path.parent) is None


async def test_an_upgraded_ledger_does_all_that_a_new_one_does(path: Path) -> None:
    """A ledger of the first version, once brought up to date, takes every kind of row, and what it held goes on: attempts
    are numbered on, and the answers, codes and settled letters are found.
    """
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0001.sql").read_text())
    old.close()
    opened = open_file(path, "now")
    ledger = SqlLedger(FileStore(opened))
    (letter,) = await ledger.unsettled()
    again = await ledger.begin_attempt(letter.notification.key, Channel.SMS, "+14155550101", T0)
    assert again.number == letter.attempts[-1].number + 1
    assert again.id > letter.attempts[-1].id
    await ledger.end_attempt(again, Accepted("SM1"), T0)
    coded = Coded(T0, "ana", "+14155550101", "K7")
    await ledger.record("db", (FACT, coded), (), ())
    assert (await ledger.facts("db"))[-2] == FACT
    assert await ledger.reserved_codes(T0) == (ReservedCode("db", coded, None),)
    arrival = Arrival(ArrivalKind.SMS, "SM9", "+14155550101", "ok", T0)
    assert await ledger.record_arrival(arrival)
    assert not await ledger.record_arrival(replace(arrival, body="again"))
    assert set(await ledger.unfinished()) == {"db"}
    assert settings_of(opened.engine)[0] == SET
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert ledger.store.set_aside is None
    assert [row.ref for _, row in await ledger.unjudged_arrivals()] == ["SM9"]
    await ledger.close()


async def test_a_ledger_of_0007_names_its_attempts(path: Path) -> None:
    """R52: every attempt keeps its end, its receipt, its number and its place, and is found by the number that a receipt
    on its way names; what begins then has a name of its own and comes after them. The facts of each incident stay in
    their order, and count on.
    """
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0007.sql").read_text())
        bodies = old.execute("SELECT incident, kind, body FROM facts ORDER BY incident, id").fetchall()
    old.close()
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    records = {record.decided.key: record for name in ("db", "old", "web") for record in await ledger.records(name)}
    attempts = {key: [(attempt.id, attempt.number) for attempt in record.attempts] for key, record in records.items()}
    assert {key: tries for key, tries in attempts.items() if tries} == {
        key: [(numbered_attempt(id_), number) for number, id_ in enumerate(ids, 1)]
        for key, ids in {"a": [1], "b": [2, 3], "o": [4], "c": [5], "d": [6], "e": [7, 8]}.items()
    }
    assert (records["a"].receipt, records["c"].receipt) == (Receipt.DELIVERED, Receipt.SENT)
    assert records["a"].attempts[0].outcome == Accepted("SM1")
    assert records["e"].attempts[1].outcome is None
    together = await ledger.find_attempt(numbered_attempt(6))
    assert [attempt.id for attempt, _ in together] == [numbered_attempt(number) for number in (6, 5, 7)]
    assert [attempt.outcome for attempt, _ in together] == [Accepted("SM7")] * 3
    begun = await ledger.begin_attempt("e", Channel.SMS, "+14155550102", T0)
    await ledger.record_receipt(together[0][0], Receipt.DELIVERED, T0)
    await ledger.record("web", (FACT,), (), ())
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert [attempt.number for attempt in {record.decided.key: record for record in await ledger.records("db")}["e"].attempts] == [1, 2, 3]  # fmt: skip
    assert ((await ledger.find_attempt(begun.id))[0][0], begun.number) == (begun, 3)
    assert (await ledger.find_attempt(numbered_attempt(6)))[0][0].receipt is Receipt.DELIVERED
    assert [type(fact) for fact in await ledger.facts("web")][::2] == [Seen, Answered]
    await ledger.close()
    with sqlite3.connect(path) as new:
        assert new.execute("SELECT incident, kind, body FROM facts ORDER BY incident, sequence").fetchall() == [
            *bodies,
            ("web", "Answered", '{"at":"2026-11-23T10:00:00Z","person":"ana","answer":"ok"}'),
        ]
        counts = new.execute("SELECT incident, min(sequence), max(sequence), count(*) FROM facts GROUP BY incident")
        assert counts.fetchall() == [("db", 1, 7, 7), ("old", 1, 2, 2), ("web", 1, 3, 3)]
    new.close()


async def test_a_ledger_of_0006_takes_sessions(path: Path) -> None:
    """Nobody is signed in after the upgrade; who signs in then is, and the short links lead on."""
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0006.sql").read_text())
    old.close()
    with pytest.raises(LedgerError, match=r"schema 0006, not 0010"):
        open_existing(path)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    assert await ledger.sessions() == ()
    session = Session("ab" * 32, "ana", T0)
    await ledger.begin_session(session)
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert await ledger.session(session.digest) == session
    assert await ledger.answer_link("ab" * 32) == AnswerLink("ab" * 32, "db", 1, "ana")
    await ledger.close()


async def test_a_ledger_of_0005_takes_languages_and_links(path: Path) -> None:
    """What was written before words had a language is English, and the same words are kept once all the same; what is
    new names its own, and whom the link in it is for.
    """
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0005.sql").read_text())
    old.close()
    with pytest.raises(LedgerError, match=r"schema 0005, not 0010"):
        open_existing(path)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    assert {letter.content for letter in await ledger.unsettled()} == {Content("Database down")}
    before = (await ledger.unsettled())[0]
    link = AnswerLink("ab" * 32, "db", 1, "ana")
    german = replace(before.notification, key="de"), Content("Datenbank weg", language="de")
    same = replace(before.notification, key="en"), Content("Database down")
    await ledger.record("db", (), [Letter(*german, link=link), Letter(*same)], ())
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert [letter.content for letter in await ledger.unsettled()][2:] == [german[1], same[1]]
    assert await ledger.answer_link(link.digest) == link
    assert await ledger.outcome(ArrivalKind.SMS, "SM9") == Judgement("accepted", "Done.")
    await ledger.close()
    with sqlite3.connect(path) as kept:
        assert kept.execute("SELECT count(*) FROM contents").fetchone() == (2,)
    kept.close()


async def test_a_ledger_of_0004_takes_words_and_codes(path: Path) -> None:
    """A ledger of schema 0004 keeps its config and what came in; nobody vouches for that config, and what was judged
    has no words. What is new takes both.
    """
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0004.sql").read_text())
    old.close()
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    assert await ledger.last_good_config() == KeptConfig("r1", T0, {"tocsin.yaml": b"operators: [ana]\n"})
    assert await ledger.outcome(ArrivalKind.SMS, "SM8") == Judgement("accepted")
    ((row, waiting),) = await ledger.unjudged_arrivals()
    assert isinstance(waiting, Arrival)
    await ledger.record_result(row, "acted", "Done.")
    await ledger.record_config("r2", {"people.yaml": b"people: {}\n"}, T0, "c0de")
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert await ledger.outcome(ArrivalKind.SMS, waiting.ref) == Judgement("acted", "Done.")
    assert await ledger.last_good_config() == KeptConfig("r2", T0, {"people.yaml": b"people: {}\n"}, "c0de")
    await ledger.close()


async def test_a_ledger_of_0003_takes_providers_bundles_and_opt_outs(path: Path) -> None:
    """Attempts of the version before name no provider and no bundle, whatever became of them; what is
    new fits in beside them, and what is asked about all of them counts both.
    """
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript((DATA / "0003.sql").read_text())
    old.close()
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    before = [attempt for name in ("db", "old") for record in await ledger.records(name) for attempt in record.attempts]
    assert [(attempt.id, attempt.provider, attempt.bundle) for attempt in before] == [
        (numbered_attempt(number), "", "") for number in (1, 2, 3, 4)
    ]
    assert [known for known, _ in await ledger.find_attempt(numbered_attempt(1))] == before[:1]
    assert [attempt for _, attempt in await ledger.sent_pages(T0 + timedelta(days=1))] == before[:2]
    assert await ledger.pages_handed_over("ana", T0, begun=False) == {("db", 1)}
    assert await ledger.proofs() == {(Channel.SMS, "+14155550101"): Proof(T0 + timedelta(minutes=1), ProvedBy.RECEIPT)}
    assert await ledger.opt_outs() == ()
    bundle = Bundle("b1", Content("2 pages"))
    begun = await ledger.begin_bundle(bundle, ("a", "b"), Channel.SMS, "+14155550101", T0, {}, provider="spare")
    assert [attempt.number for attempt in begun] == [2, 3]
    opted = OptOut(Channel.SMS, "+14155550102", T0, "SM7")
    await ledger.opt_out(opted)
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert [known for known, _ in await ledger.find_attempt(begun[1].id)] == [begun[1], begun[0]]
    assert (await ledger.bundle("b1"), await ledger.opt_outs()) == (bundle, (opted,))
    await ledger.close()


def replace_content(path: Path, change: Callable[[bytes], bytes]) -> bytes:
    changed = change(path.read_bytes())
    path.write_bytes(changed)
    return changed


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"x" * 100 + data[100:],
        lambda data: data[:4096] + b"\xff" * 8192 + data[12288:],
        lambda data: data[:5000],
        lambda _data: b"this is no database, but it is long enough to be taken for one " * 100,
    ],
    ids=["header", "pages", "cut", "another file"],
)
async def test_a_damaged_ledger_is_set_aside(path: Path, harm: Callable[[bytes], bytes]) -> None:
    """Damage is met at the start: the file is kept beside, a fresh one works, and the caller can tell."""
    ledger = SqlLedger(FileStore(open_file(path, "before")))
    await ledger.record("db", (FACT,) * 200, (), ())
    await ledger.close()
    harmed = replace_content(path, harm)
    ledger = SqlLedger(FileStore(open_file(path, "20261123T100000Z")))
    assert ledger.store.set_aside is not None
    assert ledger.store.set_aside.name == "tocsin.db.damaged-20261123T100000Z"
    assert ledger.store.set_aside.read_bytes()[:50] == harmed[:50]
    assert await ledger.incidents() == ()
    await ledger.record("web", (FACT,), (), ())
    await ledger.close()
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert ledger.store.set_aside is None
    assert await ledger.incidents() == ("web",)
    await ledger.close()


def test_a_newer_schema_is_refused(path: Path) -> None:
    """A ledger of a newer tocsin is refused in a sentence that says so, and stays as it is."""
    opened = open_file(path, "now")
    opened.engine.dispose()
    assert opened.file is not None
    opened.file.close()  # the last one out writes the log into the file: nobody is left to do it between the two looks
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=r"tocsin\.db: it was written by a newer tocsin \(schema 9999\)"):
        open_file(path, "now")
    with pytest.raises(LedgerError, match="schema 9999"):
        open_existing(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


def test_fresh_tables_are_made_whole_or_not_at_all(path: Path) -> None:
    """A file of somebody else's, in which a table is in the way, is left as it was."""
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notices (mine)")
    with pytest.raises(LedgerError, match="notices already exists"):
        open_file(path, "now")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notices",)]
    other.close()


def test_a_migration_is_whole_or_not_at_all(path: Path) -> None:
    """A migration that fails on its way leaves the file as it was."""
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.executescript((DATA / "0001.sql").read_text() + "CREATE TABLE pruned (mine);")
    before = old.execute("SELECT name, sql FROM sqlite_master").fetchall()
    with pytest.raises(LedgerError, match="pruned already exists"):
        open_file(path, "now")
    assert old.execute("SELECT name, sql FROM sqlite_master").fetchall() == before
    assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    old.close()


async def test_a_ledger_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    """What the first version of tocsin has written is all there after the upgrade, and new kinds of rows fit in."""
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.executescript((DATA / "0001.sql").read_text())
    old.close()
    with pytest.raises(LedgerError, match="schema 0001"):
        open_existing(path)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.store.set_aside is None
    assert [type(fact).__name__ for fact in await ledger.facts("db")] == ["Seen", "Assessed", "StepFired", "Paged"]
    assert [len(letter.attempts) for letter in await ledger.unsettled()] == [1]
    assert await ledger.file("db") == ("db.yaml", b"title: x\n", "d1")
    assert await ledger.claim_notice("pull", T0, timedelta(0))
    await ledger.close()


def test_the_scripts_make_the_tables(path: Path) -> None:
    """What the migrations make is what the code expects, and what a fresh file is made of at once: to the last column,
    index and row.
    """
    fresh, scripts = open_file(path, "now").engine, by_scripts(path.with_name("scripts.db"))
    with reading(scripts) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert everything(fresh) == everything(scripts)
    assert everything(fresh)["term"] == [{"one": 1, "epoch": 0, "id": "drawn", "leads_from": LEADS_FROM}]
    drawn = [term_and_installation(engine) for engine in (fresh, scripts)]
    assert len({*drawn[0], *drawn[1]}) == 4
    fresh.dispose()
    scripts.dispose()


def by_scripts(path: Path) -> Engine:
    path.touch()
    engine = make_engine(path)
    with engine.begin() as connection:
        migrate(connection, None)
    return engine


def everything(engine: Engine) -> dict[str, object]:
    """The statement of each table and index, however it is laid out, and all rows, but for what is drawn anew."""
    with reading(engine) as connection:
        made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
        tables = [name for name, sql in made if sql.startswith("CREATE TABLE")]
        rows = {name: connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings().all() for name in tables}
        drawn = {
            value for (value,) in connection.exec_driver_sql("SELECT id FROM term UNION SELECT id FROM installation")
        }
    statements = {f"{name}, as made": re.sub(r"\s|\"|(notifications|facts)\.", "", sql) for name, sql in made}
    plain = {
        name: [{key: "drawn" if value in drawn else value for key, value in row.items()} for row in of_table]
        for name, of_table in rows.items()
    }
    return {**statements, **plain}


def term_and_installation(engine: Engine) -> tuple[str, str]:
    """Both are names that no other ledger has; the lease is of the term."""
    with reading(engine) as connection:
        term, lease = (
            connection.exec_driver_sql(f"SELECT {what}").scalar_one() for what in ("id FROM term", "term FROM lease")
        )
        installation: str = connection.exec_driver_sql("SELECT id FROM installation").scalar_one()
    assert term == lease
    return term, installation


def test_a_fresh_ledger_needs_no_scripts(path: Path) -> None:
    """What runs them is large, and would stay in memory as long as the daemon lives."""
    code = "import sys; from pathlib import Path; from tocsin.adapters.ledger.sqlite.opening import open_file"
    look = "open_file(Path(sys.argv[1]), 'now'); print('alembic' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", f"{code}; {look}", path], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_a_command_makes_no_ledger(path: Path) -> None:
    """Where there is no ledger, or an empty file, a command goes on without and leaves nothing behind."""
    assert open_existing(path) is None
    path.parent.mkdir()
    path.touch()
    assert open_existing(path) is None
    assert path.stat().st_size == 0


async def test_nobody_else_reads_it(tmp_path: Path) -> None:
    """The folder and the file are made for their owner alone, whatever characters their names have."""
    path = tmp_path / "a b?c=%20d#e" / "tocsin.db"
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.end_attempt(await ledger.begin_attempt("k", Channel.SMS, "+14155550101", T0), Accepted(), T0)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    await ledger.close()


def test_a_network_file_system_is_told(tmp_path: Path) -> None:
    """SQLite on a network file system is used, and the operators are told; the innermost mount counts."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "23 22 0:41 / /srv/team\\040disk rw shared:1 - nfs4 nas:/team rw\n"
        "24 23 254:1 / /srv/team\\040disk/local rw - xfs /dev/vdb rw\n"
        "25 22 0:42 / /srv/\u00e9quipe rw shared:1 master:2 - cifs //nas/x rw\n",
        encoding="utf-8",
    )
    assert "nfs4" in check_place(Path("/srv/team disk/var/tocsin.db"), mounts)
    assert check_place(Path("/srv/team disk/local/tocsin.db"), mounts) == ""
    assert "cifs" in check_place(Path("/srv/\u00e9quipe/tocsin.db"), mounts)
    assert check_place(Path("/srv/tocsin.db"), mounts) == ""
    assert check_place(Path("/srv/tocsin.db"), tmp_path / "absent") == ""
