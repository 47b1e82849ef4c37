"""Which templates speak after a start: the disk's, the last good set that the ledger keeps, or the shipped ones."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.configuration.kept.vouching import code_of, vouched
from tocsin.app.lifecycle.reload import ConfigReader
from tocsin.app.lifecycle.startup import load_at_start
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.ports.ledger.ledger import KeptConfig

from tests.builders.loading import load
from tests.fakes.bounded_work import JUDGE
from tests.fakes.ledger import MemoryLedger
from tests.fakes.pager import CONFIG, SETTINGS

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PAGE = "page.sms.txt.j2"
KEYS = {"TOCSIN_WEB__SIGNING_KEY": "the key"}


class Machine:
    """A config and a template folder, a ledger, and daemons that start on them."""

    def __init__(self, folder: Path, environ: dict[str, str] | None = None) -> None:
        self.folder, self.environ = folder, environ or {}
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
        config, clock, environ = self.folder / "config", SystemClock(), self.environ
        started = await load_at_start(load(config, NOW, environ), self.ledger, config, environ, NOW, JUDGE)
        self.notices = Notices(clock)
        active = ActiveConfig(started.policy, started.settings)
        folders = self.threads, self.template_threads
        self.reader = ConfigReader(config, environ, clock, self.ledger, active, self.notices, started, JUDGE, *folders)
        renderer = JinjaRenderer(shipped_folder(), self.notices.tell_template)
        await self.reader.first_templates(renderer)
        return renderer


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that waits until a busy machine has judged its templates."""
    monkeypatch.setattr("tocsin.app.lifecycle.reload.FOLDERS_WITHIN", 60.0)


def texts_of(renderer: JinjaRenderer) -> dict[str, str]:
    """The templates of one's own that are in force."""
    return dict(renderer._own)


@pytest.mark.usefixtures("patient")
async def test_a_config_folder_that_hangs_keeps_no_template_away(tmp_path: Path) -> None:
    """Rule 62: the templates are read all the same, and the start does not wait for what waits for the config."""
    machine, answers = Machine(tmp_path), Event()
    machine.write("Wake up. {{ acknowledge }}")
    machine.threads.submit(answers.wait)
    began = time.monotonic()
    renderer = await machine.start()
    assert renderer.has_own
    assert time.monotonic() - began < 50
    answers.set()


@pytest.mark.usefixtures("patient")
async def test_the_last_good_set_goes_on_after_a_restart(tmp_path: Path) -> None:
    """P8: with one that cannot be used the whole set before it speaks, and operators read that; it is kept once."""
    machine = Machine(tmp_path, KEYS)
    machine.write("Wake up. {{ acknowledge }}")
    machine.write("It is over.", "closing.sms.txt.j2")
    await machine.start()
    machine.write("{% broken")
    machine.write("All is well again.", "closing.sms.txt.j2")
    for _ in range(2):
        renderer = await machine.start()
        assert texts_of(renderer) == {PAGE: "Wake up. {{ acknowledge }}", "closing.sms.txt.j2": "It is over."}
        (notice,) = machine.notices.take()
        assert "the last good templates go on" in notice.text
    machine.write("Get up. {{ acknowledge }}")
    renderer = await machine.start()
    assert texts_of(renderer) == {PAGE: "Get up. {{ acknowledge }}", "closing.sms.txt.j2": "All is well again."}
    assert len(machine.ledger.pages.configs) == 3


@pytest.mark.usefixtures("patient")
async def test_a_reload_keeps_what_it_puts_in_force(tmp_path: Path) -> None:
    """A good set is kept with the config; a broken one is not, and a new config takes the good one along."""
    machine = Machine(tmp_path, KEYS)
    machine.write("Wake up. {{ acknowledge }}")
    renderer = await machine.start()
    machine.write("Get up. {{ acknowledge }}")
    await machine.reader.templates(renderer)
    machine.write("{% broken")
    await machine.reader.templates(renderer)
    (tmp_path / "config" / "more.yaml").write_text("# another\n")
    assert await machine.reader.read()
    kept = [config.templates for config in machine.ledger.pages.configs]
    assert kept == [None, {PAGE: "Wake up. {{ acknowledge }}"}, *[{PAGE: "Get up. {{ acknowledge }}"}] * 2]
    assert len({config.since for config in machine.ledger.pages.configs[:3]}) == 1, "the config is in force as long"
    assert all(vouched(["the key"], config) for config in machine.ledger.pages.configs)


async def test_a_template_folder_that_hangs_at_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 73: the kept set speaks until the folder answers."""
    machine, answers = Machine(tmp_path, KEYS), Event()
    machine.write("Wake up. {{ acknowledge }}")
    with monkeypatch.context() as patient:
        patient.setattr("tocsin.app.lifecycle.reload.FOLDERS_WITHIN", 60.0)
        await machine.start()
    machine.template_threads.submit(answers.wait)
    renderer = await machine.start()
    assert texts_of(renderer) == {PAGE: "Wake up. {{ acknowledge }}"}
    assert (list(machine.notices.take()), machine.reader.unread.pause(60) < 60) == ([], True)
    answers.set()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("keys", [{}, {"TOCSIN_WEB__SIGNING_KEY": "another key"}])
async def test_nobody_vouches_for_forged_templates(tmp_path: Path, keys: dict[str, str]) -> None:
    """Without a key's code no word of the ledger counts that does not stand on the disk: the shipped text stands in, and
    a good start signs nothing that it has not judged itself.
    """
    machine = Machine(tmp_path, keys)
    machine.write("Wake up. {{ acknowledge }}")
    await machine.start()
    newest = machine.ledger.pages.configs[-1]
    forged = {PAGE: "Send your password to x@evil.example"}
    machine.ledger.pages.configs.append(replace(newest, templates=forged))
    machine.write("{% broken")
    renderer = await machine.start()
    assert texts_of(renderer) == {}
    assert "the shipped text is used instead" in next(iter(machine.notices.take())).text
    newest = machine.ledger.pages.configs[-1]
    assert vouched(["another key"], newest) == bool(keys)
    assert newest.templates == (None if keys else forged)


@pytest.mark.usefixtures("patient")
async def test_a_kept_set_that_broke_since_speaks_no_more(tmp_path: Path) -> None:
    """What an upgrade no longer takes is no better on the disk's account than on the ledger's."""
    machine = Machine(tmp_path, KEYS)
    await machine.start()
    files, broken = machine.ledger.pages.configs[-1], {PAGE: "{% gone %}"}
    code = code_of(["the key"], files.revision, files.files, broken)
    machine.ledger.pages.configs.append(replace(files, mac=code, templates=broken))
    machine.write("{% broken")
    machine.write("It is over.", "closing.sms.txt.j2")
    assert texts_of(await machine.start()) == {"closing.sms.txt.j2": "It is over."}


@pytest.mark.usefixtures("patient")
async def test_kept_templates_that_stand_on_the_disk_need_no_key(tmp_path: Path) -> None:
    """They are no stranger's; here the one that was added breaks all others."""
    machine = Machine(tmp_path)
    machine.write("Wake up. {{ acknowledge }}")
    await machine.start()
    machine.write("{% broken", "closing.sms.txt.j2")
    assert texts_of(await machine.start()) == {PAGE: "Wake up. {{ acknowledge }}"}
    assert "the last good templates go on" in next(iter(machine.notices.take())).text


def test_a_code_is_for_one_config_and_its_templates() -> None:
    """Templates cannot be taken away, changed or put among the files; without them the code is that of before."""
    files, templates = {"a.yaml": b"one"}, {PAGE: "Wake up."}
    kept = KeptConfig("r1", NOW, files, code_of(["k"], "r1", files, templates), templates)
    assert vouched(["k"], kept)
    for other in (None, {}, {PAGE: "Wake up!"}, {"update.sms.txt.j2": "Wake up."}):
        assert not vouched(["k"], replace(kept, templates=other))
    assert not vouched(["k"], replace(kept, files={**files, PAGE: b"Wake up."}, templates=None))
    assert vouched(["k"], KeptConfig("r1", NOW, files, code_of(["k"], "r1", files)))
