"""The configuration as a whole: fragments and settings read together, from the folder or from the ledger's copy.

Decides whether a config is good: the fragments, the settings, and that the settings name people and severities that
exist. Never raises.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files import config_snapshot
from tocsin.adapters.git import read as git
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import MISNAMED, SETTINGS
from tocsin.formats.config.fragments import Fragments
from tocsin.formats.config.read import ConfigReading, Sources, read_config, unheard
from tocsin.formats.settings.layers import (
    UNKNOWN_VARIABLE,
    SettingsLayers,
    SettingsReading,
    ledger_addresses,
    read_settings,
)
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.formats.settings.variables import PREFIX
from tocsin.planning.on_call import handoffs
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, displayed_path, problem
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath, read_yaml

SERVER_CONFIG, SERVER_STATE = Path("/etc/tocsin"), Path("/var/lib/tocsin")
"""The config folder of an installed server, and where the daemon keeps things there."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A config that was read. It can be used when neither `policy` nor `settings` is None, even beside an unknown
    variable (rule 43).

    `own` is what tocsin.yaml and the environment say of this machine, also where the rest is refused; None: that cannot
    be told. `files` are its bytes by path relative to the folder, for the ledger's last good copy; `ledger` is where
    the ledger is to be looked for, whatever else is wrong, and `elsewhere` where next, if there is none (rule 43).
    `declared` knows where what the fragments declare stands. `unread` are those of the problems that are the disk's:
    what could not be read is no bad config (rule 73).
    """

    policy: Policy | None
    settings: Settings | None
    problems: tuple[Problem, ...]
    ledger: LedgerAddress
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    revision: str = ""
    declared: Fragments = field(default_factory=Fragments, repr=False)
    unread: tuple[Problem, ...] = ()
    elsewhere: tuple[LedgerAddress, ...] = ()
    own: Settings | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse this config, unknown variables included."""
        return tuple(problem for problem in self.problems if problem.level is ProblemLevel.ERROR)


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """A config folder as its disk gave it: files by path relative to it, what is wrong with them, and the revision. One
    that `was_in_force` is as git or the ledger has it: what tocsin refuses only today does not count.
    """

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    revision: str
    was_in_force: bool = False


def read_files(folder: Path) -> ConfigFiles:
    """What the disk gives of a config folder. It may hang."""
    files, problems = config_snapshot.snapshot(folder, label_of(folder))
    digest = digest_of(files)
    commit = git.commit(folder)
    revision = (commit + digest[:8] if commit.endswith("+") else commit) if commit else f"sha256:{digest[:12]}"
    return ConfigFiles(files, tuple(problems), revision)


def unanswered(folder: Path) -> ConfigFiles:
    """What is read of a folder that does not answer: nothing, and that it does not."""
    label = label_of(folder)
    why = f"the config folder {label} does not answer; see to its disk or server"
    return ConfigFiles({}, (problem(label, TOP, "unreadable-file", why),), "")


def read_tree(  # noqa: PLR0913 - all that a config is read from
    files: Mapping[str, bytes],
    folder: Path,
    at: datetime,
    environ: Mapping[str, str],
    *,
    problems: list[Problem] | None = None,
    revision: str = "",
    begins: Callable[[str], None] = unheard,
    was_in_force: bool = False,
) -> Configuration:
    """Read a snapshot of a config folder, from disk or kept in the ledger. `folder` is where relative paths start;
    `begins` hears which file is read now; `was_in_force` as in `ConfigFiles`.
    """
    label = label_of(folder)
    problems = list(problems or [])
    revision = revision or f"sha256:{digest_of(files)[:12]}"
    credentials, faults = config_snapshot.credentials(environ.get("CREDENTIALS_DIRECTORY"))
    disk = [*problems, *faults]
    unread = tuple(fault for fault in disk if fault.code in config_snapshot.UNREAD)
    begins(displayed_path(label, SETTINGS))
    stack = _layers(files.get(SETTINGS, b""), folder, credentials, environ)
    ledger, *elsewhere = ledger_addresses(stack, _state_folders(stack.base, environ))
    if not files and problems:  # no folder at all: say that, not what would have stood in it
        return Configuration(None, None, tuple(problems), ledger, unread=unread, elsewhere=tuple(elsewhere))
    if MISNAMED in files:
        problems.append(problem(displayed_path(label, MISNAMED), TOP, "wrong-name", f"rename it to {SETTINGS}"))
    layered = read_settings(stack)
    begins("")
    reading = read_config(Sources(files, label, begins), at, handoffs.cron_problem, was_in_force=was_in_force)
    problems += [*faults, *layered.problems, *reading.problems]
    policy = reading.policy
    if layered.settings is not None and reading.whole:
        problems += _references(layered.settings, reading, stack)
    refused = any(fault.level is ProblemLevel.ERROR and fault.code != UNKNOWN_VARIABLE for fault in problems)
    if policy is not None and layered.settings is not None and not refused:
        policy = _complete(policy, layered, revision)
    return Configuration(
        policy=None if refused else policy,
        settings=None if refused else layered.settings,
        problems=tuple(disk if refused and unread else problems),  # what lacks may stand in what was not read
        ledger=layered.settings.ledger if layered.settings else ledger,
        files=dict(files),
        revision=revision,
        declared=reading.declared,
        unread=unread,
        elsewhere=() if layered.settings else tuple(elsewhere),
        own=layered.settings if SETTINGS in files or not unread else None,
    )


def _layers(data: bytes, folder: Path, credentials: Mapping[str, str], environ: Mapping[str, str]) -> SettingsLayers:
    """Everything that settings come from."""
    return SettingsLayers(
        document=read_yaml(data, displayed_path(label_of(folder), SETTINGS)),
        credentials=credentials,
        variables={name: value for name, value in environ.items() if name.startswith(PREFIX)},
        base=_absolute(folder),
    )


def _state_folders(folder: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where a server's daemon keeps things: what systemd tells the unit (StateDirectory=), and for everybody's commands
    what belongs to the installed config folder.
    """
    told = [Path(path) for path in environ.get("STATE_DIRECTORY", "").split(":") if path.startswith("/")]
    return told or [SERVER_STATE] * (folder == SERVER_CONFIG)


def label_of(path: Path) -> str:
    """How users call a path: relative to where they stand if it lies below, else absolute, as from the root itself."""
    try:
        relative = os.path.relpath(path)
    except OSError:  # where they stand is gone
        return shown(str(path))
    absolute = str(_absolute(path))
    return shown(absolute if relative.startswith("..") or absolute == f"/{relative}" else relative)


def _absolute(path: Path) -> Path:
    """The path from the root, with its links as they are."""
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100 - resolves no links
    except OSError:
        return path


def counted(files: Mapping[str, bytes], *, shared: bool) -> Mapping[str, bytes]:
    """What of a config tells it from others, and is kept: all of it, or where machines share a ledger what they have in
    common: tocsin.yaml is each one's own (P9).
    """
    return {name: data for name, data in files.items() if name != SETTINGS} if shared else files


def digest_of(files: Mapping[str, bytes]) -> str:
    """A digest of all files and their names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _references(settings: Settings, reading: ConfigReading, stack: SettingsLayers) -> Iterator[Problem]:
    """Names in the settings that the fragments do not have."""
    for key in ("operators", "last_resort"):
        for number, person in enumerate(getattr(settings, key)):
            if person not in reading.people:
                message = f'{key}: unknown person "{person}"{closest(person, reading.people)}'
                yield stack.problem((key, number), "unknown-person", message)
    unreadable = settings.unreadable_severity
    name = _severity(reading, unreadable)
    if name is None:
        message = f'unreadable_severity: unknown severity "{unreadable}"{closest(unreadable, reading.severities)}'
        yield stack.problem(("unreadable_severity",), "unknown-severity", message)
    elif not reading.severities[name]:
        message = f'unreadable_severity: "{name}" has no `page`, so nobody would be paged; name one that has'
        yield stack.problem(("unreadable_severity",), "severity-without-page", message)
    alerts = settings.web.alertmanager
    if alerts:
        inside: KeyPath = ("web", "alertmanager")
        named = {(*inside, "severities", label): severity for label, severity in alerts.severities.items()}
        if alerts.default_severity:
            named[(*inside, "default_severity")] = alerts.default_severity
        for path, severity in named.items():
            if _severity(reading, severity) is None:
                message = (
                    f'{".".join(map(str, path))}: unknown severity "{severity}"{closest(severity, reading.severities)}'
                )
                yield stack.problem(path, "unknown-severity", message)
    yield from _last_resort(settings, reading.policy, stack)


def _severity(reading: ConfigReading, wanted: str) -> str | None:
    """A severity's name as the config writes it; any case will do."""
    return next((name for name in reading.severities if name.lower() == wanted.lower()), None)


def _last_resort(settings: Settings, policy: Policy | None, stack: SettingsLayers) -> Iterator[Problem]:
    """Advice on those who are paged when nobody else answers."""
    if policy is None:
        return
    named = [policy.people[person] for person in settings.last_resort if person in policy.people]
    if len(named) == 1:
        message = "last_resort: only one person is left when nobody answers; name two"
        yield stack.problem(("last_resort",), "last-resort-of-one", message, level=ProblemLevel.WARNING)
    for person in named:
        if not person.phone:
            message = f"last_resort: {person.id} has no phone; a mailbox wakes nobody"
            yield stack.problem(("last_resort",), "no-phone", message, level=ProblemLevel.WARNING)


def _complete(policy: Policy, layered: SettingsReading, revision: str) -> Policy:
    """The policy with what the settings add to it."""
    settings = layered.settings
    assert settings is not None
    unreadable = settings.unreadable_severity.lower()
    return replace(
        policy,
        operators=tuple(settings.operators),
        last_resort=tuple(settings.last_resort),
        unreadable_severity=next(name for name in policy.severities if name.lower() == unreadable),
        revision=revision,
        places=dict(layered.places),
        organisation=settings.organisation or "",
        reply_to=settings.reply_to or "",
        bridge=settings.bridge or "",
    )
