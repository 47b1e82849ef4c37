"""`tocsin pass` at the installed daemon: by its inbox, judged and printed (P7, rule 16)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import Pager


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    """It runs, and ana has been paged."""
    pager = Pager(tmp_path)
    pager.start()
    pager.write("2026-11-23-pay.yaml", "title: Payments fail\nseverity: sev1\n")
    pager.until(lambda: pager.mails("page", "ana@example.com"))
    yield pager
    pager.stop()


def test_whoever_passes_reads_who_is_asked_now(pager: Pager) -> None:
    """At once; the next is paged, and a second pass finds nothing to pass on. No file is touched for it."""
    file = pager.folder / "incidents" / "2026-11-23-pay.yaml"
    before, began = file.read_bytes(), time.monotonic()
    done = pager.run("pass", "2026", "--as", "Ana Souza")
    assert time.monotonic() - began < 10  # it waits for the daemon, not for its own deadline
    assert (done.returncode, done.stdout) == (0, "")
    passed = "2026-11-23-pay: Ana Souza has passed on Technical Lead. Bo Berg is asked now.\n"
    assert done.stderr == f"2026 is 2026-11-23-pay\n{passed}"
    pager.until(lambda: pager.mails("page", "bo@example.com"))
    assert file.read_bytes() == before
    again = pager.run("pass", "2026-11-23-pay", "--as", "ana")
    said = "Ana Souza has passed on 2026-11-23-pay already; nothing was noted\n"
    assert (again.returncode, again.stderr) == (1, said)
    assert list((pager.folder / "var" / "inbox").iterdir()) == []
