"""Everything that `tocsin check` looks at, as one list of problems.

Decides what is looked at: the config, whom its chains reach, then with its help the templates and the incident files.
Nothing is sent or recorded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files.rights import closed, is_folder
from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.jinja import sources
from tocsin.app.configuration.file_problems import incident_problems
from tocsin.app.configuration.load import Configuration, label_of
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.coverage_advice import CoverageAdvice
from tocsin.formats.config.fragments import Fragments
from tocsin.formats.config.unused_advice import advise_on_unused_names
from tocsin.formats.settings.advice import LONG_HOST
from tocsin.planning.on_call.coverage import AHEAD, ChainCoverage
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.folder import Listed
from tocsin.ports.renderer import TemplateFiles
from tocsin.text.decoding import FILE_LIMIT, TOP, problem
from tocsin.text.scalars import closest
from tocsin.wording.language.language import locale_of, name_of, parents
from tocsin.wording.language.languages import CATALOGUE, canonical, folders_of

Scan = Callable[[Path], Sequence[Listed] | str]
"""Lists a folder of incident files, as `ports.Folder.scan` does."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was looked at: the config, how many template files of one's own and how many incident files; and every
    problem.
    """

    configuration: Configuration
    problems: list[Problem]
    templates: int = 0
    incidents: int = 0


def inspect(
    work: BoundedWork,
    configuration: Configuration,
    folder: Path,
    paths: Sequence[Path],
    at: datetime,
    scan: Scan,
) -> Inspection:
    """Every problem of the config that was loaded from `folder`, of the templates and of the incident files: those
    under `paths`, or else those of the configured folder. All are judged by the config, so a refused one is all that is
    told.
    """
    problems = [
        replace(found, level=ProblemLevel.ERROR) if found.code == LONG_HOST else found
        for found in configuration.problems
    ]
    policy, settings = configuration.policy, configuration.settings
    if policy is None or settings is None:
        return Inspection(configuration, problems)
    problems += advice(configuration, at)
    files = sources.read(Path(label_of(settings.templates)))
    shipped = sources.read(sources.shipped_folder()).texts
    if all(text == shipped.get(name) for name, text in files.texts.items()):  # those are good
        problems += [*files.problems, *files.unread]
    else:
        from tocsin.app.configuration.template_advice import template_problems  # noqa: PLC0415 - dear, and few change one

        problems += template_problems(work, files, policy)
    problems += language_problems(configuration.declared, files, shipped)
    chosen = [path for path in paths if not path.resolve().is_relative_to(folder.resolve())]
    if not paths:
        chosen = [settings.incidents] if is_folder(settings.incidents) or closed(settings.incidents) else []
    incidents = 0
    for path in chosen:
        if why := closed(path):
            sentence = f"{'the incident folder' if not paths else 'this'} {why}"
            problems.append(problem(label_of(path), TOP, "unreadable-file", sentence, ProblemLevel.WARNING))
            continue
        listed = _folder(scan(path)) if is_folder(path) else [_file(path)]
        incidents += sum(file.data is not None for file in listed)
        problems += incident_problems(listed, path if is_folder(path) else path.parent, policy, at)
    return Inspection(configuration, problems, len(files.texts), incidents)


def advice(configuration: Configuration, at: datetime) -> list[Problem]:
    """Warnings about a good config that take a look at all of it and at the next 90 days: too dear for each load."""
    if configuration.policy is None:
        return []
    reach = ChainCoverage(configuration.policy, at, at + AHEAD)
    coverage = CoverageAdvice(configuration.declared, configuration.policy, at, at + AHEAD)
    problems = [
        *coverage.problems(reach.unreached(), reach.skipped()),
        *advise_on_unused_names(configuration.declared, configuration.policy),
    ]
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))


def language_problems(declared: Fragments, files: TemplateFiles, shipped: Iterable[str]) -> list[Problem]:
    """A warning for each language that somebody is to read and that there are no words in, neither in `files`
    nor in those `shipped`, at its first place.
    """
    spoken = {"en", *map(canonical, folders_of((*shipped, *files.texts)))}
    problems: dict[str, Problem] = {}
    for section in ("people", "stakeholders"):
        for entry in declared.section(section).values():
            code = canonical(entry.model.language) if entry.model else "en"
            if code not in problems and spoken.isdisjoint((code, *parents(code))):
                words = _unspoken(code, spoken, files.folder)
                problems[code] = entry.problem(("language",), "language-unknown", words, level=ProblemLevel.WARNING)
    return list(problems.values())


def _unspoken(code: str, spoken: Iterable[str], folder: Path) -> str:
    """What is said of a language without words."""
    if locale_of(code) is None:
        known = closest(code, spoken, cutoff=0.5) or "; write a code such as de or pt-BR."
        return f"nobody knows a language {code}{known} Messages are in English until then"
    return (
        f"there are no words in {name_of(code)} yet, so messages are in English; "
        f"write {folder / code / CATALOGUE} (docs/templates.md says how)"
    )


def _folder(listed: Sequence[Listed] | str) -> Sequence[Listed]:
    """The incident files of a folder, or the folder's own trouble."""
    return [Listed("", None, "", listed)] if isinstance(listed, str) else listed


def _file(path: Path) -> Listed:
    """One incident file, by whatever name."""
    try:
        return Listed(path.name, read_regular(path, FILE_LIMIT + 1, follow=True), "")
    except OSError as fault:
        return Listed(path.name, None, "", fault.strerror or str(fault))
