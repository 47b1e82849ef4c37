"""The ledger port: SQLite, PostgreSQL and the fake in memory give the same answers to the same calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import (
    Accepted,
    Attempt,
    Bundle,
    Content,
    Deferred,
    Fault,
    Letter,
    Outcome,
    Proof,
    ProvedBy,
    Receipt,
    Record,
    Refused,
    Uncertain,
    numbered_attempt,
)
from tocsin.domain.facts import (
    Answer,
    Answered,
    Assessed,
    ClockMoved,
    Closed,
    Coded,
    Gone,
    Paged,
    PageLost,
    ReachSettled,
    Reminded,
    Seen,
    StepFired,
)
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Acknowledgment, Incident, Status, UpdateEntry
from tocsin.domain.notification import AnswerLink, Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel, Session
from tocsin.ports.ledger.ledger import KeptConfig, Ledger
from tocsin.ports.ledger.tally import ProviderTally

from tests.builders.postgres_ledger import empty_tables, make_tables, open_leading
from tests.fakes.ledger import MemoryLedger, Pages
from tests.fakes.pgbouncer import PgBouncer
from tests.fakes.postgres import Server

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shelf:
    """Gives the same ledger again and again, as a restarted daemon meets it."""

    def __init__(self, make: Callable[[], Awaitable[Ledger]]) -> None:
        self._make = make
        self.ledger: Ledger | None = None

    async def open(self) -> Ledger:
        if self.ledger:
            await self.ledger.close()
        self.ledger = await self._make()
        return self.ledger


@pytest.fixture(scope="module")
def postgresql_url(postgres_server: Server) -> Iterator[str]:
    with postgres_server.database(make_tables) as database:
        yield database.url()


@pytest.fixture(scope="module")
def postgresql_pooled_url(postgres_server: Server) -> Iterator[str]:
    """By way of pgbouncer, which gives each transaction another connection."""
    with postgres_server.database(make_tables) as database, TemporaryDirectory(prefix="tocsin-pool-") as folder:
        pooler = PgBouncer(Path(folder, "pgbouncer"), database.url())
        yield pooler.address
        pooler.close()


@pytest.fixture(scope="module")
def postgresql_15_url(postgres_server_15: Server) -> Iterator[str]:
    with postgres_server_15.database(make_tables) as database:
        yield database.url()


ELSEWHERE = [pytest.param(name, marks=pytest.mark.attack) for name in ("postgresql-15", "postgresql-pooled")]


@pytest.fixture(params=["sqlite", "memory", "postgresql", *ELSEWHERE])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    shelf = Shelf(_way_to_open(request, tmp_path / "var" / "tocsin.db"))
    yield shelf
    if shelf.ledger:
        await shelf.ledger.close()


def _way_to_open(request: pytest.FixtureRequest, path: Path) -> Callable[[], Awaitable[Ledger]]:
    if request.param.startswith("postgresql"):
        url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
        empty_tables(url)

        async def on_server() -> Ledger:
            return SqlLedger(await open_leading(url))

        return on_server
    pages = Pages()

    async def here() -> Ledger:
        return MemoryLedger(pages) if request.param == "memory" else SqlLedger(FileStore(open_file(path, "now")))

    return here


@pytest.fixture
async def ledger(shelf: Shelf) -> Ledger:
    return await shelf.open()


def letter(key: str, incident: str = "db", text: str = "Database down", **changes: object) -> Letter:
    notification = Notification(
        key, incident, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS, rule="severities.yaml:3", revision="r1"
    )
    return Letter(replace(notification, **changes), Content(text))  # type: ignore[arg-type] - a test's shorthand


def suppression(key: str) -> Suppression:
    why = Why.NOBODY_ON_CALL
    return Suppression(key, "db", 1, Kind.PAGE, why, T0, "ana", "nobody is on call", "roles.yaml:4", "r1")


async def keys_unsettled(ledger: Ledger) -> list[str]:
    return [letter.notification.key for letter in await ledger.unsettled()]


INCIDENT = Incident(
    "db",
    "Database down",
    "sev1",
    Status.IDENTIFIED,
    services=("checkout",),
    roles=(("incident_commander", "bo"),),
    acknowledged=(Acknowledgment("ana", T0),),
    eta=T0 + HOUR,
    updates=(UpdateEntry("Déjà vu 🙂", at=T0),),
)
FACTS = (
    Seen(T0, INCIDENT, "d1"),
    Assessed(T0, "sev1", "r1", (Channel.SMS, Channel.EMAIL)),
    StepFired(T0, "technical_lead", None, None, ("ana", "bo")),
    Paged(T0, "ana", ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.SMS,), ((Channel.EMAIL, T0 + HOUR),)),
)


async def test_facts_come_back_as_they_went_in(shelf: Shelf) -> None:
    """Facts of an incident come back equal, in their order, also after a restart."""
    ledger = await shelf.open()
    await ledger.record("db", FACTS[:2], (), ())
    await ledger.record("web", FACTS[:1], (), ())
    await ledger.record("db", FACTS[2:], (), ())
    assert await ledger.facts("db") == FACTS
    ledger = await shelf.open()
    assert await ledger.facts("db") == FACTS
    assert set(await ledger.incidents()) == {"db", "web"}
    assert await ledger.facts("unknown") == ()


async def test_a_key_is_new_once(shelf: Shelf) -> None:
    """A key decided twice is told new once, and keeps the first decision's words."""
    ledger = await shelf.open()
    assert await ledger.record("db", (), [letter("a"), letter("b")], ()) == {"a", "b"}
    assert await ledger.record("db", (), [letter("b", text="other"), letter("c")], ()) == {"c"}
    assert await ledger.record("db", (), [letter("d"), letter("d", text="other")], ()) == {"d"}
    ledger = await shelf.open()
    unsettled = await ledger.unsettled()
    assert [letter.notification.key for letter in unsettled] == ["a", "b", "c", "d"]
    assert {letter.content.text for letter in unsettled} == {"Database down"}


async def test_a_key_is_new_to_one_of_many(ledger: Ledger) -> None:
    """Of calls that come at once with one key, one is told that it is new; the letter is that call's."""
    calls = [ledger.record(name, (), [letter("k", name, text=name)], ()) for name in ("db", "web", "api")]
    new = await asyncio.gather(*calls)
    assert sorted(map(len, new)) == [0, 0, 1]
    winner = ("db", "web", "api")[[len(keys) for keys in new].index(1)]
    (unsettled,) = await ledger.unsettled()
    assert (unsettled.notification.incident, unsettled.content.text) == (winner, winner)


async def test_a_key_is_sent_or_held_once(ledger: Ledger) -> None:
    """The first decision about a key stands, to send it or to hold it back, also where one call makes both."""
    assert await ledger.record("db", (), [letter("a"), letter("b")], [suppression("a"), suppression("c")]) == {"a", "b"}
    assert await ledger.record("db", (), [letter("c"), letter("d")], [suppression("b")]) == {"d"}
    assert [(record.decided.key, record.state) for record in await ledger.records("db")] == [
        ("a", "pending"),
        ("b", "pending"),
        ("c", "held"),
        ("d", "pending"),
    ]


async def test_a_known_key_needs_no_words_again(ledger: Ledger) -> None:
    """Letters of one call with the same words and other words each keep their own, also when some keys are known."""
    await ledger.record("db", (), [letter("a", text="one")], ())
    await ledger.record("db", (), [letter("a", text="two"), letter("b", text="one"), letter("c", text="three")], ())
    texts = {unsettled.notification.key: unsettled.content.text for unsettled in await ledger.unsettled()}
    assert texts == {"a": "one", "b": "one", "c": "three"}
    others = [
        Content("three", "subject"),
        Content("three", "", "subject"),
        Content("", "three", "subject"),
        Content("three", language="de"),
    ]
    await ledger.record("web", (), [Letter(letter(f"w{n}", "web").notification, words) for n, words in enumerate(others)], ())  # fmt: skip
    assert [unsettled.content for unsettled in await ledger.unsettled()][3:] == others


async def test_a_letter_comes_back_whole(ledger: Ledger) -> None:
    """Every field of a notification and its words survives."""
    one = letter(
        "k",
        kind=Kind.UPDATE,
        reason=Reason.CHANGED,
        to="status@lists.example.com",
        via=Channel.EMAIL,
        roles=("scribe", "technical_lead"),
        level=0,
        round=2,
        group="customers",
        external=True,
        next_update_at=T0 + HOUR,
        at=T0 + timedelta(microseconds=1),
    )
    one = replace(one, content=Content("text", "subject", "<p>html</p>", "pt-BR"))
    await ledger.record("db", (), [one], ())
    assert await ledger.unsettled() == (one,)


async def test_what_is_out_by_another_channel(ledger: Ledger) -> None:
    """Rule 71: a page to one person, a notice to all operators; a start must not take these for undelivered. Of chen
    the provider has said that it was not delivered; bo's mailbox refused it.
    """
    notice = {"kind": Kind.OPERATOR, "reason": Reason.TROUBLE}
    letters = [
        *(letter(f"ana {via}", via=via) for via in Channel),
        letter("bo", to="bo"),
        *(letter(f"chen {via}", to="chen", via=via) for via in Channel),
        letter("later", at=T0 + HOUR),
        letter("closing", kind=Kind.CLOSING, reason=Reason.RESOLVED),
        *(letter(f"{to} is told", incident="-", to=to, **notice) for to in ("olga", "pia")),
    ]
    await ledger.record("db", (), letters[:-2], ())
    await ledger.record("-", (), letters[-2:], ())
    assert not any(one.out for one in await ledger.unsettled())
    for key in ("ana email", "olga is told", "chen sms"):
        via = Channel.SMS if key == "chen sms" else Channel.EMAIL
        attempt = await ledger.begin_attempt(key, via, "an address", T0, "")
        await ledger.end_attempt(attempt, Accepted("1"), T0)
        if via is Channel.SMS:
            await ledger.record_receipt(attempt, Receipt.UNDELIVERED, T0, "30003")
        await ledger.settle(key, "accepted", T0)
    await ledger.settle("bo", "refused", T0)
    out = {one.notification.key: one.out for one in await ledger.unsettled()}
    assert out == {"ana sms": True, "chen email": False, "later": False, "closing": False, "pia is told": True}


async def test_a_suppression_hides_no_letter(ledger: Ledger) -> None:
    """What was held back is kept, is nothing to deliver, and is told new to nobody."""
    held = suppression("h")
    assert await ledger.record("db", (), [letter("a")], [held]) == {"a"}
    assert await ledger.record("db", (), (), [held, held]) == frozenset()
    assert await keys_unsettled(ledger) == ["a"]


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted("SM1"),
        Deferred("busy", "451", Fault.PROVIDER, timedelta(seconds=90)),
        Refused("no such user", "550"),
        Uncertain("the connection broke"),
    ],
)
async def test_tries_and_their_ends(shelf: Shelf, outcome: Accepted | Deferred | Refused | Uncertain) -> None:
    """A try is there before it ends, the next one has the next number, and its end comes back equal."""
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a")], ())
    first = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    ledger = await shelf.open()
    assert (await ledger.unsettled())[0].attempts == (first,)
    await ledger.end_attempt(first, outcome, T0 + HOUR)
    second = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0 + HOUR, "the connection broke")
    assert (first.number, second.number) == (1, 2)
    ended = replace(first, outcome=outcome, ended_at=T0 + HOUR)
    assert (await ledger.unsettled())[0].attempts == (ended, second)


async def test_a_lookup_replaces_an_uncertain_end(ledger: Ledger) -> None:
    """A message that the provider has after all ends its try as accepted."""
    await ledger.record("db", (), [letter("a")], ())
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    await ledger.end_attempt(attempt, Uncertain("timeout"), T0)
    await ledger.end_attempt(attempt, Accepted("SM1"), T0 + HOUR)
    assert (await ledger.unsettled())[0].attempts[0].outcome == Accepted("SM1")


ENDS = (Uncertain("timeout"), Deferred("busy"), Refused("no such user", "550"), Accepted("SM1"))


@pytest.mark.parametrize("known", ENDS)
async def test_an_end_never_goes_back(ledger: Ledger, known: Outcome) -> None:
    """Rule 52: whoever reports late how a try ended, such as a machine that was stopped meanwhile, takes nothing back that
    is known already: neither whether it may have left, nor that it did.
    """
    for late in ENDS:
        key = f"a {type(late).__name__}"
        await ledger.record("db", (), [letter(key)], ())
        attempt = await ledger.begin_attempt(key, Channel.SMS, "+14155550101", T0)
        await ledger.end_attempt(attempt, known, T0)
        await ledger.end_attempt(attempt, late, T0 + HOUR)
        ((ended, _),) = await ledger.find_attempt(attempt.id)
        backwards = (isinstance(late, Uncertain) and not isinstance(known, Uncertain)) or (
            isinstance(late, Deferred) and isinstance(known, Refused | Accepted)
        )
        assert (ended.outcome, ended.ended_at) == ((known, T0) if backwards else (late, T0 + HOUR)), late


async def test_an_end_is_of_one_attempt(ledger: Ledger) -> None:
    """How an attempt ended, and its receipt, change no other attempt, whichever key or number those have."""
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    first = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    second = await ledger.begin_attempt("a", Channel.EMAIL, "ana@example.com", T0 + HOUR)
    other = await ledger.begin_attempt("b", Channel.SMS, "+14155550102", T0 + HOUR)
    assert [(attempt.reference, attempt.number) for attempt in (first, second, other)] == [("a", 1), ("a", 2), ("b", 1)]
    assert first.id < second.id < other.id
    await ledger.end_attempt(second, Deferred("busy"), T0 + 2 * HOUR)
    await ledger.record_receipt(other, Receipt.QUEUED, T0)
    await ledger.record_receipt(other, Receipt.UNDELIVERED, T0, "30034")
    await ledger.record_receipt(other, Receipt.UNDELIVERED, T0, "30003")
    ended = replace(second, outcome=Deferred("busy"), ended_at=T0 + 2 * HOUR)
    assert [unsettled.attempts for unsettled in await ledger.unsettled()] == [
        (first, ended),
        (replace(other, receipt=Receipt.UNDELIVERED, receipt_code="30034"),),
    ]


async def test_what_is_settled_is_not_taken_up_again(shelf: Shelf) -> None:
    """A settled letter is not unsettled after a restart, nor when it is decided again."""
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    await ledger.settle("a", "accepted", T0)
    await ledger.settle("a", "unwanted", T0 + HOUR)
    assert [(record.state, record.settled_at) for record in await ledger.records("db")] == [
        ("accepted", T0),
        ("pending", None),
    ]
    ledger = await shelf.open()
    assert await ledger.record("db", (), [letter("a")], ()) == frozenset()
    assert await keys_unsettled(ledger) == ["b"]


async def test_how_tries_end_is_written_with_what_it_leads_to(shelf: Shelf) -> None:
    """The ends of tries and the states of letters are one write; each counts as it does by itself."""
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a"), letter("b"), letter("c")], ())
    tries = [await ledger.begin_attempt(key, Channel.SMS, "+14155550101", T0) for key in ("a", "b")]
    await ledger.end_attempt(tries[1], Accepted("SM2"), T0)
    ends = [(tries[0], Refused("no such number"), T0), (tries[1], Uncertain("a cut line"), T0 + HOUR)]
    await ledger.end_and_settle(ends, [("a", "refused", T0), ("c", "unwanted", T0)])
    ledger = await shelf.open()
    records = {record.decided.key: record for record in await ledger.records("db")}
    outcomes = [records[key].attempts[0].outcome for key in ("a", "b")]
    assert outcomes == [Refused("no such number"), Accepted("SM2")], "what says less than is known counts for nothing"
    assert [records[key].state for key in "abc"] == ["refused", "pending", "unwanted"]


async def test_receipts_in_any_order(ledger: Ledger) -> None:
    """Receipts may come late and in any order; what is known only moves forward."""
    for number, order in enumerate(permutations((Receipt.SENT, Receipt.DELIVERED, Receipt.QUEUED))):
        key = f"k{number}"
        await ledger.record(key, (), [letter(key, key)], ())
        attempt = await ledger.begin_attempt(key, Channel.SMS, "+14155550101", T0)
        assert (await ledger.records(key))[0].receipt is None
        for receipt in order:
            await ledger.record_receipt(attempt, receipt, T0)
        assert (await ledger.records(key))[0].receipt is Receipt.DELIVERED


async def test_a_receipt_that_says_nothing_is_none(ledger: Ledger) -> None:
    """An unknown state is no receipt; what is final may still turn out as not delivered, and never back."""
    await ledger.record("db", (), [letter("a")], ())
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    for receipt, known in (
        (Receipt.UNKNOWN, None),
        (Receipt.QUEUED, Receipt.QUEUED),
        (Receipt.UNKNOWN, Receipt.QUEUED),
        (Receipt.DELIVERED, Receipt.DELIVERED),
        (Receipt.UNDELIVERED, Receipt.UNDELIVERED),
        (Receipt.DELIVERED, Receipt.UNDELIVERED),
    ):
        await ledger.record_receipt(attempt, receipt, T0)
        (record,) = await ledger.records("db")
        assert (record.receipt, record.attempts[0].receipt) == (known, known)


async def test_a_record_has_the_receipt_of_the_newest_attempt(ledger: Ledger) -> None:
    """The provider's last word about a message is that about the newest attempt it spoke of."""
    await ledger.record("db", (), [letter("a")], ())
    attempts = [await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0) for _ in range(3)]
    await ledger.record_receipt(attempts[1], Receipt.SENT, T0 + HOUR)
    await ledger.record_receipt(attempts[0], Receipt.DELIVERED, T0 + 2 * HOUR)
    (record,) = await ledger.records("db")
    assert record.receipt is Receipt.SENT
    assert [attempt.receipt for attempt in record.attempts] == [Receipt.DELIVERED, Receipt.SENT, None]


async def test_a_try_by_its_id(shelf: Shelf) -> None:
    """A try comes back with its end, its receipt and what it was a try of, settled or not, also after a restart."""
    ledger = await shelf.open()
    assert await ledger.find_attempt(numbered_attempt(1)) == ()
    one = letter("a")
    await ledger.record("db", (), [one, letter("b")], ())
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    assert await ledger.find_attempt(attempt.id) == ((attempt, one.notification),)
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    await ledger.record_receipt(attempt, Receipt.DELIVERED, T0)
    await ledger.settle("a", "accepted", T0)
    ledger = await shelf.open()
    ended = replace(attempt, outcome=Accepted("SM1"), ended_at=T0, receipt=Receipt.DELIVERED)
    assert await ledger.find_attempt(attempt.id) == ((ended, one.notification),)
    for unknown in ("", "1", "'; --", attempt.id[:-1], attempt.id + "0", numbered_attempt(10**18 - 1)):
        assert await ledger.find_attempt(unknown) == ()


FIVE = Bundle("b1", Content("5 pages: reply ok all"))
ANA, BO = "+14155550101", "+14155550102"


async def test_whose_link_it_is_is_known_with_the_words(shelf: Shelf) -> None:
    """P8 TOKEN: a short link is known once the letter, or the bundle, is that has it in its words, and not before; a
    second message with the same link changes nothing, and the rest of the transaction stands.
    """
    ledger = await shelf.open()
    known = [AnswerLink(letters * 32, "db", episode, "ana") for episode, letters in ((1, "ab"), (2, "cd"), (3, "ef"))]
    assert [await ledger.answer_link(link.digest) for link in known] == [None] * 3
    await ledger.record("db", (FACTS[0],), [replace(letter("a"), link=known[0])], ())
    await ledger.record("db", (), [replace(letter("b"), link=known[0]), replace(letter("c"), link=known[1])], ())
    assert [await ledger.answer_link(link.digest) for link in known] == [*known[:2], None]
    await ledger.begin_bundle(replace(FIVE, links=tuple(known)), ("a", "b"), Channel.SMS, ANA, T0, {})
    ledger = await shelf.open()
    assert [await ledger.answer_link(link.digest) for link in known] == known
    assert await ledger.answer_link("") is None
    assert await keys_unsettled(ledger) == ["a", "b", "c"]
    assert await ledger.bundle("b1") == FIVE


async def test_an_attempt_names_its_provider(shelf: Shelf) -> None:
    """Rule 50: the provider that was tried comes back with the attempt; none is named where none was said."""
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a")], ())
    first = await ledger.begin_attempt("a", Channel.SMS, ANA, T0, provider="main")
    second = await ledger.begin_attempt("a", Channel.SMS, ANA, T0, provider="spare")
    third = await ledger.begin_attempt("a", Channel.SMS, ANA, T0)
    ledger = await shelf.open()
    assert (await ledger.unsettled())[0].attempts == (first, second, third)
    assert [attempt.provider for attempt in (first, second, third)] == ["main", "spare", ""]
    assert {attempt.bundle for attempt in (first, second, third)} == {""}


async def test_a_bundle_is_an_attempt_at_each_of_its_pages(shelf: Shelf) -> None:
    """Rule 47: one try of a bundle begins an attempt for each page, in their order, numbered on from each page's own
    attempts and with its own cause; the words are kept, and those of the first try stand.
    """
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a"), letter("b"), letter("c")], ())
    alone = await ledger.begin_attempt("b", Channel.SMS, ANA, T0)
    begun = await ledger.begin_bundle(FIVE, ("b", "a"), Channel.SMS, ANA, T0 + HOUR, {"b": "a kill"}, provider="spare")
    assert [(attempt.reference, attempt.number) for attempt in begun] == [("b", 2), ("a", 1)]
    assert [attempt.possible_duplicate for attempt in begun] == ["a kill", ""]
    assert {(attempt.bundle, attempt.provider, attempt.address) for attempt in begun} == {("b1", "spare", ANA)}
    assert len({alone.id, *(attempt.id for attempt in begun)}) == 3
    await ledger.begin_bundle(replace(FIVE, content=Content("other")), ("a",), Channel.SMS, ANA, T0, {})
    ledger = await shelf.open()
    letters = {known.notification.key: known.attempts for known in await ledger.unsettled()}
    assert letters["b"] == (alone, begun[0])
    assert letters["a"][:1] == (begun[1],)
    assert letters["c"] == ()
    assert await ledger.bundle("b1") == FIVE
    assert await ledger.bundle("b2") is None


async def test_bundles_begun_at_once_keep_their_own(ledger: Ledger) -> None:
    """Many bundles written in one transaction: each gets the attempts at its own pages."""
    keys = [f"k{number}" for number in range(30)]
    await ledger.record("db", (), [letter(key) for key in keys], ())
    begun = await asyncio.gather(
        *(
            ledger.begin_bundle(replace(FIVE, id=f"b{place}"), keys[place::3], Channel.SMS, ANA, T0, {})
            for place in range(3)
        ),
        ledger.begin_attempt("k0", Channel.SMS, ANA, T0),
    )
    for place, attempts in enumerate(begun[:3]):
        assert isinstance(attempts, tuple)
        assert [(attempt.reference, attempt.bundle) for attempt in attempts] == [
            (key, f"b{place}") for key in keys[place::3]
        ]


async def test_what_left_together_is_found_together(shelf: Shelf) -> None:
    """By one attempt of a bundle the others of the same try are found, none of an earlier or later try; what
    was asked for comes first. An attempt alone finds itself.
    """
    ledger = await shelf.open()
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    await ledger.record("web", (), [letter("w", "web")], ())
    alone = await ledger.begin_attempt("a", Channel.SMS, ANA, T0)
    first = await ledger.begin_bundle(FIVE, ("a", "b", "w"), Channel.SMS, ANA, T0, {}, provider="main")
    again = await ledger.begin_bundle(FIVE, ("a", "b", "w"), Channel.SMS, ANA, T0, {}, provider="spare")
    fewer = await ledger.begin_bundle(FIVE, ("b", "w"), Channel.SMS, ANA, T0, {}, provider="spare")
    other = await ledger.begin_bundle(replace(FIVE, id="b2"), ("a", "w"), Channel.SMS, ANA, T0, {})
    ledger = await shelf.open()

    async def together(attempt: Attempt) -> tuple[Attempt, ...]:
        known = await ledger.find_attempt(attempt.id)
        assert [notification.key for _, notification in known] == [one.reference for one, _ in known]
        return tuple(one for one, _ in known)

    assert await together(alone) == (alone,)
    assert await together(first[0]) == first
    assert await together(again[1]) == (again[1], again[0], again[2])
    assert await together(fewer[1]) == (fewer[1], fewer[0])
    assert await together(other[0]) == other
    assert [notification.incident for _, notification in await ledger.find_attempt(first[0].id)] == ["db", "db", "web"]


async def test_a_page_that_only_a_later_try_held_is_found(ledger: Ledger) -> None:
    """A try may hold a page that an earlier one of the same bundle did not."""
    await ledger.record("db", (), [letter("a"), letter("b"), letter("c")], ())
    await ledger.begin_bundle(FIVE, ("a", "b"), Channel.SMS, ANA, T0, {})
    later = await ledger.begin_bundle(FIVE, ("a", "c"), Channel.SMS, ANA, T0, {})
    assert [attempt for attempt, _ in await ledger.find_attempt(later[1].id)] == [later[1], later[0]]


async def test_a_record_names_what_it_left_with(ledger: Ledger) -> None:
    """P6: a page that left in a bundle knows the others of that, also of other incidents, in their order; one that left
    alone, or last left alone, knows none.
    """
    letters = [letter(key) for key in ("a", "b", "c")]
    await ledger.record("db", (), letters, ())
    await ledger.record("web", (), [letter("w", "web")], ())
    await ledger.begin_bundle(FIVE, ("w", "a", "b"), Channel.SMS, ANA, T0, {})
    await ledger.begin_bundle(FIVE, ("w", "a", "b"), Channel.SMS, ANA, T0 + HOUR, {})
    await ledger.begin_attempt("b", Channel.SMS, ANA, T0 + HOUR)
    a, b, c = await ledger.records("db")
    assert [page.key for page in a.bundled_with] == ["w", "b"]
    assert (a.bundled_with[1], b.bundled_with, c.bundled_with) == (letters[1].notification, (), ())
    (w,) = await ledger.records("web")
    assert [page.key for page in w.bundled_with] == ["a", "b"]


async def test_an_end_and_a_receipt_are_of_one_page_of_a_bundle(ledger: Ledger) -> None:
    """Each page of a bundle has a row of its own: what is recorded of one is recorded of that one."""
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    one, other = await ledger.begin_bundle(FIVE, ("a", "b"), Channel.SMS, ANA, T0, {})
    await ledger.end_attempt(one, Accepted("SM1"), T0)
    await ledger.record_receipt(one, Receipt.SENT, T0)
    ended = replace(one, outcome=Accepted("SM1"), ended_at=T0, receipt=Receipt.SENT)
    assert [attempt for attempt, _ in await ledger.find_attempt(other.id)] == [other, ended]


async def test_what_room_is_reckoned_from(shelf: Shelf) -> None:
    """Rule 45: every attempt at a page begun lately, and of unfinished incidents the first at each episode and address,
    however long ago; no other message, and nothing old of what is finished.
    """
    ledger = await shelf.open()
    old, late = T0, T0 + HOUR
    again = [letter("d2", episode=2), letter("mail", via=Channel.EMAIL), letter("bo", to="bo")]
    await ledger.record("db", [FACTS[0]], [letter("d1"), letter("up", kind=Kind.UPDATE), *again], ())
    await ledger.record("over", [Closed(T0)], [letter("o1", "over"), letter("o2", "over")], ())
    await ledger.finish("over")
    first = [
        await ledger.begin_attempt("d1", Channel.SMS, ANA, old),
        await ledger.begin_attempt("d2", Channel.SMS, ANA, old),
        await ledger.begin_attempt("mail", Channel.EMAIL, "ana@example.com", old),
        await ledger.begin_attempt("bo", Channel.SMS, BO, old),
    ]
    await ledger.begin_attempt("up", Channel.SMS, ANA, late)
    await ledger.begin_attempt("d1", Channel.SMS, ANA, old)
    await ledger.begin_attempt("o1", Channel.SMS, ANA, old)
    (lately,) = await ledger.begin_bundle(FIVE, ("o2",), Channel.SMS, ANA, late, {})
    again_lately = await ledger.begin_attempt("d1", Channel.SMS, ANA, late + HOUR)
    ledger = await shelf.open()
    sent = await ledger.sent_pages(late)
    assert [attempt for _, attempt in sent] == [*first, lately, again_lately]
    assert [page.key for page, _ in sent] == ["d1", "d2", "mail", "bo", "o2", "d1"]
    assert [attempt for _, attempt in await ledger.sent_pages(late + 2 * HOUR)] == first
    assert [page.key for page, _ in await ledger.sent_pages(late, "bo")] == ["bo"]
    assert [page.key for page, _ in await ledger.sent_pages(late, "ana")] == ["d1", "d2", "mail", "o2", "d1"]


async def test_the_newest_version_of_many(ledger: Ledger) -> None:
    """The last that was seen of each, open or over; of what was never seen nothing is known."""
    versions = {
        name: replace(INCIDENT, id=name, severity=severity) for name, severity in (("a", "sev1"), ("b", "sev3"))
    }
    for name, incident in versions.items():
        await ledger.record(
            name, [Seen(T0, replace(incident, severity="sev4")), Seen(T0, incident), Closed(T0)], (), ()
        )
    await ledger.finish("b")
    await ledger.record("typo", [Answered(T0, "ana", Answer.OK)], (), ())
    assert await ledger.newest_versions(("a", "b", "typo", "never")) == versions
    assert await ledger.newest_versions({"b"}) == {"b": versions["b"]}
    assert await ledger.newest_versions([f"x{number}" for number in range(600)] + ["a"]) == {"a": versions["a"]}
    assert await ledger.newest_versions(()) == {}


async def test_the_digests_of_all_versions(ledger: Ledger) -> None:
    """Of each in the order seen, or of the last alone; of what was never seen there are none, nor of a file that was
    never readable once it is gone (rule 32).
    """
    for name, digests in (("a", ("1", "2", "1")), ("b", ("3",))):
        await ledger.record(name, [Seen(T0, replace(INCIDENT, id=name), digest) for digest in digests], (), ())
    await ledger.record("typo", [Answered(T0, "ana", Answer.OK)], (), ())
    names = [f"x{number}" for number in range(600)] + ["a", "b", "typo"]
    assert await ledger.version_digests(names) == {"a": ("1", "2", "1"), "b": ("3",)}
    assert await ledger.version_digests(names, newest=True) == {"a": ("1",), "b": ("3",)}
    assert await ledger.version_digests(["b"]) == {"b": ("3",)}
    assert await ledger.version_digests(()) == {}
    await ledger.record("b", [Gone(T0)], (), ())
    for newest in (True, False):
        assert await ledger.version_digests(["b"], newest=newest) == {}
    await ledger.record("b", [Seen(T0, replace(INCIDENT, id="b"), "4")], (), ())
    for newest in (True, False):
        assert await ledger.version_digests(["b"], newest=newest) == {"b": ("4",)}
    for number, summary in enumerate(('"digest":"x"}', "long " * 900, "half a pair \ud83d", "")):
        incident = replace(INCIDENT, id="c", summary=summary)
        await ledger.record("c", [Seen(T0, incident), Seen(T0, incident, f"{number:032x}")], (), ())
        assert (await ledger.version_digests(["c"]))["c"][-2:] == ("", f"{number:032x}")


async def test_pages_that_a_provider_took(ledger: Ledger) -> None:
    """The incidents of which a page to somebody was handed over by then, or may have been: not what waits, was
    deferred or refused, is under way, came later, went to another, was no page, or belongs to what is finished. Where
    the beginnings of tries are asked for, one that ended later counts.
    """
    ends: dict[str, Outcome | None] = {
        "taken": Accepted("SM1"),
        "doubtful": Uncertain("a cut line"),
        "late": Accepted("SM2"),
        "deferred": Deferred("busy"),
        "refused": Refused("no such number"),
        "under-way": None,
        "other": Accepted("SM3"),
        "update": Accepted("SM4"),
        "over": Accepted("SM5"),
    }
    changes: dict[str, dict[str, object]] = {"other": {"to": "bo"}, "update": {"kind": Kind.UPDATE}}
    for name, outcome in ends.items():
        page = letter(name, name, episode=2, **changes.get(name, {}))
        await ledger.record(name, [Seen(T0, replace(INCIDENT, id=name))], [page], ())
        attempt = await ledger.begin_attempt(name, Channel.SMS, ANA, T0)
        if outcome:
            await ledger.end_attempt(attempt, outcome, T0 + HOUR if name == "late" else T0)
    await ledger.record("waits", [Seen(T0, replace(INCIDENT, id="waits"))], [letter("waits", "waits")], ())
    await ledger.finish("over")
    taken, begun = {("taken", 2), ("doubtful", 2)}, {("taken", 2), ("doubtful", 2), ("late", 2)}
    assert await ledger.pages_handed_over("ana", T0, begun=False) == taken
    assert await ledger.pages_handed_over("ana", T0, begun=True) == begun
    assert await ledger.pages_handed_over("ana", T0 + HOUR, begun=False) == begun
    for whether in (False, True):
        assert await ledger.pages_handed_over("ana", T0 - HOUR, begun=whether) == frozenset()
        assert await ledger.pages_handed_over("nobody", T0, begun=whether) == frozenset()


async def test_one_answer_for_everything_is_written_at_once(shelf: Shelf) -> None:
    """`ok all` answers in each incident and leaves the letter that says so; the same SMS once more changes
    nothing.
    """
    ledger = await shelf.open()
    for name in ("db", "web"):
        await ledger.record(name, [Seen(T0, replace(INCIDENT, id=name))], (), ())
        await ledger.finish(name)
    answers = [(name, Answered(T0 + HOUR, "ana", Answer.OK)) for name in ("db", "web")]
    told = letter("-/0/answer/SM1", "-", "2 accepted", kind=Kind.ANSWER)
    assert await ledger.record_answers(answers, told)
    other = [("db", Answered(T0 + 2 * HOUR, "ana", Answer.OK))]
    assert not await ledger.record_answers(other, replace(told, content=Content("again")))
    ledger = await shelf.open()
    assert [(name, (await ledger.facts(name))[-1]) for name in ("db", "web")] == answers
    assert set(await ledger.unfinished()) == {"db", "web"}
    assert await ledger.unsettled() == (told,)
    assert await ledger.record_answers((), replace(told, notification=replace(told.notification, key="k2")))
    assert len(await ledger.unsettled()) == 2


async def test_addresses_that_want_nothing_more(shelf: Shelf) -> None:
    """Rule 51: they are kept in the order they said so, each by its channel, until they come back; saying it twice
    changes nothing.
    """
    ledger = await shelf.open()
    assert await ledger.opt_outs() == ()
    number = OptOut(Channel.SMS, ANA, T0, "SM1")
    mailbox = OptOut(Channel.EMAIL, "status@lists.example.com", T0 + HOUR, "customers")
    for opted in (number, mailbox, replace(number, at=T0 + 2 * HOUR, ref="SM2")):
        await ledger.opt_out(opted)
    ledger = await shelf.open()
    assert await ledger.opt_outs() == (number, mailbox)
    assert not await ledger.opt_in(Channel.EMAIL, ANA)
    assert await ledger.opt_in(Channel.SMS, ANA)
    assert not await ledger.opt_in(Channel.SMS, ANA)
    assert await ledger.opt_outs() == (mailbox,)
    await ledger.opt_out(replace(number, at=T0 + 3 * HOUR))
    assert await ledger.opt_outs() == (mailbox, replace(number, at=T0 + 3 * HOUR))


async def test_who_is_signed_in(shelf: Shelf) -> None:
    """P8: sessions are kept by the digests of their ids, in the order they began, until they are ended; one that is
    begun a second time stays whose it was.
    """
    ledger = await shelf.open()
    assert await ledger.sessions() == ()
    ana, bo = Session("d2", "ana", T0), Session("d1", "bo", T0 + HOUR)
    for session in (bo, ana, Session("d1", "mallory", T0 + 2 * HOUR)):
        await ledger.begin_session(session)
    ledger = await shelf.open()
    assert await ledger.sessions() == (ana, bo)
    assert await ledger.session("d1") == bo
    assert await ledger.session("d3") is None
    await ledger.end_sessions(["d2", "d3"])
    await ledger.end_sessions([])
    assert await ledger.sessions() == (bo,)
    assert await ledger.session("d2") is None


async def test_when_an_address_last_proved_to_work(ledger: Ledger) -> None:
    """A number by its newest receipt or SMS, a mailbox by its newest accepted mail; what was refused, or only sent,
    proves nothing.
    """
    assert await ledger.proofs() == {}
    await ledger.record("db", (), [letter("a")], ())

    async def tried(via: Channel, address: str, at: datetime, outcome: Outcome, receipt: Receipt | None = None) -> None:
        attempt = await ledger.begin_attempt("a", via, address, at)
        await ledger.end_attempt(attempt, outcome, at)
        if receipt:
            await ledger.record_receipt(attempt, receipt, at + HOUR / 2)

    for hours in (2, 0, 1):
        await tried(Channel.SMS, ANA, T0 + hours * HOUR, Accepted(f"SM{hours}"), Receipt.DELIVERED)
        await tried(Channel.EMAIL, "ana@example.com", T0 + hours * HOUR, Accepted(f"M{hours}"))
    await tried(Channel.SMS, ANA, T0 + 9 * HOUR, Accepted("SM9"), Receipt.UNDELIVERED)
    await tried(Channel.SMS, BO, T0, Accepted("SM8"), Receipt.SENT)
    await tried(Channel.EMAIL, "bo@example.com", T0, Refused("no such user"))
    assert await ledger.proofs() == {
        (Channel.SMS, ANA): Proof(T0 + 2.5 * HOUR, ProvedBy.RECEIPT),
        (Channel.EMAIL, "ana@example.com"): Proof(T0 + 2 * HOUR, ProvedBy.ACCEPTED),
    }
    for number, at in ((ANA, T0), (BO, T0), (BO, T0 + HOUR)):
        await ledger.record_arrival(Arrival(ArrivalKind.SMS, f"{number}-{at}", number, "ok", at))
    await ledger.record_arrival(Arrival(ArrivalKind.RECEIPT, "SM1:sent", "1", "sent", T0))
    proofs = await ledger.proofs()
    assert proofs[Channel.SMS, ANA] == Proof(T0 + 2.5 * HOUR, ProvedBy.RECEIPT)
    assert proofs[Channel.SMS, BO] == Proof(T0 + HOUR, ProvedBy.ANSWER)
    assert len(proofs) == 3


async def test_addresses_refused_when_last_tried(ledger: Ledger) -> None:
    """An address counts as refused until a provider took a message to it; trouble that says nothing of it changes
    nothing, and each channel and address is its own.
    """
    await ledger.record("db", (), [letter("a")], ())
    refused, other = Refused("opted out", "21610"), Refused("550 no such user", "550")

    async def tried(address: str, outcome: Outcome, via: Channel = Channel.SMS) -> Attempt:
        attempt = await ledger.begin_attempt("a", via, address, T0)
        await ledger.end_attempt(attempt, outcome, T0)
        return replace(attempt, outcome=outcome, ended_at=T0)

    assert await ledger.refusals() == ()
    await tried("+14155550101", refused)
    await tried("+14155550102", refused)
    last = await tried("+14155550101", other)
    await tried("+14155550101", Deferred("busy"))
    await tried("+14155550101", Uncertain("who knows"))
    await tried("+14155550101", Refused("too long", "21617", Fault.MESSAGE))
    mail = await tried("ana@example.com", other, Channel.EMAIL)
    await tried("+14155550102", Accepted("SM2"))
    await tried("+14155550101", Accepted("M1"), Channel.EMAIL)
    await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    assert await ledger.refusals() == (last, mail)
    await tried("+14155550101", Accepted("SM3"))
    assert await ledger.refusals() == (mail,)


async def test_every_message_can_be_explained(ledger: Ledger) -> None:
    """P6: what was sent and what was held back is told in the order decided, with its tries, its state and its rule."""
    one, other, web = letter("a"), letter("b", text="Still down"), letter("w", "web")
    held = Suppression("h", "db", 1, Kind.UPDATE, Why.DRILL, T0, "customers", "a drill", "severities.yaml:9", "r1")
    await ledger.record("db", (), [one], ())
    await ledger.record("web", (), [web], ())
    await ledger.record("db", (), [other], [held])
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    await ledger.settle("a", "accepted", T0 + HOUR)
    ended = replace(attempt, outcome=Accepted("SM1"), ended_at=T0)
    assert await ledger.records("db") == (
        Record(one.notification, one.content, (ended,), None, "accepted", T0 + HOUR),
        Record(other.notification, other.content, state="pending"),
        Record(held),
    )
    assert await ledger.records("unknown") == ()


async def test_records_stand_in_the_order_decided(ledger: Ledger) -> None:
    """What one call decides stands in its order, first what is sent, then what is held back."""
    await ledger.record("db", (), [letter("z"), letter("a")], [suppression("y"), suppression("b")])
    await ledger.record("db", (), [letter("m")], ())
    assert [record.decided.key for record in await ledger.records("db")] == ["z", "a", "y", "b", "m"]
    assert await keys_unsettled(ledger) == ["z", "a", "m"]
    assert [record.decided for record in await ledger.records("db")][2] == suppression("y")


async def test_finished_incidents_stay_out_of_a_start(shelf: Shelf) -> None:
    """A finished incident is not loaded at the start, until a new fact."""
    ledger = await shelf.open()
    for name in ("db", "web"):
        await ledger.record(name, FACTS, (), ())
    await ledger.finish("db")
    ledger = await shelf.open()
    assert await ledger.unfinished() == {"web": FACTS}
    assert await ledger.facts("db") == FACTS
    again = Answered(T0 + HOUR, "ana", Answer.OK)
    await ledger.record("db", (again,), (), ())
    assert await ledger.unfinished() == {"db": (*FACTS, again), "web": FACTS}


async def test_only_facts_make_an_incident_unfinished(ledger: Ledger) -> None:
    """Letters and files do not take up a finished incident, and finishing one leaves the others as they are."""
    await ledger.record("db", FACTS, (), ())
    await ledger.record("web", FACTS, (), ())
    await ledger.keep_file("web", "web.yaml", "d1", b"x")
    assert set(await ledger.unfinished()) == {"db", "web"}
    await ledger.finish("db")
    await ledger.keep_file("db", "db.yaml", "d1", b"x")
    await ledger.record("db", (), [letter("a")], [suppression("h")])
    assert await ledger.unfinished() == {"web": FACTS}
    await ledger.keep_file("new", "new.yaml", "d1", b"x")
    assert await ledger.unfinished() == {"web": FACTS}
    assert set(await ledger.incidents()) == {"db", "web", "new"}


async def test_facts_leave_the_file_as_it_is(ledger: Ledger) -> None:
    """Facts, finishing and other incidents' files change nothing of an incident's newest good version."""
    await ledger.keep_file("db", "db.yaml", "d1", b"title: x")
    await ledger.record("db", FACTS, (), ())
    await ledger.finish("db")
    await ledger.keep_file("web", "web.yaml", "d2", b"title: y")
    assert await ledger.file("db") == ("db.yaml", b"title: x", "d1")
    assert await ledger.files() == {"db": ("db.yaml", "d1"), "web": ("web.yaml", "d2")}


async def test_files_are_kept(shelf: Shelf) -> None:
    """The newest good version's name (any bytes), digest and bytes, so that a vanished file can be written anew."""
    ledger = await shelf.open()
    await ledger.keep_file("db", "db.yaml", "d1", b"title: x\n")
    await ledger.keep_file("db", "d\udcffb.yml", "d2", b"\xff\x00" * 1000)
    await ledger.record("web", FACTS[:1], (), ())
    ledger = await shelf.open()
    assert await ledger.files() == {"db": ("d\udcffb.yml", "d2"), "web": ("", "")}
    assert await ledger.file("db") == ("d\udcffb.yml", b"\xff\x00" * 1000, "d2")
    assert await ledger.file("web") is None
    assert await ledger.file("unknown") is None


ARRIVAL = Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok K7 🙂", T0)


async def test_an_arrival_counts_once(shelf: Shelf) -> None:
    """What came in by two doors is one; it is kept, also over a restart, until it is judged."""
    ledger = await shelf.open()
    assert await ledger.record_arrival(ARRIVAL)
    assert not await ledger.record_arrival(replace(ARRIVAL, body="other", at=T0 + HOUR))
    assert await ledger.record_arrival(replace(ARRIVAL, kind=ArrivalKind.RECEIPT))
    ledger = await shelf.open()
    (row, first), (_, second) = await ledger.unjudged_arrivals()
    assert (first, second.kind) == (ARRIVAL, ArrivalKind.RECEIPT)
    await ledger.record_result(row, "acted")
    await ledger.record_result(row, "answered")
    assert await ledger.newest_results(ArrivalKind.SMS, ARRIVAL.who, 2) == ("acted",)
    assert [arrival.kind for _, arrival in await ledger.unjudged_arrivals()] == [ArrivalKind.RECEIPT]
    assert not await ledger.record_arrival(ARRIVAL)


async def test_what_goes_into_files_is_judged_apart(shelf: Shelf) -> None:
    """Edits and declarations wait for their own judge, as alerts do; their body comes back whole."""
    ledger = await shelf.open()
    kinds = (ArrivalKind.SMS, ArrivalKind.EDIT, ArrivalKind.ALERT, ArrivalKind.DECLARE)
    for kind in kinds:
        assert await ledger.record_arrival(replace(ARRIVAL, kind=kind, ref=kind.value, body="session {漢🙂}" * 500))
    acts = [arrival for _, arrival in await ledger.unjudged_acts()]
    assert acts == [replace(ARRIVAL, kind=kind, ref=kind.value, body="session {漢🙂}" * 500) for kind in kinds[::-2]]
    assert [arrival.ref for _, arrival in await ledger.unjudged_arrivals()] == ["sms"]  # type: ignore[union-attr]
    assert [arrival.ref for _, arrival in await ledger.unjudged_alerts()] == ["alert"]  # type: ignore[union-attr]
    (_, (row, _)) = await ledger.unjudged_acts()
    await ledger.record_result(row, "acted", "It is so.")
    assert await ledger.outcome(ArrivalKind.EDIT, "edit") == Judgement("acted", "It is so.")
    assert len(await ledger.unjudged_acts()) == 1


async def test_what_machines_hand_in_is_judged_apart(shelf: Shelf) -> None:
    """P9: in the order it came, and once; nothing of it stands before somebody's answer."""
    ledger = await shelf.open()
    kinds = (ArrivalKind.VERSION, ArrivalKind.SMS, ArrivalKind.VANISHED, ArrivalKind.NOTICE)
    for kind in kinds:
        assert await ledger.record_arrival(replace(ARRIVAL, kind=kind, ref=kind.value, body="x" * 100_000))
    assert not await ledger.record_arrival(replace(ARRIVAL, kind=ArrivalKind.VERSION, ref="version"))
    handed_in = await ledger.unjudged_hand_ins()
    assert [arrival.ref for _, arrival in handed_in] == ["version", "vanished", "notice"]  # type: ignore[union-attr]
    assert [arrival.ref for _, arrival in await ledger.unjudged_arrivals()] == ["sms"]  # type: ignore[union-attr]
    under_way = {row for row, _ in handed_in[:2]}
    assert await ledger.unjudged_hand_ins(under_way) == handed_in[2:]
    await ledger.record_result(handed_in[0][0], "edited")
    assert len(await ledger.unjudged_hand_ins()) == 2


async def test_acts_are_judged_in_turn(shelf: Shelf) -> None:
    """What is declared first; then the first edit of each person, then their second: also where more lies there than is
    given at once.
    """
    ledger = await shelf.open()
    acts = [("bo", 250), ("chen", 3)]
    for who, number in acts:
        arrivals = [replace(ARRIVAL, kind=ArrivalKind.EDIT, ref=f"{who}{place}", who=who) for place in range(number)]
        await asyncio.gather(*map(ledger.record_arrival, arrivals))
    await ledger.record_arrival(replace(ARRIVAL, kind=ArrivalKind.DECLARE, ref="declare", who="dai"))
    given = [arrival.ref for _, arrival in await ledger.unjudged_acts()]  # type: ignore[union-attr]
    assert given[:8] == ["declare", "bo0", "chen0", "bo1", "chen1", "bo2", "chen2", "bo3"]


async def test_the_words_of_an_outcome(shelf: Shelf) -> None:
    """Whoever waits for an arrival reads what became of it, also after a restart, once it is judged; the first result
    stands with its words. A reference counts within its kind.
    """
    ledger = await shelf.open()
    assert not await ledger.has_arrived(ArrivalKind.ANSWER, "x1")
    assert await ledger.outcome(ArrivalKind.ANSWER, "x1") is None
    for kind, ref in ((ArrivalKind.ANSWER, "x1"), (ArrivalKind.ANSWER, "x2"), (ArrivalKind.ALERT, "x1")):
        assert await ledger.record_arrival(replace(ARRIVAL, kind=kind, ref=ref))
    assert await ledger.outcome(ArrivalKind.ANSWER, "x1") is None
    (first, _), (second, _) = await ledger.unjudged_arrivals()
    ((_, alert),) = await ledger.unjudged_alerts()
    assert (alert.kind, alert.ref) == (ArrivalKind.ALERT, "x1")  # type: ignore[union-attr]
    await ledger.record_result(first, "acted", "You are the technical lead.")
    await ledger.record_result(first, "refused", "No.")
    await ledger.record_result(second, "acted")
    ledger = await shelf.open()
    assert await ledger.outcome(ArrivalKind.ANSWER, "x1") == Judgement("acted", "You are the technical lead.")
    assert await ledger.outcome(ArrivalKind.ANSWER, "x2") == Judgement("acted")
    assert await ledger.outcome(ArrivalKind.ALERT, "x1") is None
    assert await ledger.has_arrived(ArrivalKind.ANSWER, "x1")
    assert await ledger.has_arrived(ArrivalKind.ALERT, "x1")
    assert not await ledger.has_arrived(ArrivalKind.VERSION, "x1")
    ((row, _),) = await ledger.unjudged_alerts()
    await ledger.record_result(row, "declared")
    assert await ledger.unjudged_alerts() == ()


async def test_every_arrival_is_met(ledger: Ledger) -> None:
    """However many have come in, whoever judges what is given and asks again meets each once, in the order they came."""
    refs = [f"SM{number}" for number in range(450)]
    await asyncio.gather(*(ledger.record_arrival(replace(ARRIVAL, ref=ref)) for ref in refs))
    (first, _), (second, _), *_ = await ledger.unjudged_arrivals()
    await ledger.record_result(second, "acted")
    met = []
    while arrivals := await ledger.unjudged_arrivals():
        for row, arrival in arrivals:
            met.append(arrival.ref)
            await ledger.record_result(row, "acted")
    assert first < second
    assert met == [refs[0], *refs[2:]]


async def test_results_are_of_one_kind_and_sender(ledger: Ledger) -> None:
    """Results and the newest arrival are those of the kind that is asked for; the newest is that of the latest instant."""
    receipt = replace(ARRIVAL, kind=ArrivalKind.RECEIPT, at=T0 + 5 * HOUR)
    other = replace(ARRIVAL, ref="SM2", who="+14155550102", at=T0 - HOUR)
    for arrival, result in ((ARRIVAL, "acted"), (receipt, "delivered"), (other, "ignored")):
        await ledger.record_arrival(arrival)
        await ledger.record_result((await ledger.unjudged_arrivals())[0][0], result)
    assert await ledger.newest_results(ArrivalKind.SMS, ARRIVAL.who, 5) == ("acted",)
    assert await ledger.newest_results(ArrivalKind.RECEIPT, ARRIVAL.who, 5) == ("delivered",)
    assert await ledger.last_arrival_at(ArrivalKind.SMS) == T0
    assert await ledger.last_arrival_at(ArrivalKind.RECEIPT) == T0 + 5 * HOUR


async def test_the_newest_arrival_is_so_in_every_zone(ledger: Ledger) -> None:
    """Which of two arrivals is newer does not depend on the offsets from UTC in which their instants are given."""
    ahead = timezone(10 * HOUR)
    await ledger.record_arrival(replace(ARRIVAL, at=T0.astimezone(ahead)))
    await ledger.record_arrival(replace(ARRIVAL, ref="SM2", at=T0 + HOUR))
    assert await ledger.last_arrival_at(ArrivalKind.SMS) == T0 + HOUR


async def test_what_arrivals_led_to(ledger: Ledger) -> None:
    """The newest results of one sender, and when the newest came in; what is not judged has no result."""
    assert await ledger.last_arrival_at(ArrivalKind.SMS) is None
    for number, result in enumerate(["acted", "answered", "ignored", ""]):
        await ledger.record_arrival(replace(ARRIVAL, ref=f"SM{number}", at=T0 + number * HOUR))
        if result:
            await ledger.record_result((await ledger.unjudged_arrivals())[0][0], result)
    await ledger.record_arrival(replace(ARRIVAL, ref="other", who="+14155550102"))
    assert await ledger.newest_results(ArrivalKind.SMS, ARRIVAL.who, 2) == ("ignored", "answered")
    assert await ledger.newest_results(ArrivalKind.SMS, "+14155550199", 2) == ()
    assert await ledger.last_arrival_at(ArrivalKind.SMS) == T0 + 3 * HOUR
    lately = await ledger.results_since(ArrivalKind.SMS, ARRIVAL.who, T0)
    assert lately == ((T0 + HOUR, "answered"), (T0 + 2 * HOUR, "ignored"))
    assert await ledger.results_since(ArrivalKind.RECEIPT, ARRIVAL.who, T0) == ()


async def test_codes_are_reserved_for_a_while_after_closing(ledger: Ledger) -> None:
    """A code is held while its incident is open, and for the caller's span after it was closed; a reopening that gives it
    again begins anew.
    """
    coded = Coded(T0, "ana", "+14155550101", "K7")
    await ledger.record("db", (FACTS[0], coded), (), ())
    await ledger.record("web", (replace(coded, code="B2"), Closed(T0 + HOUR)), (), ())
    assert await ledger.reserved_codes(T0) == (
        ReservedCode("db", coded, None),
        ReservedCode("web", replace(coded, code="B2"), T0 + HOUR),
    )
    assert await ledger.reserved_codes(T0 + HOUR) == (ReservedCode("db", coded, None),)
    await ledger.record("web", (again := replace(coded, at=T0 + 2 * HOUR, code="B2"),), (), ())
    assert await ledger.reserved_codes(T0 + HOUR) == (ReservedCode("db", coded, None), ReservedCode("web", again, None))


async def test_a_code_is_held_by_its_own_incident(ledger: Ledger) -> None:
    """Codes are given in the order they were, an earlier closing or another incident's frees none, and of several later
    closings the last counts.
    """
    coded = Coded(T0, "ana", "+14155550101", "K7")
    codes = [replace(coded, code=code) for code in ("K7", "B2", "C3")]
    await ledger.record("web", (Closed(T0), codes[0]), (), ())
    await ledger.record("db", (codes[1], codes[2], Closed(T0 + 3 * HOUR), Closed(T0 + 2 * HOUR)), (), ())
    assert await ledger.reserved_codes(T0 + 2 * HOUR) == (
        ReservedCode("web", codes[0], None),
        ReservedCode("db", codes[1], T0 + 3 * HOUR),
        ReservedCode("db", codes[2], T0 + 3 * HOUR),
    )
    assert await ledger.reserved_codes(T0 + 3 * HOUR) == (ReservedCode("web", codes[0], None),)


async def test_the_last_good_config(shelf: Shelf) -> None:
    """The newest config, with its bytes and since when, also after a return to an older one."""
    ledger = await shelf.open()
    assert await ledger.last_good_config() is None
    files = {"tocsin.yaml": b"operators: [ana]\n", "teams/a.yaml": bytes(range(256))}
    await ledger.record_config("r1", files, T0)
    await ledger.record_config("r2", {}, T0 + HOUR)
    await ledger.record_config("r1", files, T0 + 2 * HOUR, "c0de")
    ledger = await shelf.open()
    assert await ledger.last_good_config() == KeptConfig("r1", T0 + 2 * HOUR, files, "c0de")
    for templates in ({}, {"page.sms.txt.j2": "Réveil\u2009!", "nl/page.sms.txt.j2": "Ga eens kijken."}):
        await ledger.record_config("r1", files, T0 + 2 * HOUR, "c0de", templates)
        ledger = await shelf.open()
        assert await ledger.last_good_config() == KeptConfig("r1", T0 + 2 * HOUR, files, "c0de", templates)


async def test_the_files_of_kept_configs(shelf: Shelf) -> None:
    """Those of each config that is kept, the newest first (P9: a machine may have an older one on its disk)."""
    ledger = await shelf.open()
    assert list(await ledger.kept_files()) == []
    await ledger.record_config("r1", {"a.yaml": b"one"}, T0)
    await ledger.record_config("r2", {"a.yaml": b"two"}, T0 + HOUR)
    ledger = await shelf.open()
    assert list(await ledger.kept_files()) == [{"a.yaml": b"two"}, {"a.yaml": b"one"}]


async def test_the_last_good_config_of_many(shelf: Shelf) -> None:
    """However many configs were in force, the newest one has its files, and each new one takes its place."""
    ledger = await shelf.open()
    for number in range(45):
        files = {"tocsin.yaml": f"operators: [p{number}]".encode()}
        await ledger.record_config(f"r{number}", files, T0 + number * HOUR)
        assert await ledger.last_good_config() == KeptConfig(f"r{number}", T0 + number * HOUR, files)
    newest = await (await shelf.open()).last_good_config()
    assert newest is not None
    assert newest.revision == "r44"


async def test_one_notice_an_hour(shelf: Shelf) -> None:
    """A cause is told once in an hour, whoever asks, also after a restart."""
    ledger = await shelf.open()
    assert await ledger.claim_notice("disk", T0, HOUR)
    assert not await ledger.claim_notice("disk", T0 + HOUR - timedelta(seconds=1), HOUR)
    assert await ledger.claim_notice("smtp", T0, HOUR)
    ledger = await shelf.open()
    assert await ledger.claim_notice("disk", T0 + HOUR, HOUR)
    assert not await ledger.claim_notice("disk", T0 + HOUR, HOUR)
    assert await ledger.noticed_at("disk") == T0 + HOUR
    assert await ledger.noticed_at("paper") is None


async def test_a_refused_claim_is_no_notice(ledger: Ledger) -> None:
    """A claim that is refused does not put off the next notice; without a quiet time every claim is granted; a notice from
    the future means that the clock was put back, and keeps nobody silent.
    """
    assert await ledger.claim_notice("disk", T0, HOUR)
    assert not await ledger.claim_notice("disk", T0 + HOUR / 2, HOUR)
    assert await ledger.noticed_at("disk") == T0
    assert await ledger.claim_notice("disk", T0, timedelta(0))
    assert not await ledger.claim_notice("disk", T0, HOUR)
    assert await ledger.claim_notice("disk", T0 - timedelta(seconds=1), HOUR)
    assert await ledger.noticed_at("disk") == T0 - timedelta(seconds=1)
    assert await ledger.noticed_at("smtp") is None


async def test_many_at_once(ledger: Ledger) -> None:
    """Calls from many tasks do not mix: each gets its own answer."""
    keys = [f"k{number}" for number in range(100)]
    new = await asyncio.gather(*(ledger.record("db", (), [letter(key)], ()) for key in keys))
    assert [set(keys_of_call) for keys_of_call in new] == [{key} for key in keys]
    attempts = await asyncio.gather(*(ledger.begin_attempt(key, Channel.SMS, "+14155550101", T0) for key in keys))
    assert [attempt.reference for attempt in attempts] == keys
    assert {attempt.number for attempt in attempts} == {1}
    assert len({attempt.id for attempt in attempts}) == len(keys)
    await asyncio.gather(*(ledger.end_attempt(attempt, Accepted(attempt.reference), T0) for attempt in attempts))
    unsettled = await ledger.unsettled()
    assert [letter.attempts[0].outcome for letter in unsettled] == [Accepted(key) for key in keys]
    await asyncio.gather(*(ledger.settle(key, "accepted", T0) for key in keys[1:]))
    assert await keys_unsettled(ledger) == keys[:1]
    claims = await asyncio.gather(*(ledger.claim_notice("disk", T0, HOUR) for _ in keys))
    assert sum(claims) == 1
    await asyncio.gather(*(ledger.keep_file(key, f"{key}.yaml", key, b"x") for key in keys))
    await asyncio.gather(*(ledger.record(key, FACTS[:1], (), ()) for key in keys))
    await asyncio.gather(*(ledger.finish(key) for key in keys[1:]))
    assert await ledger.unfinished() == {keys[0]: FACTS[:1]}
    assert (await ledger.files())["k7"] == ("k7.yaml", "k7")


async def test_many_letters_in_one(ledger: Ledger) -> None:
    """A thousand letters with the same words are one transaction, and all come back in their order."""
    letters = [letter(f"k{number}") for number in range(1000)]
    assert len(await ledger.record("db", FACTS, letters, ())) == 1000
    assert await ledger.unsettled() == tuple(letters)
    again = [*(replace(known, content=Content("other")) for known in letters), letter("k1000")]
    assert await ledger.record("db", (), again, ()) == {"k1000"}
    assert await ledger.unsettled() == (*letters, again[-1])


async def test_closed_last_gives_the_newest_closings(ledger: Ledger) -> None:
    """The incidents closed last come first, one that was closed again counts by its last closing, open ones don't."""
    for number, name in enumerate(("a", "b", "c", "a")):
        await ledger.record(name, [Closed(T0 + number * HOUR)], [], [])
    await ledger.record("open", [Assessed(T0, "sev1", "r1")], [], [])
    assert await ledger.last_closed(2) == (("a", T0 + 3 * HOUR), ("c", T0 + 2 * HOUR))
    assert await ledger.last_closed(1) == (("a", T0 + 3 * HOUR),)
    assert [name for name, _ in await ledger.last_closed(9)] == ["a", "c", "b"]
    assert await ledger.last_closed(0) == ()


async def test_many_closings_of_one_hide_no_other(ledger: Ledger) -> None:
    """An incident that is reopened and closed again and again takes one place in the list, not all of them."""
    await ledger.record("calm", [Closed(T0)], [], [])
    await ledger.record("restless", [Closed(T0 + number * HOUR) for number in range(1, 12)], [], [])
    assert await ledger.last_closed(2) == (("restless", T0 + 11 * HOUR), ("calm", T0))


async def test_summaries_tell_what_an_incident_is_known_by(ledger: Ledger) -> None:
    """The newest version and when it was seen, the last closing, who answered; of those asked for and known."""
    newer = replace(INCIDENT, title="Known by this")
    facts = [Seen(T0, INCIDENT, "a"), Answered(T0, "ana", Answer.OK), Answered(T0 + HOUR, "bo", Answer.PASS)]
    await ledger.record(
        "db", [*facts, Closed(T0 + HOUR), Seen(T0 + 2 * HOUR, newer, "b"), Closed(T0 + 3 * HOUR)], [], []
    )
    await ledger.record("open", [Seen(T0, replace(INCIDENT, id="open"))], [], [])
    await ledger.record("other", [Seen(T0, replace(INCIDENT, id="other"))], [], [])
    known = await ledger.summaries(["db", "open", "never-was"])
    assert known == {
        "db": IncidentSummary(newer, T0 + 2 * HOUR, T0 + 3 * HOUR, frozenset({"ana", "bo"})),
        "open": IncidentSummary(replace(INCIDENT, id="open"), T0, None, frozenset()),
    }
    assert await ledger.summaries([]) == {}


async def test_causes_of_a_trouble(ledger: Ledger) -> None:
    """Every one that was told, with its aspect; no other trouble's, though its word begins alike; `%` and `_` stand for
    themselves.
    """
    for number, cause in enumerate(("file-gone:a_b:x", "file-gone", "file-gone-too:c", "fileXgone:a")):
        assert await ledger.claim_notice(cause, T0 + number * HOUR, HOUR)
    assert await ledger.noticed("file-gone") == {"file-gone:a_b:x": T0, "file-gone": T0 + HOUR}
    assert await ledger.noticed("file_gone") == {}


async def _live_through(ledger: Ledger, day: int) -> None:
    """A day of two incidents: pages of every fate, an SMS, a receipt."""
    at = T0 + timedelta(days=day)
    for name, status in ((f"open-{day}", Status.INVESTIGATING), (f"over-{day}", Status.RESOLVED)):
        seen = Seen(at, replace(INCIDENT, id=name, status=status), name)
        keys = {state: f"{name}-{state}" for state in ("accepted", "refused", "waiting")}
        letters = [letter(key, name, at=at) for key in keys.values()]
        await ledger.record(name, [Seen(at, replace(INCIDENT, id=name), "0"), seen], letters, [])
        taken = await ledger.begin_attempt(keys["accepted"], Channel.SMS, "+14155550101", at)
        await ledger.end_attempt(taken, Accepted("SM1"), at)
        await ledger.record_receipt(taken, Receipt.DELIVERED, at)
        await ledger.settle(keys["accepted"], "accepted", at)
        again = await ledger.begin_attempt(keys["refused"], Channel.EMAIL, "ana@example.com", at, "a kill")
        await ledger.end_attempt(again, Refused("no such user"), at)
        await ledger.settle(keys["refused"], "refused", at)
        await ledger.begin_attempt(keys["waiting"], Channel.SMS, "+14155550101", at)
    await ledger.finish(f"over-{day}")
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, f"SM-{day}", "+14155550101", "ok", at))
    if day:
        await ledger.record_result(1, "accepted")


async def test_the_tally_is_the_sum_of_what_was_written(ledger: Ledger) -> None:
    """The numbers are those of all rows, whatever was added up before, and a row counts as it is while it may change."""
    for day in range(3):
        await _live_through(ledger, day)
        for before in (T0, T0 + timedelta(days=day, hours=1)):
            tally = await ledger.tally(before)
        pages = 2 * (day + 1)
        assert tally.open == {"sev1": day + 1}
        assert tally.notifications == {("page", state): pages for state in ("accepted", "refused", "waiting")}
        outcomes = ("sms", "accepted"), ("email", "refused"), ("sms", "waiting")
        assert tally.attempts == {(via, "main", outcome): pages for via, outcome in outcomes}
        assert tally.providers == {
            ("sms", "main"): ProviderTally(T0 + timedelta(days=day), 0),
            ("email", "main"): ProviderTally(None, 0),
        }
        assert tally.receipts == {("sms", "delivered"): pages}
        assert tally.duplicates == {"email": pages}
        assert tally.arrivals == ({("sms", "waiting"): day} if day else {}) | (
            {("sms", "accepted"): 1} if day else {("sms", "waiting"): 1}
        )
        assert tally.oldest_page_at == T0


async def test_the_tally_counts_each_as_it_is_now(ledger: Ledger) -> None:
    """Open incidents by the severity of their newest version, messages held back, the outcomes and receipts of attempts
    by their newest word, and of pages that wait the one due first.
    """
    seen = [Seen(T0, replace(INCIDENT, severity=severity), severity) for severity in ("sev1", "sev3")]
    await ledger.record("db", seen, [letter("a"), letter("b", at=T0 - HOUR)], [suppression("h"), suppression("i")])
    await ledger.record("db", (), [letter("u", kind=Kind.UPDATE, at=T0 - 5 * HOUR)], ())
    await ledger.record("web", [Seen(T0, replace(INCIDENT, id="web"), "1"), Closed(T0)], (), ())
    await ledger.record("minor", [replace(seen[1], incident=replace(INCIDENT, id="minor", severity="sev3"))], (), ())
    attempts = [await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0) for _ in range(3)]
    await ledger.end_attempt(attempts[0], Deferred("busy"), T0)
    await ledger.end_attempt(attempts[1], Uncertain("a cut line"), T0)
    await ledger.record_receipt(attempts[1], Receipt.SENT, T0)
    long_after = T0 + 100 * HOUR
    before = await ledger.tally(long_after)
    assert before.open == {"sev3": 2, "sev1": 1}
    assert before.notifications == {("page", "waiting"): 2, ("page", "held"): 2, ("update", "waiting"): 1}
    assert before.attempts == {
        ("sms", "main", "deferred"): 1,
        ("sms", "main", "uncertain"): 1,
        ("sms", "main", "waiting"): 1,
    }
    assert before.receipts == {("sms", "sent"): 1}
    assert before.duplicates == {}
    assert before.oldest_page_at == T0 - HOUR
    await ledger.settle("b", "unwanted", T0)
    await ledger.end_attempt(attempts[2], Accepted("SM3"), T0)
    await ledger.record("db", [Seen(T0, replace(INCIDENT, status=Status.RESOLVED), "2")], (), ())
    await ledger.finish("minor")
    after = await ledger.tally(long_after)
    assert after.open == {"sev1": 1}
    assert after.notifications == before.notifications | {("page", "waiting"): 1, ("page", "unwanted"): 1}
    assert after.attempts == {
        ("sms", "main", "deferred"): 1,
        ("sms", "main", "uncertain"): 1,
        ("sms", "main", "accepted"): 1,
    }
    assert after.oldest_page_at == T0


async def test_the_tally_follows_what_is_young(ledger: Ledger) -> None:
    """A row begun since the instant that is asked for is counted as it is, also when it had ended before and changed."""
    await ledger.record("db", (), [letter("a")], ())
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    await ledger.end_attempt(attempt, Uncertain("a cut line"), T0)
    assert (await ledger.tally(T0)).attempts == {("sms", "main", "uncertain"): 1}
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    await ledger.record_receipt(attempt, Receipt.SENT, T0)
    tally = await ledger.tally(T0)
    assert (tally.attempts, tally.receipts) == ({("sms", "main", "accepted"): 1}, {("sms", "sent"): 1})
    await ledger.record_receipt(attempt, Receipt.DELIVERED, T0)
    assert (await ledger.tally(T0)).receipts == {("sms", "delivered"): 1}


async def test_the_tally_tells_how_each_provider_does(ledger: Ledger) -> None:
    """By channel and name: when it last took a message, and what failed since then; what was refused says nothing of
    it, nor what failed before the instant asked for. The first of the config counts under one name.
    """
    await ledger.record("db", (), [letter("a")], ())

    async def tried(provider: str, outcome: Outcome, at: datetime, via: Channel = Channel.SMS) -> None:
        attempt = await ledger.begin_attempt("a", via, ANA, at, provider=provider)
        await ledger.end_attempt(attempt, outcome, at)

    await tried("", Deferred("busy"), T0 - HOUR)
    await tried("", Accepted("SM1"), T0)
    await tried("main", Deferred("no capacity"), T0 + HOUR)
    await tried("main", Uncertain("cut off"), T0 + 2 * HOUR)
    await tried("main", Refused("no such number"), T0 + 2 * HOUR)
    await tried("main", Refused("too long", "21617", Fault.MESSAGE), T0 + 2 * HOUR)
    await tried("spare", Deferred("busy"), T0 + HOUR)
    await tried("spare", Accepted("SM2"), T0 + 2 * HOUR)
    await tried("main", Deferred("busy"), T0 + HOUR, Channel.EMAIL)
    providers = {("sms", "spare"): ProviderTally(T0 + 2 * HOUR, 0), ("email", "main"): ProviderTally(None, 1)}
    for before in (T0, T0 + HOUR):
        assert (await ledger.tally(before)).providers == providers | {("sms", "main"): ProviderTally(T0, 2)}
    tally = await ledger.tally(T0 + 2 * HOUR)
    assert tally.providers["sms", "main"] == ProviderTally(T0, 1)
    assert tally.attempts["sms", "main", "deferred"] == 2
    assert tally.attempts["sms", "spare", "accepted"] == 1
    assert (tally.attempts["sms", "main", "refused"], tally.attempts["sms", "main", "message_refused"]) == (1, 1)


async def test_the_tally_of_a_storm(ledger: Ledger) -> None:
    """How many pages left in how many messages, how many wait for their first try, and who wants nothing more."""
    await ledger.record("db", (), [letter(key) for key in "abcd"], ())
    await ledger.record("db", (), [letter("m", via=Channel.EMAIL), letter("u", kind=Kind.UPDATE)], ())
    await ledger.begin_bundle(FIVE, ("a", "b"), Channel.SMS, ANA, T0, {})
    await ledger.begin_bundle(FIVE, ("a", "b"), Channel.SMS, ANA, T0, {})
    await ledger.settle("d", "unwanted", T0)
    for via, address in ((Channel.SMS, ANA), (Channel.SMS, BO), (Channel.EMAIL, "status@lists.example.com")):
        await ledger.opt_out(OptOut(via, address, T0, ""))
    tally = await ledger.tally(T0)
    assert (tally.bundles, tally.bundled) == (1, {"sms": 4})
    assert tally.waiting_pages == {"sms": 1, "email": 1}
    assert tally.opt_outs == {"sms": 2, "email": 1}


async def test_an_empty_ledger_has_an_empty_tally(ledger: Ledger) -> None:
    """Nothing written, nothing counted."""
    tally = await ledger.tally(T0)
    assert not any((tally.open, tally.notifications, tally.attempts, tally.receipts, tally.duplicates, tally.arrivals))
    assert not any((tally.providers, tally.bundles, tally.bundled, tally.waiting_pages, tally.opt_outs))
    assert tally.oldest_page_at is None


async def _recorded_wrongly(ledger: Ledger, at: datetime) -> None:
    """An open incident, a finished one, and all that is kept beside them, recorded by a clock that says `at`."""
    waiting = ((Channel.EMAIL, at + HOUR),)
    await ledger.record_config("r1", {}, at)
    await ledger.record(
        "db",
        [
            Seen(at, INCIDENT, "d1"),
            Paged(at, "ana", ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.SMS,), waiting),
            PageLost(at, "ana", at),
            ReachSettled(at, "ana", at, Channel.EMAIL, at + HOUR, sent=False),
            Reminded(at, ("support",), at + HOUR),
        ],
        [letter("k1", at=at, next_update_at=at + HOUR), letter("k2", at=at)],
        [replace(suppression("k3"), at=at)],
    )
    await ledger.record("old", [Seen(at, replace(INCIDENT, id="old"), "d1")], [letter("k4", "old", at=at)], ())
    await ledger.settle("k4", "accepted", at)
    await ledger.finish("old")
    await ledger.record("-", (), [letter("k5", "-", at=at)], ())
    attempt = await ledger.begin_attempt("k1", Channel.SMS, "+14155550101", at)
    await ledger.end_attempt(attempt, Uncertain("lost"), at)
    await ledger.settle("k2", "accepted", at)
    await ledger.claim_notice("disk", at, HOUR)
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", at))
    await ledger.opt_out(OptOut(Channel.SMS, BO, at, "SM2"))
    await ledger.begin_session(Session("d1", "bo", at))


async def _instants(ledger: Ledger) -> dict[str, object]:
    """Every instant of it, for short."""
    _, paged, lost, settled, reminded = (await ledger.facts("db"))[:5]
    assert isinstance(paged, Paged)
    assert isinstance(lost, PageLost)
    assert isinstance(settled, ReachSettled)
    assert isinstance(reminded, Reminded)
    page = next(record for record in await ledger.records("db") if record.decided.key == "k1")
    config = await ledger.last_good_config()
    assert config
    return {
        "facts": {fact.at for fact in (await ledger.facts("db"))[:5]} | {lost.page_at, settled.page_at},
        "dues": {paged.waiting[0][1], settled.due_at, reminded.due_at},
        "decided": {record.decided.at for record in await ledger.records("db")},
        "promised": page.notification.next_update_at,
        "tries": {page.attempts[0].started_at, page.attempts[0].ended_at},
        "settled": {record.settled_at for record in await ledger.records("db") if record.state == "accepted"},
        "waiting": {(await ledger.unjudged_arrivals())[0][1].at, (await ledger.records("-"))[0].decided.at},
        "config": config.since,
        "notice": await ledger.noticed_at("disk"),
        "opted out": (await ledger.opt_outs())[0].at,
        "signed in": (await ledger.sessions())[0].began_at,
        "finished": {fact.at for fact in await ledger.facts("old")} | {(await ledger.records("old"))[0].decided.at},
    }


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_clock_that_moves_takes_what_matters_with_it(shelf: Shelf, by: timedelta) -> None:
    """Rule 60: everything of open incidents and all that waits is moved as one, so that spans stay; what is finished,
    and what stands in an incident's file, is left alone.
    """
    ledger = await shelf.open()
    await _recorded_wrongly(ledger, T0)
    moved_to, now = T0 + by, T0 + by + timedelta(minutes=1)
    await ledger.move_clock(by, now)
    ledger = await shelf.open()
    assert await _instants(ledger) == {
        "facts": {moved_to},
        "dues": {moved_to + HOUR},
        "decided": {moved_to},
        "promised": moved_to + HOUR,
        "tries": {moved_to},
        "settled": {moved_to},
        "waiting": {moved_to},
        "config": moved_to,
        "notice": moved_to,
        "opted out": moved_to,
        "signed in": moved_to,
        "finished": {T0},
    }
    seen, *_, mark = await ledger.facts("db")
    assert isinstance(seen, Seen)
    assert (seen.incident, mark) == (INCIDENT, ClockMoved(now, by))
    assert len(await ledger.facts("old")) == 1
    assert await keys_unsettled(ledger) == ["k1", "k5"]


async def test_answers_to_nothing_seen_are_moved_without_a_mark(ledger: Ledger) -> None:
    """Rule 60: an incident of which no version was seen is none yet, and gets no story."""
    await ledger.record("typo", [Answered(T0, "ana", Answer.OK)], (), ())
    await ledger.move_clock(HOUR, T0 + 2 * HOUR)
    assert await ledger.facts("typo") == (Answered(T0 + HOUR, "ana", Answer.OK),)


async def test_nothing_recorded_is_later_than_now(shelf: Shelf) -> None:
    """Rule 59: what still matters and lies ahead is brought back to now, once; what is due stays as far ahead of it."""
    ledger = await shelf.open()
    await _recorded_wrongly(ledger, T0 + HOUR)
    assert await ledger.bring_back(T0) == HOUR
    ledger = await shelf.open()
    assert await _instants(ledger) == {
        "facts": {T0},
        "dues": {T0 + HOUR},
        "decided": {T0},
        "promised": T0 + HOUR,
        "tries": {T0},
        "settled": {T0},
        "waiting": {T0},
        "config": T0,
        "notice": T0,
        "opted out": T0,
        "signed in": T0,
        "finished": {T0 + HOUR},
    }
    assert await ledger.bring_back(T0) == timedelta(0)
    assert len(await ledger.facts("db")) == 5


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR])
async def test_room_survives_a_clock_that_moves(ledger: Ledger, by: timedelta) -> None:
    """Rule 60: what was sent lately is moved although its incident is finished: else a clock put back would
    leave an address without room for hours, and one put forward give all of it at once.
    """
    await ledger.record("old", [Closed(T0)], [letter("k1", "old"), letter("k2", "old")], ())
    for key, at in (("k1", T0 - 5 * HOUR), ("k2", T0)):
        await ledger.begin_attempt(key, Channel.SMS, ANA, at)
        await ledger.settle(key, "accepted", at)
    await ledger.finish("old")
    await ledger.move_clock(by, T0 + by)
    started_at = {page.key: attempt.started_at for page, attempt in await ledger.sent_pages(T0 - 99 * HOUR)}
    assert started_at == {"k1": T0 - 5 * HOUR, "k2": T0 + by}


async def test_room_survives_a_clock_that_was_ahead(ledger: Ledger) -> None:
    """Rule 59: no page counts as sent later than now, whatever became of its incident."""
    await ledger.record("old", [Closed(T0)], [letter("k1", "old")], ())
    await ledger.begin_attempt("k1", Channel.SMS, ANA, T0 + HOUR)
    await ledger.settle("k1", "accepted", T0 + HOUR)
    await ledger.finish("old")
    assert await ledger.bring_back(T0) == HOUR
    assert [attempt.started_at for _, attempt in await ledger.sent_pages(T0 - HOUR)] == [T0]


async def test_what_has_happened_is_not_brought_back(ledger: Ledger) -> None:
    """Rule 59: only what lies ahead; what is merely due later is no fact of the future."""
    await _recorded_wrongly(ledger, T0)
    before = await _instants(ledger)
    assert await ledger.bring_back(T0 + timedelta(minutes=1)) == timedelta(0)
    assert await _instants(ledger) == before
