"""What other processes wrote into the ledger: answers (`tocsin ack`, the web side) go to their incidents, and reports
(`tocsin pull`) to the operators, unless they are too old.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from tocsin.app.replies.polling import poll
from tocsin.app.state.incident_state import RecordedFact
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Answered
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import FeedLedger, LedgerError, Report, Unreadable

ASKS_EVERY = 1.0
"""Seconds between two looks."""
TOLD_WITHIN = timedelta(hours=1)
"""How old a word for the operators may be when it is found: one left while the daemon was down is still told."""
TROUBLES = {"pull": Trouble.PULL_REFUSED, "unsubscribe": Trouble.UNSUBSCRIBE_WISH}
"""What a report's cause begins with, up to a colon, and which trouble that is."""

CLOCKS_AGREE = timedelta(seconds=10)
"""How far the instant that another process gives its answer may lie from now, when it is found a second later."""

log = structlog.get_logger()


class LedgerFeed:
    """Asks the ledger for what came after the rows that are known; `last` is the row of the last answer that is."""

    def __init__(self, clock: Clock, ledger: FeedLedger, incidents: Incidents, notices: Notices, last: int) -> None:
        self._clock = clock
        self._ledger = ledger
        self._incidents = incidents
        self._notices = notices
        self._last = last
        self._last_report = 0

    @property
    def last(self) -> int:
        """The row of the last answer that was brought."""
        return self._last

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self.ask, lambda: ASKS_EVERY)

    async def ask(self) -> None:
        """Bring what is new. Raises LedgerError."""
        for row, incident, answer in await self._ledger.answers_since(self._last):
            if isinstance(answer, Unreadable):
                text = f"an answer to incident {incident} is lost: {answer.why}; it must be given again"
                self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about=incident))
                self._last = row
            else:
                fact = RecordedFact(await self._as_it_counts(row, answer))
                self._last = row
                self._incidents.add_event(incident, fact)
        for report in await self._ledger.reports_since(self._last_report):
            self._last_report = report.row
            if self._clock.now() - report.at < TOLD_WITHIN:
                self._notices.tell(_notice(report))

    async def _as_it_counts(self, row: int, answer: Answered) -> Answered:
        """An answer that came just now, but whose instant is another clock's, counts from now (rule 59)."""
        now = self._clock.now()
        if abs(now - answer.at) <= CLOCKS_AGREE:
            return answer
        answer = replace(answer, at=now)
        try:
            await self._ledger.correct_answer(row, answer)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
        return answer


def _notice(report: Report) -> OperatorNotice:
    """A report as a notice; of a cause that only another version of tocsin knows the operators hear all the same."""
    begins, _, about = report.cause.partition(":")
    trouble = TROUBLES.get(begins)
    if trouble is None:
        return OperatorNotice(Trouble.WORD_LEFT, report.text, about=report.cause)
    return OperatorNotice(trouble, report.text, about=about)
