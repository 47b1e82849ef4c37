"""The types of fields in config files: text on the way in, a value or a sentence about what to write on the way out.

They decide how a scalar or a list is read and what the JSON Schema says of it. Must not know which entry has the field.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from tocsin.domain.people import Channel
from tocsin.domain.rotation import Window
from tocsin.formats.schema import addresses, json_schema, patterns
from tocsin.text import contacts, scalars
from tocsin.text.cleaning import clean, cut


def one_or_many(value: Any) -> Any:
    """One value will do where a list is meant."""
    return [value] if isinstance(value, str) else value


def one_or_many_words(value: Any) -> Any:
    """Likewise for what has no comma in itself: a text with one is a list whose brackets were forgotten."""
    if isinstance(value, str) and "," in value:
        listed = ", ".join(word.strip() for word in value.split(","))
        raise ValueError(f'"{cut(value, LISTED_SHOWN)}" is one text; write [{cut(listed, LISTED_SHOWN)}]')
    return one_or_many(value)


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


def _line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise ValueError("must not be empty; leave it out instead")
    if clean(line) != line:
        raise ValueError("holds characters that cannot be seen, or turn the text around; write it anew, by hand")
    if len(line) > patterns.LINE_LIMIT:
        raise ValueError(f"is over {patterns.LINE_LIMIT} characters; shorten it")
    return line


def _language(text: str) -> str:
    if not re.fullmatch(patterns.LANGUAGE_CODE, text):
        raise ValueError(f'"{cut(text, LANGUAGE_SHOWN)}" is no code of a language; write one such as de or pt-BR')
    return text


def _each_once(values: list[Any]) -> list[Any]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ValueError(f'"{twice}" stands twice; name it once')
    return values


LISTED_SHOWN = 200
"""Letters of a list without brackets that are repeated."""
LANGUAGE_SHOWN = 20
"""Letters of a wrong language that are repeated."""
TEXT_LIMIT = 4000
"""The longest text of a config file, in characters."""

Text = Annotated[str, Field(max_length=TEXT_LIMIT), WithJsonSchema(json_schema.text(TEXT_LIMIT))]
Line = Annotated[str, AfterValidator(_line), WithJsonSchema(patterns.LINE)]
"""A text on one line, short enough for a message to name."""
Name = Annotated[str, AfterValidator(scalars.name), WithJsonSchema(patterns.NAME)]
Delay = Annotated[timedelta, BeforeValidator(_text(scalars.duration)), WithJsonSchema(patterns.DELAY)]
Duration = Annotated[Delay, AfterValidator(_positive), WithJsonSchema(patterns.DURATION)]
Truth = Annotated[bool, BeforeValidator(_text(scalars.truth)), WithJsonSchema(patterns.TRUTH)]
Count = Annotated[
    int, BeforeValidator(_text(scalars.whole)), Field(ge=1, le=1000), WithJsonSchema(json_schema.whole(1, 1000))
]
Zone = Annotated[str, AfterValidator(scalars.zone), WithJsonSchema(patterns.ZONE)]
Instant = Annotated[datetime, BeforeValidator(_text(scalars.instant)), WithJsonSchema(patterns.INSTANT)]
LocalTime = Annotated[datetime, BeforeValidator(_text(scalars.local_time)), WithJsonSchema(patterns.LOCAL_TIME)]
Email = Annotated[str, AfterValidator(contacts.email), WithJsonSchema(patterns.EMAIL)]
WebAddress = Annotated[str, AfterValidator(addresses.web_address), WithJsonSchema(patterns.URL)]
Links = Annotated[
    dict[Line, Annotated[str, AfterValidator(addresses.link), WithJsonSchema(patterns.LINK)]],
    Field(max_length=patterns.LINKS_MOST),
    WithJsonSchema(patterns.LINKS),
]
"""Addresses by what they are called."""
Phone = Annotated[str, AfterValidator(contacts.phone), WithJsonSchema(patterns.PHONE)]
Called = Annotated[Text, WithJsonSchema(patterns.NAME)]
"""A name that must lead somewhere; whoever looks it up has better words for a wrong one than its shape."""
Cron = Annotated[Text, WithJsonSchema(patterns.CRON)]
Language = Annotated[str, AfterValidator(_language), WithJsonSchema(patterns.LANGUAGE)]
During = Annotated[Window, PlainValidator(_window), WithJsonSchema(patterns.WINDOW)]

Names = Annotated[
    list[Name],
    BeforeValidator(one_or_many_words),
    Field(min_length=1),
    WithJsonSchema(json_schema.one_or_list(patterns.NAME)),
]
NamesOnce = Annotated[
    Names, AfterValidator(_each_once), WithJsonSchema(json_schema.one_or_list(patterns.NAME, once=True))
]
PerhapsNames = Annotated[
    list[Name],
    BeforeValidator(one_or_many_words),
    AfterValidator(_each_once),
    WithJsonSchema(json_schema.one_or_list(patterns.NAME, least=0, once=True)),
]
Channels = Annotated[
    list[Channel],
    BeforeValidator(one_or_many_words),
    AfterValidator(_each_once),
    Field(min_length=1),
    WithJsonSchema(json_schema.one_or_list(patterns.CHANNEL, once=True)),
]
Whos = Annotated[
    list[Text],
    BeforeValidator(one_or_many_words),
    Field(min_length=1),
    WithJsonSchema(json_schema.one_or_list(patterns.WHO)),
]
Chain = Annotated[list[Whos], BeforeValidator(one_or_many_words), Field(min_length=1), WithJsonSchema(patterns.CHAIN)]
WINDOWS_MOST = 50
"""The most windows of one `during`: each is looked at for each page."""
Windows = Annotated[
    list[During],
    BeforeValidator(one_or_many),
    Field(min_length=1, max_length=WINDOWS_MOST),
    WithJsonSchema(json_schema.one_or_list(patterns.WINDOW, most=WINDOWS_MOST)),
]
Emails = Annotated[
    list[Email], BeforeValidator(one_or_many_words), WithJsonSchema(json_schema.one_or_list(patterns.EMAIL, least=0))
]


class Model(BaseModel):
    """An entry of a fragment: unknown keys are errors, a key without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built when one is read: few ever are

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: entry for key, entry in value.items() if entry is not None}
        return {} if value is None else value
