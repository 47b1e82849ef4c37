"""The plan while it is being made. Each part of the planning writes its decisions here, in order, and reads what
the parts before it decided: every fact recorded is folded into the history at once.

It decides nothing about people; it knows instants (rule 4), keys, and which rule and revision a message names.
"""

from datetime import datetime, timedelta

from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import QUIET_FIRST, Channel, Person
from tocsin.domain.plan import AfterPages, Due, Plan
from tocsin.domain.policy import PagePolicy, Policy, Severity
from tocsin.domain.rotation import Hours
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.on_call.hours import opening_from

LATE = timedelta(minutes=1)
OPEN_ALWAYS = Hours()
NOTHING_LEFT = "they never heard of it: no page had left for them"
"""Why somebody hears no end, or no stand-down, of what they were to be paged for (rules 17, 25)."""


class Draft:
    """One incident, one policy, one instant, and the decisions so far. `from_memory`: the ledger has been away for
    long, so that nobody sees all answers; `steps_wait`: it is away, and may be back soon (rule 54).
    """

    def __init__(
        self,
        incident: Incident,
        policy: Policy,
        history: History,
        now: datetime,
        *,
        from_memory: bool = False,
        steps_wait: bool = False,
    ) -> None:
        self.incident = incident
        self.policy = policy
        self.history = history
        self.now = now
        self.from_memory = from_memory
        self.steps_wait = steps_wait
        self.severity: Severity = policy.severity(incident.severity)
        self.page: PagePolicy | None = self.severity.page
        self.hours: Hours = policy.hours.get(self.page.hours, OPEN_ALWAYS) if self.page else OPEN_ALWAYS
        """When pages of this severity may go: its `hours`, else always."""
        self.roles = _roles_in_order(incident, policy, self.page)
        """The severity's roles in its order, then those the file assigns besides, in the file's order (rule 12)."""
        self._before = history
        self._due: dict[str, Notification] = {}
        self._suppressed: list[Suppression] = []
        self._facts: list[Fact] = []
        self._next_look: datetime | None = None
        self._passes = self._decided_before = 0
        self._after_pages: AfterPages | None = None
        self._written_instants: dict[datetime, str] = {}

    @property
    def page_via(self) -> tuple[Channel, ...]:
        """The channels of pages: the severity's, else those of the episode's last `page`, else the quiet ones first."""
        return self.page.via if self.page else self.history.paged_via or QUIET_FIRST

    @property
    def changed_at(self) -> datetime:
        """The newest instant at which the rules for this incident changed: severity, or config (rules 8, 18)."""
        since = self.policy.since
        assert self.history.severity_changed_at is not None
        return max(self.history.severity_changed_at, since) if since else self.history.severity_changed_at

    def person(self, name: str) -> Person | None:
        """The person of that id, while they are in the config."""
        return self.policy.people.get(name)

    def place_of(self, role: str) -> str:
        """Where the config writes the role; the severity where it has left the config."""
        known = self.policy.roles.get(role)
        return known.place if known else self.severity.place

    def instant(self, due: datetime) -> datetime:
        """The instant from which what follows counts: found over a minute late, it is now (rule 4)."""
        return self.now if self.now - due > LATE else due

    def open_instant(self, due: datetime) -> datetime | None:
        """The instant at which a page due then may go: in open hours (rule 11), and not before the severity and config
        that ask for it held. None while that lies ahead: the plan is made again then.
        """
        due = opening_from(self.hours, max(due, self.changed_at))
        at = due if due > self.now else opening_from(self.hours, self.instant(due))
        if at > self.now:
            self.look_at(at)
            return None
        return at

    def look_at(self, at: datetime) -> None:
        """Plan again at that instant at the latest."""
        if at > self.now and (self._next_look is None or at < self._next_look):
            self._next_look = at

    def begin_pass(self) -> None:
        """Begin another pass: looks are asked for anew, decisions stay."""
        self._next_look = None
        self._passes += 1
        self._decided_before = len(self._facts)

    def note_pages(self) -> None:
        """The pages of this pass are decided. What follows from them is kept for their words, if they were all decided
        in the first pass and for one instant, so that the plan of that instant alone decides the same.
        """
        decided, known = self._facts[self._decided_before :], self._after_pages
        if self._passes == 1 and decided and not (self.from_memory or self.steps_wait):
            at = decided[0].at
            if all(fact.at == at for fact in decided):
                self._after_pages = AfterPages(at, self.history, self._next_look)
        elif known is not None:
            self._after_pages = None if decided else replace(known, next_look=self._next_look)

    @property
    def decisions(self) -> int:
        """How many facts were recorded so far."""
        return len(self._facts)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were recorded so far."""
        return tuple(self._facts)

    def record(self, fact: Fact) -> None:
        """Note a fact, so that the parts that follow know it."""
        self._facts.append(fact)
        self.history = apply_fact(self.history, fact)

    def send(
        self,
        kind: Kind,
        reason: Reason,
        at: datetime,
        to: str,
        via: Channel,
        *,
        rule: str,
        roles: tuple[str, ...] = (),
        level: int | None = None,
        round: int | None = None,  # noqa: A002 - the word of the contract
        group: str | None = None,
        external: bool = False,
        next_update_at: datetime | None = None,
    ) -> None:
        """Decide one message. Its words are made from the history as it was before this plan."""
        apart = kind is Kind.STAND_DOWN or reason is Reason.ETA_PASSED
        end = f"{via.value}/{reason.value}" if apart else via.value
        notification = Notification(
            key=self._key(kind, at, to, end),
            incident=self.incident.id,
            episode=self.history.episode,
            kind=kind,
            reason=reason,
            at=at,
            to=to,
            via=via,
            roles=roles,
            level=level,
            round=round,
            group=group,
            external=external,
            next_update_at=next_update_at,
            rule=rule,
            revision=self.policy.revision,
        )
        earlier = self._due.get(notification.key)
        if earlier is not None:
            notification = replace(earlier, roles=tuple(dict.fromkeys((*earlier.roles, *roles))))
        self._due[notification.key] = notification

    def suppress(self, kind: Kind, why: Why, at: datetime, to: str, detail: str, rule: str) -> None:
        """Decide not to send, and say why (P6)."""
        self._suppressed.append(
            Suppression(
                key=self._key(kind, at, to, f"{why.value}:{detail}"),
                incident=self.incident.id,
                episode=self.history.episode,
                kind=kind,
                why=why,
                at=at,
                to=to,
                detail=detail,
                rule=rule,
                revision=self.policy.revision,
            )
        )

    def plan(self, *, at_rest: bool = True) -> Plan:
        """The finished plan; `at_rest`: the last pass found nothing due."""
        assert self._next_look is None or self._next_look > self.now
        after = self._after_pages if at_rest else None
        due = tuple(Due(notification, self._before, after) for notification in self._due.values())
        suppressed = {one.key: one for one in self._suppressed}
        return Plan(due, tuple(suppressed.values()), tuple(self._facts), self._next_look, self.history, at_rest)

    def _key(self, kind: Kind, at: datetime, to: str, end: str) -> str:
        """Unique for ever: one message of a kind for a reader, a channel and an instant of the timeline."""
        instant = self._written_instants.get(at)
        if instant is None:
            instant = self._written_instants[at] = at.strftime("%Y%m%dT%H%M%S.%fZ")
        return f"{self.incident.id}/{self.history.episode}/{kind.value}/{instant}/{to}/{end}"


def _roles_in_order(incident: Incident, policy: Policy, page: PagePolicy | None) -> tuple[str, ...]:
    extras = (name for name, _ in incident.roles if name in policy.roles)
    return tuple(dict.fromkeys((*(page.roles if page else ()), *extras)))
