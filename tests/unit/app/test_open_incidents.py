"""What `tocsin status` shows: open incidents, as a real ledger and a folder know them together."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.app.incidents.open_incidents import OpenIncident, open_incidents, without_ledger
from tocsin.cli.output.status_lines import StatusLook, lines
from tocsin.cli.status_look import incident_document
from tocsin.domain.facts import Answer, Answered, Gone, Paged, Seen, StepFired, Updated
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.formats.incident.read import digest, unreadable_incident
from tocsin.ports.folder import Listed

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, on_duty, see

TEXT = "title: Card payments fail\nseverity: sev1\n"
CARD = Incident("card", "Card payments fail", "sev1")
OVER = replace(CARD, status=Status.RESOLVED)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "x")))
    yield ledger
    await ledger.close()


def file(text: str = TEXT, name: str = "card.yaml") -> Listed:
    return Listed(name, text.encode(), digest(text.encode()))


async def keep(ledger: SqlLedger, text: str = TEXT) -> None:
    await ledger.keep_file("card", "card.yaml", digest(text.encode()), text.encode())


async def look(ledger: SqlLedger | None, *files: Listed, broken: str = "", shared: bool = False) -> list[OpenIncident]:
    now = T0 + timedelta(hours=1)
    return await open_incidents(ledger, broken or files, Path("incidents"), shipped_policy(), now, shared=shared)


def holders(each: OpenIncident) -> list[str | None]:
    return [role.person for role in each.state.roles]


async def test_a_file_alone(ledger: SqlLedger) -> None:
    """What the daemon has not seen is shown from its file, with its problems, whether there is a ledger or not."""
    for known in (ledger, None):
        (found,) = await look(known, file(TEXT + "bogus: 1\n"))
        assert (found.incident.title, found.since, holders(found)) == ("Card payments fail", None, [None] * 4)
        assert [(each.file, each.line, each.code) for each in found.problems] == [
            ("incidents/card.yaml", 3, "unknown-key")
        ]


async def test_the_ledger_goes_first(ledger: SqlLedger) -> None:
    """An incident that the daemon knows is shown as it knows it, with what is wrong in the file now."""
    await see(ledger, CARD, digest=digest(TEXT.encode()))
    await keep(ledger)
    (found,) = await look(ledger, file("title: Other\nseverity: sev9\n"))
    assert (found.incident, found.since, holders(found)[0]) == (CARD, T0, on_duty("commanders"))
    assert found.state.next_update_at == T0 + timedelta(minutes=30)
    assert [each.code for each in found.problems] == ["unknown-severity"]
    (lacking,) = await look(ledger, file("title: Other\n"))
    assert "sev1 goes on" in lacking.problems[0].message  # and not what a new file would count as (rule 31)


async def test_what_is_resolved_is_not_shown(ledger: SqlLedger) -> None:
    """Neither by the ledger, nor by a file that nobody has seen; an edited file that opens it again is."""
    await see(ledger, CARD)
    await see(ledger, OVER, T0 + timedelta(minutes=5))
    over = TEXT + "status: resolved\n"
    await keep(ledger, over)
    assert await look(ledger, file(over), file(over, "other.yaml")) == []
    (again,) = await look(ledger, file(TEXT))
    assert (again.incident.id, again.since) == ("card", None)


async def test_a_file_of_one_machine_among_several(ledger: SqlLedger) -> None:
    """P9: one that lags behind a resolved incident opens nothing, and one that this machine never had is not gone."""
    await see(ledger, CARD, digest=digest(TEXT.encode()))
    await keep(ledger)
    (found,) = await look(ledger, shared=True)
    assert (found.incident.id, found.problems) == ("card", ())
    await see(ledger, OVER, T0 + timedelta(minutes=5))
    await keep(ledger, TEXT + "status: resolved\n")
    assert await look(ledger, file(), shared=True) == []
    (alone,) = await look(ledger, file())
    assert [each.code for each in alone.problems] == ["went-back"]


async def test_finished_incidents_are_not_read_again(ledger: SqlLedger) -> None:
    """A finished incident whose file is as it was is passed over."""
    await see(ledger, OVER)
    await keep(ledger, "no yaml: [")
    assert await look(ledger, file("no yaml: [")) == []
    await ledger.finish("card")
    assert await look(ledger, file("no yaml: [")) == []


async def test_a_vanished_file_is_a_problem(ledger: SqlLedger) -> None:
    """The incident stays; a file with its content under another name is still its file."""
    await see(ledger, CARD)
    await keep(ledger)
    (gone,) = await look(ledger)
    assert [(each.file, each.code) for each in gone.problems] == [("incidents/card.yaml", "file-gone")]
    assert "tocsin resolve" in gone.problems[0].message
    (renamed,) = await look(ledger, file(name="renamed.yaml"))
    assert (renamed.incident.id, renamed.problems) == ("card", ())
    (unlisted,) = await look(ledger, broken="the folder cannot be read")
    assert unlisted.problems == ()


async def test_unreadable_files(ledger: SqlLedger) -> None:
    """They are incidents while they stand there, whether the daemon has seen them or not; once gone, no more."""
    broken = file("help!")
    (unseen,) = await look(ledger, broken)
    assert (unseen.incident.unreadable, unseen.problems[0].code) == (True, "not-yaml")
    await see(ledger, unreadable_incident("card.yaml", "help!", shipped_policy()))
    (paged,) = await look(ledger, broken)
    assert (paged.since, paged.state.roles) == (T0, ())
    (gone,) = await look(ledger)
    assert "tocsin ack card --as PERSON" in gone.problems[0].message  # nothing can be written anew (rules 32, 63)
    await happen(ledger, "card", Gone(T0 + timedelta(minutes=1)))
    assert await look(ledger) == []
    (back,) = await look(ledger, broken)
    assert (back.incident.unreadable, back.since) == (True, T0)


async def test_an_unreadable_file_that_somebody_answered_for(ledger: SqlLedger) -> None:
    """Rule 32: nothing is due for it any more, so the ledger has done with it; it is shown as what it is, and not as a
    file that went back to an older content.
    """
    unread = unreadable_incident("card.yaml", "help!", shipped_policy())
    page = Paged(T0, "ana", (), None, None, Reason.LAST_RESORT, (Channel.SMS,))
    step = StepFired(T0, "", None, None, ("ana",))
    answer = Answered(T0 + timedelta(minutes=1), "ana", Answer.OK)
    seen = Seen(T0, unread, digest(b"help!"))
    await ledger.record("card", (seen, step, page, answer), (), ())
    await ledger.finish("card")
    (answered,) = await look(ledger, file("help!"))
    assert (answered.since, answered.went_back, answered.asked) == (T0, False, {})
    (again,) = await look(ledger, file("help! help!"))
    assert (again.since, again.went_back) == (None, False)


async def test_without_rights_on_the_ledger_nobody_is_called_nobody() -> None:
    """P3: what the file says of who acknowledged is told, and that the rest is not known, to people and in JSON."""
    (found,) = await look(None, file(f"{TEXT}acknowledged: [{{by: ana, at: {T0:%Y-%m-%dT%H:%M:%SZ}}}, bo]\n"))
    for opened in (found, replace(found, incident=replace(found.incident, acknowledged=()))):
        barred = without_ledger(opened, Path("incidents/card.yaml"), shipped_policy(), T0)
        (told,) = incident_document(barred)["problems"]
        assert (told["code"], told["level"]) == ("no-ledger", "warning")
        names = "acknowledged in the file: " if opened is found else "in the file nobody has acknowledged it"
        assert names in told["message"]
        shown = "\n".join(lines(StatusLook(T0, [barred], shipped_policy(), unseen="as its file says", barred=True), T0))
        assert "Incident Commander   not known without the ledger" in shown
        assert "nobody yet" not in shown
        assert names in shown


async def test_two_files_of_one_id_and_what_is_no_file(ledger: SqlLedger) -> None:
    """The file that the ledger knows goes on, the other is its problem; a link alone is no incident."""
    await see(ledger, CARD)
    await keep(ledger)
    (found,) = await look(ledger, file("title: Other\nseverity: sev2\n", "card.yml"), file())
    assert (found.incident.title, [each.code for each in found.problems]) == ("Card payments fail", ["id-twice"])
    assert await look(None, Listed("card.yaml", None, "", "a symbolic link")) == []


async def test_the_worst_first() -> None:
    """By severity as the config lists them, then by id while nobody has seen them."""
    files = [file(f"title: x\nseverity: {name}\n", f"{name}-{end}.yaml") for name in ("sev3", "sev1") for end in "ba"]
    assert [each.incident.id for each in await look(None, *files)] == ["sev1-a", "sev1-b", "sev3-a", "sev3-b"]


async def test_the_oldest_of_a_severity_first(ledger: SqlLedger) -> None:
    """Whatever their names: what has gone on for longest stands first, what nobody has seen yet last."""
    for name, minutes in (("a", 20), ("b", 5), ("c", 10)):
        await see(ledger, replace(CARD, id=name), T0 + timedelta(minutes=minutes))
    found = await look(ledger, file(TEXT, "0.yaml"), *(file(TEXT, f"{name}.yaml") for name in "abc"))
    assert [listed.incident.id for listed in found] == ["b", "c", "a", "0"]


async def test_the_file_that_the_ledger_knows_goes_on_whatever_its_name(ledger: SqlLedger) -> None:
    """Also where another file of the same id comes before it in the folder."""
    await see(ledger, CARD)
    await ledger.keep_file("card", "card.yml", digest(TEXT.encode()), TEXT.encode())
    (found,) = await look(ledger, file("title: Other\nseverity: sev2\n", "card.yaml"), file(TEXT, "card.yml"))
    assert [(problem.file, problem.code) for problem in found.problems] == [("incidents/card.yaml", "id-twice")]


async def test_a_copy_of_a_known_file_is_another_incident(ledger: SqlLedger) -> None:
    """Only where the old name is gone has a file been renamed; beside it an equal one is new (rule 33)."""
    await see(ledger, CARD)
    await keep(ledger)
    assert {listed.incident.id for listed in await look(ledger, file(), file(name="copy.yaml"))} == {"card", "copy"}


@pytest.mark.parametrize("finished", [False, True])
async def test_an_older_content_of_a_resolved_incident_says_that_it_may_be_held(
    ledger: SqlLedger, finished: bool
) -> None:
    """Rule 69: nobody must think that it is about to page; what is newly written says nothing of it."""
    over = TEXT + "status: resolved\n"
    await see(ledger, CARD, digest=digest(TEXT.encode()))
    await see(ledger, OVER, T0 + timedelta(minutes=5), digest=digest(over.encode()))
    await keep(ledger, over)
    if finished:
        await ledger.finish("card")
    (found,) = await look(ledger, file(TEXT))
    assert [each.code for each in found.problems] == ["went-back"]
    assert "tocsin update card" in found.problems[0].message
    shown = list(lines(StatusLook(T0, [found], shipped_policy()), T0))
    assert shown[1:] == [
        "  card, resolved, but its file went back to an older content: nobody is paged while it is held",
        f"  ! {found.problems[0]}",
    ]
    (found,) = await look(ledger, file(TEXT + "summary: Again.\n"))
    assert (found.problems, found.went_back) == ((), False)


async def test_facts_that_do_not_fit_together(ledger: SqlLedger) -> None:
    """Rule 63: an incident whose rows changed places is shown from its file, with why; the others as ever."""
    await ledger.record("db", (Updated(T0, "support", Reason.DECLARED, False, ()), Seen(T0, OVER)), (), ())
    await ledger.record("card", (Seen(T0, CARD),), (), ())
    await keep(ledger)
    card, db = sorted(await look(ledger, file(), file(TEXT, "db.yaml")), key=lambda listed: listed.incident.id)
    assert (card.since, card.problems) == (T0, ())
    assert "fact 1, Updated, does not fit those before it" in db.problems[0].message
