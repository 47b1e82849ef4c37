"""`make licences`: under which licence each library comes that a production install takes, from its own metadata.

Writes docs/dependencies.md. A licence that is not among those allowed here, or that cannot be told, is an error.
"""

import re
import sys
from collections.abc import Iterable
from importlib import metadata

from supply import lock

PAGE = lock.ROOT / "docs" / "dependencies.md"

PERMISSIVE = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PSF-2.0", "Unlicense"}
WEAK_COPYLEFT = {"LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"}
ALLOWED = PERMISSIVE | WEAK_COPYLEFT
"""SPDX names."""

_WRITTEN_OTHERWISE = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
"""What metadata from before SPDX expressions says. Of "BSD License" the stricter one is taken."""

INTRODUCTION = """\
# What tocsin is made of

Written by `make licences` from the lock of a production install (`requirements.lock`) and the libraries' own metadata.
Do not edit it.

tocsin itself is under the MIT licence. {count} libraries come with it, each at exactly the version given here, checked
by its hash. On an installed server `/opt/tocsin/share/tocsin/sbom.cdx.json` says the same for programs (CycloneDX),
with the hashes. All are taken as wheels: nothing of theirs runs while they are installed. There are wheels of all of
them for Linux on 64-bit x86 and ARM (glibc and musl), for macOS on both of its processors, and for 64-bit Windows, for
Python 3.11 to 3.13. Elsewhere (32-bit ARM, RISC-V) pip refuses what it would have to build.

| library | version | licence | needed by |
|---|---|---|---|
"""

_LGPL = """\
tocsin uses them unchanged, as libraries that are installed beside it and can be
  replaced by another version. Running them asks for nothing. Whoever hands tocsin on together with them hands on their
  licence and their source as well, and must not forbid replacing them; what is changed in them stays under their
  licence. tocsin's own code does not come under it."""

MEANING = {
    "LGPL-3.0-only": f"**LGPL-3.0-only** ({{packages}}): {_LGPL}",
    "LGPL-3.0-or-later": f"**LGPL-3.0-or-later** ({{packages}}): {_LGPL}",
    "MPL-2.0": """\
**MPL-2.0** ({packages}): holds file by file. Running it asks for nothing. Whoever changes one of its files and hands
  that on gives that file's source under the same licence; nothing else comes under it.""",
}


class LicenceError(Exception):
    """A licence that cannot be told, or is not allowed here: which library, and what its metadata says."""


def licence_of(pin: lock.Pin) -> str:
    """The SPDX expression of a library that is installed at the lock's version. Raises LicenceError."""
    try:
        about = metadata.metadata(pin.name)
    except metadata.PackageNotFoundError as error:
        raise LicenceError(f"{pin.name} is not installed; make test installs what the lock says") from error
    if about["Version"] != pin.version:
        raise LicenceError(
            f"{pin.name} {about['Version']} is installed, the lock says {pin.version}; make test installs it"
        )
    names = [
        _WRITTEN_OTHERWISE.get(name, name)
        for name in (
            *(about.get_all(key, [""])[0] for key in ("License-Expression", "License")),
            *(line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")),
        )
    ]
    expression = names[0] or (names[1] if names[1] in ALLOWED else " AND ".join(sorted(names[2:])))
    if not allowed(expression):
        raise LicenceError(f"{pin.name} {pin.version}: {expression or 'no licence is named'}; see supply/licences.py")
    return expression


def allowed(expression: str) -> bool:
    """Whether each part of it is allowed that cannot be chosen away (`A AND B`; of `A OR B` one is enough)."""
    parts = re.split(r" AND ", expression)
    return all(any(name.strip("()") in ALLOWED for name in part.split(" OR ")) for part in parts)


def table(pins: Iterable[lock.Pin]) -> dict[lock.Pin, str]:
    """The licence of each library. Raises LicenceError naming all that have none that is allowed."""
    licences: dict[lock.Pin, str] = {}
    problems: list[str] = []
    for pin in pins:
        try:
            licences[pin] = licence_of(pin)
        except LicenceError as error:
            problems.append(str(error))
    if problems:
        raise LicenceError("\n".join(problems))
    return licences


def page(licences: dict[lock.Pin, str]) -> str:
    """docs/dependencies.md."""
    rows = "".join(
        f"| {pin.name} | {pin.version} | {licence} | {', '.join(pin.needed_by)} |\n"
        for pin, licence in licences.items()
    )
    meanings = "\n".join(
        f"- {MEANING[name].format(packages=', '.join(pin.name for pin in licences if name in licences[pin]))}"
        for name in sorted(WEAK_COPYLEFT)
        if any(name in licence for licence in licences.values())
    )
    return (
        f"{INTRODUCTION.format(count=len(licences))}{rows}\n"
        "All but these ask only that their licence and notices stay with them, as they do in an install:\n\n"
        f"{meanings}\n"
    )


def main() -> int:
    """Write the page; 1 and nothing written where a licence is not allowed."""
    try:
        PAGE.write_text(page(table(lock.read(lock.RUN))), encoding="utf-8")
    except LicenceError as error:
        print(error)
        return 1
    print(f"docs/{PAGE.name} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
