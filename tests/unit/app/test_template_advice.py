"""What `tocsin check` says of the languages that people read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.jinja import sources
from tocsin.app.configuration.check import language_problems
from tocsin.app.configuration.load import Configuration
from tocsin.app.configuration.read_tree import read_tree
from tocsin.app.configuration.template_advice import template_problems

from tests.fakes.bounded_work import SameProcess
from tests.fakes.pager import CONFIG, SETTINGS

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SAID = 'msgid "Next update by {time}."\nmsgstr "Ci sentiamo entro {time}."\n'


def config(language: str) -> Configuration:
    """A config with somebody who reads a language."""
    text = CONFIG.replace("ana: {", f"ana: {{language: {language}, ", 1)
    return read_tree({"all.yaml": text.encode(), "tocsin.yaml": SETTINGS.encode()}, Path("config"), AT, {})


def told(language: str, folder: Path) -> list[str]:
    configuration, files = config(language), sources.read(folder)
    assert configuration.policy
    problems = [
        *template_problems(SameProcess(), files, configuration.policy),
        *language_problems(configuration.declared, files, sources.read(sources.shipped_folder()).texts),
    ]
    return [f"{problem.file}:{problem.line}: {problem.level}: {problem.message}" for problem in problems]


@pytest.mark.parametrize("language", ["en", "de", "pt-BR", "PT-br", "fr-CA"])
def test_a_language_with_words_needs_no_advice(language: str, tmp_path: Path) -> None:
    """A shipped one, also of a country, whatever its case."""
    assert told(language, tmp_path) == []


def test_a_language_without_words_is_told_with_what_to_do(tmp_path: Path) -> None:
    """At the place where somebody is to read it."""
    (problem,) = told("it", tmp_path)
    assert problem.startswith("config/all.yaml:")
    assert problem.endswith(
        f"warning: there are no words in Italian yet, so messages are in English; write {tmp_path}/it/messages.po "
        "(docs/templates.md says how)"
    )


def test_an_unknown_language_is_met_with_a_suggestion(tmp_path: Path) -> None:
    """As a slip mostly is one."""
    (problem,) = told("dee", tmp_path)
    assert 'nobody knows a language dee; did you mean "de"? Messages are in English until then' in problem
    (problem,) = told("qzz", tmp_path)
    assert "nobody knows a language qzz; write a code such as de or pt-BR. Messages are in English" in problem


def test_words_that_are_missing_are_counted_and_the_first_named(tmp_path: Path) -> None:
    """One warning a language, at its file, with what to do; not for one that nobody reads."""
    for name in ("it", "nl"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "messages.po").write_text(SAID)
    (problem,) = told("it", tmp_path)
    place = f"{tmp_path}/it/messages.po"
    assert problem.startswith(f"{place}:1: warning: ")
    assert "sentences are not translated into Italian and are said in English: " in problem
    assert problem.endswith(f" more; write them into {place}")
    assert problem.count('"') >= 6


def test_a_sentence_of_ones_own_is_missing_too(tmp_path: Path) -> None:
    """Whoever writes one into a template hears which shipped language lacks it."""
    (tmp_path / "page.email.txt.j2").write_text('{{ _("Call the bridge.") }} {{ acknowledge }}')
    (problem,) = told("de", tmp_path)
    assert "warning: 1 of " in problem
    assert 'not translated into German and are said in English: "Call the bridge."; write' in problem
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "messages.po").write_text('msgid "Call the bridge."\nmsgstr "In die Konferenz einwählen."\n')
    assert told("de", tmp_path) == []


def test_a_catalogue_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """With file and line."""
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "messages.po").write_text(
        "\n" + SAID.replace('{time}."\n', '{tempo}."\n').replace("by {tempo}", "by {time}")
    )
    (problem,) = told("de", tmp_path)
    assert (
        problem == f'{tmp_path}/de/messages.po:2: error: {{time}} is missing in "Ci sentiamo entro {{tempo}}."; mend it'
    )
