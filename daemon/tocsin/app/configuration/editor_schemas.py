"""The JSON Schemas that editors read: `config` for every YAML file of the config folder, `incident` for incident files.

Decides how the kinds of config file become one schema. Their keys stand side by side at the top, so that an editor can
offer and explain each and underlines one wrong value alone; that a file is of one kind is a rule about its keys.
"""

import json

from tocsin.formats.config.entries import Fragment
from tocsin.formats.incident.json_schema import incident_schema
from tocsin.formats.policy_test.models import PolicyTestEntry
from tocsin.formats.schema.json_schema import DIALECT, JsonSchema, model_schema
from tocsin.formats.settings.settings import Settings

FOLDER = "schema"
"""The folder of the schemas inside the config folder."""


def incident() -> str:
    """The schema of an incident file, as JSON text."""
    return _shown(incident_schema())


def config() -> str:
    """The schema of a config file, as JSON text."""
    test = model_schema(PolicyTestEntry)
    kinds = {
        "a fragment": model_schema(Fragment),
        "settings (tocsin.yaml)": _anywhere(model_schema(Settings)),
        "a policy test (tests/)": test,
    }
    defs: JsonSchema = {_TEST: {key: value for key, value in test.items() if key != "$defs"}}
    properties: JsonSchema = {}
    for kind in kinds.values():
        assert not defs.keys() & kind["$defs"].keys()
        assert not properties.keys() & kind["properties"].keys()
        defs |= kind["$defs"]
        properties |= kind["properties"]
    properties |= {
        key: {"$ref": f"#/$defs/{_TEST}/properties/{key}", "description": schema["description"]}
        for key, schema in test["properties"].items()
    }
    return _shown(
        {
            "$schema": DIALECT,
            "$id": "urn:tocsin:schema:config",
            "title": "tocsin config file",
            "description": "A fragment of the config, the daemon's settings (tocsin.yaml), or policy tests (tests/).",
            "type": ["object", "array", "null"],
            "additionalProperties": False,
            "properties": properties,
            "anyOf": [
                {
                    "description": name,
                    "propertyNames": {"enum": list(kind["properties"])},
                    "required": kind.get("required", []),
                }
                for name, kind in kinds.items()
            ],
            "items": {"$ref": f"#/$defs/{_TEST}"},
            "minItems": 1,
            "$defs": dict(sorted(defs.items())),
        }
    )


_TEST = PolicyTestEntry.__name__
SCHEMAS = {"incident": incident, "config": config}
"""What `tocsin schema` can print, by name."""


def _anywhere(settings: JsonSchema) -> JsonSchema:
    """Settings of which none must stand in the file: any may come from the environment instead."""
    settings.pop("required")
    for section in settings["$defs"].values():
        section.pop("required", None)
    return settings


def _shown(schema: JsonSchema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
