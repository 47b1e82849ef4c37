"""A lock: which library at which version, with the hashes of its files, and who needs it."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "requirements.lock"
DEVELOP = ROOT / "requirements-dev.lock"

_PINNED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? \\$")
_HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})(?: \\)?$")
_NEEDED_BY = re.compile(r"^    # +(?:via )?(?!via$)(?P<name>[a-z0-9][a-z0-9-]*)(?: \(pyproject\.toml\))?$")
_BY_US = "tocsin"


class LockError(Exception):
    """A line of a lock that is none of ours: place and line."""


@dataclass(frozen=True)
class Pin:
    """One library of a lock. `hashes` are SHA-256, in hexadecimal; `needed_by` names libraries, or tocsin."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def direct(self) -> bool:
        """Whether tocsin itself asks for it."""
        return _BY_US in self.needed_by


def read(path: Path) -> tuple[Pin, ...]:
    """The lock's libraries, by name. Raises LockError for a line that `make lock` does not write."""
    pins: list[Pin] = []
    name, version = "", ""
    hashes: list[str] = []
    needed_by: list[str] = []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        pinned = _PINNED.match(line)
        if (pinned or not line) and name:
            pins.append(Pin(name, version, tuple(hashes), tuple(needed_by)))
        if pinned:
            name, version, hashes, needed_by = pinned["name"], pinned["version"], [], []
        elif hashed := _HASH.match(line):
            hashes.append(hashed[1])
        elif needing := _NEEDED_BY.match(line):
            needed_by.append(needing["name"])
        elif line and line != "    # via" and not line.startswith("    #   -c "):
            raise LockError(f"{path.name}:{number}: {line!r} is no line of a lock; make lock writes it")
    return tuple(pins)
