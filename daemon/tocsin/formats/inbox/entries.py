"""An entry of the inbox as JSON: one object, its `kind`, and just the keys of that kind.

Decides what an entry may look like, and how long each part is. Must not know whether any of it is true.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tocsin.domain.arrival import (
    AlertEntry,
    AnswerEntry,
    CommandAnswerEntry,
    EditEntry,
    FiringAlerts,
    InboxEntry,
    PruneEntry,
    ResubscribeEntry,
    WebhookEntry,
    WebhookRoute,
    WishEntry,
    WordEntry,
)
from tocsin.domain.facts import Answer
from tocsin.formats.inbox.acts import (
    DeclareModel,
    EditModel,
    EntryModel,
    Id,
    Signature,
    edit_values,
)
from tocsin.formats.inbox.signing_in import CodeModel, LeaveModel, SignInModel, SignOutModel
from tocsin.formats.schema.addresses import web_address
from tocsin.formats.schema.patterns import LINE_LIMIT, LINKS_MOST

ENTRY_MOST = 8192
"""Octets of an entry."""
WAITING_MOST = 1000
"""Entries that may wait in the folder (P8): more are not left, and if they lie there all the same it is a flood."""

NAMES_MOST = 20
"""Names and addresses of one person who is to be forgotten."""
TEXT_MOST = 4000
"""Characters of a word to the operators; whoever leaves a longer one cuts it."""

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=320)]], Field(max_length=NAMES_MOST)]
Address = Annotated[str, Field(min_length=1, max_length=320)]
At = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
ValueText = Annotated[str, Field(max_length=TEXT_MOST)]


def _link(pair: list[str]) -> list[str]:
    """Title and address of a link, which leads to the web. Raises ValueError."""
    title, address = pair
    if not 0 < len(title) <= LINE_LIMIT or web_address(address) != address:
        raise ValueError("is no link")
    return pair


Link = Annotated[list[str], Field(min_length=2, max_length=2), AfterValidator(_link)]


class _Answer(EntryModel):
    kind: Literal["answer"]
    incident: Id
    episode: Annotated[int, Field(ge=0, le=1_000_000)]
    person: Id
    answer: Literal["ok", "pass"]
    signature: Signature
    session: Signature = ""


class _Webhook(EntryModel):
    kind: Literal["webhook"]
    route: Literal["inbound", "status"]
    address: Annotated[str, Field(min_length=1, max_length=2048)]
    parameters: Annotated[list[Annotated[list[ValueText], Field(min_length=2, max_length=2)]], Field(max_length=200)]
    signature: Signature


class _Wish(EntryModel):
    kind: Literal["wish"]
    incident: Id
    reader: Address
    signature: Signature


class _FiringModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    severity: Annotated[str, Field(max_length=255)]
    service: Annotated[str, Field(max_length=255)]
    newest_at: At
    marks: Annotated[str, Field(pattern=r"^([a-z2-7]{8})+$", max_length=ENTRY_MOST)]


class _AlertModel(EntryModel):
    kind: Literal["alert"]
    group: Annotated[str, Field(pattern=r"^[a-z2-7]{8}$")]
    title: Annotated[str, Field(min_length=1, max_length=255)]
    summary: ValueText
    truncated: Annotated[int, Field(ge=0, le=1_000_000_000)]
    ended_at: At | None
    firing: Annotated[list[_FiringModel], Field(max_length=ENTRY_MOST)]
    began_at: At | None = None
    links: Annotated[list[Link], Field(max_length=LINKS_MOST)] = Field(default_factory=list)


class _Word(EntryModel):
    kind: Literal["word"]
    cause: Annotated[str, Field(min_length=1, max_length=100)]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_MOST)]


class _Resubscribe(EntryModel):
    kind: Literal["resubscribe"]
    address: Address


class _CommandAnswer(EntryModel):
    kind: Literal["command_answer"]
    incident: Id
    episode: Annotated[int, Field(ge=0, le=1_000_000)]
    person: Id
    answer: Literal["ok", "pass"]


class _Prune(EntryModel):
    kind: Literal["prune"]
    before: At
    person: Annotated[str, Field(max_length=255)] = ""
    words: Names = Field(default_factory=list)
    names: Names = Field(default_factory=list)


_Told = _Answer | _Webhook | _Wish | _AlertModel | _Word | _Resubscribe | _CommandAnswer | _Prune
_Whole = EditModel | DeclareModel | SignInModel | CodeModel | LeaveModel | SignOutModel
"""These know themselves what they are in the house's own values."""
_Model = _Told | _Whole
_ENTRIES: TypeAdapter[_Model] = TypeAdapter(
    Annotated[_Model, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)
"""Built, as its models are, once there is an entry to read: that takes 30 ms of a start otherwise."""


def write_entry(entry: InboxEntry) -> bytes:
    """An entry as its file holds it. A lone surrogate is written as a question mark."""
    values: dict[str, Any] = {"kind": entry.kind.value, **asdict(entry)}
    if isinstance(entry, EditEntry):
        values["edit"] = edit_values(entry.edit)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_instant)
    return text.encode("utf-8", "replace")


def _instant(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def read_entry(data: bytes) -> InboxEntry | str:
    """The entry that a file holds, or why it is none, in a few words that repeat nothing of it."""
    if len(data) > ENTRY_MOST:
        return f"it is over {ENTRY_MOST // 1024} kB"
    try:
        return _entry(_ENTRIES.validate_json(data))
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        known = {name for model in _MODELS for name in (*model.model_fields, model.__name__)}
        place = next((str(part) for part in first["loc"][1:] if part in known), "")
        return f"it is no entry: {place + ': ' if place else ''}{_WORDS.get(first['type'], 'a value that is none')}"


_MODELS: tuple[type[EntryModel], ...] = (
    _Answer,
    _Webhook,
    _Wish,
    _AlertModel,
    _Word,
    _Resubscribe,
    EditModel,
    DeclareModel,
    SignInModel,
    CodeModel,
    LeaveModel,
    SignOutModel,
    _CommandAnswer,
    _Prune,
)
_WORDS = {
    "json_invalid": "no JSON",
    "union_tag_not_found": "no kind",
    "union_tag_invalid": "an unknown kind",
    "missing": "missing",
    "extra_forbidden": "an unknown key",
    "string_too_long": "too long",
    "too_long": "too long",
}


def _entry(model: _Model) -> InboxEntry:
    """What a model says, as the house's own value."""
    match model:
        case _Answer():
            answer = Answer(model.answer)
            by = model.person, answer, model.signature, model.session
            return AnswerEntry(model.ref, model.incident, model.episode, *by)
        case _Webhook():
            pairs = tuple((name, value) for name, value in model.parameters)
            return WebhookEntry(model.ref, WebhookRoute(model.route), model.address, pairs, model.signature)
        case _Wish():
            return WishEntry(model.ref, model.incident, model.reader, model.signature)
        case _AlertModel():
            firing = tuple(FiringAlerts(**dict(some)) for some in model.firing)
            return AlertEntry(
                model.ref,
                model.group,
                model.title,
                model.summary,
                model.truncated,
                model.ended_at,
                firing,
                model.began_at,
                tuple((title, address) for title, address in model.links),
            )
        case _Word():
            return WordEntry(model.ref, model.cause, model.text)
        case _Resubscribe():
            return ResubscribeEntry(model.ref, model.address)
        case _CommandAnswer():
            return CommandAnswerEntry(model.ref, model.incident, model.episode, model.person, Answer(model.answer))
        case _Prune():
            return PruneEntry(model.ref, model.before, model.person, tuple(model.words), tuple(model.names))
        case EditModel() | DeclareModel() | SignInModel() | CodeModel() | LeaveModel() | SignOutModel():
            return model.entry()
