"""Alerts that came in are judged, each group's in the order they came, and what follows is written into the incident
folder, where it is seen like any other file.

While somebody waits at the web side a word suffices for what cannot be done now: Alertmanager says it again. Later
nobody does, so it is held here until it can be done. A folder that hangs holds up alerts alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from tocsin.adapters.files.incident_writer import FileError
from tocsin.app.alerts.apply import OPENINGS, AlertIncidents, AlertResult
from tocsin.app.alerts.entries import last_word
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.limit import AT_ONCE
from tocsin.app.alerts.steps import Action, ended_since
from tocsin.app.alerts.words import NOT_NOW, NOT_SET, TOO_MANY, outcome_sentence
from tocsin.app.arrivals.in_memory.alerts import AlertsInMemory
from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.app.replies.polling import poll
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import AlertEntry, Arrival, Judgement
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.inbox.entries import read_entry
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger, IncidentLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable

LOOKS_EVERY = 0.5
"""Seconds between two looks, at least."""
ASKS_AFTER = 15.0
"""Seconds without news after which it looks anyway: some of what operators were told of is over by time alone."""
WAITED_FOR = timedelta(seconds=3)
"""How long after it came in somebody waits for certain for what becomes of it."""
HELD_FOR = timedelta(seconds=5)
"""When it is tried again after it could not be done."""
LIMITED_FOR = timedelta(seconds=30)
"""The same after alerts had opened too many incidents, and for how long operators take it for going on."""
WAITING_MOST = 1000
"""Entries that may wait while there is no room for what they open: as many as the inbox holds."""
MANY, MANY_WITHIN = 20, timedelta(minutes=10)
"""Incidents opened by alerts within this that operators hear of: more than most outages, long before the limit."""
UNKNOWN_MOST = 5
"""Unknown services that are named."""
NOT_TAKEN, BROKEN = "not taken", "broken"
"""It could not be done, and whoever told it is to say it again; it cannot be judged at all."""

log = structlog.get_logger()


class AlertLedger(IncidentLedger, ArrivalLedger, Protocol):
    """What came in, and what is known of incidents."""


class AlertFeed:
    """Brings alerts to their incidents."""

    def __init__(
        self,
        clock: Clock,
        ledger: AlertLedger,
        config: ActiveConfig,
        notices: Notices,
        incidents: AlertIncidents,
        in_memory: AlertsInMemory | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._notices = notices
        self._incidents = incidents
        self._in_memory = in_memory
        self._held: dict[int, datetime] = {}
        self._limited_at: datetime | None = None
        self._opened: list[datetime] = []
        self._since = clock.now()
        self._log = LimitedLog()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self.look, lambda: LOOKS_EVERY, news=partial(self._ledger.news, ASKS_AFTER))

    async def look(self) -> None:
        """Judge what waits. Raises LedgerError: what was not judged then is judged at the next look."""
        alerts = await self._ledger.unjudged_alerts()
        waiting, said = set[str](), [arrival for _, arrival in alerts]
        for place, (row, arrival) in enumerate(alerts):
            if isinstance(arrival, Unreadable):
                self._tell_broken(arrival.why)
                await self._ledger.record_result(row, BROKEN)
                continue
            held_until = self._held.get(row)
            if arrival.who in waiting or (held_until and self._clock.now() < held_until):
                waiting.add(arrival.who)
                continue
            may_wait, last = len(alerts) <= WAITING_MOST, last_word(arrival.who, said[place + 1 :])
            judged = await self._judged(arrival, may_wait, last)
            if isinstance(judged, timedelta):
                waiting.add(arrival.who)
                self._held[row] = self._clock.now() + judged
                continue
            self._held.pop(row, None)
            await self._ledger.record_result(row, judged.result, judged.words)
            if self._in_memory:
                self._in_memory.forget(arrival.ref)
        limited = self._limited_at is not None and self._clock.now() - self._limited_at < 2 * LIMITED_FOR
        if not self._held and not limited:
            self._notices.cured(Trouble.ALERTS_UNWRITTEN, "", "all alerts that waited are written down")
        since = self._clock.now() - MANY_WITHIN
        self._opened = [at for at in self._opened if at > since]
        if self._since <= since and len(self._opened) <= MANY:  # what the process before has told holds until then
            text = f"no more than {MANY} incidents were opened by alerts in {MANY_WITHIN // timedelta(minutes=1)} min"
            self._notices.cured(Trouble.ALERTS_MANY, "", text)

    async def _judged(self, arrival: Arrival, may_wait: bool, last: AlertEntry | None) -> Judgement | timedelta:
        """What came of it, or for how long it waits; `last` is what else was said of the group since, the newest.
        Raises LedgerError.
        """
        entry, settings = read_entry(arrival.body.encode()), self._config.settings.web.alertmanager
        if not isinstance(entry, AlertEntry):
            self._tell_broken(str(entry))
            return Judgement(BROKEN)
        if settings is None:
            return Judgement(NOT_TAKEN, NOT_SET)
        now, policy = self._clock.now(), self._config.policy
        if self._in_memory and (done := self._in_memory.done(arrival.ref)):
            if done.result in OPENINGS:
                self._note_opened(entry.title, now)
            return done
        someone_waits = now - arrival.at < WAITED_FOR
        meaning = Meaning(settings, policy)
        over = last is not None and ended_since(entry, last)
        applying = self._incidents.apply(entry, meaning, policy, self._ledger, arrival.at, now, over=over)
        try:
            result = await guarded(applying, LedgerError, FileError, EditRefusedError)
        except (FileError, EditRefusedError) as fault:
            log.warning("alerts not taken", trouble=str(fault))
            if someone_waits:
                return Judgement(NOT_TAKEN, NOT_NOW)
            text = f'alerts wait ("{entry.title}"): {fault}'
            self._notices.tell(OperatorNotice(Trouble.ALERTS_UNWRITTEN, text))
            return HELD_FOR
        if isinstance(result, Broken):
            self._tell_broken(str(result))
            return Judgement(BROKEN)
        if result.action is Action.TOO_MANY:
            self._tell_limited(result.why, entry.title, now)
            return LIMITED_FOR if may_wait and not someone_waits else Judgement(NOT_TAKEN, TOO_MANY)
        if result.action is Action.TOO_SOON and last is None and not someone_waits:
            return HELD_FOR  # nobody hears that it is to be said again
        if result.action in OPENINGS:
            self._note_opened(entry.title, now)
        return self._told(result, meaning.unknown(entry.firing))

    def _told(self, result: AlertResult, unknown: Sequence[str]) -> Judgement:
        """What came of it, as a line of the log and for who waits."""
        named = [] if result.action is Action.NOTHING else [name[:64] for name in unknown[:UNKNOWN_MOST]]
        if result.action is not Action.NOTHING or result.why != "it is known":
            did, incident = result.action.value, result.incident
            log.info("alerts", did=did, incident=incident, why=result.why, unknown_services=named)
        if result.action is Action.TOO_SOON:
            again = f"{result.incident}: {result.why}. If they still fire, say so again in a minute."
            return Judgement(result.action.value, again)
        words = outcome_sentence(result.incident, result.action.value, result.why, named)
        return Judgement(result.action.value, words)

    def _note_opened(self, title: str, now: datetime) -> None:
        """Alerts have opened one more incident: a real storm, or forged ones, which operators tell apart."""
        self._opened = [*(at for at in self._opened if at > now - MANY_WITHIN), now]
        if len(self._opened) > MANY:
            span = f"{MANY_WITHIN // timedelta(minutes=1)} min"
            text = f'alerts have opened {len(self._opened)} incidents within {span}; the newest is "{title}"'
            self._notices.tell(OperatorNotice(Trouble.ALERTS_MANY, text))

    def _tell_limited(self, severity: str, title: str, now: datetime) -> None:
        """That alerts open more than any outage should: it is one like none before, or somebody's own words."""
        self._limited_at = now
        self._log.warning("too many incidents by alerts", severity=severity)
        text = f'alerts would open more than {AT_ONCE} incidents of {severity} at once; the newest is "{title}"'
        self._notices.tell(OperatorNotice(Trouble.ALERTS_UNWRITTEN, text))

    def _tell_broken(self, why: str) -> None:
        """Alerts that cannot be judged hold up nobody (rule 63)."""
        text = f"alerts that came in could not be judged ({why}); the others are: look at Alertmanager"
        self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about="alert"))
