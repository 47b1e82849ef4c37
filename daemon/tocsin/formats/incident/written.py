"""How the values of an incident are written in YAML: quoted where a text could mean something, entries on one line.

Must not know what is edited, nor what stands there already.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from tocsin.domain.incident import Acknowledgment, Incident, TimelineNote, UpdateEntry
from tocsin.formats.incident.values import REVIEWED


def document_of(incident: Incident) -> dict[str, Any]:
    """The version as the keys and values of a file, without what says nothing."""
    fields: dict[str, Any] = {
        "title": text_of(incident.title),
        "public_title": text_of(incident.public_title),
        "severity": incident.severity,
        "status": str(incident.status),
        "summary": text_of(incident.summary),
        "impact": text_of(incident.impact),
        "services": CommentedSeq(incident.services),
        "roles": CommentedMap(incident.roles),
        "acknowledged": CommentedSeq(
            on_one_line(acknowledgment_entry(acknowledgment)) if acknowledgment.at else acknowledgment.by
            for acknowledgment in incident.acknowledged
        ),
        "eta": instant(incident.eta),
        "started_at": instant(incident.started_at),
        "declared_at": instant(incident.declared_at),
        "declared_by": text_of(incident.declared_by),
        "updates": CommentedSeq(on_one_line(update_entry(entry)) for entry in incident.updates),
        "timeline": CommentedSeq(on_one_line(update_entry(note)) for note in incident.timeline),
        "bridge": text_of(incident.bridge),
        "links": CommentedMap({title: text_of(address) for title, address in incident.links}),
        "resolution": _resolution(incident),
        "verified_by": text_of(incident.verified_by),
        "review": incident.review,
        "drill": REVIEWED if incident.reviewed_drill else "true" if incident.drill else "",
    }
    return {key: value for key, value in fields.items() if value}


def _resolution(incident: Incident) -> str | CommentedMap:
    """What ended it, as it is written."""
    if not incident.public_resolution:
        return text_of(incident.resolution)
    texts = {"text": text_of(incident.resolution), "public": text_of(incident.public_resolution)}
    return CommentedMap({key: text for key, text in texts.items() if text})


def acknowledgment_entry(acknowledgment: Acknowledgment) -> dict[str, str]:
    """Its parts, in the order in which people write them."""
    return {"by": acknowledgment.by, "at": instant(acknowledgment.at)}


def update_entry(entry: UpdateEntry | TimelineNote) -> dict[str, Any]:
    """The parts of an update or a note, in that order, without what is empty."""
    public = entry.public if isinstance(entry, UpdateEntry) else ""
    texts = {"by": entry.by, "text": entry.text, "public": public}
    return {"at": instant(entry.at), **{key: DoubleQuotedScalarString(text) for key, text in texts.items() if text}}


def on_one_line(values: Mapping[str, Any]) -> CommentedMap:
    """A mapping on one line, without what is empty."""
    mapping = CommentedMap({key: value for key, value in values.items() if value})
    mapping.fa.set_flow_style()
    return mapping


def instant(at: datetime | None) -> str:
    """An instant as people write it: UTC, whole seconds where that is all there is."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else ""


def text_of(text: str) -> str:
    """Free text, quoted on one line or as a block over several, so that nothing in it means anything."""
    if "\n" in text and text == text.strip() and all(line == line.rstrip() for line in text.split("\n")):
        block: str = LiteralScalarString(text + "\n")
        return block
    return DoubleQuotedScalarString(text) if text else ""
