"""The types of fields in config files: text on the way in, a value or a sentence about what to write on the way out.

They decide how a scalar or a list is read and what the JSON Schema says of it. Must not know which entry has the field.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from daemon.documents import contacts, scalars
from daemon.domain.people import Channel
from daemon.domain.rotation import Window


def one_or_many(value: Any) -> Any:
    """One value will do where a list is meant."""
    return [value] if isinstance(value, str) else value


def _text(read: Any) -> Any:
    """Read the text of a scalar; anything else goes on to pydantic's own complaint."""
    return lambda value: read(value) if isinstance(value, str) else value


def _window(value: Any) -> Window:
    if not isinstance(value, str):
        raise ValueError('must be a window such as "mon-fri 09:00-17:00"')  # noqa: TRY004 - pydantic's protocol
    return scalars.window(value)


def _positive(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("must be longer than nothing; write a duration such as 5m")
    return span


def _each_once(values: list[Any]) -> list[Any]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ValueError(f'"{twice}" stands twice; name it once')
    return values


_DURATION = {"type": "string", "pattern": r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$|^P", "examples": ["5m", "1h30m"]}

Text = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, AfterValidator(scalars.name)]
Delay = Annotated[timedelta, BeforeValidator(_text(scalars.duration), json_schema_input_type=str)]
Duration = Annotated[Delay, AfterValidator(_positive), Field(json_schema_extra=_DURATION)]
Truth = Annotated[bool, BeforeValidator(_text(scalars.truth), json_schema_input_type=bool)]
Count = Annotated[int, BeforeValidator(_text(scalars.whole), json_schema_input_type=int), Field(ge=1, le=1000)]
Zone = Annotated[str, AfterValidator(scalars.zone)]
Instant = Annotated[datetime, BeforeValidator(_text(scalars.instant), json_schema_input_type=str)]
LocalTime = Annotated[datetime, BeforeValidator(_text(scalars.local_time), json_schema_input_type=str)]
Email = Annotated[str, AfterValidator(contacts.email)]
Phone = Annotated[str, AfterValidator(contacts.phone)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
During = Annotated[Window, PlainValidator(_window, json_schema_input_type=str)]

Names = Annotated[list[Name], BeforeValidator(one_or_many, json_schema_input_type=str | list[str]), Field(min_length=1)]
NamesOnce = Annotated[Names, AfterValidator(_each_once)]
Channels = Annotated[
    list[Channel],
    BeforeValidator(one_or_many, json_schema_input_type=Channel | list[Channel]),
    AfterValidator(_each_once),
    Field(min_length=1),
]
Whos = Annotated[list[Text], BeforeValidator(one_or_many, json_schema_input_type=str | list[str]), Field(min_length=1)]
Chain = Annotated[
    list[Whos], BeforeValidator(one_or_many, json_schema_input_type=str | list[str | list[str]]), Field(min_length=1)
]
Windows = Annotated[
    list[During], BeforeValidator(one_or_many, json_schema_input_type=str | list[str]), Field(min_length=1)
]
Emails = Annotated[list[Email], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]


class Model(BaseModel):
    """An entry of a fragment: unknown keys are errors, a key without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: entry for key, entry in value.items() if entry is not None}
        return {} if value is None else value
