"""What people do in the browser, as it lies in the inbox: strict models of an edit and of a declaration.

Decides which parts of an edit may come from outside at all. Who does it and when is never among them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from tocsin.domain.arrival import DeclareEntry, EditEntry
from tocsin.domain.incident import Edit, Status, TimelineNote, UpdateEntry
from tocsin.formats.inbox.names import REF
from tocsin.text.scalars import YEARS

ACT_TEXT_MOST = 4000
"""Characters of one text; an entry as a whole holds 8 kB."""
TITLE_MOST = 200
SERVICES_MOST = 50


def _of_our_time(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise ValueError("no year that a file may bear")
    return at.astimezone(UTC)


Ref = Annotated[str, Field(pattern=f"^{REF}$")]
Signature = Annotated[str, Field(max_length=128)]
Id = Annotated[str, Field(min_length=1, max_length=255)]
_Text = Annotated[str, Field(max_length=ACT_TEXT_MOST)]
_Title = Annotated[str, Field(max_length=TITLE_MOST)]
_Link = Annotated[str, Field(min_length=1, max_length=2000)]
_At = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class EntryModel(BaseModel):
    """Nothing is converted, and nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    ref: Ref


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    text: _Text
    public: _Text = ""


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    update: _Words | None = None
    role: Annotated[list[Id], Field(min_length=2, max_length=2)] | None = None
    status: Literal["investigating", "identified", "monitoring", "resolved"] | None = None
    eta: _At | None = None
    no_eta: bool = False
    resolution: _Text | None = None
    public_resolution: _Text | None = None
    severity: Id | None = None
    note: _Text | None = None
    impact: _Text | None = None
    public_title: _Title | None = None
    review: _Link | None = None
    verified: bool = False


class EditModel(EntryModel):
    """An edit, as its file has it."""

    kind: Literal["edit"]
    incident: Id
    person: Id
    episode: Annotated[int, Field(ge=0, le=1_000_000)]
    signature: Signature
    session: Signature
    version: Annotated[str, Field(max_length=64)]
    edit: _Edit
    not_healthy: bool

    def entry(self) -> EditEntry:
        """As the house's own value."""
        return EditEntry(
            self.ref,
            self.incident,
            self.person,
            self.episode,
            self.signature,
            self.session,
            self.version,
            _read_edit(self.edit),
            self.not_healthy,
        )


class DeclareModel(EntryModel):
    """A declaration, as its file has it."""

    kind: Literal["declare"]
    person: Id
    session: Signature
    title: Annotated[str, Field(min_length=1, max_length=TITLE_MOST)]
    severity: Id
    services: Annotated[list[Id], Field(max_length=SERVICES_MOST)]
    summary: _Text
    impact: _Text
    public_title: _Title
    drill: bool = False

    def entry(self) -> DeclareEntry:
        """As the house's own value."""
        values = self.model_dump(exclude={"kind", "services"})
        return DeclareEntry(services=tuple(self.services), **values)


def edit_values(edit: Edit) -> Mapping[str, Any]:
    """What of an edit goes into an entry, by the names it has there."""
    values = {
        "update": {"text": edit.entry.text, "public": edit.entry.public} if edit.entry else None,
        "role": list(edit.role) if edit.role else None,
        "status": edit.status and edit.status.value,
        "eta": edit.eta,
        "no_eta": edit.no_eta or None,
        "resolution": edit.resolution,
        "public_resolution": edit.public_resolution,
        "severity": edit.severity,
        "note": edit.note.text if edit.note else None,
        "impact": edit.impact,
        "public_title": edit.public_title,
        "review": edit.review,
        "verified": edit.verified_by is not None or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _read_edit(model: _Edit) -> Edit:
    return Edit(
        entry=UpdateEntry(model.update.text, model.update.public) if model.update else None,
        role=(model.role[0], model.role[1]) if model.role else None,
        status=Status(model.status) if model.status else None,
        eta=model.eta,
        no_eta=model.no_eta,
        resolution=model.resolution,
        public_resolution=model.public_resolution,
        severity=model.severity,
        note=TimelineNote(model.note) if model.note is not None else None,
        impact=model.impact,
        public_title=model.public_title,
        review=model.review,
        verified_by="" if model.verified else None,
    )
