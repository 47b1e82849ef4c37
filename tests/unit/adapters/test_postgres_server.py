"""The PostgreSQL of the tests: it starts, stops, comes again with what was committed, and never outlives the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.fakes.postgres import PASSWORD, Server, postgres


def test_a_database_has_what_was_prepared_and_no_more(postgres_server: Server) -> None:
    """What is prepared is prepared once, and no test sees what another wrote."""
    prepared = []

    def prepare(url: str) -> None:
        prepared.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE pages (key text)")

    with postgres_server.database(prepare) as first, postgres_server.database(prepare) as second:
        first.run("INSERT INTO pages VALUES (%s)", "a")
        assert second.run("SELECT * FROM pages") == []
    assert len(prepared) == 1
    with postgres_server.database() as empty:
        assert empty.run("SELECT to_regclass('pages')") == [(None,)]


def test_roles_need_their_password(postgres_server: Server) -> None:
    """A role connects with its own password only."""
    postgres_server.make_role("reader", "a:b@c/d")
    assert postgres_server.run("SELECT rolsuper FROM pg_roles WHERE rolname = 'reader'") == [(False,)]
    with psycopg.connect(postgres_server.url(role="reader", password="a:b@c/d")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("reader",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.url(role="reader", password=PASSWORD))


@pytest.mark.parametrize("how", ["stop", "stop_immediate"])
def test_what_was_committed_is_there_after_a_restart(postgres_server: Server, how: str) -> None:
    """It comes again on its port, and what was not committed is gone."""
    with postgres_server.database() as database:
        with psycopg.connect(database.url()) as connection:
            connection.execute("CREATE TABLE pages (key text)")
            connection.commit()
            connection.execute("INSERT INTO pages VALUES ('lost')")
            getattr(postgres_server, how)()
            postgres_server.start()
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        assert database.run("SELECT * FROM pages") == []


PROGRAM = """
import sys, time
from tests.fakes.postgres import installed, Server
server = Server(installed())
print(server.pid, server.folder, flush=True)
time.sleep(60)
"""


def test_it_ends_with_the_tests_whatever_ends_them(postgres_server: Server) -> None:
    """A server whose tests were killed ends, and the next one clears its folder away, not that of one at work."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        pid, folder = tests.stdout.readline().split()
        tests.send_signal(signal.SIGKILL)
    until = time.monotonic() + 20
    while Path("/proc", pid).exists() and _state(pid) != "Z":
        assert time.monotonic() < until
        time.sleep(0.02)
    with postgres():
        assert not Path(folder).exists()
    assert postgres_server.folder.exists()


def _state(pid: str) -> str:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(") ")[2][0]
    except (OSError, IndexError):
        return "Z"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
def test_root_does_not_run_it(postgres_server: Server) -> None:
    """It runs as a user that may do nothing."""
    assert Path("/proc", str(postgres_server.pid)).stat().st_uid != 0
