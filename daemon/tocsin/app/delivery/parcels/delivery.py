"""One letter on its way: its attempts so far, and what the ledger still lacks of it.

It keeps, it does not decide; the sender does. What is done next, and when, belongs to the parcel that it leaves in.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from tocsin.domain.delivery import Accepted, Attempt, Bundle, Fate, Letter, Outcome, Receipt, Uncertain
from tocsin.domain.notification import Kind, Notification
from tocsin.planning.delivery import receipts, retry

KILLED = Uncertain("killed during the send")


@dataclass(slots=True)
class Delivery:
    """One letter on its way. `recorded` is whether the ledger knows the letter, `unsaved` are attempts whose end it
    does not know, `receipts` is what the provider said of attempts, by their numbers, while nobody has looked at it,
    `fate` the newest that was looked at. `possible_duplicate` is why an earlier copy may have left, `channel_failed`
    whether its next channel was asked for; `state` is how it was settled, while that is not written yet. `room_at` is
    when it got room, if it had to wait for it; `bundles` are those it left in from memory, `leaving` is a try from
    memory that has not ended. `withdrawn`: while it waited
    it became known that it is wanted no more, which is being written down. `says_unseen`: its words say that this
    machine does not see the ledger.
    """

    letter: Letter
    recorded: bool = True
    attempts: list[Attempt] = field(default_factory=list)
    unsaved: list[Attempt] = field(default_factory=list)
    receipts: list[tuple[int, Fate]] = field(default_factory=list)
    fate: Fate | None = None
    possible_duplicate: str = ""
    channel_failed: bool = False
    settled_at: datetime | None = None
    state: str = ""
    room_at: datetime | None = None
    bundles: dict[str, Bundle] = field(default_factory=dict)
    leaving: Attempt | None = None
    withdrawn: bool = False
    says_unseen: bool = False

    @property
    def since(self) -> datetime:
        """From when its spans run: its instant, or when it got room (rule 45)."""
        return self.room_at or self.notification.at

    @property
    def notification(self) -> Notification:
        """What is delivered."""
        return self.letter.notification

    @property
    def page(self) -> bool:
        """Whether somebody's answer is wanted."""
        return self.notification.kind is Kind.PAGE

    @property
    def standing_outcome(self) -> Outcome | None:
        """How the attempt ended that tells how the letter stands."""
        return retry.deciding_attempt(self.attempts).outcome if self.attempts else None

    @property
    def taken(self) -> bool:
        """Whether a provider has it, and has not said that it was not delivered."""
        return isinstance(self.standing_outcome, Accepted) and not self.undelivered

    @property
    def undelivered(self) -> bool:
        """Whether the provider took it and says that it was not delivered."""
        if not self.attempts:
            return False
        attempt = retry.deciding_attempt(self.attempts)
        return isinstance(attempt.outcome, Accepted) and attempt.receipt is Receipt.UNDELIVERED

    def apply_receipts(self, now: datetime) -> None:
        """See the attempts in the light of what the provider said of them."""
        for number, fate in self.receipts:
            self.fate = fate
            for place, attempt in enumerate(self.attempts):
                if attempt.number == number:
                    self.attempts[place] = changed = receipts.apply_receipt(attempt, fate, now)
                    if changed.outcome != attempt.outcome:
                        self.mark_unsaved(changed)
        self.receipts.clear()

    def mark_ended(self, attempt: Attempt) -> None:
        """An attempt ended so, or ended otherwise than was thought: the ledger is to be told."""
        self.leaving = None
        known = [number for number, earlier in enumerate(self.attempts) if earlier.number == attempt.number]
        if known:
            self.attempts[known[0]] = attempt
        else:
            self.attempts.append(attempt)
        self.mark_unsaved(attempt)

    def mark_unsaved(self, attempt: Attempt) -> None:
        """The ledger is to be told how this attempt ended; what it was to be told before counts no more."""
        self.unsaved = [*(earlier for earlier in self.unsaved if earlier.number != attempt.number), attempt]

    def mark_begun(self, attempt: Attempt) -> None:
        """The ledger now knows of an attempt that it did not."""
        for attempts in (self.attempts, self.unsaved):
            for place, known in enumerate(attempts):
                if known.number == attempt.number:
                    attempts[place] = replace(known, id=attempt.id)

    def left_from_memory(self, now: datetime) -> list[Attempt]:
        """The tries of which a copy left, or may have left, that the ledger does not know of."""
        under_way = [replace(self.leaving, outcome=KILLED, ended_at=now)] if self.leaving else []
        return [
            attempt
            for attempt in (*self.unsaved, *under_way)
            if not attempt.id and isinstance(attempt.outcome, (Accepted, Uncertain))
        ]

    def note_elsewhere(self, attempt: Attempt, *, counts: bool) -> None:
        """Another machine sent it from memory: a later copy is marked, and it counts as a try of this letter."""
        self.possible_duplicate = self.possible_duplicate or attempt.possible_duplicate
        if counts:
            self.attempts.append(attempt)

    @property
    def copies(self) -> int:
        """Attempts of which a copy left or may have left."""
        return sum(isinstance(attempt.outcome, (Accepted, Uncertain)) for attempt in self.attempts)

    def may_have_left_as(self, bundle: str) -> bool:
        """Whether a copy left, or may have left, in the words of this bundle."""
        outcomes = (attempt.outcome for attempt in self.attempts if attempt.bundle == bundle)
        return any(isinstance(outcome, (Accepted, Uncertain)) for outcome in outcomes)
