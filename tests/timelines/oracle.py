"""The oracle: a dumb simulator that walks minute by minute and shares no code with the planner.

It knows ladders, the last resort, answers, stand-downs, responders, one change of severity, refusals, slowing cadences,
what outsiders hear and when first, the closing and a reopening, all on whole minutes. It is written from the rules alone; each part names its rule.
"""

from dataclasses import dataclass, field

from tests.timelines.worlds import HAS, LAST_RESORT, OUTSIDE, World

Row = tuple[int, str, str, str, str, tuple[str, ...], str | None, int | None, int | None]
"""(minute, kind, reason, to, via, roles, group, level, round)"""


@dataclass
class Ladder:
    """What is known of one role."""

    reason: str
    place: int = -1
    fired: int | None = None
    newest: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    holder: str | None = None
    at_once: bool = False
    last: bool = False


class Oracle:
    """One incident in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sev = world.severities[world.severity]
        self.rows: list[Row] = []
        self.public = False
        self.begin(0, "declared")

    def begin(self, now: int, reason: str) -> None:
        """A new episode: nothing is known of an earlier one."""
        self.t0, self.reason = now, reason
        self.ladders: dict[str, Ladder] = {role: Ladder(reason) for role in self.needed()}
        self.refused: set[tuple[str, str]] = set()
        self.reached: dict[str, set[str]] = {}
        self.paged_by: dict[str, list[str]] = {}
        self.clock: dict[str, int] = {}
        self.since: dict[str, int] = {}
        self.promised: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self.reminded: dict[str, int] = {}
        self.dropped: dict[str, Ladder] = {}
        self.accepted = False
        self.raised = now
        self.status = "investigating"
        self.responded: set[str] = set()
        self.responders_passed: set[str] = set()
        self.responders_asked: set[str] = set()
        self.responder_rounds = 0
        self.responder_at = 0
        self.over = False

    def needed(self) -> list[str]:
        """Rule 12's order: the severity's roles, then assigned extras (rule 9)."""
        return [*self.sev.roles, *(role for role in self.world.assigned if role not in self.sev.roles)]

    def run(self) -> list[Row]:
        """Every message from minute 0 to the world's end."""
        for minute in range(self.world.minutes + 1):
            self.minute(minute)
        return self.rows

    def minute(self, now: int) -> None:
        """Rule 1: facts first, in their order, then the plan."""
        settled: list[tuple[str, str, str | None]] = []
        changed = raised = written = published = False
        for at, verb, what in self.world.steps:
            if at == now and self.over and verb == "status" and what != "resolved":
                self.begin(now, "reopened")
                self.status = what
            elif at != now or self.over:
                continue
            elif verb == "fail":
                person, via = what.split()
                self.refused.add((person, via))
            elif verb == "ack":
                settled += self.ok(what)
            elif verb == "pass":
                self.decline(what)
            elif verb == "severity":
                raised, self.raised = True, now
                settled += self.change(what)
            elif verb in ("update", "public"):
                written, published = True, published or verb == "public"
                self.public = self.public or published
            elif what == "resolved":
                self.close(now)
            else:
                changed = changed or what != self.status
                self.status = what
        if not self.over:
            self.pages(now)
            self.stand_downs(now, settled)
            self.updates(now, changed or raised or written, changed or published)

    def channels(self, person: str, via: tuple[str, ...]) -> list[str]:
        """Rules 13, 14: of `via` what they have and was not refused; if none, whatever they have."""
        has = [each for each in HAS[person] if (person, each) not in self.refused]
        return [each for each in via if each in has] or has

    def say(self, now: int, kind: str, reason: str, to: str, via: str, **rest: object) -> None:
        roles, group = rest.get("roles", ()), rest.get("group")
        level, round_ = rest.get("level"), rest.get("round")
        self.rows.append((now, kind, reason, to, via, roles, group, level, round_))  # type: ignore[arg-type]
        if kind in ("page", "stand_down", "update"):
            self.reached.setdefault(to, set()).add(via)

    def ok(self, person: str) -> list[tuple[str, str, str | None]]:
        """Rule 15: accepts what they were paged for or are assigned to, if nobody holds it."""
        self.responded |= {person} & self.responders_asked
        accepted: list[tuple[str, str, str | None]] = []
        for role in self.needed():
            ladder = self.ladders[role]
            if ladder.holder is None and (person in ladder.asked or self.world.assigned.get(role) == person):
                ladder.holder, ladder.at_once = person, False
                accepted.append((role, "accepted", None))
        self.accepted = self.accepted or bool(accepted)
        return accepted

    def decline(self, person: str) -> None:
        """Rule 16."""
        if person in self.responders_asked:
            self.responded.add(person)
            self.responders_passed.add(person)
        for role in self.needed():
            ladder = self.ladders[role]
            if ladder.holder == person:
                ladder.holder, ladder.at_once = None, True
                ladder.passed.add(person)
            elif ladder.holder is None and person in ladder.asked:
                ladder.passed.add(person)
                if not ladder.last and set(ladder.newest) <= ladder.passed:
                    ladder.at_once = True

    def change(self, name: str) -> list[tuple[str, str, str | None]]:
        """Rule 18: new roles are raised, others dropped."""
        self.sev = self.world.severities[name]
        now_needed = self.needed()
        dropped = [role for role in self.ladders if role not in now_needed]
        for role in now_needed:
            self.ladders.setdefault(role, Ladder("severity_raised"))
        return [(role, "severity_lowered", self.ladders[role].holder) for role in dropped]

    def steps(self, role: str) -> list[tuple[int, int, list[str]]]:
        """(round, level, people) of a whole ladder before the last resort (rules 6, 9)."""
        first = self.world.assigned.get(role)
        chain = [list(level) for level in self.world.chains[role]]
        if first:
            chain = [[first], *([who for who in level if who != first] for level in chain)]
        return [(r, level, people) for r in range(1, self.sev.rounds + 1) for level, people in enumerate(chain)]

    def fire(self, role: str, now: int) -> list[tuple[str, str, int | None, int | None]]:
        """The next step that reaches somebody: (person, reason, level, round) of each (rules 6, 7, 14, 16)."""
        ladder, steps = self.ladders[role], self.steps(role)
        declined, ladder.at_once, ladder.fired = ladder.at_once, False, now
        while not ladder.last:
            ladder.place += 1
            if ladder.place >= len(steps):
                ladder.last = True
                break
            round_, level, people = steps[ladder.place]
            there = [who for who in people if who not in ladder.passed and self.channels(who, self.sev.via)]
            if there:
                ladder.newest = there
                first = ladder.reason if (round_, level) == (1, 0) else "escalated" if round_ == 1 else "repeated"
                return [(who, "declined" if declined else first, level, round_) for who in there]
        remain = [who for who in LAST_RESORT if who not in ladder.passed] or list(LAST_RESORT)
        ladder.newest = remain
        return [(who, "last_resort", None, None) for who in remain]

    def pages(self, now: int) -> None:
        """All pages due now, one a person (rule 12)."""
        asked: dict[str, list[tuple[str, str, int | None, int | None]]] = {}
        for role in self.needed():
            ladder = self.ladders[role]
            if ladder.holder is not None:
                continue
            if ladder.fired is None or ladder.at_once or ladder.fired + self.sev.within <= now:
                for who, reason, level, round_ in self.fire(role, now):
                    asked.setdefault(who, []).append((role, reason, level, round_))
                    if who not in ladder.asked:
                        ladder.asked.append(who)
                    ladder.told.discard(who)
        for who in self.responders(now):
            self.responders_asked.add(who)
            reason = self.reason if self.responder_rounds == 1 else "repeated"
            asked.setdefault(who, []).append(("responder", reason, 0, self.responder_rounds))
        for who, wanted in asked.items():
            _, reason, level, round_ = wanted[0]
            roles = tuple(role for role, *_ in wanted)
            self.paged_by[who] = self.channels(who, self.sev.via)
            for via in self.paged_by[who]:
                self.say(now, "page", reason, who, via, roles=roles, level=level, round=round_)

    def responders(self, now: int) -> list[str]:
        """Rule 10: all together at t0 and every window, `rounds` times, each until they answer."""
        due = now == self.t0 or (self.responder_rounds < self.sev.rounds and self.responder_at + self.sev.within <= now)
        if not self.world.responders or not due:
            return []
        self.responder_at, self.responder_rounds = now, self.responder_rounds + 1
        return [who for who in self.world.responders if who not in self.responded and self.channels(who, self.sev.via)]

    def wanted_elsewhere(self, person: str) -> bool:
        """Rule 17, corner: holds or is asked for a role that is needed now; `responder` until a pass."""
        if person in self.responders_asked and person not in self.responders_passed:
            return True
        for role in self.needed():
            ladder = self.ladders[role]
            asked = ladder.holder is None and person in ladder.asked and person not in ladder.passed
            if ladder.holder == person or asked:
                return True
        return False

    def stand_downs(self, now: int, settled: list[tuple[str, str, str | None]]) -> None:
        """Rule 17: one a person and reason, by the first channel of the page that lies before them."""
        order = [*self.needed(), *(role for role in self.ladders if role not in self.needed())]
        told: dict[tuple[str, str], list[str]] = {}
        for role, reason, former in sorted(settled, key=lambda each: order.index(each[0])):
            ladder = self.ladders[role]
            for who in dict.fromkeys([*ladder.asked, *([former] if former else [])]):
                spared = who in ladder.told or (who in ladder.passed and who != former) or who == ladder.holder
                if (spared and who != former) or self.wanted_elsewhere(who):
                    continue
                ladder.told.add(who)
                told.setdefault((who, reason), []).append(role)
        for role, reason, _ in settled:
            if reason == "severity_lowered":
                self.dropped[role] = self.ladders.pop(role)
        for (who, reason), roles in told.items():
            paged_by = [via for via in self.paged_by.get(who, ()) if (who, via) not in self.refused]
            for via in (paged_by or self.channels(who, self.sev.via))[:1]:
                self.say(now, "stand_down", reason, who, via, roles=tuple(roles))

    def updates(self, now: int, inside: bool, outside: bool) -> None:
        """Rules 21 to 23 and 56, for `every` cadences that may slow down once; readers are people told by email.
        `inside` and `outside` tell whether there is a change that insiders, and outsiders, can see.
        """
        spans = {group: (every, slow) for group, every, slow in self.sev.streams}
        self.held = {group: since for group, since in self.held.items() if group in spans}
        for group in [*spans, *(gone for gone in self.clock if gone not in spans)]:
            if group not in spans:
                reason = "severity_lowered"
            elif group not in self.clock:
                if group == OUTSIDE and not self.may_hear(now, *spans[group]):
                    continue
                reason, self.since[group] = "declared", self.held.pop(group, now)
            elif outside if group == OUTSIDE else inside:
                reason = "changed"
            elif self.promised[group] <= now:
                reason = "due"
            else:
                continue
            self.clock[group] = now
            self.promised[group] = now + (self.span(group, *spans[group]) if group in spans else 0)
            for who in self.world.groups[group]:
                for via in self.channels(who, ("email",)):
                    self.say(now, "update", reason, who, via, group=group)
        for gone in [group for group in self.clock if group not in spans]:
            del self.clock[gone]

    def may_hear(self, now: int, every: int, slow: int) -> bool:
        """Rule 56: whether the outsiders may hear for the first time; Communications is reminded while they may not."""
        if OUTSIDE not in self.held:
            self.held[OUTSIDE] = self.reminded[OUTSIDE] = now
        since, first = self.held[OUTSIDE], self.world.first
        if self.public or (first == "at_once" and not self.world.by_alerts):
            return True
        if first != "public":
            return self.accepted or since + every <= now
        begun = max(self.t0, self.raised, since)
        while (end := self.reminded[OUTSIDE] + (every if self.reminded[OUTSIDE] - begun < slow else 2 * every)) <= now:
            self.reminded[OUTSIDE] = end
            if end == now:
                self.remind(now)
        return False

    def remind(self, now: int) -> None:
        """Rules 24, 26: who accepted, else who is assigned, else who was paged first and did not pass."""
        role = "communications"
        ladder = self.ladders.get(role) or self.dropped.get(role) or Ladder("")
        holder = ladder.holder if role in self.ladders else None
        asked = [who for who in ladder.asked if who not in ladder.passed]
        for who in [holder, self.world.assigned.get(role), *asked]:
            if who and self.channels(who, self.sev.via):
                self.say(now, "reminder", "update_due", who, self.channels(who, self.sev.via)[0])
                return

    def span(self, group: str, every: int, slow: int) -> int:
        """Rule 23, corner: spans count from the latest of t0, the last severity change, and becoming concerned."""
        begun = max(self.t0, self.raised, self.since[group])
        return every if self.clock[group] - begun < slow else 2 * every

    def close(self, now: int) -> None:
        """Rules 3, 25: one closing on each channel that reached them, or whatever is left; then silence."""
        self.over = True
        for who, channels in self.reached.items():
            left = [via for via in HAS[who] if (who, via) not in self.refused]
            for via in [each for each in left if each in channels] or left:
                self.say(now, "closing", "resolved", who, via)
