"""What is shipped for several machines to be tried on one (packaging/compose): the files that it names, its commands, the
script and the passwords in a real server, and pgbouncer by its configuration before that.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
import pytest
import yaml
from tocsin.adapters import ledger
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import open_server, open_server_to_read
from tocsin.cli import tocsin

from tests.fakes.postgres import Database, Server, _as_user, _free_port
from tests.fakes.ready_commands import run_ready

COMPOSE = Path(__file__).parents[2] / "packaging" / "compose"
GRANTS = Path(next(iter(ledger.__path__))) / "postgresql" / "grants.sql"
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def services() -> dict[str, dict]:
    found: dict[str, dict] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    return found


def test_the_files_it_names_are_there() -> None:
    """As they lie beside each other when they are installed."""
    mounted = [volume.partition(":")[0] for service in services().values() for volume in service.get("volumes", ())]
    for path in {path for path in mounted if path.startswith(".")}:
        assert path == "../postgresql/grants.sql" or (COMPOSE / path).exists(), path
    shared = (COMPOSE.parents[1] / "pyproject.toml").read_text()
    assert '"packaging/compose" = "share/tocsin/compose"' in shared
    assert f'"{GRANTS.relative_to(COMPOSE.parents[1])}" = "share/tocsin/postgresql/grants.sql"' in shared


def test_its_commands_are_ours() -> None:
    """Two daemons of different names, and a web side beside each, which never has the daemon's password."""
    named = {name: service for name, service in services().items() if service.get("command", [""])[0] == "tocsin"}
    assert sorted(named) == ["attic", "attic-web", "cellar", "cellar-web"]
    for name, service in named.items():
        _, command, *options = service["command"]
        tocsin.get_command(click.Context(tocsin), command).make_context(command, options)
        role = "tocsin_read:" in service["environment"]["TOCSIN_LEDGER"]
        assert role == name.endswith("-web")
    assert len({service["hostname"] for service in named.values() if "hostname" in service}) == 2


@pytest.fixture
def granted(postgres_server: Server) -> Iterator[Database]:
    """The server as its two scripts leave it."""
    for script in (GRANTS, COMPOSE / "passwords.sql"):
        psql = [postgres_server.programs / "psql", "-X", "--set=ON_ERROR_STOP=1", "-f", script, postgres_server.url()]
        done = subprocess.run(psql, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
    database = Database(postgres_server, "tocsin")
    try:
        yield database
    finally:
        postgres_server.drop(database)


@pytest.fixture
def pooler(granted: Database, tmp_path: Path) -> Iterator[int]:
    """Pgbouncer by the shipped configuration, at a port of its own; only places differ."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    port, folder = _free_port(), granted.server.folder / "pgbouncer"
    folder.mkdir()
    text = (COMPOSE / "pgbouncer.ini").read_text()
    for shipped, here in (
        ("host=postgresql port=5432", f"host=127.0.0.1 port={granted.server.port}"),
        ("listen_addr = *", "listen_addr = 127.0.0.1\nunix_socket_dir ="),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("/etc/pgbouncer/", f"{folder}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    (folder / "pgbouncer.ini").write_text(text)
    shutil.copy(COMPOSE / "userlist.txt", folder)
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([PGBOUNCER, folder / "pgbouncer.ini"], stderr=log, stdout=log, cwd="/", **_as_user())
    try:
        until = time.monotonic() + 20
        while True:
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                psycopg.connect(f"postgresql://tocsin:writer@127.0.0.1:{port}/tocsin", connect_timeout=2).close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.05)
        said = (tmp_path / "log").read_text()
        assert "unknown" not in said.lower(), said
        yield port
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def test_ledger_and_roles_through_the_pooler(pooler: int, granted: Database, tmp_path: Path) -> None:
    """A daemon's role makes the ledger, the reader's reads it and writes nothing, and a command of the shipped config
    says that no machine leads.
    """
    writer = ServerAddress(f"postgresql://tocsin@127.0.0.1:{pooler}/tocsin", "writer")
    open_server(writer).dispose()
    reader = f"postgresql://tocsin_read:reader@127.0.0.1:{pooler}/tocsin"
    opened = open_server_to_read(ServerAddress(reader))
    with opened.reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM lease").scalar() == 1
    opened.dispose()
    with psycopg.connect(reader) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SET TRANSACTION READ WRITE; DELETE FROM lease")
    shutil.copytree(COMPOSE / "config", tmp_path / "config")
    done = run_ready(("nodes", "--format", "json"), tmp_path, {**os.environ, "TOCSIN_LEDGER": reader})
    assert (done.returncode, json.loads(done.stdout)["leader"]) == (1, None), done.stderr
