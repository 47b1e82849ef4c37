"""Letters on their way out, each parcel of them through its attempts to an end.

It carries out what `planning.delivery.retry` decides, writes every attempt down before its first byte leaves and after
it ended, and asks before each one which letters are still wanted. It must not know why a letter was decided.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime

import structlog

from tocsin.app.delivery.blame import Blame, hear_last_refusal, hear_refusal
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.lanes import Lanes, rank
from tocsin.app.delivery.message import message
from tocsin.app.delivery.parcels.attempt_log import WRITES_AGAIN, AttemptLog, log_try
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.headway import Headway
from tocsin.app.delivery.parcels.parcel import Parcel, ParcelStep, ended_so, parcels_of
from tocsin.app.delivery.parcels.still_wanted import StillWanted
from tocsin.app.delivery.parcels.undelivered import Undelivered
from tocsin.app.delivery.providers import Provider, Providers
from tocsin.app.delivery.refusals.refusal_row import Try
from tocsin.app.delivery.rooms import Rooms
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fate, Fault, Letter, Refused
from tocsin.domain.notification import Why
from tocsin.domain.people import Channel
from tocsin.planning.delivery import receipts, retry, same_try
from tocsin.planning.delivery.still_wanted import current_address, opted_out
from tocsin.planning.history.fast_replace import replace
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import SendLedger
from tocsin.ports.transport import CutShortError

log = structlog.get_logger()


class Sender:
    """Every letter that is not settled (`open`), and a queue for each channel. `alive_at` is now while every step under
    way is younger than any transport lets it grow; else when the oldest began.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: SendLedger,
        context: DeliveryContext,
        providers: Providers,
        dice: random.Random,
        rooms: Rooms,
        bundles: Bundles,
    ) -> None:
        self._clock = clock
        self._attempt_log = AttemptLog(ledger, context.incidents, context.fence)
        self._context = context
        self._providers = providers
        self._dice = dice
        self._rooms = rooms
        self._bundles = bundles
        self.open = self._open = dict[str, Parcel]()
        self._wanted = StillWanted(clock, context.incidents, context.notices, context.sign_in_codes, rooms.never_left)
        self._headway = Headway(clock, context.incidents)
        self.undelivered = self._undelivered = Undelivered(self._wanted.is_wanted)
        self._blame = Blame(ledger, context)
        self._lanes = Lanes(clock, context, self._do_step)

    @property
    def alive_at(self) -> datetime:
        """The mark for the health check."""
        return self._lanes.alive_at

    def undelivered_since(self) -> datetime | None:
        """Since when a page that is still wanted, or a notice to operators, has been taken by nobody on any channel; or
        since when nobody is left whom an incident's pages reach (rule 71). None while all is well.
        """
        since = self._undelivered.since(), self._context.incidents.unreached_since()
        return min(filter(None, since), default=None)

    def notice_cannot_leave(self) -> bool:
        """Whether a notice to operators that is still wanted was tried by all its channels in vain (rule 71)."""
        return self._undelivered.cannot_leave()

    def has_unsaved(self) -> bool:
        """Whether something went out, or ended, that the ledger could not take yet."""
        return any(parcel.unsaved for parcel in self._open.values() if not self._lanes.is_under_way(parcel))

    def awaiting(self) -> tuple[Parcel, ...]:
        """Pages that wait for their receipt, those that left together as one, the longest first."""
        parcels = dict.fromkeys(self._open.values())
        return tuple(parcel for parcel in parcels if self.awaits(parcel) and not self._lanes.is_under_way(parcel))

    def awaits(self, parcel: Parcel) -> bool:
        """Whether these pages still wait for their receipt, and for an answer."""
        return parcel.step is ParcelStep.ASK and not parcel.settled and bool(self._wanted.among(parcel))

    async def judge_fate(self, tries: Sequence[Try], fate: Fate) -> Fate:
        """What became of a message tells of its provider too, whether anything is still to be done with it or not. A
        provider that is wrong about one number after the other is not believed (rule 38).
        """
        health = self._providers.health_of(tries[0][0])
        return await self._blame.after_receipt(health, tries, fate, self._clock.now()) if health else fate

    def on_receipt(self, attempt: Attempt, fate: Fate) -> bool:
        """The provider said what became of an attempt, and so of all that left with it. False when nothing more is to
        be done with its letter here.
        """
        parcel = self._open.get(attempt.reference)
        if parcel is None or parcel.settled or not (parcel.attempts or self._lanes.is_under_way(parcel)):
            return False
        parcel.add_receipt(attempt.number, fate)
        self.resume(parcel)
        return True

    def resume(self, parcel: Parcel) -> None:
        """Something became known of it."""
        if not self._lanes.is_under_way(parcel):
            self._lanes.put(parcel, ParcelStep.RESUME)

    def enqueue(self, letters: Sequence[Letter], *, recorded: bool = True, resumed: bool = False) -> None:
        """Deliver these. `recorded` is False for what the ledger could not take: pages, which come here again once it
        could, and notices to operators. They go out from memory. `resumed`: a process before has decided them.
        """
        new: dict[str, Delivery] = {}
        for letter in letters:
            key = letter.notification.key
            if key in self._open:
                self._note_recorded(key, recorded=recorded)
            elif key not in new:
                self._context.incidents.add_unsettled(letter.notification.incident)
                new[key] = Delivery(letter, recorded, list(letter.attempts), says_unseen=not recorded)
        for parcel in parcels_of(new.values()):
            parcel.tried = same_try.tried(parcel.attempts)
            if parcel.attempts:
                self._begin(parcel, ParcelStep.RESUME)
            elif self._rooms.admits(parcel.lead, resumed=resumed):
                self._begin(parcel, ParcelStep.SEND)
            else:
                parcel.step = ParcelStep.WAIT
                self._open[parcel.lead.notification.key] = parcel

    def _begin(self, parcel: Parcel, step: ParcelStep) -> None:
        """These letters are on their way from now on."""
        self._lanes.put(parcel, step)
        for member in parcel.members:
            self._open[member.notification.key] = parcel
            self._undelivered.begin(member.notification, member.since, out=member.letter.out)
            self._undelivered.note(member.notification, taken=member.taken, tried=bool(member.attempts))
        if parcel.lead.page:
            self._headway.watch(parcel, hangs=self._providers.hangs(parcel.via))

    def _note_recorded(self, key: str, *, recorded: bool) -> None:
        """A letter that is on its way is given once more, perhaps because the ledger has taken it."""
        for member in self._open[key].members:
            member.recorded |= recorded and member.notification.key == key

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lanes.run(), name="lanes")
            while True:
                self._begin(Parcel(await self._rooms.next_leaving()), ParcelStep.SEND)

    async def drain(self, patience: float) -> bool:
        """Begin no new attempt, and wait for those under way. False when some did not end in time."""
        return await self._lanes.drain(patience)

    async def _do_step(self, parcel: Parcel) -> None:
        """What is next with a parcel."""
        match parcel.step:
            case ParcelStep.SEND:
                await self._send(parcel)
            case ParcelStep.RESUME:
                await self._resume(parcel)
            case ParcelStep.FIND:
                await self._look_up(parcel)
            case ParcelStep.ASK:
                await self._ask_receipt(parcel)
            case ParcelStep.WRITE:
                await self._write(parcel)
            case ParcelStep.WAIT:
                raise AssertionError("what waits for room is in no queue")

    async def _resume(self, parcel: Parcel) -> None:
        """Go on from how the attempts stand: after a start, and after news of them."""
        if not await self._attempt_log.recall_bundle(parcel):
            self._lanes.put(parcel, ParcelStep.RESUME, self._clock.now() + WRITES_AGAIN)
            return
        parcel.end_killed(self._clock.now())
        await self._go_on(parcel)

    async def _send(self, parcel: Parcel) -> None:
        """One attempt, of those letters that are still wanted."""
        await self._drop_unwanted(parcel)
        if parcel.settled:
            return
        now = self._clock.now()
        to = current_address(parcel.lead.notification, self._context.config.policy)
        if not to:
            stopped = opted_out(parcel.lead.notification, self._context.config.policy)
            for member in parcel.members:
                self._headway.fail(member, stopped=stopped)
            await self._settle(parcel, "opted_out" if stopped else "unwanted")
            return
        provider = self._provider(parcel) or self._provider_of_new_try(parcel)
        if provider is None:
            await self._give_up(parcel)
            return
        parcel.bundle = self._bundles.bundle_of(parcel, now)
        attempts = await self._attempt_log.begin(parcel, to, now, provider=provider.name)
        if not attempts:
            self._lanes.put(parcel, ParcelStep.SEND, now + WRITES_AGAIN)
            return
        if not attempts[0].id:
            self._bundles.say_unseen(parcel)
        try:
            async with self._lanes.slot(parcel):
                began_at, words = self._clock.now(), message(parcel, attempts[0], self._context)
                outcome = await self._providers.send(provider, words, parcel.attempts)
        except CutShortError as cut:
            parcel.end_try(ended_so(attempts, cut.outcome, self._clock.now()))
            raise
        now = self._clock.now()
        self._lanes.note_pace(parcel.via, now - began_at)
        ended = ended_so(attempts, outcome, now)
        tries = [(attempt, member.notification) for attempt, member in zip(ended, parcel.members, strict=True)]
        judged = self._blame.after_try(provider.health, tries)
        ended = ended if judged == outcome else ended_so(attempts, judged, now)
        self._note_end(replace(ended[0], started_at=began_at))
        parcel.end_try(ended)
        parcel.tried |= {provider.name}
        log_try(parcel, self._context.config.policy)
        await self._go_on(parcel)

    def _provider(self, parcel: Parcel) -> Provider | None:
        """Who gets the parcel, of those that have not failed it in this try nor refused it; None: nobody is left."""
        tried = parcel.via, parcel.kind, self._clock.now(), parcel.tried, parcel.attempts
        return self._providers.choose(*tried, others_wait=self._lanes.holds_behind(parcel))

    def _provider_of_new_try(self, parcel: Parcel) -> Provider | None:
        """The same, where the try under way has ended meanwhile; None: all have refused this message."""
        parcel.tried = frozenset()
        return self._provider(parcel)

    async def _give_up(self, parcel: Parcel) -> None:
        """Every provider that there is has refused this message; whoever else failed it has left the config."""
        hear_last_refusal(self._context, parcel.lead.notification, parcel.attempts, self._clock.now())
        for member in parcel.members:
            self._headway.fail(member, unfit=True)
        await self._settle(parcel, "refused")

    def _note_end(self, attempt: Attempt) -> None:
        """A try has ended, which tells of its provider. One that is well again gets the pages that it has turned down,
        at once; one that hangs keeps none waiting (rule 70).
        """
        health = self._providers.health_of(attempt)
        denied = health.denied if health else frozenset()
        recovered = self._providers.on_attempt(attempt)
        if recovered:
            for parcel in dict.fromkeys(self._open.values()):
                waits = parcel.via is attempt.via and parcel.held_up and not self._lanes.is_under_way(parcel)
                if waits and parcel.attempts[-1].address not in denied:
                    self._lanes.put(parcel, ParcelStep.SEND)
        if self._providers.hangs(attempt.via):
            self._wait_no_longer(attempt.via)

    async def _drop_unwanted(self, parcel: Parcel) -> None:
        """Letters that nobody wants any more are settled, and the others go on without them."""
        members, wanted = parcel.members, self._wanted.among(parcel)
        parcel.members = sorted(wanted, key=lambda member: rank(member.notification, self._context))
        if len(wanted) == len(members):
            return
        keys = {member.notification.key for member in wanted}
        unwanted = [member for member in members if member.notification.key not in keys]
        superseded = self._wanted.why_not(unwanted[0].notification) is Why.SUPERSEDED
        if wanted:
            dropped = Parcel(unwanted)
            self._open.update((member.notification.key, dropped) for member in unwanted)
        else:
            dropped, parcel.members = parcel, members
        await self._settle(dropped, "superseded" if superseded else "unwanted")

    async def _go_on(self, parcel: Parcel) -> None:
        """What follows from how the attempts ended and what the provider said of them."""
        now, lead = self._clock.now(), parcel.lead
        for member in parcel.members:
            member.apply_receipts(now)
        if same_try.goes_on(lead.standing_outcome) and self._provider(parcel) is not None:
            await self._attempt_log.save_pending(parcel)
            self._lanes.put(parcel, ParcelStep.SEND)
            return
        outcome = lead.standing_outcome
        of_provider = isinstance(outcome, Refused) and outcome.fault is Fault.MESSAGE
        health = self._providers.health_of(parcel.attempts[-1])
        if of_provider and health is not None and health.refuses_wrongly:
            self._blame.withdraw(health, parcel.letters_of(parcel.attempts[-1].number))
        elif isinstance(outcome, Refused):
            address = retry.deciding_attempt(lead.attempts).address
            hear_refusal(self._context, lead.notification, address, outcome, now)
        stopped = opted_out(lead.notification, self._context.config.policy)
        for member in parcel.members:
            next_channel_at = retry.next_channel_at(member.since, member.attempts)
            if next_channel_at is not None and next_channel_at <= now:
                self._headway.fail(member, stopped=stopped)
        jitter = self._dice.random() if isinstance(outcome, Deferred) else 0.0
        move = retry.after_send(parcel.kind, parcel.via, parcel.attempts, now, jitter)
        if isinstance(move, retry.TryAgain):
            parcel.tried = frozenset()  # what is tried again after a look-up goes on to the next provider instead
        await self._blame.save()  # before the next step is set, which must not begin beside this one
        await self._follow(parcel, move)

    async def _follow(self, parcel: Parcel, move: retry.NextMove) -> None:
        """Do what was decided, or set the time for it."""
        for member in parcel.members:
            self._undelivered.note(member.notification, taken=member.taken)
        match move:
            case retry.Settled(state):
                taken = retry.deciding_attempt(parcel.attempts)
                waits = state == "accepted" and parcel.lead.page and self._providers.gives_receipts(taken)
                until = receipts.receipt_awaited_until(taken) if waits else None
                if until:
                    saved = await self._attempt_log.save_pending(parcel)
                    self._lanes.put(parcel, ParcelStep.ASK, until if saved else self._clock.now() + WRITES_AGAIN)
                else:
                    if state == "accepted":
                        self._headway.note_delivered(parcel)
                    await self._settle(parcel, state)
            case retry.TryAgain(at, possible_duplicate):
                await self._attempt_log.save_pending(parcel)
                for member in parcel.members:
                    member.possible_duplicate = possible_duplicate
                self._lanes.put(parcel, ParcelStep.SEND, at)
            case retry.LookUp(at):
                await self._attempt_log.save_pending(parcel)
                self._lanes.put(parcel, ParcelStep.FIND, at)

    async def _look_up(self, parcel: Parcel) -> None:
        """Ask the provider whether an uncertain attempt left after all."""
        attempt = parcel.attempts[-1]
        outcome = await self._providers.find(attempt, message(parcel, attempt, self._context))
        now = self._clock.now()
        out = all(self._undelivered.is_out(member.notification) for member in parcel.members)
        may_wait = out and not self._providers.is_another_well(attempt)
        move = retry.after_look_up(parcel.kind, parcel.via, parcel.attempts, outcome, now, may_wait=may_wait)
        if isinstance(outcome, Accepted):
            parcel.end_last(outcome, now)
            self._note_end(parcel.attempts[-1])
        await self._follow(parcel, move)

    async def _ask_receipt(self, parcel: Parcel) -> None:
        """The time for a receipt is over: ask a last time, and a page not delivered goes by another channel too
        (rule 34).
        """
        now = self._clock.now()
        if self._wanted.among(parcel):
            attempt = retry.deciding_attempt(parcel.attempts)
            assert isinstance(attempt.outcome, Accepted)
            if parcel.unsaved and now < (receipts.receipt_awaited_until(attempt) or now):
                await self._go_on(parcel)  # it left from memory, and the ledger may take it by now
                return
            if parcel.late(now) < receipts.ASKED_AT_MOST_LATE:
                fate = await self._providers.fate(attempt, attempt.outcome.provider_id)
                fate = await self.judge_fate(parcel.letters_of(attempt.number), fate)
                await self._attempt_log.receipt(parcel.tries(attempt.number), fate, now)
                if fate.receipt.final:
                    parcel.add_receipt(attempt.number, fate)
                    await self._go_on(parcel)
                    return
            for member in self._wanted.among(parcel):
                self._headway.fail(member)
        await self._settle(parcel, "accepted")

    async def _settle(self, parcel: Parcel, state: str) -> None:
        """Nothing more is tried."""
        now = self._clock.now()
        for member in parcel.members:
            member.state, member.settled_at = state, now
            self._context.sign_in_codes.forget(member.notification.key)
            given_up = state == "refused" or self._wanted.is_late_notice(member.notification)
            self._undelivered.end(member.notification, given_up=given_up)
        await self._write(parcel)

    async def _write(self, parcel: Parcel) -> None:
        """Write down what the ledger lacks, now or when it is back."""
        if not await self._attempt_log.save_pending(parcel):
            self._lanes.put(parcel, ParcelStep.WRITE, self._clock.now() + WRITES_AGAIN)
            return
        for member in parcel.members:
            del self._open[member.notification.key]
            self._context.incidents.remove_unsettled(member.notification.incident)

    def _wait_no_longer(self, via: Channel) -> None:
        """A try has hung on this channel: pages that wait behind it go by their next one too, at once (rule 70)."""
        for parcel in dict.fromkeys(self._open.values()):
            if parcel.lead.page and parcel.via is via and not parcel.attempts and parcel.step is not ParcelStep.WAIT:
                for member in parcel.members:
                    self._headway.check(member)
