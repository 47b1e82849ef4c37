"""A person is forgotten in closed incidents, and their story stays one that can be read (P7)."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.upkeep import SqlUpkeep
from tocsin.app.engine.pruning import Pruning, Unattended
from tocsin.app.hand_ins.hand_in import FileVersion, arrival_of
from tocsin.app.incidents.explanation import explain
from tocsin.cli.output.explain_lines import ExplainReader, lines
from tocsin.domain.arrival import Arrival, ArrivalKind, PruneEntry
from tocsin.domain.delivery import Accepted, Bundle, Content, Letter, Refused
from tocsin.domain.facts import Answer, Answered, Coded, Noted, Seen
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import NOBODY, AnswerLink, Kind, Notification, Reason
from tocsin.domain.people import Channel, Session
from tocsin.formats.inbox.entries import write_entry
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.ledger.upkeep import Erasure, LeftOut, Replaced

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, on_duty, pass_time, see

NUMBER, MAILBOX, NAME = "+4915112345678", "erika@example.com", "Erika Mustermann"
WORDS = "The disk of the primary is full, I am on it."
PERSON = on_duty("engineers")
WHO = Erasure(PERSON, (NAME, MAILBOX, NUMBER))
CARD = Incident("card", "Card payments fail", "sev1", declared_by=NAME, roles=(("technical_lead", PERSON),))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "x")))
    yield ledger
    await ledger.close()


async def story(ledger: SqlLedger, incident: Incident = CARD) -> None:
    """All that may be known of somebody: paged, answered, wrote, was written to, was refused."""
    id_ = incident.id
    await see(ledger, incident)
    await happen(ledger, id_, Coded(T0, PERSON, NUMBER, "K7"))
    await happen(ledger, id_, Answered(T0 + MINUTE, PERSON, Answer.OK, "SM1"))
    await happen(ledger, id_, Noted(T0 + MINUTE, PERSON, WORDS))
    entries = (
        UpdateEntry(WORDS, "We found the cause.", T0 + MINUTE, PERSON),
        UpdateEntry("All is well again.", by="bo"),
    )
    notes = (TimelineNote(f"Spoke with {NAME.upper()} ({NUMBER})", T0, "bo"),)
    acks = (Acknowledgment(PERSON, T0 + MINUTE),)
    after = Incident(**{**{name: getattr(incident, name) for name in incident.__slots__}, "updates": entries[:1]})
    await see(ledger, after, T0 + 2 * MINUTE, "d2")
    await pass_time(ledger, id_, T0 + timedelta(hours=1))
    last = {**{name: getattr(after, name) for name in after.__slots__}, "status": Status.RESOLVED, "updates": entries}
    await see(ledger, Incident(**{**last, "timeline": notes, "acknowledged": acks}), T0 + timedelta(hours=1), "d3")
    told = Notification(f"{id_}/1/page/{PERSON}/sms", id_, 1, Kind.PAGE, Reason.DECLARED, T0, PERSON, Channel.SMS)
    others = Notification(f"{id_}/1/update/eve", id_, 1, Kind.UPDATE, Reason.CHANGED, T0, "eve", Channel.EMAIL)
    words = Content(f"{NAME} writes: {WORDS}", "Card payments fail", f"<p>{NAME}: {WORDS}</p>")
    link = AnswerLink(f"link-{id_}", id_, 1, PERSON)
    await ledger.record(
        id_, (), [Letter(told, Content(f"{NAME}, you are asked"), link=link), Letter(others, words)], ()
    )
    bundle = Bundle(f"b-{id_}", Content(f"Two pages for {NAME}"))
    (attempt,) = await ledger.begin_bundle(bundle, [told.key], Channel.SMS, NUMBER, T0, {})
    await ledger.end_attempt(attempt, Refused(f"550 5.1.1 <{MAILBOX}>: no such user", "5.1.1"), T0)
    other = await ledger.begin_attempt(others.key, Channel.EMAIL, "eve@example.com", T0)
    await ledger.end_attempt(other, Accepted("x"), T0)
    for letter in await ledger.unsettled():
        await ledger.settle(letter.notification.key, "accepted", T0)
    await ledger.keep_file(id_, f"{id_}.yaml", "d3", f"declared_by: {NAME}".encode())


async def erase(ledger: SqlLedger) -> int:
    return await Pruning(SqlUpkeep(ledger.store), Unattended()).erase(WHO)


def everything(path: Path) -> str:
    """Every value of every row."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(repr(row) for name in tables for row in connection.execute(f'SELECT * FROM "{name}"'))


async def test_nothing_of_them_is_left_and_the_story_is_read(ledger: SqlLedger, tmp_path: Path) -> None:
    """Name, number, mailbox, what they wrote and what was written to them: gone, also from what others were told. Who
    did what when is there, under another name.
    """
    await story(ledger)
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", NUMBER, f"ok {NAME}", T0))
    ((row, _),) = await ledger.unjudged_arrivals()
    await ledger.record_result(row, "accepted", f"thanks {NAME}")
    version = FileVersion("cellar", "card", "card.yaml", f"declared_by: {NAME}".encode())
    await ledger.record_arrival(arrival_of(version, T0))
    ((row, _),) = await ledger.unjudged_hand_ins()
    await ledger.record_result(row, "applied")
    order = PruneEntry("order00001", T0, PERSON, WHO.words)
    await ledger.record_arrival(Arrival(ArrivalKind.PRUNE, order.ref, "", write_entry(order).decode(), T0))
    await ledger.begin_session(Session("s1", PERSON, T0))
    await ledger.record_config("r1", {"people.yaml": f"people: {{e: {{name: {NAME}}}}}".encode()}, T0)
    await ledger.record_config("r2", {"people.yaml": b"people: {}"}, T0)
    await ledger.finish("card")
    before = await ledger.facts("card")
    assert await erase(ledger) == 1
    ((row, _),) = await ledger.unjudged_arrivals()
    await ledger.record_result(row, "pruned", "1")
    text = everything(tmp_path / "tocsin.db")
    for word in (NAME, NAME.upper(), NUMBER, MAILBOX, WORDS, "We found the cause."):
        assert word not in text, word
    assert f"'{PERSON}'" not in text
    assert f'"{PERSON}"' not in text
    facts = await ledger.facts("card")
    assert [type(fact) for fact in facts] == [type(fact) for fact in before]
    assert [fact.at for fact in facts] == [fact.at for fact in before]
    history = fold_facts(facts)
    assert history.roles["technical_lead"].holder == "somebody (erased)"
    assert history.closed == fold_facts(before).closed
    newest = next(fact for fact in reversed(facts) if isinstance(fact, Seen)).incident
    assert newest.declared_by == "somebody (erased)"
    assert [entry.text for entry in newest.updates] == ["erased", "All is well again."]
    records = await ledger.records("card")
    assert {record.decided.to for record in records} & {"somebody (erased)", "eve"}
    (to_eve,) = [
        one.content for one in records if one.decided.to == "eve" and one.content and "writes" in one.content.text
    ]
    assert to_eve.text == "somebody (erased) writes: erased"
    assert await ledger.sessions() == ()
    with closing(sqlite3.connect(tmp_path / "tocsin.db")) as connection:
        kept = connection.execute("SELECT revision FROM configs WHERE files IS NOT NULL").fetchall()
    assert kept == [("r2",)]
    assert await ledger.answer_link("link-card") is None
    assert "eNo" not in text  # so begins what is packed as a hand-in packs it
    explanation = await explain(
        "card", shipped_policy(), ledger, IncidentFiles(tmp_path), None, T0 + timedelta(hours=2)
    )
    shown = "\n".join(map(str, lines(explanation, shipped_policy(), ExplainReader())))
    assert "somebody (erased)" in shown


async def test_an_open_incident_is_not_touched(ledger: SqlLedger) -> None:
    """Whoever is paged there still is."""
    await story(ledger)
    before = await ledger.facts("card"), await ledger.records("card"), await ledger.file("card")
    assert await erase(ledger) == 0
    assert (await ledger.facts("card"), await ledger.records("card"), await ledger.file("card")) == before


@pytest.mark.parametrize("finished", [False, True])
async def test_what_is_left_out_is_said_with_why(ledger: SqlLedger, finished: bool) -> None:
    """An open incident, one with a question still to come, one with a letter that has not left: by their ids; what
    would change in them is known without doing it.
    """
    await ledger.record("db", [Seen(T0, Incident("db", f"{NAME} calls", "sev1"), "d1")], (), ())
    await ledger.record("web", [Seen(T0, Incident("web", f"{NAME} called", "sev1", Status.RESOLVED), "d1")], (), ())
    await ledger.record("api", [Seen(T0, Incident("api", NAME, "sev1", Status.RESOLVED), "d1")], (), ())
    if finished:
        await ledger.finish("api")
        letter = Notification(
            "api/1/closing/x/eve/email", "api", 1, Kind.CLOSING, Reason.RESOLVED, T0, "eve", Channel.EMAIL
        )
        await ledger.record("api", (), [Letter(letter, Content("over"))], ())
    assert await erase(ledger) == 0
    survey = [named async for named in Pruning(SqlUpkeep(ledger.store), Unattended()).survey(WHO)]
    assert {named.incident: named.left_out for named in survey} == {
        "db": LeftOut.OPEN,
        "web": LeftOut.UNFINISHED,
        "api": LeftOut.UNSETTLED if finished else LeftOut.UNFINISHED,
    }
    assert survey[1].replaced == [Replaced("file: title", f"{NAME} calls", "somebody (erased) calls")]


async def test_what_came_in_says_nothing_more(ledger: SqlLedger, tmp_path: Path) -> None:
    """The order itself, versions that a machine handed in, what others did that names them, however it is written; not
    what a machine, or a group of alerts, of their name has left.
    """
    jose = Erasure("jose", ("José Núñez", NUMBER))
    arrivals = [
        Arrival(ArrivalKind.EDIT, "1", "bo", 'signed_in {"text": "ask Jos\\u00e9 N\\u00fa\\u00f1ez"}', T0),
        Arrival(ArrivalKind.SENT, "2", "jose", '{"to": "jose", "address": "+1"}', T0),
        Arrival(ArrivalKind.SMS, "3", NUMBER, "ok", T0),
        Arrival(ArrivalKind.ANSWER, "4", "JOSE", "ok 1 db", T0),
        Arrival(ArrivalKind.ALERT, "5", "jose", "{}", T0),
        Arrival(ArrivalKind.WORD, "6", "cause", "Josés disk is full", T0),
    ]
    for arrival in arrivals:
        await ledger.record_arrival(arrival)
        rows = [*await ledger.unjudged_arrivals(), *await ledger.unjudged_hand_ins(), *await ledger.unjudged_acts()]
        for row, _ in rows or await ledger.unjudged_alerts():
            await ledger.record_result(row, "done", "thanks, José Núñez")
    await Pruning(SqlUpkeep(ledger.store), Unattended()).erase(jose)
    with closing(sqlite3.connect(tmp_path / "tocsin.db")) as connection:
        left = connection.execute("SELECT ref, who, body, words FROM arrivals ORDER BY ref").fetchall()
    thanks = "thanks, somebody (erased)"
    assert left == [
        ("1", "bo", "", thanks),
        ("2", "jose", "", thanks),
        ("3", "erased", "", ""),
        ("4", "erased", "", ""),
        ("5", "jose", "{}", thanks),
        ("6", "cause", "Josés disk is full", thanks),
    ]


async def test_what_belongs_to_no_incident(ledger: SqlLedger, tmp_path: Path) -> None:
    """Notices about them, to them and to others; when operators were told, but of an open incident; facts that were put
    aside, also those that cannot be read; a copy of a file where only a remark names them.
    """
    notice = Notification(
        "-/0/operator/x/olga/email", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, T0, "olga", Channel.EMAIL
    )
    await ledger.record(NOBODY, (), [Letter(notice, Content(f"{NAME} answered STOP", html=f"<b>{NAME}</b>"))], ())
    await ledger.settle(notice.key, "accepted", T0)
    await ledger.record("open", [Seen(T0, Incident("open", "x", "sev1"), "d1")], (), ())
    await ledger.record("db", [Noted(T0, PERSON, WORDS), Noted(T0, "bo", f"with {NAME}")], (), ())
    with closing(sqlite3.connect(tmp_path / "tocsin.db")) as connection:
        connection.execute("UPDATE facts SET body = ? WHERE body LIKE '%with %'", (f"half a fact of {NAME}",))
        connection.commit()
    await ledger.record("db", [Seen(T0, Incident("db", "x", "sev1", Status.RESOLVED), "d1")], (), (), anew=T0)
    await ledger.keep_file("db", "db.yaml", "d1", f"title: x  # {NAME} knows".encode())
    await ledger.finish("db")
    for cause in (f"address_refused:{PERSON}:sms", f"page_lost:open:{PERSON}", "page_lost:db:bo"):
        await ledger.claim_notice(cause, T0, timedelta(days=1))
    assert await erase(ledger) == 1
    (record,) = await ledger.records(NOBODY)
    assert record.content == Content("somebody (erased) answered STOP")
    text = everything(tmp_path / "tocsin.db")
    assert NAME not in text
    assert WORDS not in text
    assert await ledger.file("db") is None
    with closing(sqlite3.connect(tmp_path / "tocsin.db")) as connection:
        causes = [cause for (cause,) in connection.execute("SELECT cause FROM notices ORDER BY cause")]
    assert causes == ["page_lost:db:bo", f"page_lost:open:{PERSON}"]


async def test_twice_is_once_and_two_people_stay_two(ledger: SqlLedger) -> None:
    """Who is forgotten later has another name than who was before."""
    await story(ledger)
    await ledger.finish("card")
    assert await erase(ledger) == 1
    assert await erase(ledger) == 0
    await Pruning(SqlUpkeep(ledger.store), Unattended()).erase(Erasure("bo", ("Bo Berg",)))
    newest = next(fact for fact in reversed(await ledger.facts("card")) if isinstance(fact, Seen)).incident
    assert [entry.by for entry in newest.updates] == ["somebody (erased)", "somebody (erased 2)"]
