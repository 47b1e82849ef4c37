"""STOP and START: a number that wants no SMS any more, and one that wants them again (rule 51).

It decides what follows at once: it is kept for good, operators hear, and whoever was asked there and has not answered
is asked by their next channel. That nothing goes there any more is the policy's business (`app/state/opt_outs`).
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.state.incident_state import ChannelFailed
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Accepted, Receipt, Record
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, Person
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.asked_for import asked_for
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.delivery.sms_verdicts import OPTED_OUT

WRITES_AGAIN = 2.0
"""Seconds until the ledger is tried again after trouble."""
AT_A_TIME = 20
"""Incidents that are looked through before others have their turn."""
NAMED_MOST = 5
"""Incidents that are named; of more only the number is told."""

log = structlog.get_logger()


class Stops:
    """Keeps what numbers said, and acts on it."""

    def __init__(self, clock: Clock, ledger: Ledger, context: DeliveryContext) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = context.config
        self._incidents = context.incidents
        self._notices = context.notices

    async def run(self) -> None:
        """Write down, and act on, what providers say in answer to messages, until cancelled. First of all it is seen to
        it that whoever said STOP before the process before ended is asked elsewhere.
        """
        with contextlib.suppress(LedgerError):
            await self.ask_all_elsewhere()
        while True:
            heard = await self._config.opt_outs.next_heard()
            while True:
                try:
                    await self._stop(heard)
                    break
                except LedgerError as trouble:
                    log.warning("ledger trouble", trouble=str(trouble))
                    await asyncio.sleep(WRITES_AGAIN)

    def is_stopped(self, number: str) -> bool:
        """Whether nothing goes to this number."""
        return self._config.opt_outs.of(Channel.SMS, number) is not None

    async def stop(self, person: Person, ref: str) -> None:
        """Somebody's number says STOP; to say so again changes nothing. Raises LedgerError."""
        if self.is_stopped(person.phone):
            return
        await self._stop(OptOut(Channel.SMS, person.phone, self._clock.now(), ref))

    async def start(self, person: Person) -> None:
        """Somebody's number says START. Raises LedgerError."""
        await self._ledger.opt_in(Channel.SMS, person.phone)
        self._config.opt_outs.remove(Channel.SMS, person.phone)
        log.info("start", person=person.id)
        self._notices.cured(
            Trouble.NUMBER_STOPPED, person.id, f"{person.name} takes SMS again: START came from them", person.name
        )
        self._incidents.poke_all()

    async def ask_all_elsewhere(self) -> None:
        """Everybody whose number is stopped is asked by the next channel, if they were not yet. Raises LedgerError."""
        for person in self._config.policy.people.values():
            if person.stopped:
                await self._ask_elsewhere(person)

    async def _stop(self, opt_out: OptOut) -> None:
        people = self._config.policy.people.values()
        person = next((person for person in people if person.phone == opt_out.address), None)
        if person is None:
            return
        await self._ledger.opt_out(opt_out)
        self._config.opt_outs.add(opt_out)
        log.info("stop", person=person.id)
        stopped, sender = self._config.policy.people[person.id], self._config.settings.sms.by_number.to(person.phone)
        asking = [] if stopped.channels else self._asking(person)
        self._notices.tell(stop_notice(stopped, sender, asking, by_provider=opt_out.ref.startswith(OPTED_OUT)))
        await self._ask_elsewhere(person)

    async def _ask_elsewhere(self, person: Person) -> None:
        """Whoever was asked by SMS and has not answered is asked by the next channel (rule 36)."""
        for number, incident in enumerate(self._incidents.open_ids(), 1):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
            history = self._incidents.history(incident)
            page = history.newest_pages.get(person.id)
            if page is None or not asked_for(history, person.id):
                continue
            for record in await self._pages(incident, person):
                if why_unwanted(record.notification, history) is None:
                    event = ChannelFailed(record.notification, stopped=True, taken=_was_taken(record))
                    self._incidents.add_event(incident, event)
                    break

    def _asking(self, person: Person) -> list[str]:
        """The open incidents that wait for somebody's answer."""
        incidents = self._incidents
        return [open_id for open_id in incidents.open_ids() if asked_for(incidents.history(open_id), person.id)]

    async def _pages(self, incident: str, person: Person) -> list[Record]:
        """Pages that went to somebody by SMS, the newest first. Raises LedgerError."""
        pages = [
            record
            for record in await self._ledger.records(incident)
            if isinstance(page := record.decided, Notification)
            and (page.kind, page.to, page.via) == (Kind.PAGE, person.id, Channel.SMS)
        ]
        return sorted(pages, key=lambda record: record.notification.at, reverse=True)


def _was_taken(record: Record) -> bool:
    """Whether a provider has taken a page, and has not said that it was not delivered."""
    taken = any(isinstance(attempt.outcome, Accepted) for attempt in record.attempts)
    return taken and record.receipt is not Receipt.UNDELIVERED


def stop_notice(
    person: Person, sender: str | None, asking: Sequence[str] = (), *, by_provider: bool = False
) -> OperatorNotice:
    """What operators hear at once: who, what follows, and what to do. `asking` are the incidents that wait for the
    answer of somebody whom nothing reaches; `by_provider`: we did not see the SMS.
    """
    others = " and ".join(via.traits.word for via in person.channels)
    more = f" and {len(asking) - NAMED_MOST} more" if len(asking) > NAMED_MOST else ""
    waits = f" ({', '.join(asking[:NAMED_MOST])}{more} had asked them)" if asking else ""
    goes = f"pages go by {others}" if others else f"nothing reaches them: have somebody else asked{waits}"
    named = sender is not None and sender[:1] not in ("", "+")  # nobody can write to a name
    lifts = (
        "have the provider opt that number in again" if named else f"have them text START to {sender or 'our number'}"
    )
    cure = f"call {person.name}, {lifts}"
    says = ", says the provider" if by_provider else ""
    fault = f"until then no SMS goes to {person.phone}, which answered STOP{says}, and {goes}"
    place = f" ({person.place})" if person.place else ""
    return OperatorNotice(Trouble.NUMBER_STOPPED, f"{cure}; {fault}{place}", about=person.id, name=person.name)
