"""When the folder is looked through, and when only at what is said to have changed."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from tocsin.app.intake.changes import Changes
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.watch import FOUND_MOST, Watch
from tocsin.app.state.notices import Notices
from tocsin.ports.folder import Listed

from tests.builders.active_config import active_config
from tests.builders.policies import small_policy
from tests.fakes.folder import FakeFolder
from tests.fakes.loop import VirtualClock, run_virtually

GOOD = "title: {}\nseverity: sev2\n"
LOOKED_THROUGH = "*"


class CountingFolder(FakeFolder):
    """Notes what is looked at: names, or LOOKED_THROUGH for all there is."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[str] = []

    def scan(self) -> Sequence[Listed] | str:
        self.looks.append(LOOKED_THROUGH)
        return super().scan()

    def look_at(self, names: Collection[str]) -> Mapping[str, Listed] | None:
        found = super().look_at(names)
        self.looks.append(" ".join(sorted(found or ())))
        return found


class Brought:
    """FolderNews that keeps when versions counted, and which files it was shown with them."""

    def __init__(self) -> None:
        self.versions: list[tuple[float, str, str]] = []
        self.shown: list[set[str]] = []

    async def take(
        self, changes: Changes, files: Mapping[str, Listed], _now: datetime
    ) -> Mapping[str, AbstractSet[str]]:
        at = asyncio.get_running_loop().time()
        if changes.versions:
            self.versions += [(at, version.incident.id, version.incident.title) for version in changes.versions]
            self.shown.append(set(files))
        return {}

    async def recorded(self, _incident: str) -> None:
        return None

    def take_pruned(self) -> Sequence[str]:
        return ()

    async def pruned(self, _incident: str) -> None:
        return None

    async def run(self) -> None:
        await asyncio.Event().wait()


class Desk:
    """A watch on a folder in which ten incidents were declared."""

    def __init__(self, clock: VirtualClock) -> None:
        self.folder, self.news = CountingFolder(), Brought()
        for number in range(10):
            self.folder.write(f"{number}.yaml", GOOD.format(number))
        self.watch = Watch(clock, active_config(small_policy()), Notices(clock), self.folder, Intake({}), self.news)


def watched(story: Callable[[Desk], Awaitable[None]]) -> Desk:
    """What came of a story that begins a second after the start."""

    async def life(clock: VirtualClock) -> Desk:
        desk = Desk(clock)
        running = asyncio.create_task(desk.watch.run())
        await asyncio.sleep(1)
        desk.folder.looks.clear()
        desk.news.versions.clear()
        desk.news.shown.clear()
        await story(desk)
        running.cancel()
        return desk

    desk: Desk = run_virtually(life)
    return desk


def test_only_what_changed_is_looked_at() -> None:
    """A new file and an edit are each looked at alone, and count at once; the rest of the folder is not asked for."""

    async def story(desk: Desk) -> None:
        desk.folder.write("pay.yaml", GOOD.format("new"))
        await asyncio.sleep(1)
        desk.folder.write("3.yaml", GOOD.format("edited"))
        await asyncio.sleep(1)

    desk = watched(story)
    assert desk.folder.looks == ["pay.yaml", "3.yaml"]
    assert desk.news.versions == [(1, "pay", "new"), (2, "3", "edited")]
    assert desk.news.shown == [{"pay.yaml"}, {"3.yaml"}]


def test_what_is_not_for_sure_is_looked_through_at_once() -> None:
    """A file that was renamed keeps its id though only its new name is said, and one that is gone is missed: the whole
    folder is looked through at that instant.
    """

    async def story(desk: Desk) -> None:
        desk.folder.files["pay.yaml"] = Listed("pay.yaml", *_content(desk.folder.files.pop("3.yaml")))
        desk.folder.say("pay.yaml")
        await asyncio.sleep(1)
        desk.folder.write("pay.yaml", GOOD.format("edited"))
        await asyncio.sleep(1)
        desk.folder.remove("4.yaml")
        await asyncio.sleep(1)

    desk = watched(story)
    assert desk.news.versions == [(1, "3", "3"), (2, "3", "edited")]
    assert desk.folder.looks == ["pay.yaml", LOOKED_THROUGH, "pay.yaml", "", LOOKED_THROUGH]


def _content(listed: Listed) -> tuple[Any, str]:
    return listed.data, listed.digest


def test_the_whole_folder_is_looked_through_all_the_same() -> None:
    """However many hints come, what nobody said is found within 10 s."""

    async def story(desk: Desk) -> None:
        desk.folder.files["unsaid.yaml"] = Listed("unsaid.yaml", GOOD.format("unsaid").encode(), "of its own")
        for number in range(40):
            desk.folder.write("3.yaml", GOOD.format(number))
            await asyncio.sleep(0.5)

    desk = watched(story)
    assert desk.folder.looks.count(LOOKED_THROUGH) == 2
    assert [at <= 11 for at, incident, _ in desk.news.versions if incident == "unsaid"] == [True]


def test_a_hint_without_names_and_an_order_mean_everything() -> None:
    """Who asks the watch to look, or says that anything may have changed, has the whole folder looked through."""

    async def story(desk: Desk) -> None:
        desk.watch.poke()
        await asyncio.sleep(1)
        desk.folder.say()
        await asyncio.sleep(1)

    assert watched(story).folder.looks == [LOOKED_THROUGH, LOOKED_THROUGH]


def test_a_folder_that_hangs_at_a_hint() -> None:
    """A look at one file that gets no answer gives way to a look through the folder, which is minded as ever."""

    async def story(desk: Desk) -> None:
        desk.folder.hang()
        desk.folder.write("pay.yaml", GOOD.format("new"))
        await asyncio.sleep(5)
        desk.folder.replace()
        await asyncio.sleep(120)

    assert ("pay", "new") in [(incident, title) for _, incident, title in watched(story).news.versions]


def test_many_hints_are_looked_at_some_at_a_time() -> None:
    """What the first of them bring goes on before the next ones are read; all of them count."""

    async def story(desk: Desk) -> None:
        for number in range(FOUND_MOST * 2):
            desk.folder.write(f"storm{number}.yaml", GOOD.format(f"storm {number}"))
        await asyncio.sleep(1)

    desk = watched(story)
    assert len(desk.news.shown) == 2
    assert len(desk.news.versions) == FOUND_MOST * 2
    assert LOOKED_THROUGH not in desk.folder.looks
