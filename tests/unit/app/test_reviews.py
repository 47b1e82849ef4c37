"""Review drafts on disk: from a real ledger, never over what a human wrote, and at each resolution."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.app.incidents.reviews import DRAFTS_MOST, NeverSeenError, NoDraftError, Reviews, write
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Refused
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import OperatorNotice

from tests.builders.active_config import active_config, settings
from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, on_duty, see

CARD = Incident("card", "Card payments fail", "sev1")
OVER = replace(CARD, status=Status.RESOLVED)


@dataclass
class Room:
    """A ledger with one incident, and a folder of reviews."""

    ledger: SqlLedger
    folder: Path
    incidents: Incidents = field(default_factory=lambda: Incidents(Agenda()))
    notices: Notices = field(default_factory=lambda: Notices(SystemClock()))

    async def write(self, incident: str = "card") -> str:
        return await write(incident, self.ledger, shipped_policy(), IncidentFiles(self.folder))

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def text(self, name: str = "card.md") -> str:
        return (self.folder / name).read_text()

    def reviews(self) -> Reviews:
        return self.reviews_in(IncidentFiles)

    def reviews_in(self, open_folder: Callable[[Path], IncidentFiles]) -> Reviews:
        config = active_config(shipped_policy(), settings(reviews=self.folder))
        return Reviews(SystemClock(), self.ledger, config, self.incidents, self.notices, open_folder)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "x")))
    await see(ledger, CARD)
    yield Room(ledger, tmp_path / "reviews")
    await ledger.close()


async def test_it_tells_what_the_ledger_has(room: Room) -> None:
    """Pages, answers, stand-downs, deliveries and the closing, as they were recorded."""
    commander = shipped_policy().people[on_duty("commanders")]
    await happen(
        room.ledger, "card", Answered(T0 + timedelta(minutes=1), commander.id, Answer.OK), Refused("no", "550")
    )
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    assert await room.write() == "card.md"
    text = room.text()
    for said in (
        f"- **10:00:00** Page to {commander.name} as Incident Commander (declared, level 0, round 1): SMS accepted 10:00:00",
        f"- **10:01:00** **{commander.name} accepted Incident Commander**",
        "- **10:00:00** Update to Executives (declared): Gus Keller by email accepted 10:00:00",
        "- **10:09:00** Closing message: ",
        "| Duration | 9 minutes, from 2026-11-23 10:00:00 UTC to 2026-11-23 10:09:00 UTC |",
    ):
        assert said in text
    assert room.names() == ["card.md"]


async def test_a_human_is_never_written_over(room: Room) -> None:
    """A draft as we wrote it is replaced; an edited one, and a file that was never ours, stay; the next name is used."""
    assert await room.write() == "card.md"
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    assert await room.write() == "card.md"
    assert "**Resolved**" in room.text()
    mine = room.text().replace("## Action items", "## What we do")
    (room.folder / "card.md").write_text(mine)
    (room.folder / "card-2.md").write_text("# mine\n")
    assert [await room.write(), await room.write()] == ["card-3.md", "card-3.md"]
    assert (room.text(), room.text("card-2.md")) == (mine, "# mine\n")


async def test_the_draft_of_another_incident_is_left_alone(room: Room) -> None:
    """`card-2.md` may be the draft of an incident called card-2."""
    await see(room.ledger, replace(CARD, id="card-2"))
    await room.write("card-2")
    await room.write()
    (room.folder / "card.md").write_text("# mine\n")
    assert await room.write() == "card-3.md"


async def test_an_unknown_incident(room: Room) -> None:
    """There is nothing to draft."""
    with pytest.raises(NeverSeenError):
        await room.write("other")


async def test_links_are_not_followed(room: Room, tmp_path: Path) -> None:
    """A link in a draft's place is not written through; a folder that cannot be made is said plainly."""
    room.folder.mkdir()
    (tmp_path / "secret").write_text("mine")
    (room.folder / "card.md").symlink_to(tmp_path / "secret")
    assert await room.write() == "card-2.md"
    assert (tmp_path / "secret").read_text() == "mine"
    room.folder = tmp_path / "secret"
    with pytest.raises(FileError, match=r"card\.md cannot be written"):
        await room.write()


@pytest.fixture
async def at_work(room: Room) -> AsyncIterator[Reviews]:
    reviews = room.reviews()
    task = asyncio.create_task(reviews.run())
    yield reviews
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - a file appears, nobody says so
            await asyncio.sleep(0.01)


async def test_at_resolution(room: Room, at_work: Reviews) -> None:
    """It is there at once, and is written again when the last message has left."""
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    room.incidents.add_unsettled("card")
    room.incidents.note_resolved("card", just_now=True)
    await until(lambda: room.names() == ["card.md"])
    await see(room.ledger, replace(OVER, resolution="Failed over"), T0 + timedelta(minutes=10))
    room.incidents.remove_unsettled("card")
    await until(lambda: "Failed over" in room.text())
    assert room.notices.take() == ()


async def test_each_resolution_is_drafted(room: Room, at_work: Reviews) -> None:
    """Reopened and resolved again, an incident gets a new draft, also where the first was edited or its review done."""
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    room.incidents.note_resolved("card", just_now=True)
    await until(lambda: room.names() == ["card.md"])
    (room.folder / "card.md").write_text("a human was here")
    await see(room.ledger, CARD, T0 + timedelta(minutes=20))
    await see(room.ledger, replace(OVER, review="done"), T0 + timedelta(minutes=30))
    room.incidents.note_resolved("card", just_now=True)
    await until(lambda: room.names() == ["card-2.md", "card.md"])
    assert room.text() == "a human was here"


async def test_messages_that_leave_while_the_draft_is_written(room: Room) -> None:
    """The draft may still call them waiting, so it is written again, though none waits when the first is done."""
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    room.incidents.add_unsettled("card")
    writes: list[Path] = []

    def open_folder(folder: Path) -> IncidentFiles:
        if not writes:
            room.incidents.remove_unsettled("card")
        writes.append(folder)
        return IncidentFiles(folder)

    task = asyncio.create_task(room.reviews_in(open_folder).run())
    room.incidents.note_resolved("card", just_now=True)
    await until(lambda: len(writes) == 2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_after_a_restart_only_a_missing_one_is_written(room: Room, at_work: Reviews) -> None:
    """Neither one that is there, nor one whose review is done, nor one that was put elsewhere since."""
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    room.incidents.note_resolved("card", just_now=False)
    await until(lambda: room.names() == ["card.md"])
    await see(room.ledger, replace(OVER, review="done"), T0 + timedelta(minutes=10))
    room.incidents.note_resolved("card", just_now=False)
    (room.folder / "card.md").rename(room.folder / "archive.md")
    room.incidents.note_resolved("card", just_now=False)
    await see(room.ledger, replace(OVER, id="next"))
    room.incidents.note_resolved("next", just_now=False)
    await until(lambda: "next.md" in room.names())
    assert room.names() == ["archive.md", "next.md"]


async def test_what_goes_wrong_is_told(room: Room, at_work: Reviews) -> None:
    """The operators hear which draft could not be written, and what to do; the next one is written all the same."""
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    room.folder.write_text("not a folder")
    room.incidents.note_resolved("card", just_now=True)
    notices: list[OperatorNotice] = []
    await until(lambda: notices.extend(room.notices.take()) or bool(notices))
    assert "tocsin review card" in notices[0].text
    room.folder.unlink()
    room.incidents.note_resolved("card", just_now=True)
    await until(lambda: room.names() == ["card.md"])


async def test_drafts_have_an_end(room: Room) -> None:
    """When every name is taken by what humans wrote, that is said."""
    room.folder.mkdir()
    for name in ("card.md", *(f"card-{number}.md" for number in range(2, DRAFTS_MOST + 1))):
        (room.folder / name).write_text("# mine\n")
    with pytest.raises(NoDraftError, match="remove some"):
        await room.write()


async def test_a_folder_that_hangs_is_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 62: the draft waits for its folder, and operators hear it while it does; then it is written."""
    monkeypatch.setattr("tocsin.app.incidents.reviews.HANGS_AFTER", 0.02)
    await see(room.ledger, OVER, T0 + timedelta(minutes=9))
    answers = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(answers.wait)
        config = active_config(shipped_policy(), settings(reviews=room.folder))
        reviews = Reviews(
            SystemClock(), room.ledger, config, room.incidents, room.notices, IncidentFiles, threads=threads
        )
        running = asyncio.create_task(reviews._write("card"))
        try:
            async with asyncio.timeout(5):
                await room.notices.news()
            (notice,) = room.notices.take()
        finally:
            answers.set()
        await running
    assert isinstance(notice, OperatorNotice)
    assert f"{room.folder}: the folder does not answer" in notice.text
    assert room.names() == ["card.md"]
