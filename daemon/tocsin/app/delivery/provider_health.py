"""Whether a provider works, told from how its tries end and from its receipts, and when the operators hear that it does
not (rules 38, 39, 70). It must not know whose messages they were, nor what goes to another provider meanwhile.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import MAIN, Accepted, Attempt, Deferred, Fate, Fault, Receipt, Uncertain
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.wording.delivery.answer_words import provider_cure, undelivered_cause, undelivered_cure

PATIENCE = 3
"""Failures in a row that time may cure, before operators hear of them, and before the provider counts as unwell."""
HUNG_AFTER = timedelta(seconds=4.5)
"""A try that ends without an answer after longer than this has run into its transport's deadline."""
HANGS_FOR = timedelta(seconds=30)
"""How long nobody waits for a provider after a try that hung, unless it takes something meanwhile (rule 70)."""


class ProviderHealth:
    """The failures in a row of one provider of a channel. Operators hear of them by message: that a first try meets a
    busy server, and the second one is taken, is no failure. `unwell` is told by tries: after one that is the provider's
    fault, or three others in a row, until it takes something again. `failed_at` is when a try failed last.
    """

    def __init__(
        self, via: Channel, notices: Notices, name: str = MAIN, peers: Mapping[str, "ProviderHealth"] | None = None
    ) -> None:
        """`peers` are all providers of the channel by their names, this one among them, as far as they were met."""
        self.name = name
        self._peers = {} if peers is None else peers
        self.unwell = False
        self.failed_at: datetime | None = None
        self._via = via
        self._notices = notices
        self._tries: Counter[str] = Counter()
        self._failed: set[str] = set()
        self._in_a_row = 0
        self._hung_at: datetime | None = None
        self._told = False
        self._silent: set[str] = set()
        self._barred: set[str] = set()

    def hangs(self, now: datetime) -> bool:
        """Whether a try has just run into its deadline, and nothing was taken since."""
        return self._hung_at is not None and now - self._hung_at < HANGS_FOR

    def on_attempt(self, attempt: Attempt) -> None:
        """Take note of how a try ended. A refusal is no failure: the provider answered for it. Nor does it make a
        sick one well: it has taken nothing.
        """
        assert attempt.ended_at is not None
        outcome, was_unwell = attempt.outcome, self.unwell
        if not isinstance(outcome, (Deferred, Uncertain)):
            self._in_a_row = 0
            self._tries.clear()
            self._failed.clear()
            self._hung_at = None
            if not isinstance(outcome, Accepted):
                return
            self.unwell = self._told = False
            self._tell_end()
            return
        self._in_a_row += 1
        self.failed_at = attempt.ended_at
        at_fault = isinstance(outcome, Deferred) and outcome.fault is Fault.PROVIDER
        self.unwell = self.unwell or at_fault or self._in_a_row >= PATIENCE
        hung = attempt.ended_at - attempt.started_at >= HUNG_AFTER
        self._hung_at = attempt.ended_at if hung else self._hung_at
        at_last = self._counts(attempt.reference, at_once=hung or isinstance(outcome, Uncertain))
        if isinstance(outcome, Deferred) and outcome.fault is Fault.PROVIDER:
            self._tell(outcome, "check its settings and credentials", provider_cure(self._via, outcome))
        elif at_last or (self._stand_in and self.unwell and not was_unwell):
            self._tell(outcome, "pages go by other channels meanwhile")

    def on_receipt(self, address: str, fate: Fate) -> None:
        """Take note of what became of a message that was taken. One that was not delivered because of the account or
        the sender is told at once, else the third number in a row. A number refused for good says nothing of others.
        """
        if fate.receipt is Receipt.DELIVERED:
            self._silent.clear()
            self._barred.discard(address)
            if not self._barred:
                self._notices.cured(Trouble.SMS_UNDELIVERED, "", "an SMS was delivered again")
            return
        if fate.receipt is not Receipt.UNDELIVERED or fate.refused is not None:
            return
        barred, known = fate.fault is Fault.PROVIDER, address in self._silent
        self._silent.add(address)
        self._barred |= {address} if barred else set()
        if barred or (len(self._silent) == PATIENCE and not known):
            what = "does not deliver our messages" if barred else f"did not deliver to {PATIENCE} numbers in a row"
            why = f"{undelivered_cause(fate.code)}; {undelivered_cure(fate.code)}"
            text = f"{self._via.traits.provider} {what}: {why}; pages go by other channels meanwhile"
            self._notices.tell(OperatorNotice(Trouble.SMS_UNDELIVERED, text))

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

    @property
    def _stand_in(self) -> str:
        """Who takes this one's messages while it is sick; empty: nobody can."""
        return next((name for name, peer in self._peers.items() if name != self.name and not peer.unwell), "")

    def _tell(self, outcome: Deferred | Uncertain, advice: str, cure: str = "") -> None:
        """A `cure` comes first: by SMS there may be no room for more. While another provider stands in, messages do
        leave, and that is told instead (rule 50).
        """
        code = f" ({outcome.code})" if outcome.code else ""
        answer = f"{self._called} does not take messages: {outcome.detail}{code}"
        trouble, about = Trouble.PROVIDER_REFUSES, self._via.traits.word
        if self._stand_in:
            trouble, about = Trouble.PROVIDER_UNWELL, self._called
            advice = f'messages leave by "{self._stand_in}" meanwhile'
            cure = f"{cure}; {advice}" if cure else ""
        sentence = f"{cure} ({answer})" if cure else f"{answer}; {advice}"
        self._notices.tell(OperatorNotice(trouble, sentence, about=about))

    def _tell_end(self) -> None:
        """It takes messages again, and so the channel does."""
        again = f"{self._called} takes messages again"
        self._notices.cured(Trouble.PROVIDER_REFUSES, self._via.traits.word, again)
        if len(self._peers) > 1:
            self._notices.cured(Trouble.PROVIDER_UNWELL, self._called, again)
