"""The machine: may the daemon use its folders, is there room, does it live, is its ledger good, who watches it?

Decides what is looked at and how much room is enough. Each folder is asked in a thread of its own: one that hangs keeps
nothing else waiting.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.access import SystemUser, barrier, existing, owner_of
from tocsin.adapters.files.disk_threads import in_time
from tocsin.adapters.files.rights import closed
from tocsin.app.configuration.load import label_of
from tocsin.app.doctor.check import Check, Resolve, Threads
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.times import span, utc

FOLDER, DISK, CLOCK, LEDGER, DAEMON, PUBLIC_URL, HEARTBEAT = (
    "folder", "disk", "clock", "ledger", "daemon", "public-url", "heartbeat",
)  # fmt: skip
ANSWERS_WITHIN = 4.0
"""Seconds for a folder to answer."""
ROOM_LEAST, ROOM_GOOD = 24 << 20, 250 << 20
"""Bytes below which a disk is as good as full (the ledger's ballast finds no room), and below which it soon will be."""
HOST_MOST = 40
"""Letters of the host of public_url; an SMS has to carry it (rule 42)."""


@dataclass(frozen=True, slots=True)
class DaemonFolder:
    """A folder that the daemon uses: what it needs there, and the setting that names it."""

    path: Path
    setting: str
    needs: int
    verb: str


def places(settings: Settings, config: Path) -> list[DaemonFolder]:
    """The folders that the daemon uses."""
    both, writes, reads = os.R_OK | os.W_OK | os.X_OK, os.W_OK | os.X_OK, os.R_OK | os.X_OK
    found = [
        DaemonFolder(config, "the config", reads, "read"),
        DaemonFolder(settings.incidents, "incidents", both, "read and write"),
        DaemonFolder(settings.reviews, "reviews", writes, "write"),
        DaemonFolder(settings.state, "ledger" if settings.database else "web.inbox", both, "read and write"),
    ]
    if settings.keeps_outbox:
        found.append(DaemonFolder(settings.outbox, "outbox", writes, "write"))
    return found


async def examine_places(settings: Settings, config: Path, threads: Threads) -> list[Check]:
    """Every folder, and the room on their disks."""
    wanted, ledger = places(settings, config), settings.database or settings.state
    found = await asyncio.gather(
        *(in_time(ANSWERS_WITHIN, threads(place.setting), _look, place, ledger) for place in wanted)
    )
    checks = []
    seen: set[int] = set()
    for place, looked in zip(wanted, found, strict=True):
        if looked is None:
            why = f"{label_of(place.path)} does not answer within {ANSWERS_WITHIN:.0f} s"
            checks.append(Check(FOLDER, label_of(place.path), False, why, "see to its disk or server"))
            continue
        folder, disk, device = looked
        checks.append(folder)
        if disk is not None and device not in seen and place.needs & os.W_OK:
            seen.add(device)
            checks.append(disk)
    return checks


def _look(place: DaemonFolder, ledger: Path) -> tuple[Check, Check | None, int]:
    """A folder and its disk, with the disk's number. It may hang."""
    label = label_of(place.path)
    try:
        there = existing(place.path)
        user = _daemon_user(ledger)
        door = barrier(user, there, place.needs if there == place.path else os.W_OK | os.X_OK)
        disk, device = _disk(label_of(there), there), there.stat().st_dev
    except OSError as fault:
        why = closed(place.path) or f"cannot be looked into: {(fault.strerror or str(fault)).lower()}"
        return Check(FOLDER, label, None, f"not tried: {place.setting}: {label} {why}"), None, 0
    made = "" if there == place.path else ", and is made at the start"
    if door is None:
        return Check(FOLDER, label, True, f"{place.setting}: {user.name} may {place.verb} it{made}"), disk, device
    deed = place.verb if there == place.path else "make"
    why = (
        f"{place.setting}: {user.name}, whom the ledger belongs to, may not {deed} {label}: {label_of(door)} forbids it"
    )
    cure = f"give {user.name} the right: chown or chmod {label_of(door)}, or name another folder ({place.setting})"
    return Check(FOLDER, label, False, why, cure), disk, device


def _daemon_user(ledger: Path) -> SystemUser:
    """Whose daemon it is: the ledger's owner, or that of the folder it is to be made in. Raises OSError."""
    return owner_of(existing(ledger))


def _disk(label: str, path: Path) -> Check:
    """The room on the disk of a folder. Raises OSError."""
    status = os.statvfs(path)
    free = status.f_bavail * status.f_frsize
    shown = f"{free / (1 << 30):.1f} GB" if free >= 1 << 30 else f"{free >> 20} MB"
    if status.f_files and not status.f_favail:
        return Check(DISK, label, False, f"the disk of {label} has no file left to give (inodes)", "delete small files")
    if free < ROOM_LEAST:
        return Check(DISK, label, False, f"the disk of {label} is full: {shown} free", "make room on it")
    cure = "make room on it before it is full" if free < ROOM_GOOD else ""
    return Check(DISK, label, True, f"{shown} free on the disk of {label}", cure)


async def examine_clock(synchronized: bool | None, *, shared: bool) -> list[Check]:
    """Whether a time server sets this machine's clock, as the kernel says. `shared`: several machines share a ledger,
    and go by the clock of its database.
    """
    target = "this machine"
    if synchronized is None:
        return [Check(CLOCK, target, None, "not tried: this system does not say who sets its clock")]
    if synchronized:
        return [Check(CLOCK, target, True, "a time server sets this machine's clock")]
    by_it = "this machine's log is by it" if shared else "turns, opening hours and the times in messages are by it"
    cure = f"let one set it (timedatectl set-ntp true): {by_it}"
    return [Check(CLOCK, target, True, "no time server sets this machine's clock, or not yet", cure)]


def ledger_label(place: LedgerAddress) -> str:
    """How users call a ledger."""
    return label_of(place.file) if place.file else str(place)


async def examine_ledger(place: LedgerAddress, ledger: Ledger | None, trouble: str, now: datetime) -> list[Check]:
    """The ledger as it was opened, or why it was not; when the daemon last wrote into it."""
    label = ledger_label(place)
    if ledger is None or trouble:
        why = closed(place.file) if place.file else ""
        if why:
            return [Check(LEDGER, label, None, f"not tried: {label} {why}")]
        if trouble:
            cure = "see docs/operators.md#ledger-unreadable; another version's needs that version of tocsin"
            if place.file is None:
                cure = "docs/several-machines.md says how the database, its roles and their passwords are made"
            return [Check(LEDGER, label, False, trouble, cure)]
        return [Check(LEDGER, label, None, "not tried: there is none yet; the first tocsin run makes it")]
    try:
        at = await ledger.noticed_at(HEALTHY)
    except LedgerError as fault:
        return [Check(LEDGER, label, False, f"{label} cannot be read: {fault}", "see to its disk")]
    last = f"last written {_ago(now - at)} ({utc(at)})" if at else "no daemon has worked on it yet"
    return [Check(LEDGER, label, True, f"it opens, its schema is ours; {last}")]


async def examine_daemon(incidents: Path, now: datetime, threads: Threads) -> list[Check]:
    """Whether a healthy daemon watches the folder of incidents, as commands see it (P3)."""
    label = label_of(incidents)
    mark = incidents / watch_mark.NAME
    written = await in_time(ANSWERS_WITHIN, threads("the daemon"), _written_at, mark)
    if written is None:
        return [Check(DAEMON, label, None, f"not tried: {label} does not answer")]
    if isinstance(written, str):
        return [Check(DAEMON, label, None, written)]
    age = now - written
    if abs(age) <= watch_mark.FRESH:
        return [Check(DAEMON, label, True, f"a healthy daemon watches {label}")]
    since = f"for {span(age)}" if written.year > 1970 else "any more: it was stopped"
    cure = "start it (tocsin run; systemctl start tocsin), or see in its log why it is not well"
    return [Check(DAEMON, label, False, f"no healthy daemon watches {label} {since}", cure)]


def _written_at(mark: Path) -> datetime | str:
    try:
        return watch_mark.renewed_at(mark)
    except FileNotFoundError:
        return "not tried: no daemon has watched here yet"
    except OSError as fault:
        return f"not tried: {closed(mark) or (fault.strerror or str(fault)).lower()}"


async def examine_outside(settings: Settings, resolve: Resolve) -> list[Check]:
    """What the outside sees of us: where links lead, and whoever watches the watcher."""
    return [await _public_url(settings, resolve), await _heartbeat(settings, resolve)]


async def _public_url(settings: Settings, resolve: Resolve) -> Check:
    url = settings.public_url
    if not url:
        return Check(PUBLIC_URL, "public_url", None, "not tried: it is not set, so messages carry no links")
    parts = urlsplit(url)
    told = url.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1)
    host = parts.hostname or ""
    if len(host) > HOST_MOST:
        cure = "give the web side a shorter name"
        return Check(
            PUBLIC_URL, told, False, f"its host has {len(host)} letters; an SMS has room for {HOST_MOST}", cure
        )
    found = await resolve(host)
    if isinstance(found, str):
        return Check(PUBLIC_URL, told, False, f"{host} {found}", "correct public_url, or publish that name")
    if not settings.web.signing_key:
        why = "not tried: TOCSIN_WEB__SIGNING_KEY is not known here, and without it messages carry no links"
        return Check(PUBLIC_URL, told, None, why)
    if parts.scheme != "https":
        return Check(PUBLIC_URL, told, True, f"{host} is {found[0]}", "make it https: whoever listens can answer pages")
    return Check(PUBLIC_URL, told, True, f"{host} is {found[0]}; open {told}/healthz on a phone to see it from outside")


async def _heartbeat(settings: Settings, resolve: Resolve) -> Check:
    url = settings.heartbeat.url
    if not url:
        cure = "set heartbeat.url to a dead man's switch: else nobody hears of it when this machine dies"
        return Check(HEARTBEAT, "heartbeat.url", None, "not tried: it is not set", cure)
    host = urlsplit(url).hostname or ""
    found = await resolve(host)
    if isinstance(found, str):
        return Check(HEARTBEAT, host, False, f"{host} {found}", "correct heartbeat.url: no ping leaves")
    every = int(settings.heartbeat.every.total_seconds())
    return Check(HEARTBEAT, host, True, f"{host} is pinged each {every} s while all is well (not by this command)")


def _ago(age: timedelta) -> str:
    return f"{int(age.total_seconds())} s ago" if timedelta(0) <= age < timedelta(minutes=2) else f"{span(age)} ago"
