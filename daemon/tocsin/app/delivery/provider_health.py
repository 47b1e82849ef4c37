"""Whether a provider works, told from how its tries end and from its receipts, and when the operators hear that it does
not (rules 38, 39, 70). It must not know whose messages they were, nor what goes to another provider meanwhile.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tocsin.app.delivery.refusals.denials import Denials, Denies
from tocsin.app.delivery.refusals.refusal_row import DIFFERENT_MOST, RefusalRow, Try
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import NOT_LEADING, Accepted, Attempt, Deferred, Fate, Fault, Receipt, Refused, Uncertain
from tocsin.domain.operator_notice import Trouble, subject_of
from tocsin.domain.people import MAIN, Channel
from tocsin.wording.delivery.answer_words import (
    for_provider,
    provider_cure,
    undelivered_cause,
    undelivered_cure,
    was_taken_back,
    wrongly_refused,
)
from tocsin.wording.delivery.sms_verdicts import FILTERED, OPTED_OUT
from tocsin.wording.operator.sick_providers import Ailment, ProviderState, sick_notices, undelivered_about

PATIENCE = 3
"""Failures in a row that time may cure, before operators hear of them, and before the provider counts as unwell."""
HUNG_AFTER = timedelta(seconds=4.5)
"""A try that ends without an answer after longer than this has run into its transport's deadline."""
HANGS_FOR = timedelta(seconds=30)
"""How long nobody waits for a provider after a try that hung, unless it takes something meanwhile (rule 70)."""
REFUSES_WITHIN = timedelta(minutes=15)
"""Addresses that are refused in a row within this are the provider's fault, if they are three (rule 38)."""
UNDELIVERING_FOR = timedelta(minutes=10)
"""A provider that takes messages and does not deliver them counts as unwell for so long, unless it delivers one: what
becomes of its next ones is not always asked for.
"""


class ProviderHealth:
    """The failures in a row of one provider of a channel. Operators hear of them by message: that a first try meets a
    busy server, and the second one is taken, is no failure. `failed_at` is when a try failed last, `met` whether any
    has ended yet.
    """

    def __init__(
        self, via: Channel, notices: Notices, name: str = MAIN, peers: Mapping[str, "ProviderHealth"] | None = None
    ) -> None:
        """`peers` are all providers of the channel by their names, this one among them, as far as they were met."""
        self.name = name
        self._peers = {} if peers is None else peers
        self.failed_at: datetime | None = None
        self._via = via
        self._notices = notices
        self._tries: Counter[str] = Counter()
        self._failed: set[str] = set()
        self._in_a_row = 0
        self._hung_at: datetime | None = None
        self._told = False
        self._refuses = False
        self._refused = RefusalRow(REFUSES_WITHIN)
        self._undelivering_since: datetime | None = None
        self._undelivered = RefusalRow()
        self._filtered: set[str] = set()
        self._barred: set[str] = set()
        self._denials = Denials()
        self.met = False
        self._ailment: Ailment | None = None
        self._not_delivered: Ailment | None = None

    @property
    def unwell(self) -> bool:
        """Whether a try ended by its fault, or three in a row failed otherwise, and it took nothing since; or whether
        it does not deliver what it takes.
        """
        return self._refuses or self._undelivering_since is not None

    @property
    def refuses_wrongly(self) -> bool:
        """Whether its refusals of addresses are its own fault."""
        return self._refused.blames_provider

    @property
    def stood_in_for(self) -> bool:
        """Whether another provider of the channel is well."""
        return any(not peer.unwell for peer in self._peers.values() if peer is not self)

    @property
    def denied(self) -> frozenset[str]:
        """Recipients for whom it takes nothing, while it takes messages for others."""
        return self._denials.apart

    def hangs(self, now: datetime) -> bool:
        """Whether a try has just run into its deadline, and nothing was taken since."""
        return self._hung_at is not None and now - self._hung_at < HANGS_FOR

    def on_attempt(self, attempt: Attempt) -> None:
        """Take note of how a try ended. A refusal is no failure: the provider answered for it. Nor does it make a
        sick one well: it has taken nothing. What the fence stopped says nothing of it.
        """
        assert attempt.ended_at is not None
        if attempt.outcome == NOT_LEADING:
            return
        outcome, was_unwell, self.met = attempt.outcome, self.unwell, True
        if not isinstance(outcome, (Deferred, Uncertain)):
            self._in_a_row = 0
            self._tries.clear()
            self._failed.clear()
            self._hung_at = None
            if isinstance(outcome, Accepted):
                self._note_taken(attempt.address, attempt.ended_at)
            else:
                self._denials.forget(attempt.address)
            return
        at_fault = isinstance(outcome, Deferred) and outcome.fault is Fault.PROVIDER
        denies = Denies.ALL
        if isinstance(outcome, Deferred) and outcome.recipient:
            denies = self._denials.deny(attempt.address, outcome, attempt.ended_at)
        if denies is Denies.ONE:
            self._tell_states()
            return
        self._in_a_row += 1
        self.failed_at = attempt.ended_at
        self._refuses = self._refuses or at_fault or self._in_a_row >= PATIENCE
        hung = attempt.ended_at - attempt.started_at >= HUNG_AFTER
        self._hung_at = attempt.ended_at if hung else self._hung_at
        at_last = self._counts(attempt.reference, at_once=hung or isinstance(outcome, Uncertain))
        if denies is Denies.PERHAPS_ONE:
            self._tell_states()
        elif at_fault:
            self._tell(outcome, "check its settings and credentials", provider_cure(self._via, outcome))
        elif at_last or (len(self._peers) > 1 and self.unwell and not was_unwell):
            self._tell(outcome, "pages go by other channels meanwhile")

    def recall(self, attempts: Sequence[Attempt], now: datetime) -> None:
        """What the process before knew of it, from its tries, oldest first: that it refuses addresses wrongly, and took
        nothing since. Operators were told.
        """
        for attempt in attempts:
            if isinstance(attempt.outcome, Accepted):
                self._refuses, self._refused = False, RefusalRow(REFUSES_WITHIN)
            elif was_taken_back(self._via, attempt.outcome) and now - attempt.started_at < REFUSES_WITHIN:
                self._refuses, self.failed_at = True, attempt.ended_at or attempt.started_at
                self._refused.recall()

    def on_refused(self, tries: Sequence[Try]) -> tuple[Try, ...] | None:
        """An address was refused, in these tries that left as one message. None: that is the address's fault. Else it
        is the provider's, and these earlier refusals were wrong (rule 38).
        """
        attempt, outcome = tries[0][0], tries[0][0].outcome
        assert isinstance(outcome, Refused)
        assert attempt.ended_at is not None
        if outcome.code == OPTED_OUT:
            return None
        wrong = self._refused.add(attempt.address, attempt.ended_at, tries)
        if wrong is not None:
            self._refuses, self.failed_at = True, attempt.ended_at
        if wrong:
            self._tell(outcome, "", wrongly_refused(self._via, outcome))
        return wrong

    def on_receipt(self, tries: Sequence[Try], fate: Fate, at: datetime) -> tuple[Try, ...] | None:
        """What became of a message that was taken. One that was not delivered because of the account or the sender is
        told at once, else the third number in a row. None: nobody else is concerned. Else the provider is at fault, and
        these refusals were wrong (rule 38).
        """
        address = tries[0][0].address
        if fate.receipt is Receipt.DELIVERED:
            self._note_delivered(address)
        if fate.receipt is not Receipt.UNDELIVERED or fate.code == OPTED_OUT:
            return None
        blamed = self._undelivered.blames_provider
        refused = fate.refused is not None and fate.refused.fault is Fault.ADDRESS
        wrong = self._undelivered.add(address, at, tries if refused else ())
        self._filtered |= {address} if fate.code == FILTERED else set()
        barred = fate.fault is Fault.PROVIDER or (fate.code == FILTERED and len(self._filtered) > 1)
        self._barred |= {address} if barred else set()
        if barred or wrong is not None:
            self._undelivering_since = self.failed_at = at
        if barred or (wrong is not None and not blamed):
            what = (
                "does not deliver our messages" if barred else f"did not deliver to {DIFFERENT_MOST} numbers in a row"
            )
            answer = f"{self._called} {what}: {undelivered_cause(fate.code)}"
            if barred or self._not_delivered is None:
                sentence = f"{self._own(undelivered_cure(fate.code))} ({answer})"
                self._not_delivered = _ailment(self._not_delivered, sentence, at, fate.code if barred else "")
            self._tell_states()
        return wrong

    def _note_taken(self, address: str, at: datetime) -> None:
        """It takes messages; whether it delivers them is not known yet."""
        was_sick = self._refuses or self._ailment is not None
        self._refuses, self._told, self._ailment = False, False, None
        self._refused.end(address)
        if self._undelivering_since is not None and at - self._undelivering_since > UNDELIVERING_FOR:
            self._undelivering_since = None
        all_taken = self._denials.take(address, at)
        self._tell_end(was_sick=was_sick)
        if all_taken:
            self._notices.cured(Trouble.RECIPIENT_DENIED, self._called, f"{self._called} has taken one for {address}")

    def _note_delivered(self, address: str) -> None:
        """A message arrived; whoever could not be reached because of the account may still not be."""
        self._undelivered.end(address)
        self._undelivering_since = None
        self._filtered.clear()
        self._barred.discard(address)
        if not self._barred:
            self._not_delivered = None
            self._notices.cured(Trouble.SMS_UNDELIVERED, self._undelivered_about, "an SMS was delivered again")

    def _counts(self, reference: str, *, at_once: bool) -> bool:
        """Whether this failure of a message makes it three in a row, and so for the first time: three messages that
        fail even when they are tried again, or one that fails three times.
        """
        self._tries[reference] += 1
        if at_once or self._tries[reference] > 1:
            self._failed.add(reference)
        three = len(self._failed) >= PATIENCE or self._tries[reference] >= PATIENCE
        first, self._told = three and not self._told, self._told or three
        return first

    @property
    def _called(self) -> str:
        """What people call this provider: by its name where there are others."""
        provider = self._via.traits.provider
        return f'{provider} "{self.name}"' if len(self._peers) > 1 else provider

    def _own(self, cure: str) -> str:
        """A cure that names this provider's settings."""
        section = self._via.value
        return for_provider(cure, section, section if self.name == MAIN else f"{section}.fallbacks.{self.name}")

    @property
    def state(self) -> ProviderState:
        """How it fares, as operators are told of it."""
        return ProviderState(
            self.name, self._called, self.unwell, self._ailment, self._not_delivered, self._denies_some()
        )

    def _denies_some(self) -> Ailment | None:
        """What is wrong with those that it denies while it takes others."""
        denials = self._denials.of_some
        if not denials:
            return None
        first, answer = next(iter(denials.items()))
        more = f" and {len(denials) - 1} more" if len(denials) > 1 else ""
        cure = self._own(provider_cure(self._via, answer) or "look at its words")
        said = f"{self._called} takes messages for others, but none for {first}{more}: {answer.detail}"
        code = "" if answer.code in answer.detail else f" ({answer.code})"
        codes = sorted({one.code for one in denials.values()})
        return Ailment(f"{cure} ({said}{code})", ",".join(codes))

    @property
    def _states(self) -> tuple[ProviderState, ...]:
        """How every provider of the channel fares, this one first."""
        others = (peer.state for peer in self._peers.values() if peer is not self)
        return (self.state, *others)

    @property
    def _undelivered_about(self) -> str:
        """What is not delivered."""
        return undelivered_about(self._via, self.state, alone=len(self._peers) <= 1)

    def _tell(self, outcome: Deferred | Uncertain | Refused, advice: str, cure: str = "") -> None:
        """A `cure` comes first: by SMS there may be no room for more. What only somebody's action cures is not talked
        over by what time may cure, and is news by itself (rule 39): an answer without a code is known by its cure.
        """
        said = not outcome.code.isdecimal() or outcome.code in outcome.detail
        code = "" if said else f" ({outcome.code})"
        answer = f"{self._called} does not take messages: {outcome.detail}{code}"
        hint = f"; {advice}" if len(self._peers) <= 1 else ""
        of_action = bool(cure) or (isinstance(outcome, Deferred) and outcome.fault is Fault.PROVIDER)
        if of_action or self._ailment is None:
            sentence = f"{self._own(cure)} ({answer})" if cure else f"{answer}{hint}"
            assert self.failed_at is not None
            aspect = (outcome.code or cure) if of_action else ""
            self._ailment = _ailment(self._ailment, sentence, self.failed_at, aspect)
        self._tell_states()

    def _tell_states(self) -> None:
        """Let the operators hear of all that is true of the channel's providers now, and of nothing that was."""
        notices = sick_notices(self._via, self._states)
        true_now = {notice.subject for notice in notices}
        subjects = [(Trouble.PROVIDER_REFUSES, self._via.traits.word)]
        about_one = (Trouble.PROVIDER_UNWELL, Trouble.RECIPIENT_DENIED)
        subjects += [(trouble, state.called) for state in self._states for trouble in about_one]
        for trouble, about in subjects:
            if subject_of(trouble, about) not in true_now:
                self._notices.retract(trouble, about)
        for notice in notices:
            self._notices.tell_instead(notice)

    def _tell_end(self, *, was_sick: bool) -> None:
        """It takes messages, and so the channel does; of the others that may not be true."""
        again = f"{self._called} takes messages{' again' if was_sick else ''}"
        others = [peer for peer in self._peers.values() if peer is not self]
        news = [f'"{peer.name}" is still sick' for peer in others if peer.unwell]
        news += [f'"{peer.name}" was not tried since tocsin started' for peer in others if not peer.met]
        self._notices.cured(Trouble.PROVIDER_REFUSES, self._via.traits.word, "; ".join([again, *news]))
        if len(self._peers) > 1:
            self._notices.cured(Trouble.PROVIDER_UNWELL, self._called, again)
        if was_sick:
            self._tell_states()


def _ailment(known: Ailment | None, sentence: str, at: datetime, code: str) -> Ailment:
    """What is wrong, since it came up."""
    return Ailment(sentence, code, known.since if known and known.code == code else at)
