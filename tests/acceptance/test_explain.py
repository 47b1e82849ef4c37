"""`tocsin explain` as people type it, beside a real daemon: at each stage of an incident it tells what is true then."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_existing

from tests.fakes.pager import Pager

ALONE = "! no daemon seems to run: nobody is paged until tocsin run is started"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def explained(pager: Pager, *options: str) -> str:
    """What it says, each run of blanks as one."""
    done = pager.run("explain", "pay", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(r"\s+", " ", done.stdout)


async def test_from_declaration_to_resolution(pager: Pager) -> None:
    """Before the daemon, paged, accepted, told, resolved; then in retrospect. What the ledger has names rule and revision."""
    pager.write("pay.yaml", "title: Card payments fail\nseverity: sev1\n")
    before = explained(pager)
    assert "pay, investigating, not seen by the daemon yet" in before
    assert ALONE in before
    assert "page to Ana Souza by sms, email config/all.yaml:7 declared: first page for Technical Lead" in before

    pager.start()
    pager.until(lambda: pager.mails("page") and pager.mails("update"))
    paged = pager.until(lambda: (said := explained(pager)).count(": accepted") == 2 and said)
    assert re.search(r"Technical Lead nobody yet: Ana Souza paged [\d:]{8} \(level 0 of 0–1, round 1\)", paged)
    assert "page to Ana Souza by sms, email: accepted config/all.yaml:7 declared: first page for Technical" in paged
    assert "update to Support (support@example.com) by email: accepted config/all.yaml:14 declared: " in paged
    assert "page to Bo Berg by sms, email config/all.yaml:7 escalated: nobody accepted Technical Lead (level 1" in paged
    assert re.search(r"config revision sha256:[0-9a-f]{12} ", paged)
    assert ALONE not in paged

    assert pager.run("ack", "pay", "--as", "ana").returncode == 0
    pager.until(lambda: pager.said("version") == 2)
    accepted = explained(pager)
    assert re.search(r"Technical Lead Ana Souza, accepted [\d:]{8} in the incident file", accepted)
    assert "escalated" not in accepted
    assert "due: the cadence says so (every 30m)" in accepted

    pager.run("update", "pay", "We know why.")
    pager.until(lambda: len(pager.mails("update")) == 2)
    pager.run("resolve", "pay", "Mended.")
    pager.until(lambda: len(pager.mails("closing")) == 2)
    over = explained(pager)
    assert "pay, resolved, since" in over
    assert "changed: there was something new to say" in over
    assert "closing to Ana Souza, support@example.com by sms, email: " in over
    assert "WHAT COMES NEXT nothing" in over

    # the second of the page, which may be one later than that of the declaration
    (sent,) = re.findall(r"Ana Souza paged (\d\d:\d\d:\d\d)", paged)[:1]
    day = pager.mails("page")[0]["Date"].datetime.strftime("%Y-%m-%d")
    then = explained(pager, "--at", f"{day}T{sent}.999Z")
    assert "pay, investigating" in then
    assert "nobody yet: Ana Souza" in then
    assert pager.stop() == 0

    opened = open_existing(pager.folder / "var" / "tocsin.db")
    assert opened is not None
    ledger = SqlLedger(FileStore(opened))
    try:
        for record in await ledger.records("pay"):
            assert re.fullmatch(r"config/all\.yaml:\d+", record.decided.rule)
            assert record.decided.revision.startswith("sha256:")
    finally:
        await ledger.close()
