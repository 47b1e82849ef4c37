"""Start: from a folder and the environment to a config in force and an open ledger, or a clear word why not (rule 43).

It decides whether the daemon can start at all: with the config on disk, else the last good one that the ledger kept.
It must not know what the daemon does afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from daemon.adapters.ledger.ledger import SqlLedger
from daemon.adapters.ledger.lock import Lock, Locked
from daemon.adapters.ledger.opening import open_file
from daemon.app.configuration import Configuration, digest_of, load, read_tree
from daemon.app.settings import Settings
from daemon.domain.policy import Policy
from daemon.domain.problem import Problem
from daemon.ports import LedgerTrouble


class CannotStart(Exception):  # noqa: N818 - sentences for people, not a fault of ours
    """The daemon cannot start; `reasons` are lines that say why, and what to do."""

    def __init__(self, *reasons: object) -> None:
        super().__init__(*reasons)
        self.reasons = tuple(str(reason) for reason in reasons)


@dataclass(frozen=True, slots=True)
class Started:
    """The config in force with its policy's `since`, the open ledger with its lock, and why the config on disk was
    refused, if it was.
    """

    policy: Policy
    settings: Settings
    configuration: Configuration
    ledger: SqlLedger
    lock: Lock
    refused: tuple[Problem, ...]


async def start(folder: Path, environ: Mapping[str, str], now: datetime) -> Started:
    """Everything that may stop a start. Raises CannotStart."""
    found = load(folder, now, environ)
    if found.policy is None and not found.ledger.is_file():
        raise CannotStart(*found.errors)
    try:
        found.ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = Lock(found.ledger)
        ledger = SqlLedger(open_file(found.ledger, now.strftime("%Y%m%dT%H%M%SZ")))
    except (Locked, LedgerTrouble) as trouble:
        raise CannotStart(trouble) from None
    except OSError as trouble:
        raise CannotStart(f"the ledger {found.ledger} cannot be opened: {trouble.strerror}") from None
    try:
        configuration, policy, settings = await _in_force(found, ledger, folder, environ, now)
        _make_folders(settings)
    except BaseException:
        await ledger.close()
        lock.release()
        raise
    return Started(policy, settings, configuration, ledger, lock, found.errors)


async def _in_force(
    found: Configuration, ledger: SqlLedger, folder: Path, environ: Mapping[str, str], now: datetime
) -> tuple[Configuration, Policy, Settings]:
    """The config on disk if it is good, else the last good one. A first run wants the one on disk without any error."""
    last = await ledger.last_good_config()
    chosen, since = found, now
    if last is not None:
        revision, known_since, files = last
        if found.policy is None:
            chosen = read_tree(files, folder, now, environ, revision=revision)
        if digest_of(files) == digest_of(chosen.files):
            since = known_since
    if chosen.policy is None or chosen.settings is None or (last is None and found.errors):
        raise CannotStart(*found.errors)
    if since is now:
        await ledger.remember_config(chosen.revision, chosen.files, now)
    return chosen, replace(chosen.policy, since=since), chosen.settings


def _make_folders(settings: Settings) -> None:
    """Folders that are missing are made (product.md section 3)."""
    for path in (settings.incidents, settings.reviews, settings.outbox):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as trouble:
            raise CannotStart(f"the folder {path} cannot be made: {trouble.strerror}") from None
