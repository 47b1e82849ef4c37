"""The real Prometheus Alertmanager as a process that posts to a webhook."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = """
route: {{receiver: tocsin, group_by: [alertname], group_wait: 50ms, group_interval: 100ms, repeat_interval: 100ms}}
receivers:
  - name: tocsin
    webhook_configs:
      - url: {url}
        http_config: {{authorization: {{credentials: {token}}}}}
"""


class Alertmanager:
    """It groups by `alertname`, and repeats itself as often as it can."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        folder.mkdir()
        (folder / "config.yml").write_text(CONFIG.format(url=url, token=token))
        self.log = folder / "log"
        assert BINARY
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        flags = [f"--config.file={folder / 'config.yml'}", f"--storage.path={folder}", "--log.level=debug"]
        flags += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([BINARY, *flags], stderr=log, stdout=log)
        end = time.monotonic() + 15
        while not self.ready():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether it takes alerts."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return int(answer.status) == 200
        except (URLError, ConnectionError):
            return False

    def tell(self, alerts: Sequence[Mapping[str, str]], *, ended: bool = False, **annotations: str) -> None:
        """What Prometheus would post of alerts with these labels."""
        now = datetime.now(UTC)
        times = {"endsAt": now.isoformat()} if ended else {"startsAt": now.isoformat()}
        body: list[dict[str, Any]] = [
            {"labels": dict(labels), "annotations": annotations, **times} for labels in alerts
        ]
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200

    def notified(self) -> int:
        """How many notifications were taken."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        counts = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line and line[0] != "#"}
        name = "alertmanager_notifications{}_total"
        sort = '{integration="webhook"}'
        return int(counts[name.format("") + sort] - counts.get(name.format("_failed") + sort, 0))

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
