"""What a standby keeps warm: a takeover finds its templates judged and compiled."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sandbox import Codes
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.leadership import warm
from tocsin.app.leadership.warm import WarmTemplates
from tocsin.ports.renderer import TemplateVerdict

NAME = "page.sms.txt.j2"


class CountedWork:
    """Judges that all is well, and counts how often it was asked."""

    runs = 0

    def run(self, *_: Any, **__: Any) -> Any:
        self.runs += 1
        return TemplateVerdict()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - whatever is waited for has no event
            await asyncio.sleep(0.005)


async def test_a_takeover_finds_its_templates_judged_and_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those on disk are judged once, and anew when they or the languages have changed; what leads then does neither."""
    monkeypatch.setattr(warm, "LOOKS_EVERY", 0.02)
    work, compiled = CountedWork(), Codes()
    judge, renderer = ConfigJudge(work), JinjaRenderer(shipped_folder(), pytest.fail, compiled)
    reading = SimpleNamespace(policy=None, settings=SimpleNamespace(templates=tmp_path))
    (tmp_path / NAME).write_text("first {{ title }}")
    on_disk: Any = SimpleNamespace(reading=reading)
    warming = asyncio.create_task(WarmTemplates(on_disk, renderer, judge, DiskThreads("templates")).run())
    try:
        await asyncio.sleep(0.1)
        assert work.runs == 0, "there is no config to tell where they are"
        reading.policy = SimpleNamespace(languages=("en",))
        await until(lambda: (NAME, "first {{ title }}") in compiled)
        await asyncio.sleep(0.1)
        assert work.runs == 1
        (tmp_path / NAME).write_text("second {{ title }}")
        await until(lambda: (NAME, "second {{ title }}") in compiled)
        reading.policy = SimpleNamespace(languages=("en", "de"))
        await until(lambda: work.runs == 3)
    finally:
        warming.cancel()
        await asyncio.wait({warming})
    leader = JinjaRenderer(shipped_folder(), pytest.fail, compiled)
    files = leader.read(tmp_path)
    verdict = await judge.templates(files, ("en", "de"))
    before = dict(compiled)
    leader.prepare(files, verdict)
    assert (work.runs, compiled) == (3, before)
    assert leader.use(files, verdict) == ()
    assert list(compiled) == [(NAME, "second {{ title }}")]
