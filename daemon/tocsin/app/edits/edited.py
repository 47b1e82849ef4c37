"""The version of an incident that an edit leads to, before it is written: for who wants to know what it will do."""

from dataclasses import replace
from typing import Any

from tocsin.domain.incident import Edit, Incident, TimelineNote, UpdateEntry
from tocsin.formats.incident.values import NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT
from tocsin.text.cleaning import clean, cut, one_line

_TEXTS = ("impact", "summary", "resolution", "public_resolution")
_LINES = {"public_title": TITLE_LIMIT, "verified_by": NAME_LIMIT}
_SET = ("severity", "status", "eta", "review", *_TEXTS, *_LINES)


def edited(incident: Incident, edit: Edit) -> Incident:
    """The version that the file will read as. Names in the edit are as the config writes them."""
    edit = cleaned(edit)
    values: dict[str, Any] = {key: value for key in _SET if (value := getattr(edit, key)) is not None}
    if edit.resolution == "" and edit.public_resolution is None:
        values["public_resolution"] = ""
    if edit.no_eta and edit.eta is None:
        values["eta"] = None
    if edit.role:
        values["roles"] = tuple((dict(incident.roles) | dict([edit.role])).items())
    if edit.services:
        values["services"] = tuple(dict.fromkeys((*incident.services, *edit.services)))
    if edit.links:
        values["links"] = tuple((dict(incident.links) | dict(edit.links)).items())
    if edit.entry:
        values["updates"] = (*incident.updates, edit.entry)
    if edit.note:
        values["timeline"] = (*incident.timeline, edit.note)
    if edit.acknowledgment:
        values["acknowledged"] = (*incident.acknowledged, edit.acknowledgment)
    return replace(incident, **values)


def cleaned(edit: Edit) -> Edit:
    """The edit with its texts as they are read from a file: nothing in them that could harm, and none over its limit.
    An entry without words is none.
    """
    update, note = edit.entry, edit.note
    if update:
        update = UpdateEntry(_long(update.text), _long(update.public), update.at, _line(update.by, NAME_LIMIT))
    if note:
        note = TimelineNote(_long(note.text), note.at, _line(note.by, NAME_LIMIT))
    words: dict[str, Any] = {key: _long(text) for key in _TEXTS if (text := getattr(edit, key)) is not None}
    words |= {key: _line(text, limit) for key, limit in _LINES.items() if (text := getattr(edit, key)) is not None}
    entry = update if update and (update.text or update.public) else None
    return replace(edit, entry=entry, note=note if note and note.text else None, **words)


def _long(text: str) -> str:
    return cut(clean(text), TEXT_LIMIT)


def _line(text: str, limit: int) -> str:
    return cut(one_line(clean(text)), limit)
