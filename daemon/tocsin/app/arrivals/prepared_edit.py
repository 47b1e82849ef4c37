"""An edit from the browser, made fit for what the file says at the moment it is written: whether it may still be made,
what of it is left to do, and the note that says who did it.

Pure; it knows no file. Times and names of authors come from the arrival, never from the entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.app.edits import words
from tocsin.app.edits.changes import Telling, noted, says, set_fields, without_effectless
from tocsin.app.edits.conflicts import Conflict, conflicts, last_change
from tocsin.app.edits.edited import cleaned
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.domain.facts import Fact
from tocsin.domain.incident import Edit, Incident, Status, TimelineNote
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import person_named, role_named, severity_named

WHEN_RESOLVED = frozenset({"review", "verified_by", "public_title", "resolution", "public_resolution"})
"""The fields that may be set of a resolved incident."""
NO_EDIT = Edit()


class EditDoneError(Exception):
    """The very edit is in the file already: it was written by a daemon that ended before it could say so."""


def fit(edit: Edit, person: str, at: datetime, policy: Policy) -> Edit:
    """The edit with its texts cleaned, names as the config writes them, and its author and time. Raises
    EditRefusedError where it says nothing, or names what is not there.
    """
    if edit.entry and not (edit.entry.text.strip() or edit.entry.public.strip()):
        raise EditRefusedError(words.NO_UPDATE)
    if edit.note and not edit.note.text.strip():
        raise EditRefusedError(words.NO_NOTE)
    review = "done" if (edit.review or "").strip().casefold() == "done" else edit.review
    if review and review != "done" and not review.strip().casefold().startswith(("https://", "http://")):
        raise EditRefusedError(words.REVIEW_LINK)
    try:
        severity = severity_named(edit.severity, policy) if edit.severity else None
        role = (role_named(edit.role[0], policy), person_named(edit.role[1], policy)) if edit.role else None
    except ValueError as fault:
        raise EditRefusedError(words.not_in_config(fault)) from None
    edit = cleaned(replace(edit, severity=severity, role=role, review=review and one_line(clean(review))))
    return replace(
        edit,
        acknowledgment=None,
        services=None,
        summary=None,
        entry=replace(edit.entry, at=at, by=person) if edit.entry else None,
        note=replace(edit.note, at=at, by=person) if edit.note else None,
        verified_by=None if edit.verified_by is None else person,
    )


@dataclass(frozen=True, slots=True)
class PreparedEdit:
    """What `person` does at `at` (whole seconds) by a form that was made from `version`, the digest of `base`; that is
    None where no such version was seen. `facts` are those of the incident.
    """

    edit: Edit
    person: str
    at: datetime
    version: str
    base: Incident | None
    facts: Sequence[Fact]
    telling: Telling

    def __call__(self, current: Incident) -> Edit:
        """The edit to make of this version. Raises EditRefusedError or EditDoneError."""
        if self._is_in(current):
            raise EditDoneError
        self._require_state(current)
        self._require_no_conflict(current)
        left = without_effectless(current, self.edit)
        if not left.keys:
            return NO_EDIT
        return noted(current, left, self.person, self.at, self.telling.policy)

    def _is_in(self, current: Incident) -> bool:
        if self.edit.entry:
            return self.edit.entry in current.updates
        telling, note = Telling(self.telling.policy, self.at), self.edit.note
        return any(
            (entry.at, entry.by) == (self.at, self.person)
            and says(entry.text, self.edit, telling)
            and (note is None or entry.text.endswith(note.text))
            for entry in current.timeline
        )

    def _require_state(self, current: Incident) -> None:
        """What is over can be noted, finished or opened again; what is not cannot be said to be healthy."""
        sets = set_fields(self.edit).keys()
        if not current.resolved:
            if self.edit.verified_by is not None and self.edit.status is not Status.RESOLVED:
                raise EditRefusedError(words.STILL_OPEN)
            return
        reopens = self.edit.status not in {None, Status.RESOLVED}
        if self.base and not self.base.resolved and (sets or self.edit.entry):
            ended = last_change(self.base, current, "status", self.facts, self.version)
            raise EditRefusedError(words.changed_meanwhile([ended], self.telling))
        if not reopens and (self.edit.entry or not sets <= WHEN_RESOLVED | {"status"}):
            raise EditRefusedError(words.RESOLVED)

    def _require_no_conflict(self, current: Incident) -> None:
        if not set_fields(self.edit):
            return
        if self.base is None:
            raise EditRefusedError(words.UNKNOWN_VERSION)
        changed: list[Conflict] = conflicts(self.base, current, self.edit, self.facts, self.version)
        if changed:
            raise EditRefusedError(words.changed_meanwhile(changed, self.telling))


@dataclass(frozen=True, slots=True)
class PreparedReopening:
    """Somebody says of what was resolved that it is not healthy: it is open again, and the note says who said so."""

    note: str
    person: str
    at: datetime
    telling: Telling

    @property
    def edit(self) -> Edit:
        """What it comes to, as far as that does not hang on what stands there. The estimate was of what is over: nobody
        has given one for what goes on now.
        """
        return Edit(status=Status.INVESTIGATING, no_eta=True)

    def __call__(self, current: Incident) -> Edit:
        """The edit to make of this version. Raises EditDoneError."""
        if any(
            (entry.at, entry.by) == (self.at, self.person) and entry.text == self.text for entry in current.timeline
        ):
            raise EditDoneError
        if not current.resolved:
            return NO_EDIT
        edit = without_effectless(current, self.edit)
        return replace(edit, note=TimelineNote(self.text, self.at, self.person))

    @property
    def text(self) -> str:
        """What stands in the timeline."""
        who = self.telling.policy.person_name(self.person)
        return f"{who} says that it is not healthy: it is open again. {self.note}".rstrip()
