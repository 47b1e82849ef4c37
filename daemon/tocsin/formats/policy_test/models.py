"""The shape of policy tests, as pydantic models: keys, their types and defaults.

They decide what one test may hold, not whether the names in it lead somewhere, nor whether it can hold. Their
descriptions become the JSON Schema's. Must not know places, files or the plan.
"""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from tocsin.domain.notification import Reason
from tocsin.formats.incident.json_schema import incident_fields_schema
from tocsin.formats.policy_test.expectations import CALLED, When
from tocsin.formats.policy_test.script import STEPS_LIMIT
from tocsin.formats.policy_test.script_schema import step_schema
from tocsin.formats.schema import json_schema, patterns
from tocsin.formats.schema.fields import Channels, Count, Delay, Duration, Instant, Model, Text, one_or_many
from tocsin.text import scalars

EXPECTATIONS_LIMIT = 1000
"""The most expectations of one test."""


def _when(value: Any) -> When:
    """`5m`, `5m..6m`, or `30m..`."""
    if not isinstance(value, str):
        raise ValueError("write a moment such as 5m, or a window such as 5m..6m")  # noqa: TRY004 - pydantic's protocol
    first, dots, last = value.partition("..")
    if not dots:
        return When(_span(first), _span(first))
    when = When(_span(first), _span(last) if last.strip() else None)
    if when.last is not None and when.last < when.first:
        raise ValueError(f'"{value}" ends before it begins; write the earlier moment first')
    return when


def _span(text: str) -> timedelta:
    """A span; plain 0 is one too."""
    return timedelta(0) if text.strip() == "0" else scalars.duration(text)


def _whole(value: Any) -> Any:
    return scalars.whole(value) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """One expectation will do where a list is meant."""
    return [value] if isinstance(value, dict) else value


def _one_of(*keys: str) -> json_schema.JsonSchema:
    """One of these keys says what is expected, and no other."""
    return {"oneOf": [{"required": [key]} for key in keys]}


Whom = Annotated[
    list[Text],
    BeforeValidator(one_or_many),
    Field(min_length=1),
    WithJsonSchema(json_schema.one_or_list(json_schema.text(200))),
]
RoleNames = Annotated[
    list[Text],
    BeforeValidator(one_or_many),
    Field(min_length=1),
    WithJsonSchema(json_schema.one_or_list(patterns.NAME)),
]
Moments = Annotated[When, PlainValidator(_when), WithJsonSchema(patterns.MOMENTS)]
Number = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1000), WithJsonSchema(json_schema.whole(0, 1000))]
KindName = Annotated[Text, WithJsonSchema({"type": "string", "enum": list(CALLED)})]


class MessageEntry(Model):
    """Messages that the plan sends: one kind, with who gets it, and what else is to be so."""

    model_config = ConfigDict(json_schema_extra=_one_of(*CALLED))

    after: Moments | None = Field(None, description="so long after `at`, or a window such as 5m..6m; absent: any time")
    page: Whom | None = Field(None, description="people who are paged")
    stand_down: Whom | None = Field(None, description="people who are told that they are no longer needed")
    update: Whom | None = Field(None, description="stakeholder groups, people or addresses that hear an update")
    closing: Whom | None = Field(None, description="people or addresses that get the closing message")
    reminder: Whom | None = Field(None, description="who is reminded that an update is due")
    verify: Whom | None = Field(None, description="who is asked to confirm health")
    review: Whom | None = Field(None, description="who is asked to finish the review")
    as_: RoleNames | None = Field(None, alias="as", description="the message names these roles (maybe more)")
    via: Channels | None = Field(None, description="it goes by all of these channels; absent: by any")
    reason: Reason | None = Field(None, description="why it is sent, as `simulate` says it")
    level: Number | None = Field(None, description="a page's level of the chain, from 0")
    round: Count | None = Field(None, description="a page's time through the chain, from 1")
    to: Whom | None = Field(None, description="beside `never` or `update`: these people or addresses only")
    group: Text | None = Field(None, description="an update's stakeholder group")


class ExpectEntry(MessageEntry):
    """One expectation: a message that is sent, one that never is, the end of all messages, or the whole list."""

    model_config = ConfigDict(json_schema_extra=_one_of(*CALLED, "never", "none_after", "exactly"))

    never: KindName | None = Field(None, description="no message of this kind is sent (see `to`, `as`, `via`, `after`)")
    none_after: Delay | None = Field(None, description="nothing at all is sent later than this")
    exactly: list[MessageEntry] | None = Field(
        None, max_length=EXPECTATIONS_LIMIT, description="all messages of the time played: none missing, none besides"
    )


class PolicyTestEntry(Model):
    """A policy test: an incident, the moment at which it is first seen, what happens then, and what the plan does."""

    name: Text | None = Field(None, description="what it shows; absent: the file's name")
    at: Instant = Field(description="when the incident is first seen")
    incident: Annotated[
        Any, WithJsonSchema({"anyOf": [json_schema.text(1000), incident_fields_schema("severity")]})
    ] = Field(description="an incident as its file has it, or the path of an incident file, relative to this one")
    for_: Duration | None = Field(
        None, alias="for", description="how long it is played; absent: as long as `expect` needs, or 4h"
    )
    steps: Annotated[list[Any], WithJsonSchema(json_schema.list_of(step_schema(), least=0))] = Field(
        [], max_length=STEPS_LIMIT, description="what happens then, as in a script of `simulate`"
    )
    expect: Annotated[
        list[ExpectEntry],
        BeforeValidator(_listed, json_schema_input_type=ExpectEntry | list[ExpectEntry]),
        Field(min_length=1, max_length=EXPECTATIONS_LIMIT),
    ] = Field(description="what the plan does; one expectation needs no list")
