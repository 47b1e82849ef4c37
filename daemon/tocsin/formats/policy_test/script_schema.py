"""The JSON Schema of a step, as scripts of `simulate` and policy tests have it.

Must not know whether a person is in the config, nor what playing a step does.
"""

from tocsin.formats.incident.json_schema import incident_fields_schema
from tocsin.formats.incident.values import NAME_LIMIT, TEXT_LIMIT
from tocsin.formats.schema.json_schema import JsonSchema, one_or_list, or_null, text
from tocsin.formats.schema.patterns import CHANNEL, DELAY


def step_schema() -> JsonSchema:
    """One step: when, and what happens then."""
    person = text(NAME_LIMIT)
    happens: dict[str, JsonSchema] = {
        "ack": {**one_or_list(person), "description": "people who answer ok, by id, full name or email"},
        "pass": {**one_or_list(person), "description": "people who decline"},
        "set": {**incident_fields_schema(), "description": "fields of the incident's file that are replaced"},
        "update": {**text(TEXT_LIMIT), "description": "an update is appended: what internal stakeholders hear"},
        "public": {**text(TEXT_LIMIT), "description": "and what external ones hear"},
        "fail": {
            "description": "the provider refuses this address from here on",
            "type": "object",
            "additionalProperties": False,
            "required": ["person", "via"],
            "properties": {
                "person": {**person, "description": "a person, or a plain address of a group"},
                "via": {**CHANNEL, "description": "the channel"},
            },
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["after"],
        "minProperties": 2,
        "properties": {
            "after": {**DELAY, "description": "so long after `at`"},
            **{key: or_null(schema) for key, schema in happens.items()},
        },
    }
