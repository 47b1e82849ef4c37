"""`tocsin backup postgresql://…`: a whole ledger moves into an empty database on a real server (P3)."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.schema.tables import metadata
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.cli.backup import command
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Content, Letter
from tocsin.domain.facts import Noted, Seen
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.postgres_ledger import open_leading
from tests.contract.test_ledger import T0
from tests.fakes.postgres import PASSWORD, Database
from tests.unit.cli.test_resubscribe import folder, with_ledger

__all__ = ["folder"]
NOTE = Noted(T0, "ana", "half \ud83d a pair, and a NUL \0 in the midst")


def move(folder: Path, address: str) -> Result:
    return CliRunner().invoke(command, [address, "--config", str(folder / "config")])


async def write(ledger: SqlLedger) -> None:
    """A page that was sent, an update that waits, an SMS that is not judged yet, and characters of all sorts."""
    page = Notification("db/1/page", "db", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
    update = Notification("db/1/update", "db", 1, Kind.UPDATE, Reason.DUE, T0, "bo", Channel.EMAIL)
    letters = [Letter(page, Content("Database down")), Letter(update, Content("Déjà vu 🙂", "a", "<p>b</p>"))]
    await ledger.record(
        "db", [Seen(T0, Incident("db", "Datenbank für Überweisungen", "sev1"), "d1"), NOTE], letters, ()
    )
    attempt = await ledger.begin_attempt(page.key, Channel.SMS, "+14155550101", T0)
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    await ledger.settle(page.key, "accepted", T0)
    await ledger.keep_file("db", "db.yaml", "d1", b"title: \xff")
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM2", "+14155550101", "ok", T0))
    await ledger.record_config("r1", {"all.yaml": b"people: {}"}, T0)
    await ledger.record("old", [Seen(T0, Incident("old", "x", "sev1"), "d9")], (), ())
    await ledger.finish("old")


async def known(ledger: SqlLedger) -> list[object]:
    """What a start recalls."""
    facts = [fact for fact in await ledger.facts("db") if not isinstance(fact, Noted)]
    asked = [facts, await ledger.records("db"), await ledger.unsettled(), await ledger.file("db")]
    asked += [await ledger.unjudged_arrivals(), await ledger.last_good_config(), await ledger.files()]
    return [*asked, set((await ledger.unfinished()).keys())]


def test_a_ledger_moves_and_goes_on(folder: Path, database: Database) -> None:
    """All that a start recalls is there, and what is recorded next comes after it."""
    with_ledger(folder, write)
    before = with_ledger(folder, known)
    result = move(folder, database.url())
    assert result.exit_code == 0, result.output
    assert "holds 2 incidents, 2 messages, as " in result.output
    assert "now write it into tocsin.yaml: ledger: postgresql://" in result.output

    async def go_on() -> None:
        ledger = SqlLedger(await open_leading(database.url()))
        assert await known(ledger) == before
        (note,) = [fact for fact in await ledger.facts("db") if isinstance(fact, Noted)]
        assert note.text.startswith("half ? a pair, and a NUL ")
        again = await ledger.begin_attempt("db/1/page", Channel.SMS, "+14155550101", T0 + timedelta(hours=1))
        assert again.number == 2
        await ledger.record("db", [Noted(T0, "bo", "goes on")], (), ())
        assert (await ledger.facts("db"))[-1] == Noted(T0, "bo", "goes on")
        assert not await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM2", "+14155550101", "ok", T0))
        assert await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM3", "+14155550101", "ok", T0))
        await ledger.close()

    asyncio.run(go_on())


@pytest.mark.parametrize("way", ["variable", "credential"])
def test_the_password_comes_as_a_daemon_finds_it(
    folder: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """By TOCSIN_LEDGER or the credential, in no list of processes; where neither is, what would do is named."""
    with_ledger(folder, write)
    refused = move(folder, database.url(password=None))
    assert (refused.exit_code, "wants a password" in refused.stderr, "PGPASSWORD" in refused.stderr) == (1, True, True)
    if way == "variable":
        monkeypatch.setenv("TOCSIN_LEDGER", PASSWORD)
    else:
        (tmp_path / "tocsin_ledger").write_text(f"{PASSWORD}\n")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    moved = move(folder, database.url(password=None))
    assert moved.exit_code == 0, moved.output


def test_an_address_of_another_sort_is_no_file(folder: Path, database: Database) -> None:
    """It is refused, without what is secret in it."""
    with_ledger(folder, write)
    for address in ("mysql://tocsin:hunter2@db/x", "postgresql+psycopg://tocsin:hunter2@db/x", "sqlite:////x.db"):
        refused = move(folder, address)
        assert refused.exit_code == 1
        assert "nothing was written" in " ".join(refused.stderr.split())
        assert "hunter2" not in refused.output


def test_the_new_address_in_the_environment_is_named(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that has it already (docs/several-machines.md) hides the file that is to be moved."""
    monkeypatch.setenv("TOCSIN_LEDGER", database.url())
    refused = move(folder, database.url())
    assert (refused.exit_code, "TOCSIN_LEDGER names it: unset that" in " ".join(refused.stderr.split())) == (1, True)


def test_only_into_an_empty_database(folder: Path, database: Database) -> None:
    """A ledger that is there is not added to, nor is a database of somebody else's."""
    with_ledger(folder, write)
    database.run("CREATE TABLE theirs (id int)")
    result = move(folder, database.url())
    assert result.exit_code == 1
    assert "holds tables of another program" in result.stderr
    database.run("DROP TABLE theirs")
    assert move(folder, database.url()).exit_code == 0
    result = move(folder, database.url())
    assert result.exit_code == 1
    assert "there is a ledger in it already; name an empty database; nothing was written" in " ".join(
        result.stderr.split()
    )
    assert database.run("SELECT count(*) FROM incidents") == [(2,)]


def test_not_while_a_daemon_runs(folder: Path, database: Database) -> None:
    """What it writes meanwhile would be missing there."""
    with_ledger(folder, write)
    lock = Lock(folder / "var" / "tocsin.db")
    try:
        result = move(folder, database.url())
    finally:
        lock.release()
    assert result.exit_code == 1
    assert "stop it first" in result.stderr
    assert database.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_what_goes_wrong_leaves_the_database_empty(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables too are of the one transaction."""
    with_ledger(folder, write)
    from tocsin.adapters.ledger.postgresql import filling

    monkeypatch.setattr(filling, "_rows", lambda _file, table: iter([[{"id": "x"}]] if table.name == "facts" else []))
    result = move(folder, database.url())
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert database.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_server_that_is_not_there(folder: Path) -> None:
    """One line says so, and no password."""
    with_ledger(folder, write)
    result = move(folder, "postgresql://tocsin:geheim@127.0.0.1:1/tocsin")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing was written" in result.stderr
    assert "geheim" not in result.output


def test_every_table_is_copied_or_named() -> None:
    """A table that is added is copied, unless it says who works on the database."""
    from tocsin.adapters.ledger.postgresql import filling

    assert {table.name for table in filling.OF_THE_DATABASE} == {"term", "lease", "installation", "writers", "nodes"}
    assert len(filling._copied()) == len(metadata.sorted_tables) - 5
