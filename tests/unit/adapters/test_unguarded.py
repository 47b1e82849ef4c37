"""The shipped templates without the sandbox: the same letters, and only where nobody has a hand in them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from jinja2 import Environment, Template
from jinja2.filters import FILTERS
from tocsin.adapters.jinja import sources, unguarded
from tocsin.adapters.jinja.faults import BrokenTemplateError
from tocsin.adapters.jinja.sandbox import Sandbox
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.adapters.jinja.template_set import AnyWording, TemplateSet
from tocsin.adapters.jinja.unguarded import LIGHT_MOST, Unguarded, is_light
from tocsin.domain.people import Channel
from tocsin.wording.answer.samples import answer_samples
from tocsin.wording.answer.sign_in_wording import SIGN_INS
from tocsin.wording.language.languages import Languages
from tocsin.wording.message.samples import bundle_samples, samples
from tocsin.wording.message.wording import Wording
from tocsin.wording.operator.samples import TESTS, notice_samples

SHIPPED = sources.read(shipped_folder()).texts
LANGUAGES = Languages(SHIPPED)
NASTY = (
    " ",
    "<script>alert('x')</script> & \"more\" {{ 7 * 7 }}{% include 'page.sms.txt.j2' %} {time} %(time)s 100 % 支付\n\n\nzwei\u202e",
)


def template_set(own: dict[str, str] | None = None, *, guarded: bool = False) -> TemplateSet:
    """The shipped templates with some of a user's; all of them in the sandbox, if they are to be `guarded`."""
    return TemplateSet({**SHIPPED, **(own or {})}, {} if guarded else SHIPPED, {}, LANGUAGES, pytest.fail)


def everything() -> Iterator[tuple[AnyWording, Channel]]:
    """Words of each kind, and of what strangers may write into them."""
    by_all: list[AnyWording] = [*samples(), *bundle_samples(), *notice_samples(), *TESTS, *SIGN_INS]
    nasty = [
        replace(words, title=text, summary=text, impact=text, organisation=text)
        for words, text in product(samples(), NASTY)
    ]
    yield from product((*by_all, *nasty), Channel)
    yield from product(answer_samples(), [Channel.SMS])


@pytest.mark.parametrize("code", ["en", "de"])
def test_they_say_the_same_as_in_the_sandbox(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind on every channel, in English and translated, whatever strangers wrote."""
    free, guarded, language = template_set(), template_set(guarded=True), LANGUAGES.of(code)
    sandboxed = Sandbox.text
    rendered: list[str] = []

    def noted(self: Sandbox, template: Template, words: Mapping[str, Any], times: int = 1) -> str:
        rendered.append(str(template.name))
        return sandboxed(self, template, words, times)

    monkeypatch.setattr(Sandbox, "text", noted)
    for words, via in everything():
        spoken = replace(words, language=language.code, direction=language.direction)
        made = free.content(spoken, via, language)
        assert not rendered, "nothing of the shipped templates needs the sandbox"
        assert made == guarded.content(spoken, via, language)
        assert rendered
        rendered.clear()


@pytest.mark.parametrize(
    ("own", "guarded"),
    [
        ("page.subject.txt.j2", {"page.subject.txt.j2"}),
        ("layout.txt.j2", {"page.email.txt.j2", "layout.txt.j2"}),
        ("more_parts.html.j2", {"page.email.html.j2", "layout.html.j2", "parts.html.j2", "more_parts.html.j2"}),
        ("nobody.needs.j2", set()),
    ],
)
def test_what_takes_anything_from_an_own_template_stays_in_the_sandbox(own: str, guarded: set[str]) -> None:
    """However far away it is."""
    texts = {**SHIPPED, own: SHIPPED.get(own, "") + " "}
    parts = ("page.subject.txt.j2", "page.email.txt.j2", "page.email.html.j2", "layout.txt.j2", "layout.html.j2")
    shared = ("parts.html.j2", "more_parts.html.j2", "page.sms.txt.j2")
    environment = Unguarded(SHIPPED)
    assert {name for name in (*parts, *shared) if not environment.has(name, texts)} == guarded


def test_a_template_that_is_named_while_it_is_rendered_may_be_anybodys() -> None:
    """Nobody can tell beforehand which one it is."""
    texts = {"page.sms.txt.j2": "{% include kind ~ '.j2' %}", "page.j2": "page"}
    assert not Unguarded(texts).has("page.sms.txt.j2", texts)


def test_which_template_speaks_is_looked_for_once_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm has a thousand pages of one kind; in a language of which the folder has an own one, that one speaks."""
    words = next(words for words in samples() if words.kind == "page")
    texts = {**SHIPPED, "de/page.subject.txt.j2": "Alarm"}
    templates = TemplateSet(texts, SHIPPED, {}, Languages(texts), pytest.fail)
    for _ in range(2):
        assert templates.content(words, Channel.EMAIL, LANGUAGES.of("de")).subject.endswith("Alarm")
        assert "Alarm" not in templates.content(words, Channel.EMAIL, LANGUAGES.of("en")).subject
        monkeypatch.setattr(Unguarded, "has", lambda *_: pytest.fail("it was looked for before"))


def test_an_own_layout_keeps_its_bounds_under_a_shipped_page() -> None:
    """The page is as it was shipped; what it extends is not."""
    endless = "{% for a in range(4999) %}{% for b in range(4999) %}x{% endfor %}{% endfor %}"
    words = next(words for words in samples() if words.kind == "page")
    with pytest.raises(BrokenTemplateError, match="too many steps"):
        template_set({"layout.txt.j2": endless}).content(words, Channel.EMAIL, LANGUAGES.of("en"))


def test_more_words_than_a_message_has_are_rendered_within_the_bounds() -> None:
    """A text that nobody could read is refused in the same words, whoever wrote the template."""
    words = next(words for words in samples() if words.kind == "page")
    for long in (
        replace(words, summary="x" * 300_000),
        replace(words, services=("x",) * 9_000),
        replace(words, links=tuple((f"Link {number}", "https://example.com/") for number in range(6_000))),
    ):
        told = []
        for templates in (template_set(), template_set(guarded=True)):
            with pytest.raises(BrokenTemplateError) as broken:
                templates.content(long, Channel.EMAIL, LANGUAGES.of("en"))
            told.append(broken.value.fault)
        assert told[0] == told[1]


@pytest.mark.parametrize(
    "heavy",
    [
        {"summary": "x" * LIGHT_MOST},
        {"services": ("",) * (LIGHT_MOST // 16)},
        {"links": (("x" * LIGHT_MOST, ""),)},
        {"pages": [{"title": "x" * LIGHT_MOST}]},
        {"last_news": replace(next(samples()), title="x" * LIGHT_MOST)},
    ],
)
def test_all_that_stands_in_the_words_has_weight(heavy: dict[str, object]) -> None:
    """However deep it stands there."""
    full = next(samples())
    light = {name: getattr(full, name) for name in Wording.__slots__}
    assert is_light(light)
    assert is_light(dict.fromkeys(heavy, ""))
    assert not is_light({**dict.fromkeys(light, "x"), **heavy})


@pytest.mark.parametrize(
    "text",
    [
        "{{ plain }}{{ marked }}{{ number }}{{ none }}{{ safe }}{{ marked ~ safe }}{{ marked | escape }}",
        "{% macro two(a, b='<') %}{{ a }}-{{ b }}{% endmacro %}{{ two(marked) }}{{ two(b=1, a=2) }}{{ two(safe, marked) }}",
        "{% macro any(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ any(1, '<', b=2) }}",
        "{% macro around() %}<b>{{ caller() }}</b>{% endmacro %}{% call around() %}{{ marked }}{% endcall %}",
        "{% macro a(x) %}{{ x }}{% endmacro %}{% for x in [marked, safe] %}{{ a(a(x)) }}{{ loop.index }}{% endfor %}",
        "{% set all %}{{ marked }}{% endset %}{{ all }}{{ marked.upper() }}{{ [marked, safe] | join('<') }}",
    ],
)
def test_they_are_compiled_to_what_jinja_makes_of_them(text: str) -> None:
    """What is printed, and called with whatever arguments, in HTML and in plain text."""
    safe = FILTERS["safe"]("<i>")
    words = {"plain": "plain", "marked": "<&\"'>", "number": 7, "none": None, "safe": safe}
    for name in ("a.html.j2", "a.txt.j2"):
        whole = Environment(autoescape=name == "a.html.j2").from_string(text).render(words)
        assert Unguarded({name: text}).text(name, words, LANGUAGES.of("en")) == whole


def test_a_template_is_compiled_once_for_all_renderers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon has several of them, and makes new sets of templates at each reload."""
    Unguarded(SHIPPED).has("page.email.html.j2", SHIPPED)
    monkeypatch.setattr(unguarded.Unguarded, "_parse", lambda *_: pytest.fail("it was compiled before"))
    again = Unguarded(SHIPPED)
    assert again.has("page.email.html.j2", SHIPPED)
    again.get_template("page.email.html.j2")
