"""Sentences of templates: `_` and `n_`, what they cost, and what does not fit."""

from pathlib import Path

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem

from tests.unit.adapters.test_jinja import INCIDENT, POLICY, SHIPPED, history, notification


def rendered(source: str, folder: Path, told: list[Problem], part: str = "email.txt") -> str:
    """What a page says by a template of one's own."""
    renderer = JinjaRenderer(SHIPPED, told.append)
    (folder / f"page.{part}.j2").write_text(source)
    told += renderer.load(folder)
    content = renderer.render(notification(Kind.PAGE, Channel.EMAIL), INCIDENT, history(), POLICY)
    return (content.html if "html" in part else content.text).strip()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ _("Stand down.") }}', "Stand down."),
        ('{{ _("It is {name}, {name}.", name=name) }}', "It is Bo Lindqvist, Bo Lindqvist."),
        ('{{ n_("{number} page", "{number} pages", 1) }}', "1 page"),
        ('{{ n_("{number} page", "{number} pages", 12000) }}', "12,000 pages"),
        ('{{ n_("A page for {name}", "{number} pages for {name}", 2, name=name) }}', "2 pages for Bo Lindqvist"),
        ("{% macro said(x) %}{{ _('Hello {x}!', x=x) }}{% endmacro %}{{ said(name) }}", "Hello Bo Lindqvist!"),
        ("{% for role in roles %}{{ _('You: {role}.', role=role) }}{% endfor %}", "You: Technical Lead."),
    ],
)
def test_a_template_says_sentences(source: str, text: str, tmp_path: Path) -> None:
    """In English as they stand there."""
    told: list[Problem] = []
    assert rendered(source, tmp_path, told) == text
    assert told == []


def test_a_sentence_is_text_and_escaped(tmp_path: Path) -> None:
    """An HTML template escapes it whole, what is filled in and what stands there."""
    html = rendered('<p>{{ _("{what} & more", what="<b>") }}</p>', tmp_path, [], "email.html")
    assert html == "<p>&lt;b&gt; &amp; more</p>"


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        ('\n{{ _("By {time}.", tme=next) }}', 2, '"By {time}." has {time}, which is not given; write time=…'),
        ('\n{{ _("By then.", time=next) }}', 2, '"By then." has no {time}, which is given; write it into the words or'),
        ("{% if False %}\n{{ _(title) }}{% endif %}", 2, "the words of _() stand there as they are"),
        ('{{ _("a" ~ "b") }}', 1, "the words of _() stand there as they are"),
        ("\n\n{{ _() }}", 3, "_() takes the sentence, and then names"),
        ('{{ n_("page", "pages") }}', 1, "n_() takes what is said of one, what is said of many, how many there are"),
        ('{{ n_("page", many, 2) }}', 1, "the words of n_() stand there as they are"),
        ('{{ n_("{number} page", "{number} pages", 2, number=3) }}', 1, "number is known to n_() by itself"),
        ('{{ _("x", **worst) }}', 1, "_() takes the sentence, and then names"),
    ],
)
def test_words_that_do_not_fit_are_refused(source: str, line: int, why: str, tmp_path: Path) -> None:
    """Before the template is used, wherever in it they stand, with their line."""
    told: list[Problem] = []
    rendered(source, tmp_path, told)
    assert [(problem.line, problem.message.startswith(why)) for problem in told] == [(line, True)], told


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('\n{{ _("By {time}.", time=nxt) }}', "'nxt' is undefined"),
        ('\n{{ _("By {time}.", time=roles) }}', "time is a list and no text; write time | join(', ')"),
        ('\n{{ n_("page", "pages", title) }}', "a str is no number of things"),
        ('\n{{ n_("page", "pages", nxt) }}', "'nxt' is undefined"),
    ],
)
def test_what_cannot_be_filled_in_is_told(source: str, why: str, tmp_path: Path) -> None:
    """With its line, and the built-in text goes instead."""
    told: list[Problem] = []
    rendered(source, tmp_path, told)
    assert [(problem.line, problem.message.startswith(why)) for problem in told] == [(2, True)], told


def test_html_is_not_filled_in(tmp_path: Path) -> None:
    """It would be shown as letters: a sentence is a plain text."""
    told: list[Problem] = []
    rendered("{{ _('See {link}.', link='<a>'|safe) }}", tmp_path, told, "email.html")
    assert "link holds HTML; a sentence is a plain text" in told[0].message


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(2000) %}{{ _('x') }}{% endfor %}{% for a in range(2000) %}{{ _('x') }}{% endfor %}x",
        "{% set s = 'x' * 5000 %}{% set s = s ~ s %}{{ _('" + "{s}" * 30 + "', s=s) }}",
        "{% set ns = 'x' * 5000 %}" + "{% set ns = _('{a}{a}', a=ns) %}" * 12 + "x",
    ],
)
def test_sentences_pay(source: str, tmp_path: Path) -> None:
    """As everything does that a template makes."""
    told: list[Problem] = []
    rendered(source, tmp_path, told)
    assert len(told) == 1
    assert told[0].message.startswith(("the text becomes too long", "the template takes too many steps"))
