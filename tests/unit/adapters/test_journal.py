"""P9: what a machine remembers of the ledger in `var/journal`, whatever becomes of the file."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.journal import journal as journal_file
from tocsin.adapters.ledger.journal.journal import HANGS, INCIDENTS_MOST, KEPT_FOR, TIDIED_AFTER, Journal
from tocsin.adapters.ledger.schema.decoding import write_instant
from tocsin.adapters.ledger.schema.outcome_codec import write_outcome
from tocsin.adapters.ledger.statements import Row
from tocsin.domain.delivery import CERTAINTY, Accepted, Attempt, Outcome, Uncertain, numbered_attempt
from tocsin.domain.people import Channel
from tocsin.ports.leadership import Term

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANA = "+14155550101"


def attempt(number: int = 1, at: datetime = T0, key: str = "db/1/page/x/ana/sms") -> Attempt:
    return Attempt(numbered_attempt(number), key, 1, Channel.SMS, ANA, at, provider="twilio", bundle="b")


def end(number: int, outcome: Outcome, at: datetime = T0) -> Row:
    """As the ledger is told of it."""
    how = {"certainty": CERTAINTY[type(outcome)], "outcome": write_outcome(outcome), "ended_at": write_instant(at)}
    return {"this": numbered_attempt(number), **how}


def outcomes(journal: Journal, now: datetime = T0) -> dict[str, str]:
    """How each try ended, by its id."""
    return {row["id"]: row["outcome"] and json.loads(row["outcome"])["is"] for row in journal.attempts(now)}


async def test_a_start_knows_what_the_process_before_knew(tmp_path: Path) -> None:
    """The whole row of a try, how it ended, the incidents, the installation; in a private file, whose folder is made."""
    state = tmp_path / "var"
    journal = await Journal.open(state)
    await journal.note_begun([attempt(1), attempt(2)])
    assert len(journal.path.read_text().splitlines()) == 2, "before the first byte leaves"
    journal.note_ended(end(2, Accepted("SM2"), T0 + MINUTE))
    journal.note_ended(end(2, Uncertain("late")))
    journal.note_ended(end(9, Accepted("another's")))
    journal.note_incidents(["db", "web"])
    journal.note_incidents(["web"])
    journal.note_term(Term(7, "x"))
    await asyncio.to_thread(journal.keep, "here")
    assert journal.path.stat().st_mode & 0o777 == 0o600
    again = await Journal.open(state)
    one, two = again.attempts(T0)
    assert (one["key"], one["address"], one["provider"], one["bundle"]) == ("db/1/page/x/ana/sms", ANA, "twilio", "b")
    assert (one["started_at"], one["outcome"], one["ended_at"]) == (write_instant(T0), None, None)
    assert (two["outcome"], two["ended_at"]) == (write_outcome(Accepted("SM2")), write_instant(T0 + MINUTE))
    assert again.knows("db")
    assert not again.knows("dns")
    assert again.known() == "here"
    assert again.attempts(T0 + KEPT_FOR + MINUTE) == ()


async def test_notices_for_operators_are_not_remembered(tmp_path: Path) -> None:
    """They are told again anyway."""
    journal = await Journal.open(tmp_path)
    await journal.note_begun([attempt(key="-/0/operator/now/olga/sms")])
    assert journal.attempts(T0) == ()
    assert not journal.path.exists()


@pytest.mark.parametrize("spoil", [lambda text: text[:-30], lambda text: "\0\0{}\n[1]\n" + text, lambda text: text * 2])
async def test_a_spoilt_line_spoils_no_other(tmp_path: Path, spoil: Callable[[str], str]) -> None:
    """A power loss, a bad disk, a file put together from two: what can be read counts, once."""
    journal = await Journal.open(tmp_path)
    for number in range(1, 4):
        await journal.note_begun([attempt(number)])
    journal.path.write_text(spoil(journal.path.read_text()))
    assert list(outcomes(await Journal.open(tmp_path)))[:2] == [numbered_attempt(1), numbered_attempt(2)]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "7"}, {"via": "pigeon"}, {"started_at": "2026-11-23T10:00:00"}, {"key": 5}, {"address": None},
        {"outcome": "{}", "ended_at": None}, {"outcome": '{"is": "Accepted"}', "ended_at": "never"},
    ],
)  # fmt: skip
async def test_what_the_ledger_could_not_take_is_left_out(tmp_path: Path, change: Row) -> None:
    """Nothing strange goes from the file into the ledger."""
    journal = await Journal.open(tmp_path)
    await journal.note_begun([attempt()])
    line = json.loads(journal.path.read_text())
    line["begun"] |= change
    journal.path.write_text(json.dumps(line) + "\n")
    assert (await Journal.open(tmp_path)).attempts(T0) == ()


async def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than an hour goes when there is much of it; the rest stays, and how it ended."""
    monkeypatch.setattr(journal_file, "GROWS_TO", 4000)
    journal = await Journal.open(tmp_path)
    await asyncio.to_thread(journal.keep, "here")
    journal.note_incidents(["db"])
    for number in range(1, 200):
        await journal.note_begun([attempt(number, T0 + number * MINUTE)])
        journal.note_ended(end(number, Accepted("SM"), T0))
    await journal.close()
    now = T0 + 199 * MINUTE
    assert journal.path.stat().st_size < 60_000
    again = await Journal.open(tmp_path)
    assert list(outcomes(again, now).values()) == ["Accepted"] * 61
    assert again.known() == "here"
    assert again.knows("db")
    again.note_incidents(str(number) for number in range(INCIDENTS_MOST))
    assert not again.knows("db")
    assert again.knows("0")
    again.forget()
    await again.close()
    assert outcomes(await Journal.open(tmp_path), now) == {}


async def test_an_address_does_not_stay_for_ever(tmp_path: Path) -> None:
    """However little there is in it: after two hours at most a try is gone from the file."""
    journal = await Journal.open(tmp_path)
    await journal.note_begun([attempt(1), attempt(2, T0 + 90 * MINUTE)])
    journal.tidy(T0 + TIDIED_AFTER)
    await journal.close()
    assert numbered_attempt(1) in journal.path.read_text()
    journal.tidy(T0 + TIDIED_AFTER + MINUTE)
    await journal.close()
    assert numbered_attempt(1) not in journal.path.read_text()
    assert list(outcomes(await Journal.open(tmp_path), T0 + TIDIED_AFTER)) == [numbered_attempt(2)]
    journal.tidy(T0 + 2 * TIDIED_AFTER)
    await journal.close()
    assert ANA not in journal.path.read_text()


async def test_a_disk_that_does_not_take_it_stops_nothing(tmp_path: Path) -> None:
    """It is known why, and over once there is room; the memory of the process holds it meanwhile."""
    (tmp_path / "var").write_text("a file in the folder's place")
    journal = await Journal.open(tmp_path / "var")
    await journal.note_begun([attempt(1)])
    assert journal.trouble
    with pytest.raises(OSError, match=r"."):
        await asyncio.to_thread(journal.keep, "here")
    assert list(outcomes(journal)) == [numbered_attempt(1)]
    (tmp_path / "var").unlink()
    await journal.note_begun([attempt(2)])
    await journal.close()
    assert journal.trouble == ""
    assert list(outcomes(await Journal.open(tmp_path / "var"))) == [numbered_attempt(2)]


async def test_a_disk_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page leaves all the same, after a moment; the next one at once."""
    monkeypatch.setattr(journal_file, "WAITS", 0.2)
    pipe = tmp_path / "journal"
    journal = await Journal.open(tmp_path)
    os.mkfifo(pipe)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await journal.note_begun([attempt(1)])
    assert 0.2 <= loop.time() - began < 1
    assert journal.trouble == HANGS
    began = loop.time()
    await journal.note_begun([attempt(2)])
    assert loop.time() - began < 0.1
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # whoever waits to open it goes on


async def test_a_start_does_not_wait_for_a_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows nothing then, and says why."""
    monkeypatch.setattr(journal_file, "READS_WITHIN", 0.2)
    os.mkfifo(pipe := tmp_path / "journal")
    journal = await Journal.open(tmp_path)
    assert (journal.trouble, journal.attempts(T0)) == (HANGS, ())
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
