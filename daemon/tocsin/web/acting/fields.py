"""What somebody typed into a form, and what it comes to: an edit of the incident, or what is wrong with it, a sentence
for each field. What was typed is never lost: it goes back into the form as it was.

Must not know who may do what, nor what comes of it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.incident import Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.formats.inbox.acts import ACT_TEXT_MOST, TITLE_MOST
from tocsin.formats.schema.addresses import ADDRESS_LIMIT
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import quotable
from tocsin.text.times import clock
from tocsin.text.written_instant import WrittenInstant
from tocsin.web.acting.acts import Act

TEXTS = ("text", "public", "impact", "note", "public_title", "link", "title", "summary")
"""Fields of free text."""
CHOICES = (
    "status",
    "severity",
    "eta",
    "eta_at",
    "eta_day",
    "eta_set",
    "role",
    "person",
    "services",
    "without_public",
    "drill",
)
FIELDS = (*TEXTS, *CHOICES)
"""All fields that a form of ours has."""
HOURS = {"30m": timedelta(minutes=30), "1h": timedelta(hours=1), "2h": timedelta(hours=2), "4h": timedelta(hours=4)}
"""The estimates that one need not type."""
AT, NONE = "at", "none"
SHOWN_FOR = timedelta(minutes=10)
"""How old an estimate may be that was shown before it is sent."""
LABELS = {
    "text": "For insiders",
    "public": "For outsiders",
    "impact": "Impact",
    "note": "Note",
    "public_title": "Title for outsiders",
    "link": "Link to the review",
    "title": "Title",
    "summary": "What is known",
}
NO_WORDS = "An update needs words: write what is known now."
STATUSES = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
"""Those that one chooses; an incident is resolved by a page of its own."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form as they were typed. Lists are those that can be chosen more than once."""

    values: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """What was typed there; empty: nothing."""
        return self.values.get(name, "")

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The free texts that are not empty, each with its label."""
        return [(LABELS[name], self[name]) for name in TEXTS if self[name].strip()]

    @property
    def mark(self) -> str:
        """Differs whenever anything in it does: what was looked at is what is sent."""
        parts = [*sorted(self.values.items()), *sorted(self.lists.items())]
        return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Meant:
    """What a form comes to; `wrong` is a sentence for each field that is. An edit with something wrong is none."""

    edit: Edit = field(default_factory=Edit)
    wrong: Mapping[str, str] = field(default_factory=dict)


def ref_of(form_ref: str, typed: Typed) -> str:
    """The reference of what a form says: with other words, as a browser that keeps pages may send it, it is another
    act.
    """
    return hashlib.sha256(f"{form_ref} {typed.mark}".encode()).hexdigest()[:20]


def typed_fields(form: Mapping[str, Iterable[str]]) -> Typed:
    """The fields that a form of ours has, of whatever came."""
    values = {name: next(iter(form[name]), "") for name in FIELDS if name in form and name != "services"}
    values = {name: value.replace("\r\n", "\n") for name, value in values.items() if value}
    services = tuple(name for name in form.get("services", ()) if name)
    return Typed(values, {"services": services} if services else {})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a form was sent about: by whom, when, and as what stood there."""

    typed: Typed
    incident: Incident
    policy: Policy
    person: Person
    now: datetime
    wrong: dict[str, str]


def meant(act: Act, typed: Typed, incident: Incident, policy: Policy, person: Person, now: datetime) -> Meant:
    """What the form of an act says."""
    asked = _Asked(typed, incident, policy, person, now, too_long(typed))
    edit = _READERS[act](asked) if act in _READERS else Edit()
    return Meant(edit, asked.wrong)


def too_long(typed: Typed) -> dict[str, str]:
    """Of each text that is too long, by how much."""
    wrong = {}
    for name in TEXTS:
        most = {"public_title": TITLE_MOST, "title": TITLE_MOST, "link": ADDRESS_LIMIT}.get(name, ACT_TEXT_MOST)
        length = len(typed[name].strip())
        if length > most:
            over = length - most
            wrong[name] = f"This is {over:,} character{'s' * (over != 1)} too long: {most:,} at most. Shorten it."
    return wrong


def severity(written: str, policy: Policy, wrong: dict[str, str]) -> str | None:
    """A severity of the config."""
    if written in policy.severities:
        return written
    known = ", ".join(name.upper() for name in policy.severities)
    wrong["severity"] = f"There is no severity {_quoted(written)}. Choose one: {known}." if written else "Choose one."
    return None


def _update(asked: _Asked) -> Edit:
    """Words for insiders, for outsiders, or both; and what they change besides."""
    typed = asked.typed
    text, public = clean(typed["text"]), clean(typed["public"])
    if not text and not public:
        asked.wrong["text"] = NO_WORDS
    status = _status(typed["status"], asked.wrong) if typed["status"] else None
    estimate = _estimate(asked) if typed["eta"] or typed["eta_at"] else Edit()
    changed = None if status is asked.incident.status else status
    return replace(estimate, entry=UpdateEntry(text, public), status=changed)


def _resolution(asked: _Asked) -> Edit:
    text, public = clean(asked.typed["text"]), clean(asked.typed["public"])
    return Edit(status=Status.RESOLVED, resolution=text or None, public_resolution=public or None)


def _note(asked: _Asked) -> Edit:
    _want(asked.typed, "note", "A note needs words.", asked.wrong)
    return Edit(note=TimelineNote(clean(asked.typed["note"])))


def _unhealthy(asked: _Asked) -> Edit:
    words = clean(asked.typed["note"])
    return Edit(note=TimelineNote(words)) if words else Edit()


def _title(asked: _Asked) -> Edit:
    _want(asked.typed, "public_title", "Write what outsiders are to read as the title.", asked.wrong)
    return Edit(public_title=one_line(clean(asked.typed["public_title"])))


def _status(written: str, wrong: dict[str, str]) -> Status | None:
    if written in STATUSES:
        return Status(written)
    wrong["status"] = f"There is no status {_quoted(written)}. Choose one." if written else "Choose one."
    return None


def _estimate(asked: _Asked) -> Edit:
    """By when it will be fixed; or that nobody can say."""
    typed, now = asked.typed, asked.now
    chosen = typed["eta"] or (AT if typed["eta_at"] else "")
    if chosen == NONE:
        return Edit(no_eta=True)
    if chosen in HOURS:
        return Edit(eta=_shown_before(typed, now) or estimate(chosen, now))
    if chosen != AT:
        asked.wrong["eta"] = "Choose one."
        return Edit()
    try:
        return Edit(eta=_instant(typed["eta_at"], typed["eta_day"], asked.person.timezone, now))
    except ValueError as fault:
        asked.wrong["eta_at"] = str(fault)
        return Edit()


def estimate(chosen: str, now: datetime) -> datetime:
    """The instant of one of `HOURS`, to the next five minutes."""
    at = (now + HOURS[chosen]).replace(second=0, microsecond=0)
    return at + timedelta(minutes=-at.minute % 5)


def with_estimate(typed: Typed, edit: Edit) -> Typed:
    """The same with the instant that was shown for an estimate, so that just this one is sent."""
    if typed["eta"] not in HOURS or edit.eta is None:
        return typed
    return replace(typed, values={**typed.values, "eta_set": edit.eta.isoformat()})


def _shown_before(typed: Typed, now: datetime) -> datetime | None:
    """The instant that was shown for the estimate, unless it is another's, or from long ago."""
    try:
        at = datetime.fromisoformat(typed["eta_set"])
        return at if abs(at - estimate(typed["eta"], now)) <= SHOWN_FOR else None
    except (ValueError, TypeError):
        return None


def _instant(written: str, day: str, zone: str, now: datetime) -> datetime:
    """A time of day in somebody's zone; without a day its next occurrence, as commands take it. Raises ValueError with
    a sentence.
    """
    try:
        hour = time.fromisoformat(written.strip())
        date = datetime.strptime(day, "%Y-%m-%d").date() if day else now.date()  # noqa: DTZ007 - the zone is below
    except ValueError:
        raise ValueError("Write a time such as 23:30.") from None
    if hour.tzinfo is not None:
        raise ValueError("Write a time such as 23:30.")
    minute = hour.replace(second=0, microsecond=0)
    if not day:
        return WrittenInstant(written, time_of_day=minute).taken(now, ZoneInfo(zone))
    at = datetime.combine(date, minute, ZoneInfo(zone))
    if at <= now:
        raise ValueError(f"{clock(at, zone, now)} is past: it is {clock(now, zone, now)}. Choose a time to come.")
    return at.astimezone(now.tzinfo)


def _assignment(asked: _Asked) -> Edit:
    """Whom a role is given to."""
    role, person, wrong = asked.typed["role"], asked.typed["person"], asked.wrong
    if role not in asked.policy.roles:
        wrong["role"] = f"There is no role {_quoted(role)}. Choose one." if role else "Choose a role."
    if person not in asked.policy.people:
        wrong["person"] = f"There is nobody called {_quoted(person)}. Choose one." if person else "Choose somebody."
    return Edit() if wrong else Edit(role=(role, person))


def _review(asked: _Asked) -> Edit:
    link = one_line(clean(asked.typed["link"]))
    if link and not link.lower().startswith(("https://", "http://")):
        asked.wrong["link"] = "A link begins with https://. Leave it empty if there is none."
    return Edit(review=link or "done")


def _want(typed: Typed, name: str, sentence: str, wrong: dict[str, str]) -> None:
    if not clean(typed[name]):
        wrong[name] = sentence


def _quoted(written: str) -> str:
    return f"“{quotable(written[:60])}”"


_READERS: Mapping[Act, Callable[[_Asked], Edit]] = {
    Act.UPDATE: _update,
    Act.STATUS: lambda asked: Edit(status=_status(asked.typed["status"], asked.wrong)),
    Act.SEVERITY: lambda asked: Edit(severity=severity(asked.typed["severity"], asked.policy, asked.wrong)),
    Act.ETA: _estimate,
    Act.IMPACT: lambda asked: Edit(impact=clean(asked.typed["impact"])),
    Act.ASSIGN: _assignment,
    Act.RESOLVE: _resolution,
    Act.NOTE: _note,
    Act.UNHEALTHY: _unhealthy,
    Act.TITLE: _title,
    Act.REVIEWED: _review,
    Act.HEALTHY: lambda asked: Edit(verified_by=asked.person.id),
}
