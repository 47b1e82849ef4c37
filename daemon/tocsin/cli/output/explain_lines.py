"""An explanation as one screen for people: who holds what, what was sent and why, what comes next, what was held back.

Decides what is said in full and what is folded; every fold says how much is in it. Must not ask the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.app.incidents.explaining.page_causes import cause_text, causes, turn_on_call
from tocsin.app.incidents.explaining.person_reasons import PersonReasons
from tocsin.app.incidents.explanation import Explanation, MessageGroup, NeededRole
from tocsin.cli.output.delivery_words import outcomes
from tocsin.cli.output.terminal.line import Line, Mark, marked, rows, severity_mark
from tocsin.domain.delivery import Deferred, Record, Refused
from tocsin.domain.notification import Kind, Suppression
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import cut, one_line
from tocsin.text.times import DAYS, MONTHS, span
from tocsin.wording.report.reason_text import reason_text, suppression_text, waiting_text

WIDTH = 100
"""The most characters of a line where there is no terminal."""
WIDEST = 120
"""And on one, however wide it is."""
IN_FULL = 8
"""Up to how many messages of a section are told one by one; of more, the newest of each ladder and group."""
NEXT_IN_FULL = 4
"""Up to how many of those that come next are told."""
NAMED = 3
"""Up to how many readers are named."""
COMPANIONS_NAMED = 5
"""Up to how many incidents are named whose pages left in one message."""


@dataclass(frozen=True, slots=True)
class ExplainReader:
    """Who asks: in which zone they read times, whether they want everything, of which person alone, whether they may
    read the ledger, and how wide their lines are.
    """

    zone: str = "UTC"
    whole: bool = False
    person: str = ""
    rights: bool = True
    width: int = WIDTH


@dataclass(frozen=True, slots=True)
class ExplainLine:
    """One line of a section, the reason below it, and the rule `behind` it. `series` is what it repeats, `notes` are
    sentences about its way, `revision` is the config's under which it was decided.
    """

    at: datetime
    what: str
    reason: str
    behind: str
    series: tuple[object, ...]
    notes: tuple[str, ...] = ()
    revision: str = ""


def lines(explained: Explanation, policy: Policy, reader: ExplainReader) -> Iterator[str]:
    """The whole answer."""
    page = _ExplainPage(explained, policy, reader)
    yield from page.head()
    yield from ("", "WHO HOLDS WHAT", *page.holders())
    if reader.person:
        yield from ("", f"WHY {page.name(reader.person).upper()}, AND WHY NOT", *page.person())
    if explained.first_words:
        yield from ("", "WHO WAS NOT TOLD YET, AND WHY", *page.untold())
    if explained.seen:
        yield from ("", "WHAT WAS SENT, AND WHY", *page.past(page.sent()))
    yield from ("", page.next_title, *page.future())
    if explained.seen:
        yield from ("", "WHAT WAS HELD BACK, AND WHY", *page.past(page.held()))


class _ExplainPage:
    """One explanation for one reader."""

    def __init__(self, explained: Explanation, policy: Policy, reader: ExplainReader) -> None:
        self.explained, self.policy, self.reader = explained, policy, reader
        self.zone = ZoneInfo(reader.zone)
        self.name = policy.person_name
        self.causes_told: set[str] = set()

    @property
    def whole(self) -> bool:
        """Whether nothing is folded."""
        return self.reader.whole or bool(self.reader.person)

    @property
    def next_title(self) -> str:
        """What comes next, on which condition."""
        if not self.explained.seen:
            return "WHAT WOULD BE SENT, AND WHY"
        return "WHAT COMES NEXT" if self.explained.history.resolved_at else "WHAT COMES NEXT IF NOBODY DOES ANYTHING"

    def head(self) -> Iterator[str]:
        """Which incident, how it stands, under which config."""
        incident, history = self.explained.incident, self.explained.history
        mark = "DRILL " if incident.drill else ""
        width = self.reader.width
        severity = marked(incident.severity.upper(), severity_mark(self.policy.severity_rank(incident.severity)))
        yield from rows(Line(mark, severity, f" {incident.title}"), width)
        since = history.began_at or history.seen_at or self.explained.at
        lasted = f"for {span(self.explained.at - since)}, since {self.stamp(since)}"
        if history.resolved_at:
            lasted = f"since {self.stamp(history.resolved_at)}, after {span(history.resolved_at - since)}"
        if not self.explained.seen:
            lasted = "not seen by the daemon yet" if self.reader.rights else "as its file says"
        status = "unreadable" if incident.unreadable else incident.status.value
        again = f", episode {history.episode}" if history.episode > 1 else ""
        yield from rows(f"{incident.id}, {status}, {lasted}{again}", width)
        at = f"{self.day(self.explained.at)} {self.explained.at.astimezone(self.zone):%H:%M:%S}"
        yield from rows(f"as of {at}, times in {self.reader.zone}; config revision {self.policy.revision}", width)
        if not self.explained.seen:
            sent = "nothing was sent" if self.reader.rights else "what was sent cannot be told"
            yield from rows(f"{sent}: this is what the file would bring about if the daemon saw it now", width)
        begins = one_line(incident.summary) if incident.unreadable else ""
        for note in (
            *([f"the file cannot be read; it begins: {cut(begins, width)}"] if begins else ()),
            *self.explained.notes,
        ):
            yield from rows(Line(marked("!", Mark.WARNING), f" {note}", hang=2), width)

    def holders(self) -> Iterator[str]:
        """Who holds what."""
        roles = self.explained.roles
        titled = [(self.policy.role_title(held.role) or "File unreadable", self._holder(held)) for held in roles]
        responders = self._responders()
        titled += [("Responders", responders)] if responders else []
        yield from self._table(titled) if titled else ["  nobody is asked to hold a role"]

    def person(self) -> Iterator[str]:
        """Why the person who is asked about was asked for something, and why not."""
        explained = self.explained
        ahead = [message for group in explained.ahead for message in group.messages]
        needed = [held.history for held in explained.roles if held.role]
        reasons = PersonReasons(
            self.reader.person,
            self.policy,
            explained.history,
            explained.at,
            needed,
            explained.fired,
            [message for message in ahead if message.to == self.reader.person],
            self.stamp,
            self.turn_stamp,
        )
        yield from self._table(list(reasons.rows()))

    def _table(self, titled: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Subjects, and beside each what holds of it."""
        width = max((len(title) for title, _ in titled), default=0)
        for title, words in titled:
            yield from rows(Line(f"  {title:<{width}}  ", words, hang=width + 4), self.reader.width)

    def untold(self) -> Iterator[str]:
        """Which groups wait for their first word, what for, and until when at the latest."""
        yield from self._table(
            [
                (
                    self.policy.group_title(word.group),
                    waiting_text(word, self.stamp(word.leaves_at) if word.leaves_at else ""),
                )
                for word in self.explained.first_words
            ]
        )

    def _holder(self, held: NeededRole) -> str:
        role, passed = held.history, ""
        if role.passed:
            passed = f"; passed: {self.names(sorted(role.passed))}"
        if role.holder and role.accepted_at:
            by = f" {held.by}" if held.by else ""
            words = f"{self.name(role.holder)}, accepted {self.stamp(role.accepted_at)}{by}"
            if role.handover:
                words += f"; {self.name(role.handover.person)} was named to take over, until then they keep it"
            return words + passed
        if self.explained.history.resolved_at:
            return "nobody" + passed
        if not held.role and self.explained.history.unreadable_ended:
            return "nobody is paged for it any more: correct the file" + passed
        step = role.step
        if not self.reader.rights:
            assigned = f"{self.name(role.first)} is assigned; who accepted is " if role.first else ""
            return f"{assigned}not known without the ledger"
        if step is None:
            first = f" ({self.name(role.first)} is assigned)" if role.first else ""
            return Line(marked("nobody yet", Mark.ALARM), f", and nobody was paged{first}{passed}")
        where = "last resort" if step.last_resort else f"level {step.level} of 0–{held.levels - 1}"
        people = f"{self.names(step.people)} paged {self.stamp(step.at)}" if step.people else "it reached nobody"
        number = "" if step.round is None else f", round {step.round}"
        return Line(marked("nobody yet", Mark.ALARM), f": {people} ({where}{number}){passed}")

    def _responders(self) -> str:
        history = self.explained.history
        states = []
        for person, at in history.responders:
            how = f"paged {self.stamp(at)}"
            how = "answered" if person in history.responders_answered else how
            states.append(f"{self.name(person)} {'passed' if person in history.responders_passed else how}")
        return ", ".join(states)

    def past(self, items: Sequence[ExplainLine]) -> Iterator[str]:
        """What has happened; of much, the newest of each series."""
        shown, folded = (items, 0) if self.whole else _folded(items, self.stamp)
        yield from self._rows(shown) if items else ["  nothing yet"]
        if folded:
            yield f"  … {folded} earlier ones are folded; --all shows everything"

    def future(self) -> Iterator[str]:
        """What comes next; of much, the first; to one person the first of each sort."""
        if self.reader.person:
            yield from self._person_future()
            return
        items = [self.line(message) for message in self.explained.coming]
        shown = items if self.whole else items[:NEXT_IN_FULL]
        yield from self._rows(shown) if items else ["  nothing"]
        later = self.explained.later + len(items) - len(shown)
        if later:
            yield f"  … and {later} more by {self.stamp(self.explained.until)}"

    def _person_future(self) -> Iterator[str]:
        messages = self._concerning(self.explained.ahead)
        firsts: dict[tuple[object, ...], MessageGroup] = {}
        for message in messages:
            first = message.first
            firsts.setdefault((first.kind, first.reason, first.roles, first.group), message)
        shown = [self.line(message) for message in [*firsts.values()][:IN_FULL]]
        until = self.stamp(self.explained.until)
        yield from self._rows(shown) if shown else [f"  nothing to them by {until}"]
        if shown and not any(message.first.kind is Kind.PAGE for message in messages):
            yield f"  no page to them by {until}"
        if len(messages) > len(shown):
            yield f"  … and {len(messages) - len(shown)} more like these by {until}"

    def _rows(self, items: Sequence[ExplainLine]) -> Iterator[str]:
        """Each item on a line with the rule behind it, its reason below."""
        width = max((len(self.stamp(item.at)) for item in items), default=0)
        hang, most = width + 4, self.reader.width
        revision = self.policy.revision
        for item in items:
            if item.revision != revision:
                revision = item.revision
                yield f"  under config revision {revision}:"
            line, reason = f"  {self.stamp(item.at):<{width}}  {item.what}", item.reason
            if len(line) + 2 + len(item.behind) <= most:
                yield f"{line}{item.behind:>{most - len(line)}}"
            else:
                reason = f"{reason} ({item.behind})"
                yield from rows(Line(line, hang=hang), most)
            for below in (reason, *item.notes):
                yield from rows(Line(" " * hang, below, hang=hang), most)

    def sent(self) -> list[ExplainLine]:
        """What was sent; to one person alone if so asked."""
        return [self.line(message) for message in self._concerning(self.explained.sent)]

    def _concerning(self, messages: Sequence[MessageGroup]) -> list[MessageGroup]:
        """All of them, or of each what the person who is asked about got."""
        person = self.reader.person
        if not person:
            return list(messages)
        parts = []
        for message in messages:
            records = tuple(record for record in message.records if record.decided.to == person)
            parts += [replace(message, records=records)] if records else []
        return parts

    def held(self) -> list[ExplainLine]:
        """What was not sent, whether the plan said so or it was dropped before it left."""
        person = self.reader.person
        items = [self._suppressed(held) for held in self.explained.suppressed if person in ("", held.to)]
        items += [self.line(message) for message in self._concerning(self.explained.dropped)]
        return sorted(items, key=lambda item: item.at)

    def _suppressed(self, held: Suppression) -> ExplainLine:
        group = self.policy.stakeholders.get(held.to)
        to = f" to {group.title if group else self.name(held.to)}" if held.to else " to nobody"
        what = f"{_kind(held.kind)}{to}"
        series = held.kind, held.why, held.to
        return ExplainLine(held.at, what, suppression_text(held), held.rule, series, revision=held.revision)

    def line(self, message: MessageGroup) -> ExplainLine:
        """One line: what, to whom, by which channels, what became of it; and why."""
        first = message.first
        used = {notification.via for notification in message.messages}
        via = ", ".join(channel for channel in Channel if channel in used)
        became = "" if message.records[0].state == "ahead" else f": {outcomes(message.records)}"
        what = f"{_kind(first.kind)} to {self._readers(message)} by {via}{became}"
        why = reason_text(first, self.policy, message.severity)
        tellers = self._company, self._taken_back
        notes = tuple(note for record in message.records for tell in tellers if (note := tell(record)))
        series = first.kind, first.group or first.to
        return ExplainLine(first.at, what, why, first.rule, series, (*self._cause(message), *notes), first.revision)

    def _taken_back(self, record: Record) -> str:
        """That a refusal of it turned out to be the provider's own fault (rule 38)."""
        via = record.notification.via
        for fact in self.explained.taken_back:
            for attempt in record.attempts:
                same = (attempt.via, attempt.address) == (fact.via, fact.address)
                if same and isinstance(attempt.outcome, Refused) and attempt.started_at <= fact.at:
                    wrong = f"{via.traits.provider} was wrong to refuse that {via.traits.address_word}"
                    return f"taken back at {self.stamp(fact.at)}: {wrong}; it is good"
        return ""

    def _company(self, record: Record) -> str:
        """With what a page left as one message, and when; or by when it leaves with whatever else waits."""
        others, via = record.bundled_with, record.notification.via
        word, address = via.traits.word, via.traits.address_word
        if record.room_at:
            leaves = f"the {word} leaves by {self.stamp(record.room_at)}, as one with whatever else waits there"
            return f"the {address} has had as many pages as limits.{via} lets through at once: {leaves}"
        if not others:
            return ""
        ids = list(dict.fromkeys(page.incident for page in others))
        named = ids if self.whole or len(ids) <= COMPANIONS_NAMED else ids[: COMPANIONS_NAMED - 1]
        more = f" and {len(ids) - len(named)} more incidents" if len(named) < len(ids) else ""
        left_at, pages = record.attempts[-1].started_at, f"{len(others)} other page{'s' if len(others) > 1 else ''}"
        if isinstance(record.attempts[-1].outcome, (Deferred, Refused)):
            return f"one {word} for this and {pages} was tried last at {self.stamp(left_at)}: {', '.join(named)}{more}"
        return f"one {word} at {self.stamp(left_at)} carried this and {pages}: {', '.join(named)}{more}"

    def _cause(self, message: MessageGroup) -> tuple[str, ...]:
        """Which turn or override made it them whom a chain named, if the config is still that of the page; to whoever
        asks why it was them, the whole cause. What was said once is not said again.
        """
        first, severity, policy = message.first, message.severity, self.policy
        if first.kind is not Kind.PAGE or severity is None:
            return ()
        roles = {held.role: held.history for held in self.explained.roles}
        reasons = causes(first, policy, roles, self.explained.fired, self.explained.incident.services)
        if self.reader.person:
            texts = [cause_text(cause, first.at, policy, severity, self.turn_stamp) for cause in reasons]
        elif message.records[0].state == "ahead":
            return ()
        else:
            texts = [turn_on_call(cause, first.at, policy, self.turn_stamp) for cause in reasons]
        fresh = [text for text in dict.fromkeys(texts) if text and text not in self.causes_told]
        self.causes_told.update(fresh)
        return tuple(fresh)

    def _readers(self, message: MessageGroup) -> str:
        group = message.first.group
        readers = list(dict.fromkeys(notification.to for notification in message.messages))
        if group is None:
            return self.names(readers)
        return f"{self.policy.group_title(group)} ({self.names(readers)})"

    def names(self, people: Sequence[str]) -> str:
        """People by name; of many, how many."""
        return ", ".join(map(self.name, people)) if len(people) <= NAMED else f"{len(people)} readers"

    def stamp(self, at: datetime) -> str:
        """A time of day in the reader's zone, with its day where that is another."""
        here = at.astimezone(self.zone)
        same = here.date() == self.explained.at.astimezone(self.zone).date()
        return f"{here:%H:%M:%S}" if same else f"{self.day(at)} {here:%H:%M:%S}"

    def turn_stamp(self, at: datetime) -> str:
        """An instant of a rotation in the reader's zone: nobody hands over at a second."""
        return f"{self.day(at)} {at.astimezone(self.zone):%H:%M}"

    def day(self, at: datetime) -> str:
        """A day in the reader's zone."""
        here = at.astimezone(self.zone)
        return f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]}"


def _folded(items: Sequence[ExplainLine], stamp: Callable[[datetime], str]) -> tuple[list[ExplainLine], int]:
    """The newest item of each series, saying how many came before it, where all would not fit one screen."""
    if len(items) <= IN_FULL:
        return list(items), 0
    series: dict[tuple[object, ...], list[ExplainLine]] = {}
    for item in items:
        series.setdefault(item.series, []).append(item)
    newest_ones = []
    for listed in series.values():
        newest, before = listed[-1], len(listed) - 1
        again = f"; {before} more like it since {stamp(listed[0].at)}" if before else ""
        newest_ones.append(replace(newest, what=newest.what + again))
    newest_ones.sort(key=lambda item: item.at)
    shown = newest_ones[-IN_FULL:]
    return shown, len(items) - len(shown)


def _kind(kind: Kind) -> str:
    return kind.value.replace("_", "-")
