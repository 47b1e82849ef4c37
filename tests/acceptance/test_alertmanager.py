"""The real Prometheus Alertmanager posts to the installed web side, and the installed daemon pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.alertmanager import BINARY, Alertmanager, free_port
from tests.fakes.pager import CONFIG, SETTINGS, Pager
from tests.fakes.ready_commands import start_ready

TOKEN = "a-token-for-alerts"
ALERT = {"alertname": "HighErrorRate", "severity": "warning", "service": "checkout"}
MORE = """
  sev2:
    title: Major
    page: {roles: [technical_lead], via: [sms, email], acknowledge_within: 5m}
services:
  checkout: {title: Checkout}
"""


class World:
    """The pager, its web side, and Alertmanager beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.pager = Pager(folder, TOCSIN_WEB__TOKEN=TOKEN)
        listen = (
            f"web: {{listen: '127.0.0.1:{self.port}', alertmanager: {{severities: {{critical: sev1, warning: sev2}}, "
        )
        (folder / "config" / "tocsin.yaml").write_text(SETTINGS + listen + "default_severity: sev2}}\n")
        (folder / "config" / "all.yaml").write_text(CONFIG + MORE)
        self.pager.start()
        self.start_web()
        self.alerts = Alertmanager(folder / "alertmanager", f"http://127.0.0.1:{self.port}/alertmanager", TOKEN)

    def start_web(self) -> None:
        """Start the web side."""
        with (self.folder / "web.log").open("ab") as log:
            self.web = start_ready(["web"], self.folder, self.pager.environ, log)

    def stop_web(self) -> None:
        """End the web side."""
        self.web.terminate()
        self.web.wait(15)

    def files(self) -> list[Path]:
        """The incident files."""
        return sorted(path for path in (self.folder / "incidents").iterdir() if path.name[0] != ".")

    def repeats(self, times: int) -> None:
        """Wait until Alertmanager has said everything again, so many times."""
        before = self.alerts.notified()
        self.pager.until(lambda: self.alerts.notified() >= before + times)

    def close(self) -> None:
        """End everything."""
        self.alerts.stop()
        self.stop_web()
        if self.pager.process is not None:
            self.pager.stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if BINARY is None:
        pytest.skip("there is no prometheus-alertmanager here")
    made = World(tmp_path)
    yield made
    made.close()


def test_a_group_of_alerts_lives_as_one_incident(world: World) -> None:
    """Fired, repeated over a restart of the web side, joined by a worse alert, ended, fired again: one incident file,
    and each person is paged once for each turn of it.
    """
    pager, alerts = world.pager, world.alerts
    alerts.tell([ALERT | {"instance": "a"}], summary="Checkout answers with errors")
    (path,) = pager.until(world.files)
    assert path.name[11:-14] == "checkout-answers-with-errors"
    pager.until(lambda: len(pager.texts()) == 1)
    world.repeats(3)
    world.stop_web()
    world.start_web()
    text = path.read_text()
    assert "severity: sev2" in text
    assert 'declared_by: "Alertmanager"' in text
    world.repeats(3)
    assert world.files() == [path]
    assert path.read_text() == text
    alerts.tell([ALERT | {"instance": "b", "severity": "critical"}], summary="Checkout answers with errors")
    pager.until(lambda: "severity: sev1" in path.read_text())
    pager.until(lambda: pager.mails("update", "support@example.com"))
    assert "- checkout" in path.read_text()
    alerts.tell([ALERT | {"instance": "a"}], ended=True, summary="Checkout answers with errors")
    world.repeats(3)
    assert "status: investigating" in path.read_text()
    alerts.tell([ALERT | {"instance": "b", "severity": "critical"}], ended=True, summary="Checkout answers with errors")
    pager.until(lambda: pager.mails("closing", "ana@example.com"))
    assert "All alerts have stopped firing (Alertmanager, " in path.read_text()
    pages = len(pager.mails("page", "ana@example.com"))
    alerts.tell([ALERT | {"instance": "a"}], summary="Checkout answers with errors")
    pager.until(lambda: len(pager.mails("page", "ana@example.com")) == pages + 1)
    world.repeats(3)
    assert world.files() == [path]
    assert len(pager.mails("page", "ana@example.com")) == pages + 1
