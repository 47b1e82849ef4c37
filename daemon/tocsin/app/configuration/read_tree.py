"""The configuration as a whole: fragments and settings read together, from the folder or from the ledger's copy.

Decides whether a config is good: the fragments, the settings, and that the settings name people and severities that
exist. Never raises.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files import config_snapshot
from tocsin.app.configuration.load import Configuration, absolute, digest_of, label_of
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import MISNAMED, SETTINGS
from tocsin.formats.config.read import ConfigReading, Sources, read_config, unheard
from tocsin.formats.settings.layers import (
    WITHOUT_EFFECT,
    SettingsLayers,
    SettingsReading,
    ledger_addresses,
    read_settings,
)
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.formats.settings.variables import PREFIX
from tocsin.planning.on_call import handoffs
from tocsin.text.decoding import TOP, displayed_path, problem
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath, read_yaml

SERVER_CONFIG, SERVER_STATE = Path("/etc/tocsin"), Path("/var/lib/tocsin")
"""The config folder of an installed server, and where the daemon keeps things there."""


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
    ledger, *elsewhere = map(_lying, ledger_addresses(stack, _state_folders(stack.base, environ)))
    if not files and problems:  # no folder at all: say that, not what would have stood in it
        return Configuration(None, None, tuple(problems), ledger, unread=unread, elsewhere=tuple(elsewhere))
    if MISNAMED in files:
        problems.append(problem(displayed_path(label, MISNAMED), TOP, "wrong-name", f"rename it to {SETTINGS}"))
    layered = _at_the_ledger(read_settings(stack))
    begins("")
    reading = read_config(Sources(files, label, begins), at, handoffs.cron_problem, was_in_force=was_in_force)
    problems += [*faults, *layered.problems, *reading.problems]
    policy = reading.policy
    if layered.settings is not None and reading.whole:
        problems += _references(layered.settings, reading, stack)
    refused = any(fault.level is ProblemLevel.ERROR and fault.code not in WITHOUT_EFFECT for fault in problems)
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
        base=absolute(folder),
    )


def _at_the_ledger(layered: SettingsReading) -> SettingsReading:
    """The settings with where the ledger truly lies. The inbox stays beside what the settings name: something may wait
    there.
    """
    settings = layered.settings
    if settings is None or (place := _lying(settings.ledger)) == settings.ledger:
        return layered
    web = settings.web.model_copy(update={"inbox": settings.inbox})
    return replace(layered, settings=settings.model_copy(update={"ledger": place, "web": web}))


def _lying(place: LedgerAddress) -> LedgerAddress:
    """The same ledger by where its file truly lies: SQLite keeps the file's log there, whatever link leads to it, and
    there can be but one lock (rule 72).
    """
    return place if place.file is None else LedgerAddress(Path(os.path.realpath(place.file)))


def _state_folders(folder: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where a server's daemon keeps things: what systemd tells the unit (StateDirectory=), and for everybody's commands
    what belongs to the installed config folder.
    """
    told = [Path(path) for path in environ.get("STATE_DIRECTORY", "").split(":") if path.startswith("/")]
    return told or [SERVER_STATE] * (folder == SERVER_CONFIG)


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
