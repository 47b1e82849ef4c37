"""A database on a server: what is found when it is opened, and the one line that says what to do where it cannot be."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tocsin.adapters.ledger.postgresql import opening
from tocsin.adapters.ledger.postgresql.address import Dialler, ServerAddress
from tocsin.adapters.ledger.postgresql.faults import explain
from tocsin.adapters.ledger.postgresql.opening import (
    bring_up_to_date,
    look_before_writing,
    machines_of,
    open_server,
    open_server_to_read,
)
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema.tables import metadata
from tocsin.ports.leadership import LedgerAwayError
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.postgres_ledger import make_engine, make_tables
from tests.fakes.postgres import OWNER, PASSWORD, Database, Server


@pytest.fixture
def ledger(postgres_server: Server) -> Iterator[Database]:
    """A database with the tables of a ledger."""
    with postgres_server.database(make_tables) as database:
        yield database


def brought_up_to_date(url: str) -> str:
    """The schema that it has then."""
    with make_engine(url).begin() as connection:
        return bring_up_to_date(connection)


def refusal(url: str, password: str | None = None, *, reading: bool = False) -> str:
    """Why it cannot be opened: one line, without the password, and no matter of waiting."""
    address = ServerAddress(url, password)
    with pytest.raises(LedgerError) as raised:
        (open_server_to_read if reading else open_server)(address)
    assert not isinstance(raised.value, LedgerAwayError)
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert PASSWORD not in sentence + repr(address)
    return sentence


def test_an_empty_database_is_filled(database: Database) -> None:
    """Whoever opens an empty database first makes its tables; who comes after finds them, and one that only reads."""
    first, second = open_server(ServerAddress(database.url())), open_server(ServerAddress(database.url()))
    assert (first.schema, second.schema) == (SCHEMA, SCHEMA)
    reader = open_server_to_read(ServerAddress(database.url()))
    with reader.reading.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM term")).scalar() == 1
    for opened in (first, second, reader):
        opened.dispose()
    tables = {name for (name,) in database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert tables == {table.name for table in metadata.sorted_tables} | {"alembic_version"}


def test_the_password_comes_beside_the_address(ledger: Database) -> None:
    """One given beside the address is used where the address names none; the address's own goes before it."""
    for address in (
        ServerAddress(ledger.url(password=None), PASSWORD),
        ServerAddress(ledger.url(), "another"),
    ):
        open_server(address).dispose()


def test_what_a_human_must_put_right(ledger: Database, postgres_server: Server) -> None:
    """Each is told in one line that says what to do."""
    assert "password is wrong; it comes from TOCSIN_LEDGER" in refusal(ledger.url(password="no"))
    without = refusal(ledger.url(password=None))
    assert "wants a password" in without
    assert without.endswith("; one in tocsin.yaml never counts")
    url = postgres_server.url("nowhere")
    made = "there is no database nowhere; CREATE DATABASE nowhere ENCODING 'UTF8' TEMPLATE template0; grants.sql makes"
    assert made in refusal(url)
    no_authority = psycopg.OperationalError(
        'connection failed: root certificate file "/nonexistent/root.crt" does not exist\nEither provide the file'
    )
    assert "sslrootcert=/etc/ssl" in str(explain(no_authority, ServerAddress(ledger.url())))
    assert "none of libpq's; write it such as" in refusal(f"{ledger.url()}?nonsense=1")
    assert "service file" in refusal("postgresql:///?service=nonsense")


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ("db1,db2:55415", "at db1, db2 port 55415, database x"),
        ("db1:55415,db2:55415", "at db1, db2 port 55415, database x"),
        ("db1,db2", "at db1, db2, database x"),
    ],
)
def test_the_words_for_several_hosts(hosts: str, words: str) -> None:
    """Each with its port, which is said once where all have the same."""
    assert words in ServerAddress(f"postgresql://tocsin@{hosts}/x").place


def test_a_role_that_lacks_rights(ledger: Database, postgres_server: Server) -> None:
    """A daemon's role must write, a reader's need only read; an empty database is filled by who may make tables."""
    postgres_server.make_role("reader")
    url = ledger.url("reader")
    assert "reader lacks the right to SELECT in" in refusal(url, reading=True)
    ledger.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    open_server_to_read(ServerAddress(url)).dispose()
    assert "reader lacks the right to" in refusal(url)
    with postgres_server.database() as empty:
        why = refusal(empty.url("reader"))
        assert why.endswith(
            "reader may make no tables in it; make reader its owner, or GRANT CREATE ON SCHEMA public TO reader"
        )
        assert "there is no ledger in it yet" in refusal(empty.url("reader"), reading=True)


def test_a_database_of_others(database: Database) -> None:
    """Tables of another program are left alone, also those of one that has the same tool for its changes."""
    database.run("CREATE TABLE incidents (id int)")
    assert "tables of another program; give tocsin a database of its own" in refusal(database.url())
    database.run("CREATE TABLE alembic_version (version_num text)")
    database.run("INSERT INTO alembic_version VALUES ('f3a1c5')")
    assert "tables of another program" in refusal(database.url())
    assert database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1") == [
        ("alembic_version",),
        ("incidents",),
    ]


def test_one_that_cannot_hold_every_text(postgres_server: Server) -> None:
    """A database in another encoding than UTF-8 is refused before anything is lost in it."""
    postgres_server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    assert "encoded in LATIN1" in refusal(postgres_server.url("latin"))
    postgres_server.run("DROP DATABASE latin")


def test_a_server_that_is_too_old(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said which version it is and which is needed."""
    monkeypatch.setattr(opening, "OLDEST", 99)
    assert "; tocsin needs 99 or newer" in refusal(ledger.url())


def test_a_newer_schema(ledger: Database) -> None:
    """A newer program's tables are opened by an older daemon, which may stand by; commands read them for as long as
    they have what is asked for (P9).
    """
    ledger.run("UPDATE alembic_version SET version_num = '9999'")
    opened = open_server(ServerAddress(ledger.url()))
    assert opened.schema == "9999"
    opened.dispose()
    open_server_to_read(ServerAddress(ledger.url())).dispose()
    assert brought_up_to_date(ledger.url()) == "9999"
    ledger.run("UPDATE term SET leads_from = '9999'")
    kept = f"another version of tocsin keeps it (schema 9999, not {SCHEMA})"
    opened = open_server_to_read(ServerAddress(ledger.url()))
    assert opened.newer.endswith(f"{kept}; update tocsin here")
    opened.dispose()
    ledger.run("ALTER TABLE facts RENAME COLUMN body TO words")
    assert refusal(ledger.url(), reading=True).endswith(f"{kept}, without facts.body; update tocsin here")
    machines = machines_of(ServerAddress(ledger.url()))
    assert (machines.nodes, [(machines.installation,)]) == ((), ledger.run("SELECT id FROM installation"))


def test_half_a_ledger(ledger: Database) -> None:
    """What a restore leaves that broke off is told as that, and by no table's name that SQL misses."""
    ledger.run("DELETE FROM lease")
    for reading in (False, True):
        why = refusal(ledger.url(), reading=reading)
        assert "it holds half a ledger, without a row in lease, as where a restore broke off; restore the whole" in why
    ledger.run("DROP TABLE opt_outs")
    assert "half a ledger, without the tables opt_outs, as" in refusal(ledger.url())
    ledger.run("DROP TABLE term")
    ledger.run("UPDATE alembic_version SET version_num = '9999'")
    assert "half a ledger, without the tables term, as" in refusal(ledger.url(), reading=True)


def test_a_ledger_without_the_name_of_its_schema(ledger: Database) -> None:
    """It is no other program's."""
    ledger.run("DELETE FROM alembic_version")
    assert "half a ledger, without the name of its schema" in refusal(ledger.url())


def test_one_of_two_hosts_refuses(postgres_server: Server) -> None:
    """What is said names the one that could be put right, though the last one tried is away; that may pass."""
    hosts = f"127.0.0.1:{postgres_server.port},127.0.0.1:1"
    for password, cure in (("wrong", "the password is wrong"), ("", "it wants a password; give it by TOCSIN_LEDGER")):
        with pytest.raises(LedgerAwayError) as raised:
            open_server(ServerAddress(f"postgresql://{OWNER}@{hosts}/postgres", password))
        assert f"cannot be reached: Connection refused; of another host: {cure}" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_one_that_does_not_answer(postgres_server: Server) -> None:
    """That is nobody's fault, and may pass: refused, a host that is none, one that takes the call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        silent = f"postgresql://{OWNER}@127.0.0.1:{port}/x?connect_timeout=2"
        for url in (silent, "postgresql://a@127.0.0.1:1/x", "postgresql://a@nowhere.invalid/x"):
            hint = r"timeout expired; does PostgreSQL listen there\?$" if url is silent else ""
            with pytest.raises(LedgerAwayError, match=f"cannot be reached: .*{hint}"):
                open_server(ServerAddress(url))


@pytest.mark.parametrize(
    ("rest", "wrong"),
    [
        (":notaport/x", 'invalid integer value "notaport" for connection option "port"'),
        (":99999/x", 'invalid port number: "99999"'),
        (":1/x?sslmode=verfy", 'invalid sslmode value: "verfy"'),
    ],
)
def test_an_address_that_libpq_cannot_use(rest: str, wrong: str) -> None:
    """Nobody need wait for it to come about."""
    assert refusal(f"postgresql://{OWNER}@127.0.0.1{rest}").endswith(f": its address is wrong: {wrong}")


@pytest.mark.parametrize("tls", ["prefer", "disable"])
def test_a_server_of_another_kind(tls: str) -> None:
    """A mail server that greets: it is asked whether PostgreSQL listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail.example.com ESMTP\r\n")
                connection.recv(100)

        greeting = threading.Thread(target=greet)
        greeting.start()
        url = f"postgresql://{OWNER}@127.0.0.1:{listener.getsockname()[1]}/x?sslmode={tls}"
        with pytest.raises(LedgerAwayError, match=r"; does PostgreSQL listen there\?$"):
            open_server(ServerAddress(url))
        greeting.join()


def test_several_hosts(ledger: Database, postgres_server: Server, tmp_path: Path) -> None:
    """The first host that takes writes is used; a passfile is libpq's own affair."""
    passfile = tmp_path / "pass"
    passfile.write_text("*:*:*:*:" + PASSWORD.replace(":", "\\:"))
    passfile.chmod(0o600)
    hosts = f"127.0.0.1:1,127.0.0.1:{postgres_server.port}"
    opened = open_server(ServerAddress(f"postgresql://{OWNER}@{hosts}/{ledger.name}?passfile={passfile}"))
    with opened.writing.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == ledger.name
    opened.dispose()
    ledger.run(f"ALTER DATABASE {ledger.name} SET default_transaction_read_only = on")
    with pytest.raises(
        LedgerAwayError, match=rf"takes no writes \(session is read-only\): .* the role {OWNER} may only"
    ):
        open_server(ServerAddress(ledger.url()))
    open_server_to_read(ServerAddress(ledger.url())).dispose()


def test_tables_of_another_owner(ledger: Database) -> None:
    """What has to be brought up to date and belongs to another role, as after a restore, is told before a daemon leads:
    by check and doctor too. In the newest schema nobody needs to own it.
    """
    ledger.server.make_role("pager")
    ledger.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pager")
    ledger.run("GRANT CREATE ON SCHEMA public TO pager")
    open_server(ServerAddress(ledger.url("pager"))).dispose()
    ledger.run("UPDATE alembic_version SET version_num = '0009'")
    why = refusal(ledger.url("pager"))
    assert f"only {OWNER} may change alembic_version and {len(metadata.sorted_tables)} more tables; have" in why
    assert why.endswith("ALTER TABLE … OWNER TO pager")
    with pytest.raises(LedgerError, match="may change alembic_version"):
        look_before_writing(ServerAddress(ledger.url("pager")))
    ledger.run("REVOKE CREATE ON SCHEMA public FROM pager")
    assert "pager may make no tables in it" in refusal(ledger.url("pager"))
    for (table,) in ledger.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        ledger.run(f"ALTER TABLE {table} OWNER TO pager")
    ledger.run("GRANT CREATE ON SCHEMA public TO pager")
    open_server(ServerAddress(ledger.url("pager"))).dispose()


def test_two_make_the_tables_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second waits for the first, and changes nothing."""
    with psycopg.connect(database.url()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [opening.MIGRATING])
        monkeypatch.setattr(opening, "LOCKS_MS", 200)
        with pytest.raises(OperationalError, match="lock timeout"):
            brought_up_to_date(database.url())
    assert brought_up_to_date(database.url()) == SCHEMA


@pytest.mark.parametrize(("takes", "asked"), [(0.0, [0, 1, 2, 3, 4]), (2.0, [0, 4]), (9.0, [0, 12])])
def test_one_that_was_slow_to_fail_is_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch, takes: float, asked: list[int]
) -> None:
    """Whoever has something urgent hears at once what was found out: for as long as that took, 3 s at most."""
    now, connected_at = [0.0], []

    def connect(_self: ServerAddress, _given: object, _within: object) -> None:
        connected_at.append(now[0])
        now[0] += takes
        raise psycopg.OperationalError("no answer")

    monkeypatch.setattr(ServerAddress, "connect", connect)
    monkeypatch.setattr("tocsin.adapters.ledger.postgresql.address.boottime", lambda: now[0])
    dial = Dialler(ServerAddress("postgresql://a@b/c"), {}, None)
    for second in range(asked[-1] + 1):
        now[0] = max(now[0], float(second))
        with pytest.raises(psycopg.OperationalError, match="no answer"):
            dial()
    assert connected_at == asked


def test_an_answer_that_does_not_come_is_waited_for_so_long(database: Database) -> None:
    """A connection of which nothing comes back in time is closed: nobody could tell what became of it."""
    connection = ServerAddress(database.url()).connect({}, 0.2)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match=r"did not answer within 0\.2 s"):
        connection.execute("SELECT pg_sleep(5)")
    assert connection.closed
