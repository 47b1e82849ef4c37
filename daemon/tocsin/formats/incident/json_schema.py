"""The JSON Schema of an incident file, for editors: what a good one looks like."""

from tocsin.formats.incident.fields import FIELDS, fields_schema
from tocsin.formats.schema.json_schema import DIALECT, JsonSchema


def incident_schema() -> JsonSchema:
    """The whole schema, its properties in the order of the manual."""
    return {
        "$schema": DIALECT,
        "$id": "urn:tocsin:schema:incident",
        "title": "tocsin incident file",
        "description": "An incident: title and severity are enough. The file's name is the incident's id.",
        **incident_fields_schema("title", "severity"),
    }


def incident_fields_schema(*needed: str) -> JsonSchema:
    """The fields of an incident, of which some must be there."""
    return fields_schema(FIELDS, *needed)
