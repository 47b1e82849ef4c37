"""What a production install takes has a licence that is allowed, and both lists of it are current."""

import json
import tomllib

import pytest

from supply import licences, lock, sbom
from supply.lock import Pin

PINS = lock.read(lock.RUN)


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_each_licence_is_allowed(pin: Pin) -> None:
    """The library is installed at the lock's version, and its metadata names a licence of the list."""
    assert licences.allowed(licences.licence_of(pin))


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("(MIT OR Apache-2.0)", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("", False),
    ],
)
def test_what_is_allowed(expression: str, fine: bool) -> None:
    """Each part that cannot be chosen away."""
    assert licences.allowed(expression) is fine


def test_another_version_is_not_spoken_for() -> None:
    """A licence is told of the locked version only, and of what is installed only."""
    with pytest.raises(licences.LicenceError, match=r"jinja2 .* is installed, the lock says 0\.0"):
        licences.licence_of(Pin("jinja2", "0.0", (), ()))
    with pytest.raises(licences.LicenceError, match="nowhere is not installed"):
        licences.licence_of(Pin("nowhere", "1.0", (), ()))


def test_the_page_is_current() -> None:
    """docs/dependencies.md is what `make licences` writes; the licences that ask for something are explained."""
    page = licences.page(licences.table(PINS))
    assert licences.PAGE.read_text(encoding="utf-8") == page
    assert "**LGPL-3.0-or-later** (recurring-ical-events, x-wr-timezone)" in page
    assert "**MPL-2.0** (asyncinotify, certifi)" in page
    assert all(f"| {pin.name} | {pin.version} | " in page for pin in PINS)


def test_the_bill_of_materials_is_current() -> None:
    """packaging/sbom.cdx.json is what `make sbom` writes, byte for byte, with the hashes of the lock."""
    bill = sbom.bill(licences.table(PINS))
    assert sbom.BILL.read_text(encoding="utf-8") == bill
    components = {component["name"]: component for component in json.loads(bill)["components"]}
    assert {name: component["version"] for name, component in components.items()} == {
        pin.name: pin.version for pin in PINS
    }
    for pin in PINS:
        assert tuple(entry["content"] for entry in components[pin.name]["hashes"]) == pin.hashes
        assert components[pin.name]["licenses"]


def test_a_server_gets_the_lists_that_the_pages_name() -> None:
    """The lock and the bill of materials go with the wheel, to where docs/ says they are."""
    project = tomllib.loads((lock.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for path, page in ((lock.RUN, "installing.md"), (sbom.BILL, "dependencies.md")):
        place = shared[path.relative_to(lock.ROOT).as_posix()]
        assert f"/opt/tocsin/{place}" in (lock.ROOT / "docs" / page).read_text(encoding="utf-8")


def test_the_bill_of_materials_is_cyclonedx() -> None:
    """It holds against CycloneDX' own schema, strictly; a spoiled one does not."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bill = sbom.BILL.read_text(encoding="utf-8")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(bill) is None
    assert validator.validate_str(bill.replace('"SHA-256"', '"SHA-257"')) is not None
