"""The upkeep of the ledger: what goes with a closed incident, what is left of it, and what stays as it was."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, select
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.removal import erasing, pruning
from tocsin.adapters.ledger.removal.row_changes import write_changes
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.upkeep import SqlUpkeep
from tocsin.app.engine.pruning import Pruning, Unattended
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Bundle, Content, Letter, Receipt
from tocsin.domain.facts import Answer, Answered, Closed, Fact, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import NOBODY, AnswerLink, Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.ports.ledger.upkeep import Erasure, PrunedIncident

from tests.builders.postgres_ledger import empty_tables, make_tables, open_leading
from tests.contract.test_ledger import T0
from tests.fakes.postgres import Server

DAY = timedelta(days=1)
NOW = T0 + 500 * DAY


@pytest.fixture(scope="module")
def postgresql_url(postgres_server: Server) -> Iterator[str]:
    with postgres_server.database(make_tables) as database:
        yield database.url()


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlLedger]:
    if request.param == "sqlite":
        ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "now")))
    else:
        url = request.getfixturevalue("postgresql_url")
        empty_tables(url)
        ledger = SqlLedger(await open_leading(url))
    yield ledger
    await ledger.close()


def upkeep(ledger: SqlLedger) -> SqlUpkeep:
    return SqlUpkeep(ledger.store)


def prunes(ledger: SqlLedger) -> Pruning:
    return Pruning(upkeep(ledger), Unattended())


async def count(ledger: SqlLedger, table: Table) -> int:
    def ask(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()

    return await ledger.store.read(ask)


async def counts(ledger: SqlLedger) -> dict[str, int]:
    """How many rows each table has, but that of who writes."""
    return {name: await count(ledger, table) for name, table in t.metadata.tables.items() if name != "writers"}


def facts_of(incident: str, digests: tuple[str, ...] = ("d1", "d2")) -> list[Fact]:
    one = Incident(incident, f"{incident} is down", "sev1")
    facts: list[Fact] = [Seen(T0 + number * DAY, one, digest) for number, digest in enumerate(digests[:-1])]
    resolved = Incident(incident, f"{incident} is down", "sev1", Status.RESOLVED)
    at = T0 + len(digests) * DAY
    return [*facts, Answered(T0, "ana", Answer.OK, f"SM-{incident}"), Seen(at, resolved, digests[-1]), Closed(at)]


async def close(ledger: SqlLedger, incident: str, messages: int = 2, **words: str) -> None:
    """A whole incident: facts, messages with words of their own and words that others have, tries, a receipt, a link,
    a bundle, a file.
    """
    page = Notification(f"{incident}/1/page", incident, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
    link = AnswerLink(f"link-{incident}", incident, 1, "ana")
    letters = [Letter(page, Content(f"{incident} needs you"), link=link)]
    for number in range(messages):
        update = Notification(
            f"{incident}/1/update/{number}", incident, 1, Kind.UPDATE, Reason.DUE, T0, "bo", Channel.EMAIL
        )
        letters.append(Letter(update, Content("the same for all")))
    await ledger.record(incident, facts_of(incident), letters, ())
    bundle = Bundle(f"bundle-{incident}", Content(f"bundle of {incident}"))
    (attempt,) = await ledger.begin_bundle(bundle, [page.key], Channel.SMS, "+14155550101", T0, {})
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    await ledger.record_receipt(attempt, Receipt.DELIVERED, T0)
    receipt = Arrival(ArrivalKind.RECEIPT, f"SM1-{incident}", attempt.id, "delivered", T0)
    await ledger.record_arrival(receipt)
    for letter in letters:
        await ledger.settle(letter.notification.key, "accepted", T0)
    await ledger.keep_file(incident, f"{incident}.yaml", "d2", b"title: x")
    await ledger.finish(incident)
    for row, _arrival in await ledger.unjudged_arrivals():
        await ledger.record_result(row, "done")
    await ledger.claim_notice(f"page_lost:{incident}:ana", T0, DAY)


async def test_all_that_belongs_to_a_closed_incident_goes(ledger: SqlLedger) -> None:
    """Facts, messages, tries, words that nobody else has, receipts, links, bundles, the file and the notices. What is
    left is the id, when it was closed, and the digests of all versions.
    """
    before = await counts(ledger)
    await close(ledger, "db")
    full = await counts(ledger)
    assert all(full[name] for name in ("facts", "notifications", "attempts", "contents", "bundles", "answer_links"))
    assert await prunes(ledger).prune(NOW - 400 * DAY, NOW) == 1
    assert await counts(ledger) == before | {"pruned": 1}
    assert await ledger.pruned("db") == PrunedIncident(T0 + 2 * DAY, ("d1", "d2"))
    assert await ledger.pruned_digests() == {"db": "d2"}
    assert await ledger.pruned("web") is None
    assert (await ledger.incidents(), await ledger.files()) == ((), {})


async def test_what_is_open_or_not_old_enough_stays(ledger: SqlLedger) -> None:
    """An open incident, one that was closed later, and one to which something has happened since it was closed."""
    await close(ledger, "old")
    await close(ledger, "seen")
    await ledger.record("seen", [Seen(NOW - DAY, Incident("seen", "x", "sev1", Status.RESOLVED), "d9")], (), ())
    await ledger.finish("seen")
    await close(ledger, "sent")
    await ledger.begin_attempt("sent/1/page", Channel.SMS, "+14155550101", NOW - DAY)
    await close(ledger, "waits")
    waiting = Notification("waits/9", "waits", 1, Kind.CLOSING, Reason.RESOLVED, T0, "ana", Channel.SMS)
    await ledger.record("waits", (), [Letter(waiting, Content("x"))], ())
    await ledger.record("open", facts_of("open")[:1], (), ())
    await close(ledger, "late")
    await ledger.record("late", [Closed(NOW - 399 * DAY)], (), ())
    await ledger.finish("late")
    facts = {id_: await ledger.facts(id_) for id_ in ("seen", "sent", "waits", "open", "late")}
    records = await ledger.records("late")
    assert await prunes(ledger).prune(NOW - 400 * DAY, NOW) == 1
    assert {id_: await ledger.facts(id_) for id_ in facts} == facts
    assert await ledger.records("late") == records
    assert set(await ledger.incidents()) == set(facts)
    assert await ledger.pruned_digests() == {"old": "d2"}


async def test_words_that_others_have_stay(ledger: SqlLedger) -> None:
    """Words are kept once, however many messages have them."""
    await close(ledger, "db")
    await close(ledger, "web")
    await ledger.record("web", [Closed(NOW)], (), ())
    await ledger.finish("web")
    await prunes(ledger).prune(NOW - 400 * DAY, NOW)
    assert {record.content.text for record in await ledger.records("web") if record.content} == {
        "web needs you",
        "the same for all",
    }


async def test_what_was_first_seen_resolved_goes_too(ledger: SqlLedger) -> None:
    """Nothing was ever sent for it, and it was never closed: it counts from when it was seen."""
    await ledger.record("db", [Seen(T0, Incident("db", "x", "sev1", Status.RESOLVED), "d1")], (), ())
    await ledger.finish("db")
    assert await prunes(ledger).prune(T0, NOW) == 0
    assert await prunes(ledger).prune(T0 + DAY, NOW) == 1
    assert await ledger.pruned("db") == PrunedIncident(T0, ("d1",))


async def test_an_incident_that_comes_back_to_life_is_left_alone(ledger: SqlLedger) -> None:
    """Between two transactions a file may reopen it: then its facts stay, all of them."""
    await close(ledger, "db", messages=5)
    keeper = upkeep(ledger)
    assert await keeper.prune_messages("db", 2) == 2
    reopened = Seen(NOW, Incident("db", "again", "sev1"), "d3")
    await ledger.record("db", [reopened], (), ())
    assert await keeper.prune_messages("db", 2) == 0
    assert not await keeper.prune_incident("db")
    assert await ledger.facts("db") == (*facts_of("db"), reopened)
    assert await ledger.pruned("db") is None


async def test_a_fact_that_comes_at_the_last_moment_stays(ledger: SqlLedger) -> None:
    """What was looked at is compared with what is there when it goes."""
    await ledger.record("db", facts_of("db"), (), ())
    await ledger.finish("db")
    rows = await ledger.store.read(pruning.incident("db"))
    assert rows is not None
    await ledger.record("db", [Answered(NOW, "bo", Answer.OK)], (), ())
    await ledger.finish("db")
    assert not await ledger.store.commit(pruning.prune_incident, rows)
    assert len(await ledger.facts("db")) == 5


async def test_an_incident_with_messages_never_goes_before_them(ledger: SqlLedger) -> None:
    """Declared anew under its id it would decide messages of the same keys, and they would not be new."""
    await close(ledger, "db")
    assert not await upkeep(ledger).prune_incident("db")
    assert await ledger.facts("db") == tuple(facts_of("db"))


async def test_pruned_twice_it_has_the_digests_of_both_lives(ledger: SqlLedger) -> None:
    """A file equal to any of them stays stale."""
    await close(ledger, "db")
    await prunes(ledger).prune(NOW - 400 * DAY, NOW)
    await ledger.record("db", facts_of("db", ("d2", "d7", "d8")), (), ())
    await ledger.finish("db")
    assert await prunes(ledger).prune(NOW - 400 * DAY, NOW) == 1
    assert await ledger.pruned("db") == PrunedIncident(T0 + 3 * DAY, ("d1", "d2", "d7", "d8"))
    await ledger.record("db", facts_of("db", ("d9", "d2")), (), ())
    assert await ledger.version_digests(["db"]) == {"db": ("d1", "d2", "d7", "d8", "d9", "d2")}
    assert await ledger.version_digests(["db"], newest=True) == {"db": ("d2",)}


async def test_the_newest_digest_is_the_last_also_if_its_text_was_there_before(ledger: SqlLedger) -> None:
    """A file that ended with the very words that it once had is not stale by them."""
    await ledger.record("db", facts_of("db", ("d1", "d2", "d1")), (), ())
    await ledger.finish("db")
    await prunes(ledger).prune(NOW - 400 * DAY, NOW)
    assert await ledger.pruned("db") == PrunedIncident(T0 + 3 * DAY, ("d2", "d1"))
    assert await ledger.pruned_digests() == {"db": "d1"}


async def test_what_belongs_to_no_incident_goes_by_its_age(ledger: SqlLedger) -> None:
    """Judged arrivals and settled messages about no incident, but never what is not judged or not settled, and nothing
    of the last month: a provider may tell of it once more.
    """
    for number, at in enumerate((T0, NOW - 40 * DAY, NOW - 20 * DAY)):
        await ledger.record_arrival(Arrival(ArrivalKind.SMS, f"SM{number}", "+1415", "ok", at))
        (row, _) = (await ledger.unjudged_arrivals())[0]
        await ledger.record_result(row, "answered")
        notice = Notification(f"-/{number}", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, at, "olga", Channel.EMAIL)
        await ledger.record(NOBODY, (), [Letter(notice, Content(f"notice {number}"))], ())
        await ledger.settle(notice.key, "accepted", at)
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM9", "+1415", "ok", T0))
    waiting = Notification("-/9", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, T0, "olga", Channel.EMAIL)
    await ledger.record(NOBODY, (), [Letter(waiting, Content("waits"))], ())
    await prunes(ledger).prune(NOW - 7 * DAY, NOW)
    assert not await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM2", "+1415", "ok", NOW))
    assert not await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM9", "+1415", "ok", NOW))
    assert await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+1415", "ok", NOW))
    assert [record.decided.key for record in await ledger.records(NOBODY)] == ["-/2", "-/9"]
    assert await count(ledger, t.contents) == 2


async def test_facts_that_were_put_aside_go_with_their_incident(ledger: SqlLedger) -> None:
    """They lie under a name of their own (rule 63), and are nobody's once the incident is pruned."""
    await ledger.record("db", facts_of("db"), (), (), anew=None)
    await ledger.record("db", facts_of("db"), (), (), anew=T0 + 5 * DAY)
    await ledger.finish("db")
    assert await count(ledger, t.facts) == 8
    assert await prunes(ledger).prune(NOW - 400 * DAY, NOW) == 1
    assert await count(ledger, t.facts) == 0


async def test_a_person_is_forgotten(ledger: SqlLedger) -> None:
    """In facts, messages, tries, links and what came in, by either database."""
    await close(ledger, "db")
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM7", "+14155550101", "ok", T0))
    ((row, _),) = await ledger.unjudged_arrivals()
    await ledger.record_result(row, "accepted", "thanks")
    await ledger.record_config("r1", {"all.yaml": b"phone: +14155550101"}, T0)
    await ledger.record_config("r2", {"all.yaml": b"people: {}"}, T0)
    assert await prunes(ledger).erase(Erasure("ana", ("Ana Souza", "+14155550101"))) == 1
    assert "somebody (erased)" in {getattr(fact, "person", "") for fact in await ledger.facts("db")}
    page = next(record for record in await ledger.records("db") if record.decided.kind is Kind.PAGE)
    assert (page.decided.to, page.decided.key) == ("somebody (erased)", "db/1/page")
    assert page.content is not None
    assert page.content.text == "erased"
    assert [attempt.address for attempt in page.attempts] == ["erased"]
    assert await ledger.answer_link("link-db") is None
    assert not await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM7", "+14155550101", "ok", T0))
    assert await prunes(ledger).prune(NOW - 400 * DAY, NOW) == 1


async def test_a_person_with_two_addresses_is_forgotten(ledger: SqlLedger) -> None:
    """One change told them twice: as a person and at a plain address, at one instant. Each message keeps a key of its
    own, and its tries.
    """
    erasure = Erasure("ana", ("ana@work.example", "ana@home.example"))
    letters = []
    for to in ("ana", "ana@home.example", "bo"):
        key = f"db/1/update/20261126T100000.000000Z/{to}/email"
        update = Notification(key, "db", 1, Kind.UPDATE, Reason.CHANGED, T0, to, Channel.EMAIL)
        letters.append(Letter(update, Content("It is down", "Database")))
    await ledger.record("db", facts_of("db"), letters, ())
    for letter in letters:
        await ledger.begin_attempt(letter.notification.key, Channel.EMAIL, f"{letter.notification.to}!", T0)
        await ledger.settle(letter.notification.key, "accepted", T0)
    await ledger.finish("db")
    assert await prunes(ledger).erase(erasure) == 1
    assert await prunes(ledger).erase(erasure) == 0
    records = [record.notification for record in await ledger.records("db")]
    assert [one.to for one in records] == ["somebody (erased)", "somebody (erased)", "bo"]
    assert len({one.key for one in records}) == 3
    assert [one.key for one in records][2] == letters[2].notification.key
    assert not any("ana" in one.key for one in records)
    tries = [attempt.address for record in await ledger.records("db") for attempt in record.attempts]
    assert tries == ["erased", "erased", "bo!"]


async def test_what_left_together_with_a_page_of_an_open_incident_stays_until_that_is_over(ledger: SqlLedger) -> None:
    """One SMS was of two incidents: while one of them is open, or its page under way, a look-up needs those words."""
    pages = [
        Notification(f"{id_}/1/page/x/ana/sms", id_, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
        for id_ in ("db", "web")
    ]
    for page in pages:
        await ledger.record(page.incident, facts_of(page.incident), [Letter(page, Content(page.incident))], ())
    bundle = Bundle("b1", Content("Two incidents"))
    await ledger.begin_bundle(bundle, [page.key for page in pages], Channel.SMS, "+14155550101", T0, {})
    await ledger.settle(pages[0].key, "accepted", T0)
    await ledger.finish("db")
    assert await prunes(ledger).erase(Erasure("ana")) == 1
    assert await ledger.bundle("b1") == bundle
    await ledger.settle(pages[1].key, "accepted", T0)
    assert await prunes(ledger).erase(Erasure("ana")) == 0
    assert await ledger.bundle("b1") == bundle
    await ledger.finish("web")
    assert await prunes(ledger).erase(Erasure("ana")) == 1
    assert await ledger.bundle("b1") == Bundle("b1", Content("erased"))


async def test_an_incident_is_forgotten_in_many_small_transactions(ledger: SqlLedger) -> None:
    """Before each it is waited until it is calm; none changes more than some rows of messages."""
    await close(ledger, "db", messages=250)
    calm = 0

    async def wait() -> None:
        nonlocal calm
        calm += 1

    assert await upkeep(ledger).erase_messages("db", Erasure("bo"), wait)
    assert calm == 6
    assert not await upkeep(ledger).erase_messages("db", Erasure("bo"), wait)


async def test_an_incident_that_goes_on_meanwhile_is_left_as_it_is(ledger: SqlLedger) -> None:
    """What was looked at is compared with what is there when it is written."""
    await close(ledger, "db")
    _, changes = await ledger.store.read(erasing.facts("db", Erasure("ana")))
    assert changes.rows
    await ledger.record("db", [Answered(NOW, "bo", Answer.OK)], (), ())
    assert not await ledger.store.commit(write_changes, changes)
    await ledger.finish("db")
    assert not await ledger.store.commit(write_changes, changes)
    assert Answered(T0, "ana", Answer.OK, "SM-db") in await ledger.facts("db")


async def test_a_version_of_a_file_is_kept_until_it_is_judged(ledger: SqlLedger) -> None:
    """Then its facts hold what counts; what else came in says still what it said."""
    for kind, ref in ((ArrivalKind.VERSION, "v"), (ArrivalKind.VANISHED, "w")):
        await ledger.record_arrival(Arrival(kind, ref, "cellar", "{}", T0))
    rows = await ledger.unjudged_hand_ins()
    assert [arrival.body for _, arrival in rows if isinstance(arrival, Arrival)] == ["{}", "{}"]
    for row, _ in rows:
        await ledger.record_result(row, "applied")

    def bodies(connection: Connection) -> list[str]:
        return list(connection.execute(select(t.arrivals.c.body).order_by(t.arrivals.c.ref)).scalars())

    assert await ledger.store.read(bodies) == ["", "{}"]


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        ('{"at":"x","incident":{"title":"a"},"digest":"d1"}', "d1"),
        ('{"digest":"d1","at":"x"}', "d1"),
        ('{"at":"x","incident":{"title":"\\"digest\\":\\"no\\"}"}}', ""),
        ("{", ""),
        ("[]", ""),
    ],
)
def test_the_digest_of_a_version_is_found_without_reading_it(body: str, digest: str) -> None:
    """Wherever it stands; what cannot be read has none."""
    assert pruning.digest_in(body) == digest
