"""The open incidents as lines for people: who holds what, who is asked and who is paged next, what is promised when.

Decides the words. Must not know where the incidents come from, nor whether they are shown once or again and again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.app.incidents.asked_roles import AskedRole
from tocsin.app.incidents.open_incidents import OpenIncident
from tocsin.cli.output.terminal.line import Line, Mark, marked, problem_line, severity_mark
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import NextPages, RoleHolder
from tocsin.text.times import brief, clock, elapsed
from tocsin.wording.report.reason_text import waiting_text

HANG = 23
"""The column of what stands beside a title."""
UTC = "UTC"
"""The zone of all times; a row names it once."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
"""From an hour on seconds are not counted."""
NAMED = 3
"""The most people that are named of those asked at once."""


@dataclass(frozen=True, slots=True)
class StatusLook:
    """What was seen at an instant: the incidents, the policy that counts, and what is wrong with the whole. `unseen` is
    said of an incident that no ledger knows; `with_ledger` tells whether one was asked, `barred` that it may not be.
    `partial`: what other machines have is not seen, since the ledger that they share cannot be read.
    """

    at: datetime
    incidents: Sequence[OpenIncident] = field(repr=False)  # asyncio writes out what a task gives, for nobody
    policy: Policy = field(repr=False)
    troubles: list[str] = field(default_factory=list)
    unseen: str = ""
    with_ledger: bool = False
    barred: bool = False
    partial: bool = False


def lines(look: StatusLook, now: datetime, *, counting: bool = False) -> Iterator[str]:
    """Trouble first, then a block for each incident. While somebody is watching it counts down to what comes next."""
    for trouble in look.troubles:
        yield Line(marked("!", Mark.WARNING), f" {trouble}", hang=2)
    if look.troubles:
        yield ""
    if not look.incidents:
        others = "what other machines have is in the ledger, which cannot be read"
        yield f"none in the files of this machine; {others}" if look.partial else "no open incidents"
    for number, opened in enumerate(look.incidents):
        if number:
            yield ""
        yield from _Block(opened, look, now, counting).lines()


class _Block:
    """One incident."""

    def __init__(self, opened: OpenIncident, look: StatusLook, now: datetime, counting: bool) -> None:
        self.opened, self.policy, self.unseen, self.barred = opened, look.policy, look.unseen, look.barred
        self.now, self.counting = now, counting

    def lines(self) -> Iterator[str]:
        """The title, how it stands, each role, what is promised, what is wrong with its file."""
        incident, state = self.opened.incident, self.opened.state
        severity = marked(incident.severity.upper(), severity_mark(self.policy.severity_rank(incident.severity)))
        yield Line("DRILL " if incident.drill else "", severity, f" {incident.title}")
        if self.opened.went_back:
            held = "resolved, but its file went back to an older content: nobody is paged while it is held"
            yield Line(f"  {incident.id}, {held}")
            yield from self._problems()
            return
        since = self.opened.since
        yield Line(
            f"  {incident.id}, {incident.status.value}, {f'for {elapsed(self.now - since)}' if since else self.unseen}"
        )
        for role in state.roles:
            yield self._beside(self.policy.role_title(role.role), *self._holder(role))
        if incident.unreadable:
            for asked in self.opened.asked.values():
                yield self._beside("file unreadable", *self._asked(asked))
            if since and not self.opened.asked:
                yield self._beside("file unreadable", "nobody is paged for it any more: correct the file")
        if promise := state.next_update_at:
            late = [marked(" (overdue)", Mark.ALARM)] if promise < self.now else [self._counted(promise)]
            yield self._beside("next update", self._clock(promise), *late)
        for word in state.first_words:
            latest = self._clock(word.leaves_at) if word.leaves_at else ""
            yield self._beside(self.policy.group_title(word.group), f"not told yet: {waiting_text(word, latest)}")
        yield from self._problems()

    def _beside(self, title: str, *words: str) -> Line:
        return Line(f"  {title:<{HANG - 3}} ", *words, hang=HANG)

    def _problems(self) -> Iterator[str]:
        for problem in self.opened.problems:
            yield Line("  ! ", problem_line(problem), hang=4)

    def _holder(self, role: RoleHolder) -> Iterator[str]:
        """Who has accepted it; else who is asked since when, and who is next."""
        if role.accepted_at:
            yield f"{self.policy.person_name(role.person)}, accepted {self._clock(role.accepted_at)}"
            return
        asked = self.opened.asked.get(role.role)
        if asked and (asked.step or asked.coming):
            yield from self._asked(asked)
        elif self.barred:
            yield f"{self.policy.person_name(role.person)} as its file says, " if role.person else ""
            yield "not known without the ledger"
        elif role.person:
            yield from (f"{self.policy.person_name(role.person)}, ", marked("not accepted", Mark.ALARM))
        else:
            yield marked("nobody yet", Mark.ALARM)

    def _asked(self, asked: AskedRole) -> Iterator[str]:
        """`Bo Lind, paged 21:10 by SMS, not accepted; next Fay Ito 21:15 UTC`."""
        if asked.step is None:
            yield marked("nobody paged yet", Mark.ALARM)
        elif not asked.step.people:
            yield marked(f"nobody was reached {self._clock(asked.step.at)}", Mark.ALARM)
        else:
            at = self._clock(asked.step.at).removesuffix(f" {UTC}" if asked.coming else "")
            yield f"{self._names(asked.step.people)}, paged {at}{_by(asked.via)}, "
            yield marked("not accepted", Mark.ALARM)
        if asked.coming:
            yield f"; next {self._coming(asked.coming)}"
        else:
            yield from ("; ", marked("nobody is paged after that", Mark.ALARM))

    def _coming(self, coming: NextPages) -> str:
        """Whom, and when."""
        last = " (last resort)" if coming.last_resort else ""
        if coming.at <= self.now:
            return f"{self._names(coming.people)}{last} now"
        return f"{self._names(coming.people)}{last} {self._clock(coming.at)}{self._counted(coming.at)}"

    def _names(self, people: Sequence[str]) -> str:
        if len(people) > NAMED:
            return f"{self.policy.person_name(people[0])} and {len(people) - 1} others"
        names = [self.policy.person_name(person) for person in people]
        return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

    def _clock(self, at: datetime) -> str:
        return clock(at, UTC, self.now)

    def _counted(self, at: datetime) -> str:
        """How long it is until then, while somebody watches."""
        if not self.counting or at <= self.now:
            return ""
        left = timedelta(seconds=round((at - self.now).total_seconds()))
        return f", in {brief(left if left < HOUR else left // MINUTE * MINUTE)}"


def _by(via: Sequence[Channel]) -> str:
    return f" by {' and '.join(channel.traits.word for channel in via)}" if via else ""
