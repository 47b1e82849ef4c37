"""Alerts that come while the ledger takes nothing (rule 54): what they declare or make worse is written at once, and is
known already when the ledger is back.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.entries import alert_entries
from tocsin.app.alerts.payload import AlertGroup
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.arrivals.in_memory.alerts import AlertsInMemory
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
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
        for entry in alert_entries(told, ALERTS, lambda _: 0, REFS):
            body = write_entry(entry).decode()
            self.lies_there.append(Arrival(ArrivalKind.ALERT, entry.ref, entry.group, body, self.clock.now()))
        return await self.heard()

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


async def test_a_group_waits_behind_what_is_not_plain(away: Away) -> None:
    """Told again within two minutes of its end it may be an old word: the ledger's judge sees that, in its order."""
    await away.tell(group(alert()))
    await away.tell(group(alert(ended=9)))
    await away.tell(group(alert()))
    (ended,) = await away.tell(group(alert(), alert("b", severity="critical")))
    assert "status: resolved" in ended
    assert await away.back() == ["declared", "resolved", "too soon", "reopened"]


async def test_an_end_does_not_overtake_its_beginning(away: Away) -> None:
    """What the ledger took just before it was away is judged once it is back, and what came after it then."""
    away.ledger.trouble = ""
    (fired,) = alert_entries(group(alert()), ALERTS, lambda _: 0, REFS)
    body = write_entry(fired).decode()
    await away.ledger.record_arrival(Arrival(ArrivalKind.ALERT, fired.ref, fired.group, body, away.clock.now()))
    away.ledger.trouble = "away"
    assert await away.tell(group(alert(ended=9))) == []
    assert await away.back() == ["resolved", "changed"]


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
