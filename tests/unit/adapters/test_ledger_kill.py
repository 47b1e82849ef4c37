"""What was awaited is on disk: a process that writes the ledger is killed at any moment, and the ledger is looked at."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.delivery import Accepted

WRITER = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.delivery import Accepted, Content
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.domain.delivery import Letter

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)

def done(*words):
    os.write(1, (" ".join(words) + "\\n").encode())

async def task(ledger, name):
    number = 0
    while True:
        key = f"{name}-{number}"
        page = Notification(key, name, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
        await ledger.record(name, [Answered(T0, key, Answer.OK)], [Letter(page, Content("words " + key))], [])
        done("recorded", key)
        attempt = await ledger.begin_attempt(key, Channel.SMS, "+14155550101", T0)
        done("begun", key)
        await ledger.end_attempt(attempt, Accepted(key), T0)
        done("ended", key)
        if number % 2:
            await ledger.settle(key, "accepted", T0)
            done("settled", key)
        number += 1

async def main():
    done("starting", "-")
    ledger = SqlLedger(FileStore(open_file(Path(sys.argv[1]), "now")))
    await asyncio.gather(*(task(ledger, f"t{number}") for number in range(8)))

asyncio.run(main())
"""
T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)


def killed(path: Path, word: str, after: float) -> dict[str, set[str]]:
    """Let a process write and kill it some seconds after it first said a word; the keys it was told are safe, by step."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    said: dict[str, set[str]] = {step: set() for step in ("starting", "recorded", "begun", "ended", "settled")}
    for line in iter(writer.stdout.readline, b""):
        step, key = line.decode().split()
        said[step].add(key)
        if step == word:
            break
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    for line in writer.stdout.read().decode().splitlines():
        step, key = line.split()
        said[step].add(key)
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return said


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_awaited_survives_a_kill(tmp_path: Path, seed: int) -> None:
    """Every call that returned before SIGKILL is found afterwards, whenever that came, and nothing is half there."""
    dice = random.Random(seed)
    path = tmp_path / "tocsin.db"
    said = killed(path, "settled", dice.uniform(0.0, 0.2))
    ledger = SqlLedger(FileStore(open_file(path, "later")))
    assert ledger.store.set_aside is None
    letters = {letter.notification.key: letter for letter in await ledger.unsettled()}
    facts = {fact.person for name in await ledger.incidents() for fact in await ledger.facts(name)}  # type: ignore[union-attr] - all are Answered here
    records = {each.decided.key: each for name in await ledger.incidents() for each in await ledger.records(name)}
    await ledger.close()
    assert said["recorded"] <= records.keys()
    assert records.keys() == facts
    assert said["begun"] <= {key for key, each in records.items() if each.attempts}
    assert said["ended"] <= {key for key, each in records.items() if each.attempts and each.attempts[0].outcome == Accepted(key)}  # fmt: skip
    assert not said["settled"] & letters.keys()
    assert all(letter.content.text == f"words {key}" for key, letter in letters.items())


async def test_killed_while_it_is_made(tmp_path: Path) -> None:
    """Killed at any moment of its first opening, a ledger opens the next time, undamaged."""
    path = tmp_path / "tocsin.db"
    for step in range(4):
        killed(path, "starting", step * 0.03)
        ledger = SqlLedger(FileStore(open_file(path, "later")))
        assert ledger.store.set_aside is None
        assert isinstance(await ledger.unsettled(), tuple)
        await ledger.close()
        path = tmp_path / f"{step}.db" if step % 2 else path
