"""Rule 63 in the ledger: one row that cannot be read takes its own incident out of an answer, and nothing else."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Content, Letter, Receipt, Refused
from tocsin.domain.facts import Answer, Answered, Closed, Coded, Fact, Paged, RoleOpened, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEEN = Seen(T0, Incident("db", "Database down", "sev1"), "d1")
RESOLVED = Seen(T0 + HOUR, Incident("db", "Database down", "sev1", status=Status.RESOLVED), "d2")
OPENED = RoleOpened(T0, "technical_lead", Reason.DECLARED)
PAGED = Paged(T0, "ana", ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.SMS,))
CODED = Coded(T0, "ana", "+14155550101", "K7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    yield ledger
    await ledger.close()


def spoil(path: Path, statement: str, *values: Any) -> None:
    """Edit the ledger by hand."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute(statement, values).rowcount > 0


def letter(key: str, incident: str = "db", kind: Kind = Kind.PAGE) -> Letter:
    """Something to send."""
    notification = Notification(key, incident, 1, kind, Reason.DECLARED, T0, "ana", Channel.SMS)
    return Letter(notification, Content(f"words of {key}"))


BAD_FACTS = [
    "UPDATE facts SET body = '{}' WHERE id = 2",
    "UPDATE facts SET body = '' WHERE id = 2",
    "UPDATE facts SET body = X'00ff' WHERE id = 2",
    "UPDATE facts SET body = CAST(X'7b22ff' AS TEXT) WHERE id = 2",
    "UPDATE facts SET kind = 'Dreamt' WHERE id = 2",
    "UPDATE facts SET kind = CAST(X'ff' AS TEXT) WHERE id = 2",
    """UPDATE facts SET body = replace(body, '"declared"', '"bored"') WHERE id = 2""",
    "UPDATE facts SET body = replace(body, 'Z', '') WHERE id = 2",
]


@pytest.mark.parametrize("statement", BAD_FACTS)
async def test_a_bad_fact_is_its_own_incidents(ledger: SqlLedger, path: Path, statement: str) -> None:
    """Rule 63: the others are read as ever; the bad row is named, in one line, with why."""
    await ledger.record("db", (SEEN, OPENED), (), ())
    await ledger.record("web", (SEEN,), (), ())
    spoil(path, statement)
    unfinished = await ledger.unfinished()
    assert unfinished["web"] == (SEEN,)
    row = unfinished["db"]
    assert isinstance(row, Unreadable)
    assert row.why.startswith("row 2 of facts cannot be read (")
    assert not row.ended
    with pytest.raises(UnreadableError, match="of incident db row 2 of facts cannot be read") as raised:
        await ledger.facts("db")
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, LedgerError)
    assert await ledger.facts("web") == (SEEN,)


@pytest.mark.parametrize(
    ("facts", "bad", "ended"),
    [
        ((SEEN, OPENED, PAGED), 3, False),
        ((SEEN, OPENED, RESOLVED), 2, True),
        ((SEEN, OPENED, RESOLVED), 3, False),
        ((SEEN, OPENED, RESOLVED, Closed(T0 + HOUR)), 3, True),
        ((SEEN, OPENED, RESOLVED, Closed(T0 + HOUR)), 4, True),
        ((RESOLVED, Closed(T0), SEEN, OPENED), 3, False),
        ((RESOLVED, Closed(T0), SEEN, OPENED), 4, False),
    ],
)
async def test_whether_it_was_over(
    ledger: SqlLedger, path: Path, facts: tuple[Fact, ...], bad: int, ended: bool
) -> None:
    """Rule 63: what can still be read says whether the incident was resolved or closed, and not reopened since."""
    await ledger.record("db", facts, (), ())
    spoil(path, "UPDATE facts SET body = '{}' WHERE id = ?", bad)
    row = (await ledger.unfinished())["db"]
    assert isinstance(row, Unreadable)
    assert row.ended is ended


BAD_LETTERS = [
    "UPDATE notifications SET reason = 'boredom' WHERE key = 'a'",
    "UPDATE notifications SET via = 'pigeon' WHERE key = 'a'",
    "UPDATE notifications SET at = 'soon' WHERE key = 'a'",
    "UPDATE notifications SET \"to\" = CAST(X'61ff' AS TEXT) WHERE key = 'a'",
    """UPDATE attempts SET outcome = '{"is": "Bounced", "detail": "x"}' WHERE key = 'a'""",
    "UPDATE attempts SET outcome = '[]' WHERE key = 'a'",
    "UPDATE attempts SET receipt = 'eaten' WHERE key = 'a'",
    "UPDATE attempts SET started_at = '' WHERE key = 'a'",
]


@pytest.mark.parametrize("statement", BAD_LETTERS)
async def test_a_bad_letter_is_its_own_incidents(ledger: SqlLedger, path: Path, statement: str) -> None:
    """Rule 63: a letter on its way that cannot be read, or an attempt of it, is named; the other letters go on."""
    await ledger.record("db", (SEEN,), [letter("a"), letter("b")], ())
    await ledger.record("web", (SEEN,), [letter("c", "web")], ())
    attempt = await ledger.begin_attempt("a", Channel.SMS, "+14155550101", T0)
    await ledger.end_attempt(attempt, Refused("no"), T0)
    spoil(path, statement)
    assert [known.notification.key for known in await ledger.unsettled()] == ["b", "c"]
    (row,) = await ledger.unreadable_letters()
    assert row.incident == "db"
    assert "cannot be read (" in row.why
    assert [record.decided.key for record in await ledger.records("web")] == ["c"]
    assert "b" in [record.decided.key for record in await ledger.records("db")]
    await ledger.settle_unreadable("db", T0)
    assert await ledger.unreadable_letters() == ()
    assert [known.notification.key for known in await ledger.unsettled()] == ["b", "c"]


async def test_an_incident_that_begins_anew(ledger: SqlLedger, path: Path) -> None:
    """Rule 63: what was recorded before counts no more but for the reply codes that people have; it is not lost. What
    asked for an answer is superseded, a closing still leaves, and new messages are new.
    """
    before = SEEN, OPENED, CODED, Closed(T0)
    await ledger.record("db", before, [letter("a"), letter("end", kind=Kind.CLOSING)], ())
    await ledger.record("web", (SEEN,), [letter("c", "web")], ())
    spoil(path, "UPDATE facts SET body = '{}' WHERE id = 2")
    again = Seen(T0 + HOUR, SEEN.incident, "d1")
    new = await ledger.record("db", (again,), [letter("new")], (), anew=T0 + HOUR)
    assert new == {"new"}
    assert await ledger.facts("db") == (CODED, again)
    assert (await ledger.unfinished())["db"] == (CODED, again)
    assert [known.notification.key for known in await ledger.unsettled()] == ["end", "c", "new"]
    assert {record.decided.key: record.state for record in await ledger.records("db")}["a"] == "superseded"
    with closing(sqlite3.connect(path)) as other:
        aside = other.execute("SELECT count(*) FROM facts WHERE incident LIKE 'db (put aside %'").fetchone()
    assert aside == (3,)
    assert await ledger.last_closed(9) == ()
    assert [code.given for code in await ledger.reserved_codes(T0)] == [CODED]


async def test_a_kept_config_that_cannot_be_read_is_none(ledger: SqlLedger, path: Path) -> None:
    """Rule 63: the newest that can be read counts, else none."""
    await ledger.record_config("r1", {"a.yaml": b"one"}, T0)
    await ledger.record_config("r2", {"a.yaml": b"two"}, T0 + HOUR)
    spoil(path, "UPDATE configs SET files = X'00' WHERE revision = 'r2'")
    assert await ledger.last_good_config() == KeptConfig("r1", T0, {"a.yaml": b"one"})
    spoil(path, "UPDATE configs SET since = 'yore' WHERE revision = 'r1'")
    assert await ledger.last_good_config() is None


async def test_what_is_read_while_running(ledger: SqlLedger, path: Path) -> None:
    """Rule 63: a bad arrival, notice or code is passed over; what comes after it is read."""
    answered = Answered(T0, "ana", Answer.OK)
    await ledger.record("db", (answered, answered, CODED), (), ())
    await ledger.record("web", (CODED,), (), ())
    for ref in ("SM1", "SM2"):
        await ledger.record_arrival(Arrival(ArrivalKind.SMS, ref, "+1", "ok", T0))
    await ledger.claim_notice("cause", T0, HOUR)
    spoil(path, "UPDATE facts SET body = '{}' WHERE id IN (1, 3)")
    spoil(path, "UPDATE arrivals SET at = 'zzz' WHERE ref = 'SM1'")
    spoil(path, "UPDATE notices SET at = 'zzz'")
    (_, bad_arrival), (_, arrival) = await ledger.unjudged_arrivals()
    assert isinstance(bad_arrival, Unreadable)
    assert isinstance(arrival, Arrival)
    assert await ledger.last_arrival_at(ArrivalKind.SMS) == T0
    assert await ledger.noticed_at("cause") is None
    assert await ledger.claim_notice("cause", T0, HOUR)
    assert [code.incident for code in await ledger.reserved_codes(T0)] == ["web"]


async def test_other_questions_survive_a_bad_row(ledger: SqlLedger, path: Path) -> None:
    """Rule 63: refused addresses, numbers and receipts are given without the bad row."""
    await ledger.record("db", (SEEN,), [letter("a"), letter("b")], ())
    attempts = [await ledger.begin_attempt(key, Channel.SMS, f"+{key}", T0) for key in ("a", "b")]
    for attempt in attempts:
        await ledger.end_attempt(attempt, Refused("no"), T0)
    spoil(path, "UPDATE attempts SET outcome = outcome || 'x', receipt = 'eaten' WHERE key = 'a'")
    spoil(path, "UPDATE facts SET body = '{'")
    assert [attempt.address for attempt in await ledger.refusals()] == ["+b"]
    await ledger.tally(T0 - HOUR)
    await ledger.tally(T0 + HOUR)
    await ledger.record_receipt(attempt, Receipt.SENT, T0)
    with pytest.raises(LedgerError, match="row 1 of attempts cannot be read"):
        await ledger.find_attempt(attempts[0].id)
    ((known, _),) = await ledger.find_attempt(attempts[1].id)
    assert known.outcome == Refused("no")
    assert Accepted() != known.outcome
