"""An explanation as one screen for people: who holds what, what was sent and why, what comes next, what was held back.

Decides what is said in full and what is folded; every fold says how much is in it. Must not ask the ledger.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.app.incidents.explanation import Explanation, MessageGroup, NeededRole
from tocsin.cli.output.delivery_words import fates
from tocsin.domain.notification import Kind, Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import cut, one_line
from tocsin.text.times import DAYS, MONTHS, span
from tocsin.wording.message.reason_text import reason_text, suppression_text

WIDTH = 100
IN_FULL = 8
"""Up to how many messages of a section are told one by one; of more, the newest of each ladder and group."""
NEXT_IN_FULL = 4
"""Up to how many of those that come next are told."""
NAMED = 3
"""Up to how many readers are named."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: in which zone they read times, whether they want everything, and of which person alone."""

    zone: str = "UTC"
    whole: bool = False
    person: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a section, the reason below it, and the rule `behind` it. `series` is what it repeats."""

    at: datetime
    what: str
    reason: str
    behind: str
    series: tuple[object, ...]


def lines(found: Explanation, policy: Policy, reader: Reader) -> Iterator[str]:
    """The whole answer."""
    told = _Teller(found, policy, reader)
    yield from told.head()
    yield from ("", "WHO HOLDS WHAT", *told.holders())
    if found.seen:
        yield from ("", "WHAT WAS SENT, AND WHY", *told.past(told.sent()))
    yield from ("", told.next_title, *told.future())
    if found.seen:
        yield from ("", "WHAT WAS HELD BACK, AND WHY", *told.past(told.held()))


class _Teller:
    """One explanation for one reader."""

    def __init__(self, found: Explanation, policy: Policy, reader: Reader) -> None:
        self.found, self.policy, self.reader = found, policy, reader
        self.zone = ZoneInfo(reader.zone)
        self.name = policy.person_name

    @property
    def whole(self) -> bool:
        """Whether nothing is folded."""
        return self.reader.whole or bool(self.reader.person)

    @property
    def next_title(self) -> str:
        """What comes next, on which condition."""
        if not self.found.seen:
            return "WHAT WOULD BE SENT, AND WHY"
        return "WHAT COMES NEXT" if self.found.history.resolved_at else "WHAT COMES NEXT IF NOBODY DOES ANYTHING"

    def head(self) -> Iterator[str]:
        """Which incident, how it stands, under which config."""
        incident, history = self.found.incident, self.found.history
        mark = "DRILL " if incident.drill else ""
        yield cut(f"{mark}{incident.severity.upper()} {incident.title}", WIDTH)
        since = history.started_at or history.seen_at or self.found.at
        lasted = f"for {span(self.found.at - since)}, since {self.stamp(since)}"
        if history.resolved_at:
            lasted = f"since {self.stamp(history.resolved_at)}, after {span(history.resolved_at - since)}"
        if not self.found.seen:
            lasted = "not seen by the daemon yet"
        status = "unreadable" if incident.unreadable else incident.status.value
        again = f", episode {history.episode}" if history.episode > 1 else ""
        yield f"{incident.id}, {status}, {lasted}{again}"
        yield f"as of {self.day(self.found.at)} {self.found.at.astimezone(self.zone):%H:%M:%S}, times in " + (
            f"{self.reader.zone}; config revision {self.policy.revision}"
        )
        if not self.found.seen:
            yield "nothing was sent: this is what the file would bring about if the daemon saw it now"
        begins = one_line(incident.summary) if incident.unreadable else ""
        for note in (
            *([f"the file cannot be read; it begins: {cut(begins, WIDTH)}"] if begins else ()),
            *self.found.notes,
        ):
            yield from textwrap.wrap(f"! {note}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)

    def holders(self) -> Iterator[str]:
        """Who holds what."""
        rows = [(self.policy.role_title(each.role), self._holder(each)) for each in self.found.roles]
        responders = self._responders()
        rows += [("Responders", responders)] if responders else []
        width = max((len(name) for name, _ in rows), default=0)
        for name, said in rows:
            yield from textwrap.wrap(f"  {name:<{width}}  {said}", WIDTH, subsequent_indent=" " * (width + 4))
        if not rows:
            yield "  nobody is asked to hold a role"

    def _holder(self, each: NeededRole) -> str:
        role, passed = each.history, ""
        if role.passed:
            passed = f"; passed: {self.names(sorted(role.passed))}"
        if role.holder and role.accepted_at:
            said = (
                f"{self.name(role.holder)}, accepted {self.stamp(role.accepted_at)}{f' {each.by}' if each.by else ''}"
            )
            if role.handover:
                said += f"; {self.name(role.handover.person)} was named to take over, until then they keep it"
            return said + passed
        if self.found.history.resolved_at:
            return "nobody" + passed
        step = role.step
        if step is None:
            first = f" ({self.name(role.first)} is assigned)" if role.first else ""
            return f"nobody yet, and nobody was paged{first}{passed}"
        where = "last resort" if step.last_resort else f"level {step.level} of 0–{each.levels - 1}"
        people = f"{self.names(step.people)} paged {self.stamp(step.at)}" if step.people else "it reached nobody"
        number = "" if step.round is None else f", round {step.round}"
        return f"nobody yet: {people} ({where}{number}){passed}"

    def _responders(self) -> str:
        history = self.found.history
        states = []
        for person, at in history.responders:
            how = f"paged {self.stamp(at)}"
            how = "answered" if person in history.responders_answered else how
            states.append(f"{self.name(person)} {'passed' if person in history.responders_passed else how}")
        return ", ".join(states)

    def past(self, items: Sequence[Item]) -> Iterator[str]:
        """What has happened; of much, the newest of each series."""
        kept, folded = (items, 0) if self.whole else _folded(items, self.stamp)
        yield from self._rows(kept) if items else ["  nothing yet"]
        if folded:
            yield f"  … {folded} earlier ones are folded; --all shows everything"

    def future(self) -> Iterator[str]:
        """What comes next; of much, the first."""
        items = [self.item(each) for each in self._concerning(self.found.coming)]
        kept = items if self.whole else items[:NEXT_IN_FULL]
        yield from self._rows(kept) if items else ["  nothing"]
        later = self.found.later + len(items) - len(kept)
        if later and not self.reader.person:
            yield f"  … and {later} more by {self.stamp(self.found.until)}"

    def _rows(self, items: Sequence[Item]) -> Iterator[str]:
        """Each item on a line with the rule behind it, its reason below."""
        width = max((len(self.stamp(each.at)) for each in items), default=0)
        indent = " " * (width + 4)
        for each in items:
            told, reason = f"  {self.stamp(each.at):<{width}}  {each.what}", each.reason
            if len(told) + 2 + len(each.behind) <= WIDTH:
                yield f"{told}{each.behind:>{WIDTH - len(told)}}"
            else:
                reason = f"{reason} ({each.behind})"
                yield from textwrap.wrap(told, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
            yield from textwrap.wrap(
                reason, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )

    def sent(self) -> list[Item]:
        """What was sent; to one person alone if so asked."""
        return [self.item(each) for each in self._concerning(self.found.sent)]

    def _concerning(self, told: Sequence[MessageGroup]) -> list[MessageGroup]:
        person = self.reader.person
        if not person:
            return list(told)
        parts = [replace(each, records=tuple(r for r in each.records if r.decided.to == person)) for each in told]
        return [each for each in parts if each.records]

    def held(self) -> list[Item]:
        """What was not sent, whether the plan said so or it was dropped before it left."""
        person = self.reader.person
        items = [self._suppressed(each) for each in self.found.suppressed if person in ("", each.to)]
        items += [self.item(each) for each in self._concerning(self.found.dropped)]
        return sorted(items, key=lambda each: each.at)

    def _suppressed(self, each: Suppression) -> Item:
        group = self.policy.stakeholders.get(each.to)
        to = f" to {group.title if group else self.name(each.to)}" if each.to else " to nobody"
        what = f"{_kind(each.kind)}{to}"
        return Item(each.at, what, suppression_text(each), self._behind(each), (each.kind, each.why, each.to))

    def item(self, told: MessageGroup) -> Item:
        """One line: what, to whom, by which channels, what became of it; and why."""
        each = told.first
        used = {message.via for message in told.messages}
        via = ", ".join(channel for channel in Channel if channel in used)
        became = "" if told.records[0].state == "ahead" else f": {fates(told.records)}"
        what = f"{_kind(each.kind)} to {self._readers(told)} by {via}{became}"
        why = reason_text(each, self.policy, told.severity)
        return Item(each.at, what, why, self._behind(each), (each.kind, each.group or each.to))

    def _behind(self, each: Notification | Suppression) -> str:
        """The rule behind it, and the config revision where that is not the one in the head."""
        if each.revision == self.policy.revision and not self.whole:
            return each.rule
        return f"{each.rule}, revision {each.revision}"

    def _readers(self, told: MessageGroup) -> str:
        each = told.first
        readers = list(dict.fromkeys(message.to for message in told.messages))
        if each.group is None:
            return self.names(readers)
        return f"{self.policy.group_title(each.group)} ({self.names(readers)})"

    def names(self, people: Sequence[str]) -> str:
        """People by name; of many, how many."""
        return ", ".join(map(self.name, people)) if len(people) <= NAMED else f"{len(people)} readers"

    def stamp(self, at: datetime) -> str:
        """A time of day in the reader's zone, with its day where that is another."""
        here = at.astimezone(self.zone)
        same = here.date() == self.found.at.astimezone(self.zone).date()
        return f"{here:%H:%M:%S}" if same else f"{self.day(at)} {here:%H:%M:%S}"

    def day(self, at: datetime) -> str:
        """A day in the reader's zone."""
        here = at.astimezone(self.zone)
        return f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]}"


def _folded(items: Sequence[Item], stamp: Callable[[datetime], str]) -> tuple[list[Item], int]:
    """The newest item of each series, saying how many came before it, where all would not fit one screen."""
    if len(items) <= IN_FULL:
        return list(items), 0
    series: dict[tuple[object, ...], list[Item]] = {}
    for each in items:
        series.setdefault(each.series, []).append(each)
    kept = []
    for listed in series.values():
        newest, before = listed[-1], len(listed) - 1
        again = f"; {before} more like it since {stamp(listed[0].at)}" if before else ""
        kept.append(replace(newest, what=newest.what + again))
    kept.sort(key=lambda each: each.at)
    return kept[-IN_FULL:], len(items) - len(kept[-IN_FULL:])


def _kind(kind: Kind) -> str:
    return kind.value.replace("_", "-")
