"""Prometheus Alertmanager, with one alert for each group and a mail for each as soon as it comes (`group_wait: 0s`).

It keeps what it sent in memory and writes that to disk every 15 minutes; ours is on disk before the first byte leaves.
"""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.processes import end, wait
from bench.world import folder

PROGRAM = "prometheus-alertmanager"
CONFIG = """
global:
  smtp_smarthost: '127.0.0.1:{port}'
  smtp_from: 'incidents@example.com'
  smtp_require_tls: false
  resolve_timeout: 4h
route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 5m, repeat_interval: 4h}}
receivers:
  - name: r
    email_configs:
{mails}
"""
MAIL = "      - {{to: {to}{html}}}\n"
PARAGRAPH = "<p>{{ .CommonAnnotations.summary }}: what is known of it, who has it in hand, and what happens next.</p>"
HTML = ", html: '<html><body>" + PARAGRAPH * 58 + "</body></html>'"
"""A body that makes its mail as large as a page of ours: about 5.5 KB."""


def is_installed() -> bool:
    """Whether it can be run here."""
    return shutil.which(PROGRAM) is not None


class Alertmanager:
    """A running one."""

    def __init__(self, base: Path, port: int, *, readers: int = 1, own_body: bool = False) -> None:
        html = "" if own_body else HTML
        mails = [MAIL.format(to=f"reader{number}@example.com", html=html) for number in range(readers)]
        config = base / "alertmanager.yml"
        config.write_text(CONFIG.format(port=port, mails="".join(mails)))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._at = "127.0.0.1", free.getsockname()[1]
        given = ["--config.file", str(config), "--storage.path", str(base / "alertmanager")]
        listens = f"--web.listen-address=127.0.0.1:{self._at[1]}"
        with (base / "alertmanager.log").open("wb") as log:
            self._process = subprocess.Popen(
                [PROGRAM, *given, listens, "--cluster.listen-address=", "--log.level=warn"],
                stdout=log, stderr=log, cwd=base,
            )  # fmt: skip
        self.pid = self._process.pid
        wait(self._is_ready, 20)

    def _is_ready(self) -> bool:
        try:
            return self._ask("GET", "/-/ready") == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: bytes | None = None) -> int:
        connection = http.client.HTTPConnection(*self._at, timeout=60)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def post(self, body: bytes) -> float:
        """Hand alerts in; the time just before."""
        began = time.time()
        assert self._ask("POST", "/api/v2/alerts", body) == 200
        return began

    def post_all(self, names: Sequence[str]) -> float:
        """Hand all in at once; time.monotonic just before."""
        body = alerts(names)
        began = time.monotonic()
        self.post(body)
        return began

    def close(self) -> None:
        """End it."""
        end(self._process)


def alerts(names: Sequence[str]) -> bytes:
    """What Prometheus would post: one alert for each name."""
    return json.dumps(
        [
            {"labels": {"alertname": name, "severity": "page"}, "annotations": {"summary": f"Incident {name}"}}
            for name in names
        ]
    ).encode()


@contextlib.contextmanager
def alertmanager(port: int, *, readers: int = 1, own_body: bool = False) -> Iterator[Alertmanager]:
    """One that mails to a port of this machine, in a folder of its own, gone afterwards."""
    with folder() as base:
        running = Alertmanager(base, port, readers=readers, own_body=own_body)
        try:
            yield running
        finally:
            running.close()
