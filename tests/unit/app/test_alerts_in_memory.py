"""Alerts that come while the ledger takes nothing (rule 54): what they declare or make worse is written at once, and is
known already when the ledger is back.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.entries import alert_entries
from tocsin.app.alerts.limit import AT_ONCE, ONE_MORE_EVERY
from tocsin.app.alerts.payload import AlertGroup
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.arrivals.in_memory.alerts import AlertsInMemory
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import AlertEntry, Arrival, ArrivalKind
from tocsin.domain.facts import Seen
from tocsin.domain.incident import ALERTMANAGER, Incident
from tocsin.formats.inbox.entries import write_entry
from tocsin.formats.settings.settings import WebSettings
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import settings
from tests.builders.policies import shipped_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.unit.alerts import T0, alert, group
from tests.unit.app.test_alert_feed import ALERTS, REFS


class Away:
    """A daemon whose ledger takes nothing, over a real folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ledger, self.clock = folder / "incidents", MemoryLedger(), StillClock(T0)
        self.ledger.trouble, self.incidents = "away", Incidents(Agenda())
        config = ActiveConfig(shipped_policy(), settings(web=WebSettings(alertmanager=ALERTS)))
        alerts = AlertIncidents(IncidentFiles(self.folder))
        self.in_memory = AlertsInMemory(self.clock, config, self.incidents, alerts.alone())
        self.feed = AlertFeed(self.clock, self.ledger, config, Notices(self.clock), alerts, self.in_memory)
        self.lies_there: list[Arrival] = []

    async def tell(self, told: AlertGroup) -> list[str]:
        """It comes in, and is heard; what the folder holds then."""
        self.lies(told)
        return await self.heard()

    def lies(self, told: AlertGroup) -> None:
        """It comes in."""
        self.lies_there += self._arrivals(told)

    async def was_recorded(self, told: AlertGroup) -> None:
        """It came in, and the ledger took it just before it was away."""
        self.ledger.trouble = ""
        for arrival in self._arrivals(told):
            await self.ledger.record_arrival(arrival)
        self.ledger.trouble = "away"

    def _arrivals(self, told: AlertGroup) -> list[Arrival]:
        return [
            Arrival(ArrivalKind.ALERT, entry.ref, entry.group, write_entry(entry).decode(), self.clock.now())
            for entry in alert_entries(told, ALERTS, lambda _: 0, REFS)
        ]

    async def heard(self) -> list[str]:
        """All that lies in the inbox is heard, as at each look there; what the folder holds then."""
        await self.in_memory.hear(self.lies_there)
        await self.in_memory.judge()
        return self.files()

    async def back(self) -> list[str | None]:
        """The ledger is back: what lay in the inbox is recorded and judged; what became of each."""
        self.ledger.trouble = ""
        for arrival in self.lies_there:
            await self.ledger.record_arrival(arrival)
        await self.feed.look()
        return [result for _, result in self.ledger.pages.arrivals]

    def files(self) -> list[str]:
        return [path.read_text() for path in sorted(self.folder.glob("*.yaml"))] if self.folder.is_dir() else []


@pytest.fixture
def away(tmp_path: Path) -> Away:
    return Away(tmp_path)


async def test_it_is_declared_at_once_and_known_later(away: Away) -> None:
    """Its file is there while the ledger is away, and nothing more comes of it afterwards."""
    (text,) = await away.tell(group(alert()))
    assert "severity: sev3" in text
    assert await away.back() == ["declared"]
    assert away.files() == [text]


@pytest.mark.parametrize("minutes", [0, 15, 60])
async def test_what_has_a_file_is_made_worse_and_ended(away: Away, minutes: int) -> None:
    """However long the ledger was away, what was judged is not judged anew: nobody is paged for what is over."""
    await away.tell(group(alert()))
    (worse,) = await away.tell(group(alert(), alert("b", severity="critical")))
    assert "severity: sev1" in worse
    (ended,) = await away.tell(group(alert(ended=9), alert("b", ended=9, severity="critical")))
    assert "status: resolved" in ended
    away.clock.go(timedelta(minutes=minutes))
    assert await away.back() == ["declared", "changed", "resolved"]
    assert away.files() == [ended]


async def test_an_old_word_keeps_nothing_waiting(away: Away) -> None:
    """Told again within two minutes of its end it may be an old word, and waits; what is said since counts at once."""
    await away.tell(group(alert()))
    await away.tell(group(alert(ended=9)))
    (ended,) = await away.tell(group(alert()))
    assert "status: resolved" in ended
    (open_again,) = await away.tell(group(alert(), alert("b", severity="critical")))
    assert "status: investigating" in open_again
    assert await away.back() == ["declared", "resolved", "too soon", "reopened"]
    assert away.files() == [open_again]


@pytest.mark.parametrize("began", [0, 10])
async def test_what_fires_again_soon_after_its_end_is_opened_again(away: Away, began: int) -> None:
    """Within two minutes of its end it may be an old word; after that it pages, however long the ledger is away."""
    await away.tell(group(alert()))
    (ended,) = await away.tell(group(alert(ended=9)))
    assert "status: resolved" in ended
    await away.tell(group(alert(began=began)))
    away.clock.go(timedelta(minutes=2))
    (text,) = await away.heard()
    assert "status: investigating" in text


async def test_what_fires_again_and_is_over_by_then_wakes_nobody(away: Away) -> None:
    """Rule 20: what waited for two minutes to pass, and has ended meanwhile, stays as it is."""
    await away.tell(group(alert()))
    (ended,) = await away.tell(group(alert(ended=9)))
    await away.tell(group(alert()))
    await away.tell(group(alert(ended=10)))
    away.clock.go(timedelta(minutes=5))
    assert await away.heard() == [ended]


async def test_what_is_over_before_it_is_heard_wakes_nobody(away: Away) -> None:
    """Rule 20: it is declared as resolved, as with the ledger."""
    for told in (group(alert()), group(alert(ended=9))):
        away.lies(told)
    (text,) = await away.heard()
    assert "status: resolved" in text
    assert await away.back() == ["resolved", "changed"]


async def test_beyond_the_limit_one_more_is_opened_every_six_seconds(away: Away) -> None:
    """Section 8 bounds how many incidents alerts open at once, not how many while the ledger is away."""
    for number in range(AT_ONCE + 3):
        away.lies(group(alert(f"host-{number}"), groupKey=f"group {number}"))
    assert len(await away.heard()) == AT_ONCE
    away.clock.go(ONE_MORE_EVERY)
    assert len(await away.heard()) == AT_ONCE + 1
    away.clock.go(3 * ONE_MORE_EVERY)
    assert len(await away.heard()) == AT_ONCE + 3


@pytest.mark.parametrize("began", [0, 29])
async def test_what_fires_behind_an_end_of_nothing_known_here_is_declared(away: Away, began: int) -> None:
    """Its incident rests, and its file is gone: that end keeps no page waiting, and ends nothing that fires since."""
    assert await away.tell(group(alert(ended=9))) == []
    away.clock.go(timedelta(minutes=30))
    (text,) = await away.tell(group(alert("b", began=began, severity="critical")))
    assert "severity: sev1" in text
    assert await away.back() == ["nothing", "declared"]
    assert away.files() == [text]


async def test_what_cannot_be_judged_is_tried_once(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 63: the ledger's judge sets it aside, and tells of it; until then its group waits, and no other."""
    tries = list[str]()

    async def breaks(_: object, entry: AlertEntry, *_more: object, **_named: object) -> None:
        tries.append(entry.group)
        raise ValueError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(AlertIncidents, "apply", breaks)
        for _ in range(2):
            await away.tell(group(alert()))
    assert len(tries) == 1
    assert await away.heard() == []
    assert len(await away.tell(group(alert(), groupKey="another"))) == 1


async def test_an_end_does_not_overtake_its_beginning(away: Away) -> None:
    """What the ledger took just before it was away is judged once it is back, and what came after it then."""
    await away.was_recorded(group(alert()))
    assert await away.tell(group(alert(ended=9))) == []
    assert await away.back() == ["resolved", "changed"]


async def test_what_fires_after_that_end_is_declared_and_joined(away: Away) -> None:
    """What the ledger took before it was away finds the incident of what fires by now, and no end comes after it."""
    await away.was_recorded(group(alert()))
    assert await away.tell(group(alert(ended=9))) == []
    assert len(await away.tell(group(alert("b", severity="critical")))) == 1
    assert await away.back() == ["changed", "nothing", "declared"]
    (text,) = away.files()
    assert "severity: sev1\nstatus: investigating" in text


async def test_a_result_that_is_not_written_is_not_lost(away: Away) -> None:
    """The ledger goes away once more before it has what became of them: they are not judged anew."""
    await away.tell(group(alert()))
    (ended,) = await away.tell(group(alert(ended=9)))
    away.clock.go(timedelta(hours=1))
    recorded = away.ledger.record_result

    async def away_again(*_: object) -> None:
        away.ledger.record_result = recorded  # type: ignore[method-assign]
        raise LedgerError("away again")

    away.ledger.record_result = away_again  # type: ignore[assignment]
    with pytest.raises(LedgerError):
        await away.back()
    await away.feed.look()
    assert [result for _, result in away.ledger.pages.arrivals] == ["declared", "resolved"]
    assert away.files() == [ended]


async def test_what_is_open_without_a_file_here_waits_for_the_ledger(away: Away) -> None:
    """Another machine has its file: nothing is declared twice."""
    (name,) = [path.stem for path in away.folder.glob("*")] if await away.tell(group(alert())) else []
    away.folder.joinpath(f"{name}.yaml").unlink()
    incident = Incident(name, title="Errors on a", severity="sev3", declared_by=ALERTMANAGER)
    away.incidents.load(name, [Seen(T0, incident, "digest")])
    assert await away.tell(group(alert(), alert("b", severity="critical"))) == []


async def test_a_folder_that_cannot_be_written_is_tried_again(away: Away) -> None:
    """As soon as what lies in the inbox is heard once more."""
    away.folder.write_text("no folder")
    assert await away.tell(group(alert())) == []
    away.folder.unlink()
    assert len(await away.heard()) == 1
