"""An editor that was open saves its older text over what a phone or a command wrote meanwhile (P9), on virtual time:
nothing that somebody typed is lost, nobody hears twice or the contrary, and what is taken out on purpose stays out.
"""

from collections.abc import Sequence
from itertools import permutations

import pytest
from tocsin.app.edits.overwritten import PUT_BACK
from tocsin.domain.facts import Closed, Fact, Paged, RoleOpened, Seen, StoodDown, Updated
from tocsin.domain.incident import Edit, Status, TimelineNote, UpdateEntry
from tocsin.formats.incident.edit import edit_incident

from tests.simulation.test_edits import FILE, PAY, Browsers, simulate

CHANGE = "title: Cards and vouchers fail\n"
UPDATE = Edit(entry=UpdateEntry("A database is full.", "A fix is under way."))


def save(browsers: Browsers, text: str) -> None:
    """An editor writes this over whatever is there."""
    browsers.world.folder.write("pay.yaml", text)


def facts(browsers: Browsers, *kinds: type[Fact]) -> Sequence[Fact]:
    return [fact for fact in browsers.world.disk.facts[PAY] if isinstance(fact, kinds)]


def notes(browsers: Browsers) -> list[str]:
    """Of what was put back."""
    texts = [note.text for note in browsers.incident().timeline if not note.by]
    assert all(text.startswith(PUT_BACK) for text in texts)
    return [text.removeprefix(PUT_BACK) for text in texts]


@pytest.mark.parametrize(("after", "change"), [(0.05, ""), (0.05, CHANGE), (1, CHANGE), (30, ""), (590, CHANGE)])
def test_an_update_from_a_phone_survives_an_editor_that_was_open(after: float, change: str) -> None:
    """P9: the save's own changes count, the update is in the file again, and readers hear it once."""

    async def story(browsers: Browsers) -> None:
        before = len(facts(browsers, Updated))
        ref = browsers.edit("chen", UPDATE)
        await browsers.world.wait(after if after < 1 else 5)
        told = len(facts(browsers, Updated))
        if after >= 1:
            assert told > before
            await browsers.world.wait(after)
        opened = FILE.replace("title: Card payments fail\n", change) if change else FILE
        save(browsers, opened)
        await browsers.world.wait(8)
        incident = browsers.incident()
        assert [entry.text for entry in incident.updates] == ["A database is full."]
        assert incident.title == ("Cards and vouchers fail" if change else "Card payments fail")
        assert browsers.text.startswith("# the night shift\n")
        assert browsers.said(ref)[0] == "acted"
        if after >= 1:
            assert notes(browsers) == ["update by Chen “A database is full.”."]
            assert change or after > 60 or len(facts(browsers, Updated)) == told
            assert not [seen for seen in facts(browsers, Seen)[2:] if not seen.incident.updates], "it was never gone"
        await browsers.world.stop()

    simulate(story)


def test_a_removal_on_purpose_stands() -> None:
    """P9: the second save without it does, and so does a first one after 10 minutes, and one that had the note."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", UPDATE)
        await browsers.world.wait(5)
        save(browsers, FILE)
        await browsers.world.wait(8)
        assert browsers.incident().updates
        save(browsers, FILE)
        await browsers.world.wait(30)
        assert browsers.text == FILE
        browsers.edit("chen", Edit(severity="sev2"))
        await browsers.world.wait(5)
        raised = browsers.text.replace("severity: sev2", "severity: sev1")
        save(browsers, raised)
        await browsers.world.wait(8)
        assert browsers.text == raised, "whoever has the note of it has read it"
        browsers.edit("chen", UPDATE)
        await browsers.world.wait(5)
        await browsers.world.wait(600)
        save(browsers, FILE)
        await browsers.world.wait(8)
        assert browsers.text == FILE
        await browsers.world.stop()

    simulate(story)


def test_a_corrected_word_stays_corrected() -> None:
    """P9: an update that was rewritten in the file is not doubled."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", UPDATE)
        await browsers.world.wait(5)
        corrected = browsers.text.replace("database", "disk")
        save(browsers, corrected)
        await browsers.world.wait(8)
        assert browsers.text == corrected
        await browsers.world.stop()

    simulate(story)


def test_an_end_from_a_phone_is_not_undone() -> None:
    """P9: nobody is paged for an incident that a stale save would reopen, and its closing leaves once."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", Edit(status=Status.RESOLVED, resolution="Disk replaced.", public_resolution="All works."))
        await browsers.world.wait(10)
        before = len(browsers.world.pages())
        opened, closed = len(facts(browsers, RoleOpened)), len(facts(browsers, Closed))
        save(browsers, FILE.replace("None so far", "Half of all payments"))
        await browsers.world.wait(120)
        incident = browsers.incident()
        assert (incident.status, incident.impact) == (Status.RESOLVED, "Half of all payments.")
        assert (incident.resolution, incident.public_resolution) == ("Disk replaced.", "All works.")
        assert len(browsers.world.pages()) == before
        assert (len(facts(browsers, RoleOpened)), len(facts(browsers, Closed))) == (opened, max(closed, 1))
        await browsers.world.stop()

    simulate(story)


def test_a_severity_raised_by_phone_stays_raised() -> None:
    """P9: a stale save neither stands anybody down nor pages them anew."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", Edit(severity="sev2"))
        await browsers.world.wait(5)
        opened = browsers.text
        browsers.edit("chen", Edit(severity="sev1"))
        await browsers.world.wait(5)
        paged, stood_down = len(facts(browsers, Paged)), len(facts(browsers, StoodDown))
        save(browsers, opened)
        await browsers.world.wait(8)
        assert browsers.incident().severity == "sev1"
        assert (len(facts(browsers, Paged)), len(facts(browsers, StoodDown))) == (paged, stood_down)
        assert notes(browsers) == ["note by Chen “Severity is SEV1 now, was SEV2.”; severity."]
        await browsers.world.stop()

    simulate(story)


def test_what_a_command_wrote_is_put_back_as_well() -> None:
    """P9: the daemon knows it by its entries, also after a restart."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        at = world.clock.now().replace(microsecond=0)
        written = edit_incident(
            FILE.encode(), Edit(role=("technical_lead", "eve"), note=TimelineNote("Eve has it.", at))
        )
        assert written is not None
        save(browsers, written.decode())
        await world.wait(5)
        await world.stop()
        save(browsers, FILE)
        await world.start()
        await world.wait(8)
        assert browsers.incident().assigned("technical_lead") == "eve"
        assert browsers.incident().timeline[0].text == "Eve has it."
        await world.stop()

    simulate(story)


def test_what_cannot_be_put_back_is_told_and_holds_nothing_up() -> None:
    """The save counts as it is within seconds, and operators hear what it lacks."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", UPDATE)
        await browsers.world.wait(5)
        browsers.world.files.trouble = "the disk is full"
        save(browsers, FILE)
        await browsers.world.wait(8)
        newest = facts(browsers, Seen)[-1]
        assert isinstance(newest, Seen)
        assert not newest.incident.updates
        await browsers.world.wait(120)
        told = [str(arrival.message.content) for arrival in browsers.world.arrived]
        text = next(text for text in told if "the disk is full" in text)
        assert "update by Chen “A database is full.”" in text
        await browsers.world.stop()

    simulate(story)


ACTS = ("update", "note", "severity", "save a title", "save a note")


ORDERS = [order for order in permutations(ACTS) if order[-1].startswith("save")]
SAMPLES = [(ORDERS[number], 5 if number % 2 else 0.3) for number in (0, 15, 30, 47)]
WHOLE = [pytest.param(order, pause, marks=pytest.mark.attack) for order in ORDERS for pause in (0.3, 5)]


@pytest.mark.parametrize(("order", "pause"), SAMPLES + WHOLE)
def test_in_whatever_order_nothing_typed_is_lost(order: tuple[str, ...], pause: float) -> None:
    """P9: an editor that saves twice and a phone that writes meanwhile. The editor reads the file anew after a save that
    was mended, as editors ask one to.
    """

    async def story(browsers: Browsers) -> None:
        text = FILE
        for act in order:
            if act.startswith("save"):
                title = "title: Cards fail\n"
                text = (
                    text.replace("title: Card payments fail\n", title) if "title" in act else text + "bridge: room 4\n"
                )
                save(browsers, text)
                await browsers.world.wait(8)
                text = browsers.text
                continue
            edits: dict[str, Edit] = {
                "update": UPDATE,
                "note": Edit(note=TimelineNote("I look at it.")),
                "severity": Edit(severity="sev2"),
            }
            browsers.edit("chen", edits[act])
            await browsers.world.wait(pause)
        await browsers.world.wait(8)
        incident = browsers.incident()
        assert [entry.text for entry in incident.updates] == ["A database is full."]
        assert [note.text for note in incident.timeline].count("I look at it.") == 1
        assert (incident.severity, incident.title, incident.bridge) == ("sev2", "Cards fail", "room 4")
        seen = facts(browsers, Seen)[-1]
        assert isinstance(seen, Seen)
        assert seen.incident.updates == incident.updates
        await browsers.world.stop()

    simulate(story)
