"""What an edit changes of a version, field by field, and the sentences that say so in the timeline and on a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tocsin.domain.incident import Edit, Incident, Status, TimelineNote
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import cut, one_line
from tocsin.text.times import clock

TEXTS = frozenset({"impact", "summary", "public_title", "resolution", "public_resolution"})
"""The fields that are free text."""
QUOTED_MOST = 200
"""Characters of a text that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, its value before, and after. `field` is the attribute's name; of a role `role:` and its name."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Telling:
    """For whom it is said: by whose config, and whose clock. Without a zone times are UTC, as in files."""

    policy: Policy
    now: datetime
    zone: str = "UTC"

    def at(self, moment: datetime) -> str:
        """An instant on the reader's clock."""
        return clock(moment, self.zone, self.now)


def set_fields(edit: Edit) -> Mapping[str, Any]:
    """The fields that an edit sets, with the values; what only joins a list is none of them."""
    names = ("severity", "status", "impact", "summary", "public_title", "resolution", "public_resolution")
    values = {name: getattr(edit, name) for name in (*names, "review", "verified_by", "eta")}
    values = {name: value for name, value in values.items() if value is not None}
    if edit.no_eta and edit.eta is None:
        values["eta"] = None
    if edit.role:
        values[f"role:{edit.role[0]}"] = edit.role[1]
    return values


def field_value(incident: Incident, field: str) -> Any:
    """What a version has there."""
    attribute, _, role = field.partition(":")
    return incident.assigned(role) if role else getattr(incident, attribute)


def changes(before: Incident, edit: Edit) -> tuple[FieldChange, ...]:
    """The fields that an edit changes of this version."""
    pairs = ((field, field_value(before, field), value) for field, value in set_fields(edit).items())
    return tuple(FieldChange(field, old, new) for field, old, new in pairs if old != new)


def without_effectless(before: Incident, edit: Edit) -> Edit:
    """The edit without what already stands there."""
    gone = set_fields(edit).keys() - {change.field for change in changes(before, edit)}
    plain = {field: None for field in gone if ":" not in field}
    if edit.role and f"role:{edit.role[0]}" in gone:
        plain["role"] = None
    left = tuple(service for service in edit.services or () if service not in before.services)
    return replace(edit, **plain, services=left or None, no_eta=edit.no_eta and "eta" not in gone)


def noted(before: Incident, edit: Edit, by: str, at: datetime, policy: Policy) -> Edit:
    """The edit with a note of what it changes and of who did it, so that this stands in the file; an update says who
    wrote it by itself. A note that it has already comes after that.
    """
    if edit.entry:
        return edit
    sentences = [change_sentence(change, Telling(policy, at)) for change in changes(before, edit)]
    if edit.note:
        sentences.append(edit.note.text)
    if not sentences:
        return edit
    return replace(edit, note=TimelineNote(" ".join(sentences), at, by))


def change_sentence(change: FieldChange, telling: Telling) -> str:
    """What is true now, and what was before where that helps."""
    field, _, role = change.field.partition(":")
    return _SENTENCES[field](change, telling, role)


def deed(change: FieldChange, telling: Telling) -> str:
    """What somebody did, as the end of a sentence that begins with their name."""
    field, _, role = change.field.partition(":")
    return _DEEDS[field](change, telling, role)


def quoted(text: str) -> str:
    """A text of somebody's, cut, on one line."""
    return f"“{cut(one_line(text), QUOTED_MOST)}”"


def was(before: str) -> str:
    """What was there before, if anything was."""
    return f", was {before}" if before else ""


def _severity(change: FieldChange, _telling: Telling, _role: str) -> str:
    return f"Severity is {change.after.upper()} now{was(change.before.upper())}."


def _status(change: FieldChange, _telling: Telling, _role: str) -> str:
    if change.after is Status.RESOLVED:
        return "It is resolved."
    if change.before is Status.RESOLVED:
        return f"It is open again, status {change.after}."
    return f"Status is {change.after} now, was {change.before}."


def _eta(change: FieldChange, telling: Telling, _role: str) -> str:
    before = telling.at(change.before) if change.before else ""
    if change.after is None:
        return f"There is no estimate any more{was(before)}."
    return f"The estimate is {telling.at(change.after)} now{was(before)}."


def _text_of(name: str, gone: str) -> Callable[[FieldChange, Telling, str], str]:
    def sentence(change: FieldChange, _telling: Telling, _role: str) -> str:
        if not change.after:
            return gone
        return f"{name}{' is now' if change.before else ''}: {quoted(change.after)}"

    return sentence


def _role(change: FieldChange, telling: Telling, role: str) -> str:
    policy, before = telling.policy, telling.policy.person_name(change.before)
    return f"{policy.role_title(role)} is given to {policy.person_name(change.after)}{was(before)}."


def _review(change: FieldChange, _telling: Telling, _role: str) -> str:
    return "The review is done." if change.after == "done" else f"The review is done: {change.after}"


def _verified(change: FieldChange, telling: Telling, _role: str) -> str:
    if not change.after:
        return "Nobody says any more that all is healthy."
    return f"{telling.policy.person_name(change.after)} says that all is healthy."


_SENTENCES: Mapping[str, Callable[[FieldChange, Telling, str], str]] = {
    "severity": _severity,
    "status": _status,
    "eta": _eta,
    "impact": _text_of("The impact", "No impact is written any more."),
    "summary": _text_of("The summary", "No summary is written any more."),
    "public_title": _text_of("The title for outsiders", "Outsiders read the title itself again."),
    "resolution": _text_of("What ended it", "What ended it is not written any more."),
    "public_resolution": _text_of("What outsiders hear of the end", "Nothing is written of the end for outsiders."),
    "role": _role,
    "review": _review,
    "verified_by": _verified,
}


def _did_status(change: FieldChange, _telling: Telling, _role: str) -> str:
    if change.after is Status.RESOLVED:
        return "resolved it"
    return "opened it again" if change.before is Status.RESOLVED else f"set the status to {change.after}"


def _did_eta(change: FieldChange, telling: Telling, _role: str) -> str:
    return f"set the estimate to {telling.at(change.after)}" if change.after else "took the estimate out"


def _wrote(name: str) -> Callable[[FieldChange, Telling, str], str]:
    def words(change: FieldChange, _telling: Telling, _role: str) -> str:
        return f"changed {name} to {quoted(change.after)}" if change.after else f"took {name} out"

    return words


_DEEDS: Mapping[str, Callable[[FieldChange, Telling, str], str]] = {
    "severity": lambda change, _telling, _role: f"set the severity to {change.after.upper()}",
    "status": _did_status,
    "eta": _did_eta,
    "impact": _wrote("the impact"),
    "summary": _wrote("the summary"),
    "public_title": _wrote("the title for outsiders"),
    "resolution": _wrote("what is written of the end"),
    "public_resolution": _wrote("what outsiders hear of the end"),
    "role": lambda change, telling, role: (
        f"gave {telling.policy.role_title(role)} to {telling.policy.person_name(change.after)}"
        if change.after
        else f"took {telling.policy.role_title(role)} away again"
    ),
    "review": lambda change, _telling, _role: "said that the review is done" if change.after else "took the review out",
    "verified_by": lambda change, _telling, _role: "said that all is healthy" if change.after else "took that back",
}


def says(text: str, edit: Edit, telling: Telling) -> bool:
    """Whether a note's text tells of all that an edit sets, whatever stood there before."""
    return all(
        any(_head(FieldChange(field, before, value), telling) in text for before in _befores(field))
        for field, value in set_fields(edit).items()
    )


def sentence_heads(edit: Edit, telling: Telling) -> list[str]:
    """What an edit sets, in sentences without their full stops that say nothing of what stood there before."""
    return [_head(FieldChange(field, _befores(field)[0], value), telling) for field, value in set_fields(edit).items()]


def _head(change: FieldChange, telling: Telling) -> str:
    """How the sentence of a change begins, whatever was there before."""
    return change_sentence(change, telling).partition(", was ")[0].rstrip(".")


def _befores(field: str) -> tuple[Any, ...]:
    """Values that may have stood there, one for each way to say what is new."""
    told = {"severity": ("",), "status": (Status.INVESTIGATING, Status.RESOLVED)}
    return told.get(field, ("", "before") if field in TEXTS else (None,))
