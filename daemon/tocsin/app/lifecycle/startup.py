"""Which config is in force when the daemon begins, or a clear word why it cannot begin (rule 43); and what it recalls.

It decides whether the daemon can start at all: with the config on disk, else the last good one that the ledger kept.
It must not know what the daemon does afterwards.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.kept.judging import judge_kept
from tocsin.app.configuration.kept.templates import KeptTemplates, templates_of, to_keep
from tocsin.app.configuration.kept.vouching import code_of, signed
from tocsin.app.configuration.load import Configuration, counted, digest_of
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.state.incident_state import KnownVersion, known_version
from tocsin.app.state.incidents import Incidents
from tocsin.domain.facts import Answered, ClockMoved, Coded, Fact, Noted
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.schema.pydantic_problems import UNKNOWN_EMPTY
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.planning.history.redating import not_later
from tocsin.ports.ledger.ledger import ClockLedger, ConfigLedger, StartLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable
from tocsin.text.times import roughly

TOLD_FROM = timedelta(seconds=10)
"""How far ahead what was recorded may lie before operators hear: so far our own time may differ from the clock."""

AT_ONCE = 200
"""Incidents that are recalled before anything else has its turn."""
SAYS_EVERY = 5.0
"""Seconds between two lines that say how far the recalling is."""

Recorded = tuple[Fact, ...] | Unreadable
"""What the ledger has of an incident: its facts, or why they cannot be read."""

log = structlog.get_logger()


class StartError(Exception):
    """The daemon cannot start; `reasons` are lines that say why, and what to do."""

    def __init__(self, *reasons: object) -> None:
        super().__init__(*reasons)
        self.reasons = tuple(str(reason) for reason in reasons)


@dataclass(frozen=True, slots=True)
class Started:
    """The config in force: its policy with `since`, its files' digest; and why the one on disk was refused, or what of
    it could not be read. `left_out` names what of a kept config does not count. `first`: no daemon has run on this
    ledger before. `disk` is the config on disk, if that is in force; `templates` are the last good ones of the ledger.
    """

    policy: Policy
    settings: Settings
    digest: str
    refused: tuple[Problem, ...] = ()
    unread: tuple[Problem, ...] = ()
    first: bool = False
    left_out: tuple[str, ...] = ()
    disk: Configuration | None = None
    templates: KeptTemplates | None = None
    shared: bool = False
    behind: str = ""


async def bring_back(ledger: ClockLedger, now: datetime) -> OperatorNotice | None:
    """No recorded instant counts as later than now: the clock was ahead when it was written (rule 59). What operators
    hear of it. A ledger that cannot be written keeps what it has; what is recalled from it is brought back anyway.
    """
    try:
        ahead = await ledger.bring_back(now)
    except LedgerError as trouble:
        log.warning("ledger trouble", trouble=str(trouble))
        return None
    if ahead <= TOLD_FROM:
        return None
    fault = (
        f"the clock was ahead, or is behind now: what was recorded before this start lay up to {roughly(ahead)} ahead"
    )
    advice = "it counts as now, so that nobody waits for it; see that the clock is right (timedatectl)"
    return OperatorNotice(Trouble.CLOCK_WAS_AHEAD, f"{fault}; {advice}")


async def load_at_start(
    reading: Configuration,
    ledger: ConfigLedger,
    folder: Path,
    environ: Mapping[str, str],
    now: datetime,
    judge: ConfigJudge,
    *,
    shared: bool = False,
) -> Started:
    """The config on disk if it is good, else what counts of the last good one. A first run wants the one on disk
    without any error, but for a key that has no value. Of a `shared` ledger the last one counts also where the disk has
    an older one of its configs: it lags behind another machine's (P9). Raises StartError.
    """
    last = await ledger.last_good_config()
    good = reading.policy is not None and reading.settings is not None
    refused = () if good or reading.unread else reading.errors  # a good one may have what sets nothing (rule 43)
    digest = digest_of(counted(reading.files, shared=shared))
    known = last is not None and digest_of(counted(last.files, shared=shared)) == digest
    behind = digest if shared and good and not known and await was_in_force(ledger, digest) else ""
    if last is not None and (not good or behind):
        kept = await judge.ask(judge_kept, last, reading, folder, now, environ)
        policy, settings = kept.configuration.policy, kept.configuration.settings
        if policy is not None and settings is not None:
            policy = replace(policy, since=min(last.since, now))
            templates = templates_of(last, reply_routes(settings).keys)
            digest = digest_of(counted(last.files, shared=shared))
            return Started(
                policy, settings, digest, refused, reading.unread, left_out=kept.left_out, templates=templates,
                shared=shared, behind=behind,
            )  # fmt: skip
        if not good:
            raise StartError(*reading.errors, *filter(None, [kept.why]))
    policy, settings = reading.policy, reading.settings
    if (
        policy is None
        or settings is None
        or (last is None and any(error.code != UNKNOWN_EMPTY for error in reading.errors))
    ):
        raise StartError(*reading.errors)
    since = min(last.since, now) if last and known else now
    keys = reply_routes(settings).keys
    templates = templates_of(last, keys) if last else None
    if last is None or not known or not (signed(keys, last) if keys else last.sealed):
        await keep_config(ledger, reading, since, templates, shared=shared)
    policy = replace(policy, since=since, revision=last.revision if last and known and shared else policy.revision)
    return Started(
        policy, settings, digest, refused, reading.unread, first=last is None, disk=reading, templates=templates,
        shared=shared,
    )  # fmt: skip


async def was_in_force(ledger: ConfigLedger, digest: str) -> bool:
    """Whether a config that the ledger keeps has this digest. Raises LedgerError."""
    return any(digest_of(counted(files, shared=True)) == digest for files in await ledger.kept_files())


async def keep_config(
    ledger: ConfigLedger, config: Configuration, since: datetime, templates: KeptTemplates | None, *, shared: bool
) -> None:
    """The ledger is to keep a good config with the good templates, and the first signing key vouches for them. Raises
    LedgerError.
    """
    assert config.settings is not None
    keys = reply_routes(config.settings).keys
    texts, files = to_keep(templates, keys), counted(config.files, shared=shared)
    mac = code_of(keys, config.revision, files, texts)
    await ledger.record_config(config.revision, files, since, mac, texts)


@contextmanager
def made_to_stay() -> Iterator[None]:
    """What is made meanwhile stays as long as the daemon lives: the garbage collector does not look through it, neither
    now, again and again while it grows, nor later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def let_go_of_life() -> None:
    """A life of the daemon is over (rule 60): what it made does not stay any more."""
    gc.unfreeze()
    gc.collect()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What files are compared with: the newest version of each incident that may still need something, and the digest
    of the file of each that needs nothing any more, also of those that were pruned.
    """

    known: Mapping[str, KnownVersion]
    finished: Mapping[str, str]


async def recall(ledger: StartLedger, incidents: Incidents, now: datetime) -> Recalled:
    """Take over what the ledger knows of incidents that may still need something, none of it later than now. An
    incident of which a row cannot be read is set aside, and no version of it is known. Raises LedgerError.
    """
    unfinished, files = await ledger.unfinished(), await ledger.files()
    bad_letters = {unreadable.incident: unreadable for unreadable in await ledger.unreadable_letters()}
    known = {}
    async for incident, recorded in _in_turn(unfinished):
        facts = await _take_over(incidents, incident, recorded, bad_letters.get(incident), now)
        if isinstance(facts, Unreadable):
            incidents.set_aside(facts)
        elif version := known_version(facts, files.get(incident, ("", ""))[0]):
            known[incident] = version
    for incident in bad_letters.keys() - unfinished.keys():
        await ledger.settle_unreadable(incident, now)
    digests = {**await ledger.pruned_digests(), **{id_: digest for id_, (_, digest) in files.items()}}
    incidents.archive(digests.keys() - unfinished.keys())
    finished = {id_: digest for id_, digest in digests.items() if digest and incidents.is_archived(id_)}
    return Recalled(known, finished)


async def _in_turn(recorded: Mapping[str, Recorded]) -> AsyncIterator[tuple[str, Recorded]]:
    """One incident after the other. Many of them take a while: what runs beside goes on meanwhile, and the log says how
    far it is.
    """
    loop = asyncio.get_running_loop()
    said = loop.time()
    for number, pair in enumerate(recorded.items()):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
            if loop.time() - said >= SAYS_EVERY:
                said = loop.time()
                log.info("recalling", recalled=number, of=len(recorded))
        yield pair


async def _take_over(
    incidents: Incidents, incident: str, facts: Recorded, letter: Unreadable | None, now: datetime
) -> Recorded:
    """Take over what the ledger knows of one incident, if all of it can be read and fits together (rule 63)."""
    if isinstance(facts, Unreadable):
        return facts
    facts = tuple(not_later(fact, now) for fact in facts)
    fault = await guarded(_load(incidents, incident, facts))
    if isinstance(fault, Broken):
        return Unreadable(incident, f"its facts do not fit together ({fault})")
    history = incidents.history(incident)
    if history.incident is None and not all(isinstance(fact, (Answered, Coded, Noted, ClockMoved)) for fact in facts):
        return Unreadable(incident, "no version of its file is left")
    return facts if letter is None else replace(letter, ended=history.resolved_at is not None)


async def _load(incidents: Incidents, incident: str, facts: tuple[Fact, ...]) -> None:
    incidents.load(incident, facts)
