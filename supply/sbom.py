"""`make sbom`: the bill of materials of a production install, as CycloneDX 1.6 in JSON.

Made of the lock alone and of what the libraries say of their licences, so the same lock gives the same bytes: no time,
and a serial number that is a hash of the rest.
"""

import json
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

from supply import licences, lock

BILL = lock.ROOT / "packaging" / "sbom.cdx.json"


def bill(licence_of: dict[lock.Pin, str]) -> str:
    """The document."""
    project = tomllib.loads((lock.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = {pin.name: _purl(pin.name, pin.version) for pin in licence_of}
    place["tocsin"] = _purl("tocsin", project["version"])
    needs: dict[str, list[str]] = {ref: [] for ref in place.values()}
    for pin in licence_of:
        for name in pin.needed_by:
            needs[place[name]].append(place[pin.name])
    content: dict[str, Any] = {
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": place["tocsin"],
                "name": "tocsin",
                "version": project["version"],
                "description": project["description"],
                "licenses": _licenses(project["license"]["text"]),
                "purl": place["tocsin"],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": place[pin.name],
                "name": pin.name,
                "version": pin.version,
                "hashes": [{"alg": "SHA-256", "content": sha256} for sha256 in pin.hashes],
                "licenses": _licenses(licence),
                "purl": place[pin.name],
            }
            for pin, licence in licence_of.items()
        ],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needed)} for ref, needed in sorted(needs.items())],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content))
    head = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return json.dumps(head | content, indent=1) + "\n"


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _licenses(expression: str) -> list[dict[str, Any]]:
    """One SPDX name is an id, more are an expression."""
    return [{"expression": expression}] if " " in expression else [{"license": {"id": expression}}]


def main() -> int:
    """Write it; 1 and nothing written where a licence cannot be told."""
    try:
        BILL.write_text(bill(licences.table(lock.read(lock.RUN))), encoding="utf-8")
    except licences.LicenceError as error:
        print(error)
        return 1
    print(f"{BILL.relative_to(Path.cwd())} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
