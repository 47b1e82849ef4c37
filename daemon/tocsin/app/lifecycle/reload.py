"""What a reload does: the config is read again, and if it is good it replaces the one in force, whole or not at all
(P8), and everything is fitted to it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, in_time
from tocsin.adapters.files.fingerprint import Fingerprint, fingerprint
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.judge import NOT_JUDGED
from tocsin.app.configuration.kept.templates import KeptTemplates
from tocsin.app.configuration.load import ConfigFiles, Configuration, counted, digest_of, label_of, read_files
from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.start_advice import log_advice
from tocsin.app.lifecycle.startup import Started, keep_config
from tocsin.app.lifecycle.unread import UnreadConfig
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.problem import Problem
from tocsin.formats.settings.running import PendingSetting, taken_over, waiting
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ConfigLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.renderer import TemplateFiles, Templates, TemplateVerdict
from tocsin.text.decoding import TOP, problem

LOOKS_EVERY = 2.0
"""Seconds between two looks at the config and template folders; a change counts once they have been still for one."""
CALENDARS_EVERY = timedelta(days=1)
"""How often calendars are read again: only so much of their future is held."""
CONFIG, TEMPLATES = "config", "templates"
"""The parts that are read."""

T = TypeVar("T")
P = ParamSpec("P")

log = structlog.get_logger()


class ConfigReader:
    """Reads the config folder, and judges whether what stands there replaces the config in force."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a config comes from and goes to
        self,
        folder: Path,
        environ: Mapping[str, str],
        clock: Clock,
        ledger: ConfigLedger,
        config: ActiveConfig,
        notices: Notices,
        started: Started,
        judge: ConfigJudge,
        threads: Executor | None = None,
        template_threads: Executor | None = None,
    ) -> None:
        """`threads` are where the folder and that of the templates are read: each may hang."""
        self._judge = judge
        self._folder = folder
        self._threads = threads
        self._template_threads = template_threads
        self._environ = environ
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._notices = notices
        self._digest, self._behind, self._shared = started.digest, started.behind, started.shared
        self._disk = started.disk
        self._kept = started.templates
        self._started_with = started.settings
        self._cold = ""
        self._advised: frozenset[Problem] = frozenset()
        self._template_faults: frozenset[Problem] = frozenset()
        self.unread = UnreadConfig(clock, notices, label_of(folder))
        self.read_at = clock.now()
        if started.unread:
            self.unread.note(CONFIG, started.unread)

    async def read(self) -> bool:
        """Read the config. True when a good one is in force now; else the one before stays, and operators hear, unless
        it only could not be read: then it is read again (rule 73). One that gave way at the start stays out until the
        disk has another (P9).
        """
        self.read_at = now = self._clock.now()
        found: ConfigFiles = await self._in_threads(self._threads, read_files, self._folder)
        reading = await self._judge.config(found, self._folder, now, self._environ)
        policy, settings = reading.policy, reading.settings
        if self.unread.note(CONFIG, reading.unread):
            return False
        if policy is None or settings is None:
            self._notices.retract(Trouble.CONFIG_REFUSED, "")
            for notice in refused(reading.errors):
                self._notices.tell(notice)
            return False
        since, digest = self._config.policy.since, digest_of(counted(reading.files, shared=self._shared))
        if digest == self._behind:
            return False
        self._behind = ""
        if digest != self._digest:
            since, self._digest = now, digest
            await self._keep(reading, now, self._kept)
            log.info("config", revision=reading.revision)  # a daemon that dies before this may go on with the last one
        self._disk, self._config.digest = reading, digest
        log_advice(problem for problem in reading.problems if problem not in self._advised)
        self._advised = frozenset(reading.problems)
        self._config.replace(replace(policy, since=since), taken_over(self._config.settings, settings))
        in_force = f"the config on disk is in force, revision {reading.revision}"
        self._notices.cured(Trouble.CONFIG_REFUSED, "", in_force)
        self._notices.cured(Trouble.CONFIG_IN_PART, "", in_force)
        self._notices.cured(Trouble.CONFIG_BEHIND, "", in_force)
        self._tell_cold(waiting(self._started_with, settings))
        return True

    def _tell_cold(self, settings: Sequence[PendingSetting]) -> None:
        """Tell of the settings that wait for a restart. What was told of others before is not true any more."""
        names = ", ".join(map(str, settings))
        if names != self._cold:
            self._notices.retract(Trouble.SETTINGS_NEED_RESTART, self._cold)
        self._cold = names
        if names:
            sentence = f"tocsin.yaml: {names} changed; this counts only after a restart of the daemon"
            of_provider = any("." in setting.name for setting in settings)
            sentence += "; until then nothing else of that provider does either" if of_provider else ""
            self._notices.tell(OperatorNotice(Trouble.SETTINGS_NEED_RESTART, sentence, about=names))

    async def fingerprint(self) -> Fingerprint:
        """What tells a changed folder from one that rests: that of the config and of the templates."""
        return await self._in_threads(self._threads, fingerprint, (self._folder, self._config.settings.templates))

    async def first_templates(self, templates: Templates) -> Fingerprint:
        """Read the templates for the first time and use them. What the disk does not give, or does not give soon, is
        read again later. The last good set of the ledger stands in for a set of which one cannot be used or read, if
        it may, and for that of a disk that lags behind (P9); else the shipped text does, file by file (rule 43). Gives
        the folder's fingerprint from before.
        """
        folder = self._config.settings.templates

        def read() -> tuple[Fingerprint, TemplateFiles]:
            return fingerprint((folder,)), templates.read(folder)

        fault = problem(label_of(folder), TOP, "template-unreadable", "the template folder does not answer")
        nothing = frozenset[tuple[str, int, int, int]](), TemplateFiles(folder, {}, unread=(fault,))
        before, files = await in_time(FOLDERS_WITHIN, self._template_threads, read) or nothing
        if self._behind and self._kept:
            files = TemplateFiles(folder, self._kept.texts)
        verdict = await self._soon_judged(files)
        await self._kept_first(templates, files, verdict)
        await in_time(FOLDERS_WITHIN, None, templates.prepare, files, verdict)
        if verdict.unread:
            files = replace(files, texts={}, unread=(*files.unread, *verdict.unread))
        self.unread.note(TEMPLATES, files.unread)
        faults = templates.use(files, verdict)
        self._tell_templates([fault for fault in faults if fault not in files.unread])
        await self._keep_templates(files, faults)
        return before

    async def _kept_first(self, templates: Templates, files: TemplateFiles, verdict: TemplateVerdict) -> None:
        """Use the kept templates, so that they go on where the disk's cannot be used. They were good when they were
        kept; whether they still are is judged again, unless something that hangs is still being judged.
        """
        good = not (files.problems or files.unread or verdict.faults or verdict.unread)
        if good or self._kept is None or not self._kept.stand_in_for(files):
            return
        kept, still = TemplateFiles(files.folder, self._kept.texts), TemplateVerdict()
        if not verdict.unread:
            still = await self._soon_judged(kept)
        if not still.faults:
            await in_time(FOLDERS_WITHIN, None, templates.prepare, kept, TemplateVerdict())
            templates.use(kept, TemplateVerdict())
            log.info("kept templates", why="those on disk cannot be used, or not now")

    async def _keep_templates(self, files: TemplateFiles, faults: Sequence[Problem]) -> None:
        """The ledger is to keep a set that is in force now, with the config on disk, if that is."""
        if faults or self._disk is None:
            return
        kept = KeptTemplates(files.texts, vouched=True)
        known = self._kept is not None and self._kept.texts == kept.texts
        if known or await self._keep(self._disk, self._config.policy.since or self.read_at, kept):
            self._kept = kept

    async def _keep(self, config: Configuration, since: datetime, templates: KeptTemplates | None) -> bool:
        """Whether the ledger keeps a config and templates."""
        try:
            await keep_config(self._ledger, config, since, templates, shared=self._shared)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        return True

    async def _soon_judged(self, files: TemplateFiles) -> TemplateVerdict:
        """The verdict on templates, if it is there soon: a start waits for none that hangs. The shipped texts stand in
        for all of them until it is.
        """
        judging = asyncio.ensure_future(self._judge.templates(files, self._config.policy.languages))
        await asyncio.wait({judging}, timeout=FOLDERS_WITHIN)
        if judging.done():
            return judging.result()
        label = label_of(files.folder)
        return TemplateVerdict(unread=(problem(label, TOP, NOT_JUDGED, "the templates are still being judged"),))

    async def templates(self, templates: Templates) -> None:
        """Read the templates of the config in force and use them; what the disk does not give stays as it was."""
        files = await self._in_threads(self._template_threads, templates.read, self._config.settings.templates)
        if self.unread.note(TEMPLATES, files.unread):
            return
        verdict = await self._judge.templates(files, self._config.policy.languages)
        await self._in_threads(None, templates.prepare, files, verdict)
        if not self.unread.note(TEMPLATES, verdict.unread):
            faults = templates.use(files, verdict)
            self._tell_templates(faults)
            await self._keep_templates(files, faults)

    def _tell_templates(self, faults: Sequence[Problem]) -> None:
        """Tell of the templates that cannot be used, and of none that was mended. With a fault the set before goes on,
        and what was told of its rendering stays true.
        """
        if not faults:
            self._notices.retract_all(Trouble.TEMPLATE_BROKEN)
        for mended in self._template_faults - set(faults):
            self._notices.retract(Trouble.TEMPLATE_BROKEN, str(mended))
        self._template_faults = frozenset(faults)
        for fault in faults:
            self._notices.tell_template(fault)

    async def _in_threads(self, threads: Executor | None, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await self.unread.within_reason(loop.run_in_executor(threads, partial(read, *args, **kwargs)))


class Reload:
    """Reloads at the operator's order, whenever the folders have changed and come to rest, and each day."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything that is fitted to a config
        self,
        clock: Clock,
        reader: ConfigReader,
        config: ActiveConfig,
        transports: Transports,
        templates: Templates,
        watch: Watch,
        incidents: Incidents,
        notices: Notices,
        before: Fingerprint,
    ) -> None:
        """`before` is the fingerprint of the config and template folders from before they were read: what changed since
        is not missed.
        """
        self._clock = clock
        self._reader = reader
        self._config = config
        self._transports = transports
        self._templates = templates
        self._watch = watch
        self._incidents = incidents
        self._notices = notices
        self._settled = before

    async def run(self) -> None:
        """Until cancelled."""
        last = self._settled
        while True:
            await asyncio.sleep(self._reader.unread.pause(LOOKS_EVERY))
            current = await guarded(self._reader.fingerprint())
            if isinstance(current, Broken):  # it is logged; the folders are looked at again
                continue
            changed = current == last and (current != self._settled or self._reader.unread.due)
            if changed or self._clock.now() - self._reader.read_at > CALENDARS_EVERY:
                self._settled = current
                await self.reload()
            last = current

    async def reload(self) -> None:
        """Read the config, and fit transports, templates, files and incidents to it if it is good. Whatever that meets,
        the daemon goes on.
        """
        broken = await guarded(self._fit())
        if isinstance(broken, Broken):
            why = f"the config cannot be put in force ({broken}), which is a fault of tocsin; what was in force goes on"
            self._notices.tell(OperatorNotice(Trouble.CONFIG_REFUSED, why, aspect=why))

    async def _fit(self) -> None:
        if not await self._reader.read():
            return
        settings = self._config.settings
        self._transports.apply(settings)
        await self._reader.templates(self._templates)
        self._watch.poke()
        self._incidents.poke_all()


def refused(problems: Iterable[Problem]) -> Iterator[OperatorNotice]:
    """What operators hear of a config that is not used: each problem with its place."""
    for fault in problems:
        yield OperatorNotice(Trouble.CONFIG_REFUSED, str(fault), aspect=str(fault))
