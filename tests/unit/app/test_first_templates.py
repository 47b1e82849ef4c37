"""Which templates speak after a start: the disk's, the last good set that the ledger keeps, or the shipped ones."""

import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.jinja import JinjaRenderer, shipped_folder
from tocsin.app.lifecycle.reload import ConfigReader
from tocsin.app.lifecycle.startup import load_at_start
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices

from tests.builders.loading import load
from tests.fakes.bounded_work import JUDGE
from tests.fakes.ledger import MemoryLedger
from tests.fakes.pager import CONFIG, SETTINGS

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PAGE = "page.sms.txt.j2"


class Machine:
    """A config and a template folder, a ledger, and daemons that start on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = MemoryLedger()
        self.threads, self.template_threads = DiskThreads("config"), DiskThreads("templates")
        (folder / "config").mkdir()
        (folder / "templates").mkdir()
        (folder / "config" / "all.yaml").write_text(CONFIG)
        (folder / "config" / "tocsin.yaml").write_text(SETTINGS)

    def write(self, text: str, name: str = PAGE) -> None:
        (self.folder / "templates" / name).write_text(text)

    async def start(self) -> JinjaRenderer:
        """What renders after a start."""
        config, clock = self.folder / "config", SystemClock()
        started = await load_at_start(load(config, NOW, {}), self.ledger, config, {}, NOW, JUDGE)
        self.notices = Notices(clock)
        active = ActiveConfig(started.policy, started.settings)
        folders = self.threads, self.template_threads
        self.reader = ConfigReader(config, {}, clock, self.ledger, active, self.notices, started, JUDGE, *folders)
        renderer = JinjaRenderer(shipped_folder(), self.notices.tell_template)
        await self.reader.first_templates(renderer)
        return renderer


async def test_a_config_folder_that_hangs_keeps_no_template_away(tmp_path: Path) -> None:
    """Rule 62: the templates are read all the same, and the start does not wait for what waits for the config."""
    machine, answers = Machine(tmp_path), Event()
    machine.write("Wake up. {{ acknowledge }}")
    machine.threads.submit(answers.wait)
    began = time.monotonic()
    renderer = await machine.start()
    assert renderer.has_own
    assert time.monotonic() - began < 2
    answers.set()
