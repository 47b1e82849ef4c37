"""What is wrong with templates that are not as they were shipped, for `tocsin check`."""

from collections.abc import Collection, Mapping
from pathlib import Path

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.advice.template_advice import advise
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.configuration.config_judge import judge_folder
from tocsin.app.configuration.judge import JUDGED_IN, JUDGED_WITHIN
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.bounded_work import BoundedWork, Overrun
from tocsin.ports.renderer import MissingWords, TemplateAdvice, TemplateFiles, TemplateVerdict
from tocsin.text.decoding import TOP, problem
from tocsin.wording.language.language import name_of
from tocsin.wording.language.languages import CATALOGUE

SENTENCE_MOST = 60
"""The most of a sentence that is quoted."""


def template_problems(work: BoundedWork, files: TemplateFiles, policy: Policy) -> list[Problem]:
    """What is wrong with templates: what cannot be read, cannot be parsed, or breaks on a sample; and what languages
    that somebody reads say in English.
    """
    verdict = judge_folder(work, files, policy.languages)
    faults = [
        Problem(
            str((files.folder if fault.name in files.texts or not fault.name else Path("templates")) / fault.name),
            fault.line,
            1,
            ProblemLevel.ERROR,
            "template-broken",
            f"{fault.why}; mend it",
        )
        for fault in verdict.faults
    ]
    untold = [_untranslated(words, files.folder) for words in verdict.missing]
    doubtful = [] if verdict.unread else _doubtful(work, files, verdict, policy)
    return [*files.problems, *files.unread, *verdict.unread, *faults, *untold, *doubtful]


def _doubtful(work: BoundedWork, files: TemplateFiles, verdict: TemplateVerdict, policy: Policy) -> list[Problem]:
    """Templates that nothing uses, and names that say nothing, but for what is told as an error already. In a process
    of its own, as the templates themselves are judged: what comes to no end has been told.
    """
    sound = {name: text for name, text in files.texts.items() if name not in verdict.left_out}
    found = work.run(advise_on, sound, policy.languages, seconds=JUDGED_WITHIN, megabytes=JUDGED_IN)
    return [] if isinstance(found, Overrun) else [_advice(advice, files.folder) for advice in found]


def advise_on(own: Mapping[str, str], languages: Collection[str]) -> tuple[TemplateAdvice, ...]:
    """What may not have been meant in these templates, over the shipped ones."""
    return advise(own, sources.read(shipped_folder()).texts, languages)


def _advice(advice: TemplateAdvice, folder: Path) -> Problem:
    return Problem(str(folder / advice.name), advice.line, 1, ProblemLevel.WARNING, advice.code, advice.why)


def _untranslated(words: MissingWords, folder: Path) -> Problem:
    """What is said of a language that lacks sentences."""
    place = folder / words.language / CATALOGUE
    quoted = ", ".join(f'"{_short(text)}"' for text in words.first)
    more = f" and {words.count - len(words.first)} more" if words.count > len(words.first) else ""
    message = (
        f"{words.count} of {words.of} sentences are not translated into {name_of(words.language)} and are said in "
        f"English: {quoted}{more}; write them into {place}"
    )
    return problem(str(place), TOP, "untranslated", message, ProblemLevel.WARNING)


def _short(text: str) -> str:
    return text if len(text) <= SENTENCE_MOST else text[: SENTENCE_MOST - 3] + "..."
