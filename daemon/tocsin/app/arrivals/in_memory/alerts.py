"""Alerts that the ledger cannot take now, judged by the folder of incident files and the incidents that this process
serves (rule 54): what they declare, open again or make worse is a file like any other, and pages from memory. What is
not plain by these waits, until it is or the ledger takes it; what was judged here is recorded as that then.
"""

import asyncio
from collections.abc import Sequence

import structlog

from tocsin.adapters.files.incident_writer import FileError
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.entries import last_word
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.steps import Action, ended_since
from tocsin.app.alerts.words import outcome_sentence
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.domain.arrival import AlertEntry, Arrival, ArrivalKind, Judgement
from tocsin.domain.facts import Fact
from tocsin.formats.inbox.entries import read_entry
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import LedgerError

RESTS, RESTS_MOST = 3, 2.0
"""How much longer than a look took, and how many seconds at most, nothing is judged after it: hundreds that wait are
looked at anew each time, and would take the processor from pages.
"""

log = structlog.get_logger()


class AlertsInMemory:
    """The judge of alerts while the ledger cannot take them, in a task of its own: the folder may hang. Each group's
    are judged in the order they came: behind one that waits the others wait too.
    """

    def __init__(self, clock: Clock, config: ActiveConfig, incidents: Incidents, alerts: AlertIncidents) -> None:
        self._clock = clock
        self._config = config
        self._served = _ServedIncidents(incidents)
        self._alerts = alerts
        self._lie_there: Sequence[Arrival] = ()
        self._heard = asyncio.Event()
        self._done: dict[str, Judgement] = {}
        self._broken: set[str] = set()
        self._trouble = ""

    def done(self, ref: str) -> Judgement | None:
        """What became of an entry here; None: nothing."""
        return self._done.get(ref)

    def forget(self, ref: str) -> None:
        """The ledger has what became of it."""
        self._done.pop(ref, None)
        self._broken.discard(ref)

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """The ledger does not take these now, oldest first."""
        self._lie_there = [arrival for arrival in arrivals if arrival.kind is ArrivalKind.ALERT]
        self._heard.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._heard.wait()
            self._heard.clear()
            began = asyncio.get_running_loop().time()
            await self.judge()
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(min(RESTS * took, RESTS_MOST))

    async def judge(self) -> None:
        """Judge once what was heard. What waits then is tried again when it is heard once more."""
        waiting, heard = set[str](), self._lie_there
        for place, arrival in enumerate(heard):
            if arrival.ref in self._done or arrival.who in waiting:
                continue
            judged = await self._judged(arrival, last_word(arrival.who, heard[place + 1 :]))
            if judged is None:
                waiting.add(arrival.who)
            else:
                self._done[arrival.ref] = judged

    async def _judged(self, arrival: Arrival, last: AlertEntry | None) -> Judgement | None:
        """What came of it; None: it waits. `last` is what else was said of the group since, the newest."""
        if arrival.ref in self._broken:
            return None
        entry, settings = read_entry(arrival.body.encode()), self._config.settings.web.alertmanager
        if not isinstance(entry, AlertEntry) or settings is None:
            return None
        policy, now = self._config.policy, self._clock.now()
        meaning, over = Meaning(settings, policy), last is not None and ended_since(entry, last)
        applying = self._alerts.apply(entry, meaning, policy, self._served, arrival.at, now, over=over)
        try:
            result = await guarded(applying, LedgerError, FileError, EditRefusedError)
        except LedgerError:
            return None
        except (FileError, EditRefusedError) as fault:
            if str(fault) != self._trouble:  # it is tried again each second
                log.warning("alerts not taken", trouble=str(fault))
            self._trouble = str(fault)
            return None
        if isinstance(result, Broken):
            self._broken.add(arrival.ref)
            return None
        if result.action is Action.TOO_MANY or (result.action is Action.TOO_SOON and last is None):
            return None
        if not (result.incident or (last and last.firing)):
            return None  # the incident that it ends may be one that the ledger alone knows; what fires since goes on
        did, incident, why = result.action.value, result.incident, result.why
        if result.action is not Action.NOTHING:
            log.info("alerts", did=did, incident=incident, why=why, unknown_services=[])
        return Judgement(did, outcome_sentence(incident, did, why, ()))


class _ServedIncidents:
    """What alerts ask a ledger, as far as it is known without one: which incidents are served. What happened in these,
    and which others there are, it cannot say.
    """

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    async def incidents(self) -> tuple[str, ...]:
        """Those that are served."""
        return self._incidents.ids()

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """None of one that is not known. Raises LedgerError of one that is."""
        if self._incidents.is_known(incident):
            raise LedgerError("it waits for the ledger")
        return ()

    async def file(self, incident: str) -> KeptFile | None:  # noqa: ARG002 - the seam's
        """None."""
        return None
