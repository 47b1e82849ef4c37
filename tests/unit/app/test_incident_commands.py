"""The desk: who may acknowledge, and how edits reach a file that is there, gone or unreadable (rules 15, 32, 33)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.app.incidents.commands import ROOM_TO_END, EditRefusedError, IncidentCommands
from tocsin.cli.acknowledging import acknowledged
from tocsin.domain.arrival import CommandAnswerEntry
from tocsin.domain.facts import Answer, Answered, Paged, RoleDropped, RoleOpened, Seen, StepFired, Updated, VerifyAsked
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel, StakeholderGroup
from tocsin.domain.policy import Cadence, Span, Stream
from tocsin.formats.incident.read import digest, read_incident, unreadable_incident
from tocsin.text.decoding import FILE_LIMIT

from tests.builders.policies import small_policy

NOW = datetime(2026, 11, 23, 10, 4, 30, 500_000, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=1)
GOOD = "# hand-written\ntitle: Card payments fail\nseverity: sev2\n"
RESOLVE = Edit(status=Status.RESOLVED, resolution="Fixed")


class Room:
    """A folder, a ledger, and the desk between them."""

    def __init__(self, folder: Path, ledger: SqlLedger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.left: list[CommandAnswerEntry] = []
        self.judged = ""
        self.desk = IncidentCommands(IncidentFiles(folder), small_policy(), ledger, NOW, leave=self.leave)

    async def leave(self, entry: CommandAnswerEntry) -> str:
        self.left.append(entry)
        return self.judged

    def write(self, name: str, text: str | bytes) -> None:
        (self.folder / name).write_bytes(text.encode() if isinstance(text, str) else text)

    def says(self, name: str = "card.yaml") -> Incident:
        found = read_incident((self.folder / name).read_bytes(), name, small_policy(), None, name).incident
        assert found is not None
        return found

    def hidden(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.name.startswith(".")]

    async def seen(self, text: str = GOOD, *, paged: str = "") -> Incident:
        """The daemon has seen this version, and paged somebody for it."""
        incident = read_incident(text.encode(), "card.yaml", small_policy(), None, "").incident
        assert incident is not None
        await self.ledger.record("card", [Seen(BEFORE, incident, digest(text.encode())), *_pages(paged)], [], [])
        await self.ledger.keep_file("card", "card.yaml", digest(text.encode()), text.encode())
        return incident


def _pages(person: str, role: str = "technical_lead", at: datetime = BEFORE) -> list[RoleOpened | StepFired | Paged]:
    if not person:
        return []
    return [
        RoleOpened(at, role, Reason.DECLARED),
        StepFired(at, role, 1, 0, (person,)),
        Paged(at, person, (role,), 0, 1, Reason.DECLARED, (Channel.EMAIL,)),
    ]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    (tmp_path / "incidents").mkdir()
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "x")))
    yield Room(tmp_path / "incidents", ledger)
    await ledger.close()


async def test_declare_takes_the_next_free_id(room: Room) -> None:
    """Ids in the folder, under either suffix, and ids that only the ledger knows are taken."""
    room.write("2026-11-23-card-payments-fail.yml", GOOD)
    incident = Incident("2026-11-23-card-payments-fail-2", "x", "sev1", Status.RESOLVED)
    await room.ledger.record(incident.id, [Seen(BEFORE, incident)], [], [])
    id_ = await room.desk.declare(Incident("", "Card payments fail!", "sev2", services=("checkout",), drill=True))
    assert id_ == "2026-11-23-card-payments-fail-3"
    assert room.says(f"{id_}.yaml") == Incident(
        id_,
        "Card payments fail!",
        "sev2",
        services=("checkout",),
        drill=True,
        declared_at=NOW.replace(microsecond=0),
    )


@pytest.mark.parametrize(
    ("title", "slug"), [("Überlast: Straße!", "-uberlast-strasse"), ("支付故障", ""), ("a " * 99, "-a")]
)
async def test_any_title_gives_an_id(room: Room, title: str, slug: str) -> None:
    """Titles in other scripts, or without end, give valid ids."""
    id_ = await room.desk.declare(Incident("", title, "sev2"))
    assert id_.startswith(f"2026-11-23{slug}")
    assert len(id_) <= 80


async def test_whoever_was_paged_may_acknowledge(room: Room) -> None:
    """It is written as {by, at}, not before the page, comments kept."""
    await room.seen(paged="bo")
    room.write("card.yaml", GOOD)
    assert await room.desk.acknowledge("card", "bo", acknowledged) == "card: Bo Berg is technical_lead now"
    (written,) = room.says().acknowledged
    assert written.by == "bo"
    assert written.at is not None
    assert NOW <= written.at < NOW + timedelta(seconds=1)
    assert (room.folder / "card.yaml").read_text().startswith(GOOD)


async def test_whoever_is_not_needed_any_more_is_told_so(room: Room) -> None:
    """Rule 18: the severity was lowered meanwhile; they have not "answered already", they were stood down."""
    await room.seen(paged="bo")
    await room.ledger.record("card", [RoleDropped(NOW, "technical_lead")], [], [])
    room.write("card.yaml", GOOD)
    said = await room.desk.acknowledge("card", "bo", acknowledged)
    assert said == "card: Bo Berg is not needed as technical_lead any more; nothing was written"


async def test_a_second_ack_writes_nothing_and_says_who_holds_it_since_when(room: Room) -> None:
    """Section 6 for commands: of the holder as of whoever comes too late. After a minute a holder is still there, which
    counts (rule 19), and is written.
    """
    await room.seen(paged="bo")
    await room.ledger.record("card", _pages("ana"), [], [])
    room.write("card.yaml", GOOD)
    await room.desk.acknowledge("card", "bo")
    text = (room.folder / "card.yaml").read_text()
    for person in ("bo", "ana"):
        has = {"bo": "holds", "ana": "has taken"}[person]
        expected = f"card: Bo Berg {has} technical_lead since 10:04 UTC; nothing was written"
        assert await room.desk.acknowledge("card", person, acknowledged) == expected
    assert (room.folder / "card.yaml").read_text() == text
    later = IncidentCommands(IncidentFiles(room.folder), small_policy(), room.ledger, NOW + timedelta(minutes=5))
    assert await later.acknowledge("card", "bo", acknowledged) == "card: Bo Berg is still technical_lead"
    assert len(room.says().acknowledged) == 2


async def test_an_answer_is_never_before_its_page(room: Room) -> None:
    """The daemon's clock may be ahead of this machine's: the answer counts from the page on, not from before it."""
    paged_at = NOW + timedelta(seconds=40)
    await room.seen()
    pages = _pages("bo", at=paged_at)
    await room.ledger.record("card", pages, [], [])
    room.write("card.yaml", GOOD)
    await room.desk.acknowledge("card", "bo")
    (acknowledgment,) = room.says().acknowledged
    assert acknowledgment.at is not None
    assert paged_at <= acknowledgment.at < paged_at + timedelta(seconds=1)


async def test_whoever_was_neither_paged_nor_assigned_may_not(room: Room) -> None:
    """Nothing is written, and the way is named; an assignment in the file, seen or not yet, is enough."""
    await room.seen(paged="bo")
    room.write("card.yaml", GOOD)
    with pytest.raises(EditRefusedError, match=r"never paged .* tocsin assign card ROLE ana"):
        await room.desk.acknowledge("card", "ana")
    assert (room.folder / "card.yaml").read_text() == GOOD
    room.write("card.yaml", GOOD + "roles: {technical_lead: ana}\n")
    await room.desk.acknowledge("card", "ana")
    assert [each.by for each in room.says().acknowledged] == ["ana"]


async def test_before_the_daemon_knows_anybody_may(room: Room) -> None:
    """Without a version in the ledger, or without a ledger, the file is written."""
    room.write("card.yaml", GOOD)
    await room.desk.acknowledge("card", "ana")
    room.write("other.yaml", GOOD)
    await IncidentCommands(IncidentFiles(room.folder), small_policy(), None, NOW).acknowledge("other", "bo")
    assert [room.says(name).acknowledged[0].by for name in ("card.yaml", "other.yaml")] == ["ana", "bo"]


async def test_a_clock_of_another_century_dates_no_answer(room: Room) -> None:
    """Rule 59: no file may bear that year, so the name stands alone and counts when it is seen."""
    room.write("card.yaml", GOOD)
    at = datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    incident = read_incident(GOOD.encode(), "card.yaml", small_policy(), None, "").incident
    assert incident is not None
    await room.ledger.record("card", [Seen(at, incident, digest(GOOD.encode())), *_pages("ana", at=at)], [], [])
    await IncidentCommands(IncidentFiles(room.folder), small_policy(), room.ledger, at).acknowledge("card", "ana")
    assert room.says().acknowledged == (Acknowledgment("ana"),)


async def test_a_resolved_incident_has_nothing_to_acknowledge(room: Room) -> None:
    """Only whoever was asked to verify may still answer."""
    await room.seen(GOOD + "status: resolved\n")
    room.write("card.yaml", GOOD + "status: resolved\n")
    with pytest.raises(EditRefusedError, match="is resolved"):
        await room.desk.acknowledge("card", "ana")
    await room.ledger.record("card", [VerifyAsked(BEFORE, 1, ("bo",))], [], [])
    with pytest.raises(EditRefusedError, match="is resolved"):
        await room.desk.acknowledge("card", "ana")
    assert await room.desk.acknowledge("card", "bo", acknowledged) == "card: Bo Berg says that all is healthy"
    assert [acknowledgment.by for acknowledgment in room.says().acknowledged] == ["bo"]


async def test_what_went_back_to_an_older_content_is_not_acknowledged(room: Room) -> None:
    """Rule 69: the edit would reopen it; that it is held is said, not that somebody was never paged."""
    await room.seen(paged="ana")
    await room.seen(GOOD + "status: resolved\n")
    room.write("card.yaml", GOOD)
    with pytest.raises(EditRefusedError, match=r'older content, which is held .* tocsin update card "TEXT"'):
        await room.desk.acknowledge("card", "ana")
    assert room.says().acknowledged == ()
    await room.desk.edit("card", Edit(summary="It is back."))
    with pytest.raises(EditRefusedError, match="never paged"):
        await room.desk.acknowledge("card", "ana")


async def test_a_never_readable_file_is_acknowledged_by_the_daemon(room: Room) -> None:
    """Rule 32: the answer is left for the daemon, which hears it so; the file and the ledger are left alone, and nobody
    else's counts.
    """
    room.write("card.yaml", "help!")
    incident = unreadable_incident("card.yaml", "help!", small_policy())
    await room.ledger.record("card", [Seen(BEFORE, incident, digest(b"help!")), *_pages("ana", "")], [], [])
    with pytest.raises(EditRefusedError, match="never paged"):
        await room.desk.acknowledge("card", "bo")
    assert "card.yaml:1:1" in await room.desk.acknowledge("card", "ana")
    assert [(entry.incident, entry.person, entry.answer) for entry in room.left] == [("card", "ana", Answer.OK)]
    room.judged = "NOT yet acknowledged"
    with pytest.raises(EditRefusedError, match=r"^card: NOT yet acknowledged$"):
        await room.desk.acknowledge("card", "ana")
    assert not any(isinstance(fact, Answered) for fact in await room.ledger.facts("card"))
    assert (room.folder / "card.yaml").read_text() == "help!"
    with pytest.raises(EditRefusedError, match="correct it first"):
        await room.desk.edit("card", RESOLVE)
    (room.folder / "card.yaml").unlink()
    with pytest.raises(EditRefusedError, match="the file is gone; put it back first"):
        await room.desk.edit("card", RESOLVE)


async def test_what_the_daemon_has_not_seen_yet_is_answered_by_nobody(room: Room) -> None:
    """Rule 32: within its first 10 s nobody is asked for a file that is no YAML; an answer then would spoil the
    incident's record, and so nothing is noted anywhere.
    """
    room.write("card.yaml", "title: x\n\tseverity: sev1\n")
    with pytest.raises(EditRefusedError, match="not seen it yet, so nobody is asked: nothing was noted"):
        await room.desk.acknowledge("card", "ana")
    assert (room.left, await room.ledger.facts("card"), await room.ledger.incidents()) == ([], (), ())


async def test_a_file_that_was_just_corrected_is_acknowledged_in_the_file(room: Room) -> None:
    """What the ledger knows of it is that it could not be read; now it can, as before the daemon ever saw it."""
    incident = unreadable_incident("card.yaml", "help!", small_policy())
    await room.ledger.record("card", [Seen(BEFORE, incident, digest(b"help!"))], [], [])
    room.write("card.yaml", GOOD)
    await room.desk.acknowledge("card", "bo")
    assert [acknowledgment.by for acknowledgment in room.says().acknowledged] == ["bo"]


async def test_a_vanished_file_is_written_anew(room: Room) -> None:
    """From the last good version, its comments too."""
    await room.seen()
    assert "written anew" in await room.desk.edit("card", RESOLVE)
    assert room.says().resolved
    assert (room.folder / "card.yaml").read_text().startswith(GOOD)


@pytest.mark.parametrize("text", ["", "help!", "title: 'half", "\x00", GOOD + "title: twice\n"])
async def test_an_unreadable_file_is_kept_and_written_anew(room: Room, text: str) -> None:
    """What stood there is kept beside it under a name that is left alone."""
    known = await room.seen()
    room.write("card.yaml", text)
    said = await room.desk.edit("card", RESOLVE)
    (kept,) = room.hidden()
    assert kept.name.startswith(".card.yaml.unread-20261123T100430Z")
    assert kept.name in said
    assert kept.read_text() == text
    assert room.says() == replace(known, status=Status.RESOLVED, resolution="Fixed")


async def test_a_link_is_replaced_not_followed(room: Room) -> None:
    """A link in the file's place is kept beside it; what it points to is untouched."""
    await room.seen()
    secret = room.folder.parent / "secret"
    secret.write_text("mine")
    (room.folder / "card.yaml").symlink_to(secret)
    await room.desk.edit("card", RESOLVE)
    assert (room.says().resolved, secret.read_text()) == (True, "mine")
    assert room.hidden()[0].is_symlink()


async def test_a_renamed_file_is_found(room: Room) -> None:
    """By what was last seen of it."""
    await room.seen()
    room.write("renamed.yaml", GOOD)
    await room.desk.edit("card", Edit(entry=UpdateEntry("News")))
    assert [path.name for path in room.folder.iterdir()] == ["renamed.yaml"]
    assert room.says("renamed.yaml").updates == (UpdateEntry("News"),)


async def test_a_renamed_file_that_was_edited_since_is_found(room: Room) -> None:
    """Where the daemon saw it last counts, before any file that is called like the incident (rule 33)."""
    await room.seen()
    await room.ledger.keep_file("card", "payments.yaml", digest(GOOD.encode()), GOOD.encode())
    room.write("payments.yaml", GOOD + "summary: edited since\n")
    room.write("card.yaml", GOOD)
    await room.desk.edit("card", RESOLVE)
    assert room.says("payments.yaml").resolved
    assert (room.folder / "card.yaml").read_text() == GOOD


async def test_an_unknown_id_names_its_neighbour(room: Room) -> None:
    """A typing error is answered with what may be meant."""
    room.write("card-payments.yaml", GOOD)
    with pytest.raises(EditRefusedError, match='no incident "card-paymnets"; did you mean "card-payments"'):
        await room.desk.edit("card-paymnets", RESOLVE)


async def test_an_edit_under_our_hands_is_not_lost(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes between reading and renaming is edited again as it is then; its mode stays."""
    room.write("card.yaml", GOOD)
    (room.folder / "card.yaml").chmod(0o664)
    files = IncidentFiles(room.folder)
    edits: list[bytes] = []

    def edit(data: bytes) -> bytes:
        edits.append(data)
        if len(edits) == 1:
            room.write("card.yaml", GOOD + "impact: all\n")
        return data + b"drill: true\n"

    assert files.change("card.yaml", edit)
    assert (room.folder / "card.yaml").read_text() == GOOD + "impact: all\ndrill: true\n"
    assert (room.folder / "card.yaml").stat().st_mode & 0o777 == 0o664
    assert room.hidden() == []


async def test_two_commands_at_once_both_count(room: Room) -> None:
    """Edits from several commands at the same moment are all in the file."""
    import asyncio

    room.write("card.yaml", GOOD)

    def acknowledge(number: int) -> None:
        desk = IncidentCommands(IncidentFiles(room.folder), small_policy(), None, NOW)
        asyncio.run(desk.edit("card", Edit(acknowledgment=Acknowledgment(f"p{number}", NOW))))

    await asyncio.gather(*(asyncio.to_thread(acknowledge, number) for number in range(8)))
    text = (room.folder / "card.yaml").read_text()
    assert all(f"by: p{number}," in text for number in range(8))


@pytest.mark.parametrize("ended", ["Index rebuilt.", "{text: Index rebuilt., public: Search works.}"])
async def test_what_reopens_takes_the_words_of_the_end_out(room: Room, ended: str) -> None:
    """They did not hold, and may be said again of the next end, as who found all healthy (rule 27): else nobody would be
    asked again. An edit that reopens nothing leaves them alone.
    """
    over = f"{GOOD}status: resolved\nresolution: {ended}\nverified_by: ana\n"
    room.write("card.yaml", over)
    before = room.says()
    await room.desk.edit("card", Edit(entry=UpdateEntry("Looks well.")))
    await room.desk.edit("card", RESOLVE if ended[0] != "{" else Edit(status=Status.RESOLVED))
    assert room.says().public_resolution == before.public_resolution
    assert room.says().resolution
    assert room.says().verified_by == "ana"
    await room.desk.edit("card", Edit(status=Status.MONITORING))
    assert (room.says().resolution, room.says().public_resolution, room.says().verified_by) == ("", "", "")
    assert (room.folder / "card.yaml").read_text().startswith("# hand-written\n")


async def test_who_is_asked_for_a_word_about_this_end(room: Room) -> None:
    """A public word from before a reopening says nothing about this end; a newer one, if only in the file, does."""
    ended = f"{GOOD}status: resolved\nresolution: {{public: Search works.}}\n"
    again = ended.replace("resolved", "monitoring")
    told = Updated(BEFORE, "support", Reason.DECLARED, True, (("c@example.com", Channel.EMAIL),))
    for text, facts in ((GOOD, [told]), (ended, []), (again, [told])):
        await room.seen(text)
        await room.ledger.record("card", facts, [], [])
    for text, asked in ((again, 1), (again.replace("works", "works again"), 0)):
        room.write("card.yaml", text)
        assert len(await room.desk.outsiders_without_a_word("card")) == asked


async def test_an_update_for_outsiders_says_that_they_wait(room: Room) -> None:
    """While the title or the severity was never read they hear nothing, whatever is written (rule 56); of a word for
    insiders nothing is said.
    """
    broken = "title: Card payments fail\nseverity: sve2\n"
    incident = await room.seen(broken)
    assert incident.never_read == ("severity",)
    room.write("card.yaml", broken)
    streams = (Stream(("public",), Cadence((Span(timedelta(hours=1), None),))),)
    policy = small_policy()
    severity = replace(policy.severity(incident.severity), updates=streams)
    outside = StakeholderGroup("public", "Public", emails=("status@lists.example.com",), external=True)
    policy = replace(policy, severities={incident.severity: severity}, stakeholders={"public": outside})
    room.desk = IncidentCommands(IncidentFiles(room.folder), policy, room.ledger, NOW)
    said = await room.desk.edit("card", Edit(entry=UpdateEntry("We look.", "We look into it.", NOW)))
    assert said == "Public hear nothing until the severity of the file can be read"
    assert await room.desk.edit("card", Edit(entry=UpdateEntry("We look on.", "", NOW))) == ""


async def test_who_did_what_stands_in_the_timeline(room: Room) -> None:
    """P8: of what somebody named does a note says what is true now and what was; an update names its author itself."""
    room.write("card.yaml", GOOD)
    await room.desk.edit("card", Edit(severity="sev1", impact="Cards fail."), by="bo")
    await room.desk.edit("card", Edit(entry=UpdateEntry("Looks well.", by="bo"), status=Status.MONITORING), by="bo")
    await room.desk.edit("card", Edit(no_eta=True))
    (note,) = room.says().timeline
    assert (note.text, note.by, note.at) == (
        "Severity is SEV1 now, was SEV2. The impact: “Cards fail.”",
        "bo",
        NOW.replace(microsecond=0),
    )
    assert (room.folder / "card.yaml").read_text().startswith("# hand-written\n")


async def test_notes_leave_room_to_end_it(room: Room) -> None:
    """P4: a file is not filled with notes until it cannot be read: whatever was noted, it can still be resolved."""
    room.write("card.yaml", f"{GOOD}# {'x' * (FILE_LIMIT - ROOM_TO_END)}\n")
    with pytest.raises(EditRefusedError, match="would be over 224 KiB"):
        await room.desk.edit("card", Edit(note=TimelineNote("one more")))
    await room.desk.edit("card", RESOLVE)
    assert room.says().resolved


async def test_declared_once(room: Room) -> None:
    """P3: the same words of one person in one second are one incident; of somebody else, another."""
    declared = Incident("", "Search is down", "sev1", declared_by="bo")
    first = await room.desk.declare_once(declared)
    assert await room.desk.declare_once(declared) == first
    other, _ = await room.desk.declare_once(replace(declared, declared_by="ana"))
    assert other == f"{first[0]}-2"
