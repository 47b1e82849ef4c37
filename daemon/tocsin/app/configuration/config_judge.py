"""Judges a config and its templates for who must not wait: the daemon and the web side.

Decides which templates are left out, and what is said of those that hang, eat memory or break what renders them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from tocsin.adapters.child import note_stage
from tocsin.adapters.jinja.judging import judge_templates
from tocsin.app.configuration.judge import JUDGED_IN, JUDGED_WITHIN, NOT_JUDGED, judge_config
from tocsin.app.configuration.load import ConfigFiles, Configuration, label_of
from tocsin.ports.bounded_work import BoundedWork, Overrun, OverrunCause
from tocsin.ports.renderer import TemplateFault, TemplateFiles, TemplateVerdict
from tocsin.text.decoding import TOP, problem

HANGING_MOST = 2
"""How many templates are found out one by one, each after its deadline; with one more all are left out."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ConfigJudge:
    """Judges for the daemon and the web side, in threads of its own: their loop never waits."""

    def __init__(self, work: BoundedWork, threads: Executor | None = None) -> None:
        self._work = work
        self._threads = threads
        self._judged: tuple[Mapping[str, str], Sequence[str], TemplateVerdict] | None = None

    async def config(
        self,
        found: ConfigFiles,
        folder: Path,
        at: datetime,
        environ: Mapping[str, str],
        patience: float | None = None,
    ) -> Configuration:
        """What was read of a config folder, or is kept of one, as a config; `patience` as in `judge_config`."""
        return await self.ask(judge_config, found, folder, at, environ, patience)

    async def ask(self, function: Callable[[BoundedWork, *Ts], T], *args: *Ts) -> T:
        """Whatever else is judged by a function that is given where."""
        return await self._in_threads(function, self._work, *args)

    async def templates(self, files: TemplateFiles, languages: Sequence[str] = ()) -> TemplateVerdict:
        """What is wrong with templates, in these languages too. What was judged last is known."""
        return await self._in_threads(self._templates, files, languages)

    def _templates(self, files: TemplateFiles, languages: Sequence[str]) -> TemplateVerdict:
        if self._judged and self._judged[:2] == (files.texts, languages):
            return self._judged[2]
        verdict = judge_folder(self._work, files, languages)
        if not verdict.unread:
            self._judged = files.texts, languages, verdict
        return verdict

    async def _in_threads(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *args))


def judge_folder(work: BoundedWork, files: TemplateFiles, languages: Sequence[str] = ()) -> TemplateVerdict:
    """What is wrong with a folder of templates, each rendered with samples of its kind, in these languages too. Those
    that come to no end are found one by one.
    """
    hanging: list[TemplateFault] = []
    while True:
        out = {fault.name for fault in hanging}
        rest = {name: text for name, text in files.texts.items() if name not in out}
        verdict = work.run(judge_texts, rest, languages, seconds=JUDGED_WITHIN, megabytes=JUDGED_IN)
        if not isinstance(verdict, Overrun):
            return replace(verdict, faults=(*hanging, *verdict.faults), left_out=verdict.left_out | out)
        if verdict.cause is OverrunCause.MACHINE:
            label = label_of(files.folder)
            unread = problem(
                label, TOP, NOT_JUDGED, f"judging these templates {verdict.why}; they are to be judged again"
            )
            return TemplateVerdict(unread=(unread,))
        hanging.append(TemplateFault(verdict.stage, 1, _words_of(verdict)))
        if verdict.stage not in rest or len(hanging) > HANGING_MOST:
            return TemplateVerdict(tuple(hanging), frozenset(files.texts))


def _words_of(overrun: Overrun) -> str:
    """What is said of a template at which judging came to its end."""
    if overrun.cause is OverrunCause.TIME and overrun.stage:  # the time is that of all before it as well
        return f"judging the templates {overrun.why}, and was at this one then"
    return f"rendering {'this template' if overrun.stage else 'these templates'} {overrun.why}"


def judge_texts(texts: Mapping[str, str], languages: Sequence[str]) -> TemplateVerdict:
    """Judge templates, with nothing to bound it."""
    return judge_templates(texts, note_stage, languages)
