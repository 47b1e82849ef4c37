"""`make audit`: the known advisories against exactly the locked versions.

They are read by pip-audit from OSV, and what OSV does not give from the index. Where neither answers, that is said and
the status is 2: nothing was found is never said by who could not look. So one library with a known advisory is asked
about as well; whoever knows nothing of that one knows nothing.
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supply import lock

IGNORED = Path(__file__).with_name("ignored.toml")
KNOWN_BAD = ("flask", "0.12")
"""Has had advisories since 2018 (CVE-2018-1000656), and nobody here takes it."""
SECONDS = 600.0
FINE, CONCERNED, NOT_READ = 0, 1, 2


@dataclass(frozen=True)
class Advisory:
    """What is known against one library. `ids`: all its names; `mended_in`: versions."""

    package: str
    version: str
    ids: tuple[str, ...]
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        cure = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "not mended yet"
        return f"{self.package} {self.version}: {', '.join(self.ids)}; {cure}"


@dataclass(frozen=True)
class Exemption:
    """One entry of ignored.toml: it holds before the day `until`."""

    id: str
    package: str
    until: dt.date
    reason: str

    def covers(self, advisory: Advisory) -> bool:
        """Whether this advisory is the one meant, by whichever of its names."""
        return self.package == advisory.package and self.id in advisory.ids


@dataclass
class Answers:
    """What could be read: the libraries that were answered for, what is known against them, and why not all were."""

    read: set[str] = field(default_factory=set)
    advisories: list[Advisory] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class ExemptionError(Exception):
    """An entry of ignored.toml that cannot be used: what is wrong with it."""


def exemptions(path: Path = IGNORED) -> tuple[Exemption, ...]:
    """The entries of ignored.toml. Raises ExemptionError for one without a name, package, day or reason."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("ignored", [])
        kept = tuple(Exemption(**entry) for entry in entries)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ExemptionError(f"{path.name}: {error}; each [[ignored]] has id, package, until and reason") from error
    for entry in kept:
        if type(entry.until) is not dt.date or not (entry.id and entry.package and entry.reason):
            raise ExemptionError(f"{path.name}: {entry.id or 'an entry'} needs id, package, until (a day) and reason")
    return kept


def ask(versions: Mapping[str, str], service: Sequence[str]) -> Answers:
    """What one service says of these libraries. `service`: the options by which pip-audit asks it."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as asked:
        asked.writelines(f"{name}=={version}\n" for name, version in [*versions.items(), KNOWN_BAD])
        asked.flush()
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"]
        command += ["--format", "json", "--aliases", "on", "--desc", "off", *service, "--requirement", asked.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return Answers(reasons=[f"no answer within {SECONDS:.0f} s"])
    try:
        listed = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Answers(reasons=[(done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1][:300]])
    return _answers(listed)


def _answers(listed: Sequence[Mapping[str, Any]]) -> Answers:
    """What pip-audit listed. Nothing of it counts if the library that is known to be bad looks good there."""
    answers = Answers()
    for entry in listed:
        if "vulns" not in entry:
            answers.reasons.append(str(entry.get("skip_reason", f"nothing was said of {entry['name']}")))
            continue
        answers.read.add(entry["name"])
        answers.advisories += [
            Advisory(entry["name"], entry["version"], (vuln["id"], *vuln["aliases"]), tuple(vuln["fix_versions"]))
            for vuln in entry["vulns"]
        ]
    if not any(advisory.package == KNOWN_BAD[0] for advisory in answers.advisories):
        unknown = f"it does not know what is known against {' '.join(KNOWN_BAD)}"
        return Answers(reasons=answers.reasons[:1] or [unknown])
    answers.read.discard(KNOWN_BAD[0])
    answers.advisories = [advisory for advisory in answers.advisories if advisory.package != KNOWN_BAD[0]]
    return answers


def ask_all(versions: Mapping[str, str], services: Mapping[str, Sequence[str]]) -> Answers:
    """What the services say, each asked only about what those before did not answer for."""
    answers = Answers()
    for name, service in services.items():
        left = {package: version for package, version in versions.items() if package not in answers.read}
        if not left:
            break
        more = ask(left, service)
        answers.read |= more.read
        answers.advisories += more.advisories
        answers.reasons += [f"{name}: {reason}" for reason in more.reasons[:1]]
    return answers


def report(
    versions: Mapping[str, str], answers: Answers, exempt: Collection[Exemption], today: dt.date
) -> tuple[list[str], int]:
    """What is to be said, and the status: CONCERNED, else NOT_READ where a library was not answered for, else FINE."""
    lines: list[str] = []
    counted = 0
    met: set[Exemption] = set()
    for advisory in sorted(answers.advisories, key=lambda advisory: (advisory.package, advisory.ids)):
        entry = next((entry for entry in exempt if entry.covers(advisory)), None)
        if entry:
            met.add(entry)
        if entry is None or today >= entry.until:
            counted += 1
            lines.append(str(advisory) + (f"; was ignored until {entry.until}" if entry else ""))
        else:
            lines.append(f"{advisory}; ignored until {entry.until}: {entry.reason}")
    lines += [
        f"{IGNORED.name}: {entry.id} of {entry.package} is not met any more; take it out"
        for entry in exempt
        if entry not in met and entry.package in answers.read
    ]
    unread = sorted(versions.keys() - answers.read)
    if unread:
        lines.append(f"the advisories could not be read: {'; '.join(answers.reasons)}")
        lines.append(f"not checked: {', '.join(unread)}" if answers.read else "nothing was checked")
    checked = len(answers.read)
    if checked:
        lines.append(f"{checked} packages checked, {counted} known {'advisory' if counted == 1 else 'advisories'}")
    return lines, CONCERNED if counted else NOT_READ if unread else FINE


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, print, and give the status."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--lock", type=Path, default=lock.DEVELOP, help="the lock to read (this one holds all others)")
    parser.add_argument("--ignored", type=Path, default=IGNORED, help="the advisories that do not count")
    parser.add_argument(
        "--osv-url", default="", help="another server that answers as OSV's query; the only one asked then"
    )
    options = parser.parse_args(arguments)
    services: dict[str, list[str]] = {"OSV": ["-s", "osv"], "the index": ["-s", "pypi"]}
    if options.osv_url:
        services = {options.osv_url: ["-s", "osv", "--osv-url", options.osv_url]}
    try:
        exempt = exemptions(options.ignored)
        versions = {pin.name: pin.version for pin in lock.read(options.lock)}
    except (ExemptionError, lock.LockError) as error:
        print(error)
        return NOT_READ
    lines, status = report(versions, ask_all(versions, services), exempt, dt.datetime.now(dt.UTC).date())
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
