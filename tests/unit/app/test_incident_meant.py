"""Which incident the start of an id means (P7): the exact one, then what is open, then all; nothing is guessed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.incidents.incident_meant import AmbiguousIncidentError, NamedIncidents
from tocsin.domain.facts import Closed, Seen
from tocsin.domain.incident import Incident, Status

from tests.fakes.ledger import MemoryLedger

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PAY, PAY_2, SHOP, OLD = "2026-11-23-pay", "2026-11-23-pay-2", "2026-11-24-shop", "2025-01-01-old-pay"


@pytest.fixture
async def known(tmp_path: Path) -> NamedIncidents:
    """Two open incidents in the ledger, one that is only a file, and an old one whose file is gone."""
    ledger = MemoryLedger()
    for id_, title, status in (
        (PAY, "Payments fail", Status.INVESTIGATING),
        (PAY_2, "Payments fail anew", Status.IDENTIFIED),
        (OLD, "Old", Status.RESOLVED),
    ):
        facts = [Seen(AT, Incident(id_, title, "sev1", status)), *([Closed(AT)] if status is Status.RESOLVED else [])]
        await ledger.record(id_, facts, [], [])
    await ledger.finish(OLD)
    (tmp_path / f"{PAY}.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    (tmp_path / f"{SHOP}.yml").write_text("title: Shop down\nseverity: SEV2\n")
    return NamedIncidents(IncidentFiles(tmp_path), ledger)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (PAY, PAY),  # also the start of another
        (PAY_2, PAY_2),
        ("2026-11-24", SHOP),
        ("2026-11-24-SH", SHOP),
        ("2025", OLD),
        (OLD, OLD),
        ("nothing", "nothing"),
    ],
)
async def test_what_is_meant(known: NamedIncidents, written: str, meant: str) -> None:
    """An exact id wins, in whatever case a start will do; what is unknown is given back."""
    assert await known.meant(written) == meant


async def test_open_incidents_come_before_closed_ones(known: NamedIncidents) -> None:
    """P7: the start of one open and several closed incidents is the open one."""
    assert known.files is not None
    for number in range(3):
        (known.files.folder / f"2026-11-24-{number}.yaml").write_text("title: x\nstatus: Resolved\n")
    assert await known.meant("2026-11-24") == SHOP


async def test_what_several_begin_with_is_listed(known: NamedIncidents) -> None:
    """P7: ambiguous: the list, with titles, and nothing of what is over while something is open."""
    with pytest.raises(AmbiguousIncidentError) as told:
        await known.meant("202")
    assert str(told.value).split("\n") == [
        '"202" begins the ids of 3 open incidents; write more of the one you mean:',
        "  2026-11-24-shop   SEV2 Shop down",
        "  2026-11-23-pay-2  SEV1 Payments fail anew",
        "  2026-11-23-pay    SEV1 Payments fail",
    ]


async def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """Nobody reads a hundred lines at three in the morning."""
    for number in range(100):
        (tmp_path / f"x{number:03}.yaml").write_text("title: x\nstatus: resolved\n")
    with pytest.raises(AmbiguousIncidentError) as told:
        await NamedIncidents(IncidentFiles(tmp_path), None).meant("x")
    lines = str(told.value).split("\n")
    assert (lines[0].split(";")[0], len(lines), lines[-1]) == (
        '"x" begins the ids of 100 incidents',
        14,
        "  and 88 more",
    )


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("pay", f'; did you mean "{PAY_2}"?'),
        ("shpo", f'; did you mean "{SHOP}"?'),
        ("2026-11-24-sohp", f'; did you mean "{SHOP}"?'),
        ("old", f'; did you mean "{OLD}"?'),
        ("zzz", ""),
    ],
)
async def test_what_may_be_meant(known: NamedIncidents, written: str, hint: str) -> None:
    """What is no start of an id may be a part of one, or a slip."""
    assert await known.hint(written) == hint
