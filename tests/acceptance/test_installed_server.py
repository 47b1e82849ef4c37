"""An installed server: the wheel, the units' user and environment, and three people: root, carol who is in the group
`tocsin`, and dave who is not.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sandbox import missing
from tests.fakes.server import Server, good, installed_server, refused

WHY_NOT = missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with installed_server(tmp_path) as server:
        yield server


def test_an_incident_of_somebody_in_the_group(server: Server) -> None:
    """P3: with exactly what the unit gives the daemon, somebody without root declares, answers and resolves, and reads
    the ledger while it is written and when it is closed; somebody outside the group is told which group it takes.
    """
    server.start()
    id_ = good(server.run("carol", "declare", "Everything is down", "--severity", "sev1")).strip()
    server.until(lambda: server.outbox("page") == 2)
    assert refused(server.run("dave", "ack", id_, "--as", "ana")) == [
        "/etc/tocsin:1:1: error: the config folder cannot be read by dave; ask to be in the group tocsin"
    ]
    good(server.run("carol", "ack", id_, "--as", "ana"))
    shown = server.until(lambda: (now := good(server.run("carol", "status"))) and ", accepted" in now and now)
    assert (id_ in shown, "!" in shown) == (True, False), shown
    good(server.run("carol", "update", id_, "Found it.", "--status", "identified"))
    good(server.run("carol", "resolve", id_, "A bad deploy."))
    server.until(lambda: server.outbox("closing") == 2)
    assert server.stop() == 0
    told = good(server.run("carol", "explain", id_))
    assert ("closing to" in told, "accepted" in told) == (True, True), told
