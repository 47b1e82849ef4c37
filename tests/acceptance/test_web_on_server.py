"""The installed web side on a machine whose ledger lies on a PostgreSQL server, with the role that may only SELECT: its
pages are there, what people do is left in this machine's inbox, and a server that goes away and comes back ends nothing.
"""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from tocsin.formats.inbox.entries import read_entry

from tests.fakes.pager import CONFIG
from tests.fakes.patience import Patience
from tests.fakes.postgres import PASSWORD, Database, Server, _free_port
from tests.fakes.ready_commands import start_ready
from tests.unit.cli.test_ledger_on_server import GRANTS, PAY, READER, make_ledger, name_ledger


@pytest.fixture
def ledger(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_ledger) as database:
        postgres_server.make_role(READER)
        database.run(GRANTS)
        yield database


@pytest.fixture
def site(tmp_path: Path, ledger: Database) -> Iterator[str]:
    """The address of its web side."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    name_ledger(tmp_path, ledger.url(READER, None))
    port = _free_port()
    environ = os.environ | {
        "TOCSIN_LEDGER": PASSWORD,
        "TOCSIN_WEB__LISTEN": f"127.0.0.1:{port}",
        "TOCSIN_NODE": "attic",
    }
    with (tmp_path / "log").open("wb") as log:
        process = start_ready(["web"], tmp_path, environ, log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)
        assert PASSWORD not in (tmp_path / "log").read_text()


def ask(url: str, **fields: str) -> tuple[int, str]:
    """Status and text; 0 while nobody listens."""
    body = urlencode(fields).encode() if fields else None
    try:
        with urllib.request.urlopen(url, body, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""


def until(true: Callable[[], bool], seconds: float = 25) -> None:
    patience = Patience(seconds)
    while not true():
        assert patience.nap(), "it never came true"


def health(site: str) -> tuple[int, str]:
    """Its status and this machine's state."""
    status, told = ask(f"{site}/healthz")
    return status, json.loads(told)["state"]


def test_pages_forms_and_a_server_that_comes_back(site: str, tmp_path: Path, ledger: Database) -> None:
    """P3, P8: nothing of it needs a right to write; each request while the server is away is answered at once."""
    until(lambda: ask(f"{site}/incidents.json")[0] == 200)
    assert PAY.title in ask(f"{site}/incidents")[1]
    assert "tocsin_ledger_readable 1.0" in ask(f"{site}/metrics")[1]
    assert ask(f"{site}/sign-in", who="ana", via="email")[0] == 200
    (left,) = (tmp_path / "var" / "inbox").iterdir()
    assert type(read_entry(left.read_bytes())).__name__ == "SignInEntry"
    assert health(site) == (503, "none")
    named = "attic", str(tmp_path / "incidents"), "id", "standing_by"
    row = "%s, %s, %s, %s, now(), now(), '', '', '', '', true, false"
    columns = "name, folder, id, state, since, last_word, version, config, schema, key, providers_ok, stopped"
    ledger.run(f"INSERT INTO nodes ({columns}) VALUES ({row})", *named)
    assert health(site) == (200, "standing_by")
    ledger.server.stop()
    try:
        until(lambda: "tocsin_ledger_readable 0.0" in ask(f"{site}/metrics")[1])
        assert health(site) == (503, "away")
    finally:
        ledger.server.start()
    until(lambda: "tocsin_ledger_readable 1.0" in ask(f"{site}/metrics")[1])
