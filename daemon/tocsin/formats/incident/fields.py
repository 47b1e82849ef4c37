"""The fields of an incident file, each by its own small reader (product.md section 4).

Decides what each field may hold; a wrong value is dropped with a problem, never guessed. Must not know what a missing
field means for the incident, nor that there was an earlier version.
"""

from collections.abc import Iterator
from datetime import datetime

from tocsin.domain.incident import Acknowledgment, Status, TimelineNote, UpdateEntry
from tocsin.formats.incident.values import LINK_LIMIT, NAME_LIMIT, Values
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import person_named, quotable, role_named, service_named, severity_named, status_named
from tocsin.text.yaml import Path, Value

FIELDS = (
    "title",
    "severity",
    "status",
    "summary",
    "impact",
    "services",
    "roles",
    "acknowledged",
    "eta",
    "declared_at",
    "declared_by",
    "updates",
    "timeline",
    "resolution",
    "verified_by",
    "review",
    "drill",
)
"""Every key that an incident file may have."""


class Fields(Values):
    """Reads the fields of one incident file."""

    __slots__ = ()

    def severity(self, value: Value) -> str | None:
        """The config's name of the severity; None when it cannot be read."""
        return self.named(("severity",), value, "severity", lambda written: severity_named(written, self.policy))

    def status(self, value: Value) -> Status | None:
        """The status; None when it cannot be read."""
        found = self.named(("status",), value, "status", status_named)
        return Status(found) if found else None

    def person(self, path: Path, value: Value) -> str | None:
        """The id of the person named."""
        return self.named(path, value, "person", lambda written: person_named(written, self.policy))

    def services(self, value: Value) -> tuple[str, ...]:
        """The affected services that the config has, each once, in the order written."""
        found = (
            self.named(path, entry, "service", lambda written: service_named(written, self.policy))
            for path, entry in _entries(("services",), value)
        )
        return tuple(dict.fromkeys(name for name in found if name))

    def roles(self, value: Value) -> tuple[tuple[str, str], ...]:
        """Explicit assignments as (role, person) pairs, in the order written."""
        if not isinstance(value, dict):
            if value is not None:
                self.tell(("roles",), "wrong-type", "roles is no mapping; write {technical_lead: ana}")
            return ()
        pairs = []
        for key, entry in value.items():
            path = ("roles", key)
            role = self.named(path, key, "role", lambda written: role_named(written, self.policy), key=True)
            person = self.person(path, entry) if role else None
            if role and person:
                pairs.append((role, person))
        return tuple(pairs)

    def acknowledged(self, value: Value) -> tuple[Acknowledgment, ...]:
        """Who acknowledged: bare names, or {by, at}."""
        found = []
        for path, entry in _entries(("acknowledged",), value):
            at = None
            name, name_path = entry, path
            if isinstance(entry, dict):
                self.known_keys(path, entry, ("by", "at"))
                name, name_path = entry.get("by"), (*path, "by")
                at = self.instant((*path, "at"), entry.get("at"))
                if name is None:
                    self.tell(path, "nobody-named", "an acknowledgment must say who; write {by: ana}")
            if person := self.person(name_path, name):
                found.append(Acknowledgment(person, at))
        return tuple(found)

    def updates(self, value: Value) -> tuple[UpdateEntry, ...]:
        """The update entries, oldest first; a plain text is an entry too."""
        found = []
        for path, entry in _entries(("updates",), value):
            text, at, by = self._note(path, entry, ("at", "by", "text", "public"))
            public = self.text((*path, "public"), entry.get("public")) if isinstance(entry, dict) else ""
            if text or public:
                found.append(UpdateEntry(text, public, at, by))
            elif entry is not None:
                self.tell(path, "empty-entry", 'an update needs words; write {text: "…"}')
        return tuple(found)

    def timeline(self, value: Value) -> tuple[TimelineNote, ...]:
        """The Scribe's notes; a plain text is a note too."""
        found = []
        for path, entry in _entries(("timeline",), value):
            text, at, by = self._note(path, entry, ("at", "by", "text"))
            if text:
                found.append(TimelineNote(text, at, by))
            elif entry is not None:
                self.tell(path, "empty-entry", 'a note needs words; write {text: "…"}')
        return tuple(found)

    def review(self, value: Value) -> str:
        """`done`, or a link to the finished review."""
        written = one_line(clean(self.scalar(("review",), value, "done or a link") or ""))
        if written.lower() == "done":
            return "done"
        if not written or (written.lower().startswith(("https://", "http://")) and len(written) <= LINK_LIMIT):
            return written
        self.tell(("review",), "not-a-link", f'review is "{quotable(written)}"; write done or an https:// link')
        return ""

    def _note(self, path: Path, entry: Value, known: tuple[str, ...]) -> tuple[str, datetime | None, str]:
        """Text, instant and author of an entry."""
        if not isinstance(entry, dict):
            return self.text(path, entry), None, ""
        self.known_keys(path, entry, known)
        return (
            self.text((*path, "text"), entry.get("text")),
            self.instant((*path, "at"), entry.get("at")),
            self.text((*path, "by"), entry.get("by"), NAME_LIMIT, lines=False),
        )


def _entries(path: Path, value: Value) -> Iterator[tuple[Path, Value]]:
    """The entries of a list; one value where a list is meant will do."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield (*path, number), entry
    elif value is not None:
        yield path, value
