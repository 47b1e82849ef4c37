"""Commands on a machine whose ledger lies on a PostgreSQL server, with a role that may only SELECT (P3): what they see,
what they leave, and what they say where they cannot look.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.files.watch_mark import NAME
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.cli import tocsin
from tocsin.cli.whole_ledger import share_ledger
from tocsin.domain.arrival import OptOut
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.people import Channel, Session
from tocsin.formats.inbox.entries import read_entry
from tocsin.formats.settings.ledger_address import LedgerAddress, read_address
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.postgres_ledger import make_tables, open_leading
from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.postgres import PASSWORD, Database, Server

READER = "commands_reader"
GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {READER};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER};
"""
PAY = Incident("2026-11-23-pay", "Payments fail", "sev1")


async def _fill(url: str) -> None:
    """As a daemon that leads does it."""
    ledger, now = SqlLedger(await open_leading(url)), datetime.now(UTC)
    await ledger.record(PAY.id, [Seen(now, PAY, "digest")], [], [])
    await ledger.begin_session(Session("digest", "ana", now))
    await ledger.opt_out(OptOut(Channel.EMAIL, "support@example.com", now, "ref"))
    await ledger.record_config("c0ffee", {"all.yaml": CONFIG.encode(), "tocsin.yaml": SETTINGS.encode()}, now)
    await ledger.claim_notice(HEALTHY, now, timedelta(0))
    await ledger.close()


def make_ledger(url: str) -> None:
    """Tables, and what a daemon has written into them."""
    make_tables(url)
    asyncio.run(_fill(url))


@pytest.fixture
def ledger(postgres_server: Server) -> Iterator[Database]:
    """A ledger with an incident, somebody signed in, and an address that wants nothing more."""
    with postgres_server.database(make_ledger) as database:
        postgres_server.make_role(READER)
        database.run(GRANTS)
        yield database


@pytest.fixture
def folder(tmp_path: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose commands read it."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    name_ledger(tmp_path, ledger.url(READER, None))
    (tmp_path / "incidents" / f"{PAY.id}.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCSIN_LEDGER", PASSWORD)
    return tmp_path


@pytest.fixture
def beside(folder: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where tocsin.yaml names the daemons' role, and people enter by theirs."""
    name_ledger(folder, ledger.url(password=None))
    monkeypatch.setenv("TOCSIN_LEDGER", ledger.url(READER))
    return folder


def name_ledger(folder: Path, url: str) -> None:
    (folder / "config" / "tocsin.yaml").write_text(f"{SETTINGS}ledger: {url}\nnode: hall\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tocsin, arguments)


def watched(folder: Path) -> None:
    """A healthy daemon of this machine has just renewed its mark."""
    (folder / "incidents" / NAME).write_text("host here, pid 1\n")


def node(ledger: Database, name: str, folder: Path | str, ago: timedelta = timedelta(0), **row: object) -> str:
    """A machine reported so long ago."""
    id_ = f"{name}-id"
    words = {"state": "standing_by", "version": "0.5.0", "config": "c0ffee", "schema": "0009", "key": "k1"} | row
    ledger.run(
        "INSERT INTO nodes (name, folder, id, state, since, last_word, version, config, schema, key, providers_ok, "
        "stopped) VALUES (%s, %s, %s, %s, clock_timestamp() - %s, clock_timestamp() - %s, %s, %s, %s, %s, true, %s)",
        name, str(folder), id_, words["state"], ago + timedelta(hours=1), ago, words["version"], words["config"],
        words["schema"], words["key"], bool(words.get("stopped", False)),
    )  # fmt: skip
    return id_


def leads(ledger: Database, id_: str, ago: timedelta = timedelta(0)) -> None:
    ledger.run("UPDATE lease SET node = %s, renewed_at = clock_timestamp() - %s", id_, ago)
    ledger.run("UPDATE term SET epoch = 7")


def test_status_and_explain(folder: Path, ledger: Database) -> None:
    """What the ledger has is seen; that no machine leads is said, and that none watches here."""
    shown = run("status", "--format", "json")
    assert [row["id"] for row in json.loads(shown.stdout)["incidents"]] == [PAY.id]
    assert "no machine leads: nobody is paged until one does (tocsin nodes)" in shown.stderr
    leads(ledger, node(ledger, "attic", "/x", state="leading"))
    assert "no healthy daemon seems to run on this machine, though attic leads" in run("status").stdout
    watched(folder)
    assert run("status").stdout.startswith("SEV1")
    assert "Payments fail" in run("explain", PAY.id).stdout


def test_the_config_in_force_counts(folder: Path) -> None:
    """P9: a machine whose own config lags behind goes by the leader's: who is paged, who may answer, what was sent by
    which revision. That its own is another one is said, and nothing where both are the same.
    """
    same = run("explain", PAY.id)
    assert "config revision c0ffee" in same.stdout
    assert "in force" not in same.stderr
    config = folder / "config" / "all.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("  ana:")]
    config.write_text("\n".join(lines).replace("chain: [ana, bo]", "chain: [bo]"))
    watched(folder)
    declared = run("declare", "Fire", "--severity", "sev1")
    assert declared.exit_code == 0, declared.output
    assert "Pages Ana Souza" in declared.stderr
    assert "the config of this machine is not the one in force, c0ffee sha256:" in declared.stderr
    answered = run("ack", declared.stdout.strip(), "--as", "ana")
    assert answered.exit_code == 0, answered.output
    assert "by: ana" in (folder / "incidents" / f"{declared.stdout.strip()}.yaml").read_text()
    assert "config revision c0ffee" in run("explain", PAY.id).stdout


def test_a_config_in_force_that_cannot_be_used_here(folder: Path) -> None:
    """Whom this machine's tocsin.yaml names must be in it: where that is not so its own config counts, and it is said."""
    config, settings = folder / "config" / "all.yaml", folder / "config" / "tocsin.yaml"
    config.write_text(config.read_text().replace("people:\n", "people:\n  dai: {email: dai@example.com}\n"))
    settings.write_text(settings.read_text().replace("operators: [olga]", "operators: [dai]"))
    watched(folder)
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert "the config of this machine is not the one in force, c0ffee sha256:" in shown.stdout
    assert "which cannot be used here" in shown.stdout


def test_what_commands_say_lies_in_this_machines_inbox(folder: Path) -> None:
    """Nothing is written into the ledger: the role could not. Without a daemon here it waits for one."""
    for arguments in (["sign-out", "ana"], ["resubscribe", "support@example.com"]):
        done = run(*arguments)
        assert (done.exit_code, "once the daemon runs" in done.output) == (0, True), done.output
    left = [type(read_entry(path.read_bytes())).__name__ for path in (folder / "var" / "inbox").iterdir()]
    assert sorted(left) == ["ResubscribeEntry", "SignOutEntry"]
    done = run("update", PAY.id, "We know why.", "--anyway")
    assert done.exit_code == 0, done.output


def test_without_the_ledger_the_files_say_what_they_can(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says why, without the password; never a traceback (P3)."""
    monkeypatch.setenv("TOCSIN_LEDGER", "hunter2")
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert "the password is wrong" in shown.output
    assert "Payments fail" in shown.output
    assert "hunter2" not in shown.output
    refused = run("sign-out", "ana")
    assert (refused.exit_code, "who is signed in is kept there" in refused.stderr) == (1, True)
    (folder / "incidents" / f"{PAY.id}.yaml").unlink()
    for form in ("text", "json"):
        none = run("status", "--format", form)
        assert (none.exit_code, "no open incidents" in none.output) == (1, False)
        assert "the ledger cannot be read" in none.output
    assert "none in the files of this machine" in " ".join(run("status").stdout.split())


@pytest.mark.parametrize("password", ["hunter2", ""])
def test_a_database_that_lets_nobody_in_is_not_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """P3: it answers, so where no daemon is healthy nobody hears of what is declared, which is said (R54 is another case)."""
    monkeypatch.setenv("TOCSIN_LEDGER", password)
    declared = run("declare", "Fire", "--severity", "sev1")
    assert declared.exit_code == 1
    assert "nobody hears of it until one does" in " ".join(declared.stderr.split())
    assert "the database does not answer" not in declared.stderr


def test_check_says_before_what_is_wrong(folder: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line where the ledger is named, an error; what only lacks here, in a pipeline perhaps, is a warning."""
    ledger.server.make_role("barred")
    right, barred = ledger.url(READER, None), ledger.url("barred", None)
    for url, password, level, words in (
        (right, "hunter2", "error", "the password is wrong"),
        (right, "", "warning", "it wants a password"),
        (right.replace(ledger.name, "elsewhere"), PASSWORD, "error", "there is no database elsewhere"),
        ("postgresql://tocsin@127.0.0.1:1/tocsin", PASSWORD, "warning", "cannot be reached"),
        (barred, PASSWORD, "error", "lacks the right to SELECT"),
    ):
        monkeypatch.setenv("TOCSIN_LEDGER", password)
        name_ledger(folder, url)
        (told,) = told_of_ledger()
        place = ("TOCSIN_LEDGER", 1) if password else ("config/tocsin.yaml", 6)
        assert (told["level"], told["file"], told["line"]) == (level, *place)
        assert words in told["message"]
        assert not any(secret in told["message"] for secret in ("hunter2", PASSWORD))


def test_the_daemons_own_role_is_looked_at_as_a_daemon(
    folder: Path, ledger: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rights to write, before its start; a role that is entered by instead of it needs none, and nothing is made."""
    (told,) = told_of_ledger()
    assert "commands_reader lacks the right to" in told["message"]
    assert "GRANT" in told["message"]
    diagnosis = json.loads(run("doctor", "--format", "json").stdout)
    (check,) = [check for check in diagnosis["checks"] if check["code"] == "ledger"]
    assert (check["ok"], "lacks the right to" in check["message"]) == (False, True)
    name_ledger(folder, "postgresql://tocsin@127.0.0.1:1/tocsin")
    monkeypatch.setenv("TOCSIN_LEDGER", ledger.url(READER))
    assert told_of_ledger() == []
    database.server.make_role("maker")
    database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    name_ledger(folder, database.url("maker", None))
    monkeypatch.setenv("TOCSIN_LEDGER", PASSWORD)
    (told,) = told_of_ledger()
    assert "maker may make no tables in it" in told["message"]
    name_ledger(folder, "postgresql://maker@127.0.0.1:1/tocsin")
    monkeypatch.setenv("TOCSIN_LEDGER", database.url("maker"))
    (told,) = told_of_ledger()
    assert "maker may make no tables in it" in told["message"], "elsewhere by the variable, as the same role"
    name_ledger(folder, "sqlite:///../var/tocsin.db")
    (told,) = told_of_ledger()
    assert "maker may make no tables in it" in told["message"], "tocsin.yaml names no server"
    assert database.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_tables_that_a_newer_daemon_may_not_change(
    folder: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: that an older ledger cannot be brought up to date here is said before a daemon does so, by check and doctor."""
    ledger.server.make_role("maker")
    ledger.run("GRANT ALL ON ALL TABLES IN SCHEMA public TO maker")
    ledger.run("GRANT CREATE ON SCHEMA public TO maker")
    ledger.run("UPDATE alembic_version SET version_num = '0008'")
    name_ledger(folder, ledger.url("maker", None))
    monkeypatch.setenv("TOCSIN_LEDGER", PASSWORD)
    (told,) = told_of_ledger()
    assert (told["level"], "may change alembic_version" in told["message"]) == ("error", True)
    diagnosis = json.loads(run("doctor", "--format", "json").stdout)
    (check,) = [check for check in diagnosis["checks"] if check["code"] == "ledger"]
    assert (check["ok"], "may change alembic_version" in check["message"]) == (False, True)
    ledger.run("ALTER ROLE maker SUPERUSER")
    (told,) = told_of_ledger()
    assert (told["level"], "it is brought up to date" in told["message"]) == ("warning", True)
    ledger.run("ALTER ROLE maker NOSUPERUSER")


def told_of_ledger() -> list[dict[str, Any]]:
    """What `check` says of the ledger."""
    found = json.loads(run("check", "--format", "json").stdout)["problems"]
    return [problem for problem in found if problem["code"] == "ledger"]


def test_an_empty_database(folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is none that is wrong: no daemon has run."""
    database.server.make_role(READER)
    name_ledger(folder, database.url(password=None))
    monkeypatch.setenv("TOCSIN_LEDGER", database.url(READER))
    assert told_of_ledger() == []
    refused = run("sign-out", "ana")
    assert (refused.exit_code, refused.stderr) == (1, "there is no ledger yet; who is signed in is kept there\n")


def test_a_newer_ledger(beside: Path, ledger: Database) -> None:
    """It is told by `check`; no error, for its daemon stands by."""
    ledger.run("UPDATE alembic_version SET version_num = '9000'")
    ledger.run("UPDATE term SET leads_from = '9000'")
    (told,) = told_of_ledger()
    assert told["level"] == "warning"
    assert "another version of tocsin keeps it (schema 9000" in told["message"]


def be_newer(ledger: Database) -> None:
    """As a program that this one could not lead after leaves it: it only added."""
    ledger.run("UPDATE alembic_version SET version_num = '9000'")
    ledger.run("UPDATE term SET leads_from = '9000'")
    ledger.run("ALTER TABLE facts ADD COLUMN weight INTEGER")


def test_commands_of_an_older_program(folder: Path, ledger: Database) -> None:
    """P9: migrations only add, so during an upgrade the machine that stands by shows what is open, and says that it is
    the older one.
    """
    node(ledger, "attic", "/attic")
    be_newer(ledger)
    for arguments in (("status",), ("explain", PAY.id), ("nodes",), ("doctor",), ("check",)):
        done = run(*arguments)
        told = " ".join((done.stdout + done.stderr).split())
        assert "another version of tocsin keeps it (schema 9000, not 0010); update tocsin here" in told, arguments
    shown = run("status", "--format", "json")
    assert shown.exit_code == 0
    assert [one["id"] for one in json.loads(shown.stdout)["incidents"]] == [PAY.id]
    assert "what only that one knows is not shown" in shown.stderr
    assert [machine["name"] for machine in json.loads(run("nodes", "--format", "json").stdout)["nodes"]] == ["attic"]


def test_what_only_a_newer_program_knows(folder: Path, ledger: Database) -> None:
    """Rule 63: an incident of which a fact is not understood is shown as one that cannot be read whole, never as none."""
    be_newer(ledger)
    ledger.run("UPDATE facts SET kind = 'Foreseen' WHERE incident = %s", PAY.id)
    (folder / "incidents" / f"{PAY.id}.yaml").unlink()
    (opened,) = json.loads(run("status", "--format", "json").stdout)["incidents"]
    assert '"Foreseen" is a word that only a newer tocsin knows' in json.dumps(opened["problems"]).replace("\\", "")


async def test_the_web_side_of_an_older_program(ledger: Database) -> None:
    """It reads what a newer one keeps, and does not where a column that it asks for is not there."""
    be_newer(ledger)
    shared = await share_ledger(read_address(ledger.url(READER)))
    assert [session.person for session in await shared().sessions()] == ["ana"]
    await shared.close()
    ledger.run("ALTER TABLE opt_outs RENAME COLUMN ref TO reference")
    blind = await share_ledger(read_address(ledger.url(READER)))
    with pytest.raises(LedgerError, match=r"without opt_outs\.ref; update tocsin here"):
        blind()
    assert blind.machines is not None
    assert (await blind.machines()).nodes == ()
    await blind.close()


def test_a_name_that_another_machine_has(beside: Path, ledger: Database) -> None:
    """R43: by `check`, before the daemon's start finds it; the own daemon's row is no such thing."""
    node(ledger, "hall", beside / "incidents")
    (told,) = told_of_ledger()
    assert "has this machine's name, hall, and folder" in told["message"]
    watched(beside)
    assert told_of_ledger() == []


def test_a_machine_that_does_not_belong_is_told_before_its_start(
    beside: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that a machine with another folder has, and a key that none has: `check` warns of both, `doctor` fails."""
    node(ledger, "hall", "/elsewhere")
    monkeypatch.setenv("TOCSIN_WEB__SIGNING_KEY", "k" * 32)
    named, signed = told_of_ledger()
    assert "has this one's name, hall, with the folder /elsewhere" in named["message"]
    assert "is that of no machine that lives (k1 hall)" in signed["message"]
    assert {named["level"], signed["level"]} == {"warning"}
    doctor = json.dumps(json.loads(run("doctor", "--format", "json").stdout))
    assert "has this one's name, hall" in doctor
    assert "is that of no machine that lives" in doctor


def test_nodes(folder: Path, ledger: Database) -> None:
    """P7: who leads, who stands by, who has been silent for over 30 s; keys that differ are told; exit 1 without a
    leader.
    """
    none = run("nodes", "--format", "json")
    assert (none.exit_code, json.loads(none.stdout)) == (1, {"leader": None, "epoch": 1, "nodes": []})
    leads(ledger, node(ledger, "attic", "/a", state="leading"))
    node(ledger, "cellar", "/c", timedelta(minutes=3), key="k2")
    node(ledger, "hall", "/h", key="k2")
    done = run("nodes", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["leader"], found["epoch"]) == (0, "attic", 7)
    assert [(one["name"], one["state"]) for one in found["nodes"]] == [
        ("attic", "leading"), ("cellar", "silent"), ("hall", "standing_by"),
    ]  # fmt: skip
    keys = {"name", "id", "state", "since", "last_word", "version", "config", "schema", "key", "providers_ok"}
    assert {frozenset(one) for one in found["nodes"]} == {frozenset(keys)}
    text = run("nodes").stdout
    assert text.startswith("attic leads; hall stands by (term 7)\n")
    assert "! signing keys differ (attic k1; hall k2)" in text
    assert max(map(len, text.splitlines()[:-1])) <= 80
    leads(ledger, "attic-id", timedelta(seconds=11))
    late = run("nodes", "--format", "json")
    assert (late.exit_code, json.loads(late.stdout)["leader"]) == (1, None)


async def test_the_web_side_reads_it_once_it_can(ledger: Database) -> None:
    """A server that is not to be had holds up no request: each is trouble at once, until it answers."""
    shared = await share_ledger(read_address(ledger.url(READER)))
    assert [session.person for session in await shared().sessions()] == ["ana"]
    await shared.close()
    ledger.server.make_role("later")
    late = await share_ledger(read_address(ledger.url("later")))
    with pytest.raises(LedgerError, match="lacks the right to SELECT"):
        late()
    await asyncio.to_thread(ledger.run, GRANTS.replace(READER, "later"))
    async with asyncio.timeout(10):
        while True:
            await asyncio.sleep(0.05)
            try:
                assert len(await late().sessions()) == 1
                break
            except LedgerError:
                continue
    await late.close()


def test_without_the_driver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, with the command that brings it."""
    monkeypatch.setitem(__import__("sys").modules, "tocsin.adapters.ledger.postgresql.address", None)
    (told,) = told_of_ledger()
    assert told["level"] == "error"
    assert "pip install 'tocsin[postgres]'" in told["message"]
    with pytest.raises(LedgerError, match="driver is not installed"):
        asyncio.run(share_ledger(LedgerAddress(None, "postgresql://db/tocsin")))
    assert os.environ["TOCSIN_LEDGER"] not in json.dumps(told)
