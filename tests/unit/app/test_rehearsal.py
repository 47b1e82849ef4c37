"""Words are tried before a message needs them: whose templates are compiled by then, and when that may be."""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tocsin.adapters.jinja import sandbox, unguarded
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.engine.rehearsal import Rehearsal
from tocsin.app.state.agenda import Agenda
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.wording.message.samples import samples

from tests.builders.active_config import active_config
from tests.builders.policies import paging_policy

POLICY = paging_policy()
MANY = (Kind.PAGE, Kind.UPDATE, Kind.CLOSING)


class Read:
    """A folder that was read, once that is so."""

    def __init__(self) -> None:
        self.read = asyncio.Event()

    async def first_read(self) -> None:
        await self.read.wait()


class Rehearsed:
    """What was tried."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self.asked: list[tuple[set[Channel], tuple[str, ...]]] = []

    def rehearsal(self, channels: Collection[Channel], languages: Collection[str]) -> Iterator[None]:
        self.asked.append((set(channels), tuple(languages)))
        for _ in range(self.steps):
            yield
            self.done += 1


async def until_still() -> None:
    """Long enough for whatever may run to have run."""
    await asyncio.sleep(0.2)


async def test_words_are_tried_after_the_first_reading_and_while_nothing_is_to_be_looked_at() -> None:
    """An incident that is looked at goes first, at each step."""
    agenda, folder, words = Agenda(), Read(), Rehearsed(3)
    running = asyncio.create_task(Rehearsal(agenda, active_config(POLICY), words, [folder]).run())
    try:
        await until_still()
        assert words.asked == []
        agenda.poke("an-incident")
        folder.read.set()
        await until_still()
        assert words.done == 0
        await agenda.take()
        await until_still()
        assert words.done == 0
        agenda.done("an-incident", None)
        await until_still()
        assert words.done == 3
        assert not running.done(), "a part lives as long as the daemon"
    finally:
        running.cancel()


async def test_words_that_break_end_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """P2: a fault in what nobody gets is a line of the log, and no part of the daemon ends."""

    class Broken(Rehearsed):
        def rehearsal(self, channels: Collection[Channel], languages: Collection[str]) -> Iterator[None]:
            yield
            raise ZeroDivisionError

    running = asyncio.create_task(Rehearsal(Agenda(), active_config(POLICY), Broken(1), []).run())
    await until_still()
    assert not running.done()
    running.cancel()
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_only_channels_and_languages_of_the_config_are_tried() -> None:
    """Where nobody has a phone no SMS is."""
    people = {name: replace(person, phone="", language="pt") for name, person in POLICY.people.items()}
    groups = {name: replace(group, via=(Channel.EMAIL,)) for name, group in POLICY.stakeholders.items()}
    policy, words = replace(POLICY, people=people, stakeholders=groups), Rehearsed(0)
    running = asyncio.create_task(Rehearsal(Agenda(), active_config(policy), words, []).run())
    await until_still()
    running.cancel()
    assert words.asked == [({Channel.EMAIL}, policy.languages)]


@pytest.mark.parametrize("own", ["", "page.email.html.j2", "closing.subject.txt.j2", "layout.html.j2"])
def test_a_first_message_compiles_nothing_once_words_were_tried(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of the shipped templates nor of one's own, with all that it takes from shipped ones."""
    monkeypatch.setattr(unguarded, "_COMPILED", {})
    monkeypatch.setattr(sandbox, "_OF_PACKAGE", {})
    if own:
        (tmp_path / own).write_text((shipped_folder() / own).read_text() + "\n")
    codes = sandbox.Codes()
    renderer = JinjaRenderer(shipped_folder(), pytest.fail, codes)
    assert renderer.load(tmp_path) == ()
    for _ in renderer.rehearsal(list(Channel), ("en", "de")):
        pass

    def known() -> tuple[int, ...]:
        return len(unguarded._COMPILED), len(sandbox._OF_PACKAGE), len(codes)

    compiled = known()
    for words in (words for words in samples() if words.kind in MANY and not words.drill):
        for via in Channel:
            for language in map(renderer._languages.of, ("en", "de")):
                spoken = replace(words, language=language.code, direction=language.direction)
                renderer._used.content(spoken, via, language)
    assert known() == compiled


def test_words_are_tried_one_a_step_and_a_broken_template_is_no_news(tmp_path: Path) -> None:
    """Operators hear of it when it is met, as before; the others are tried all the same."""
    (tmp_path / "page.subject.txt.j2").write_text("{{ nothing_of_that_name }}")
    renderer = JinjaRenderer(shipped_folder(), pytest.fail)
    assert renderer.load(tmp_path) == ()
    assert sum(1 for _ in renderer.rehearsal([Channel.EMAIL], ["en", "de"])) == len(MANY) * 2
