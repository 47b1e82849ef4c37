"""What may not have been meant in a folder of templates: files that nothing uses, and names that say nothing."""

import re
from collections.abc import Mapping

import pytest
from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.advice.template_advice import GIVEN, advise
from tocsin.adapters.jinja.advice.vocabulary import KINDS, kinds_with
from tocsin.adapters.jinja.sandbox import Sandbox
from tocsin.adapters.jinja.sources import shipped_folder

SHIPPED = sources.read(shipped_folder()).texts


def found(own: Mapping[str, str], *languages: str) -> list[tuple[str, int, str]]:
    """Where and why."""
    return [(advice.name, advice.line, advice.why) for advice in advise(own, SHIPPED, languages or ("en",))]


def test_what_every_template_has_is_known() -> None:
    """What we give beside the words of a message is no unknown name."""
    assert set(Sandbox({}).globals) <= GIVEN


def test_a_kind_has_what_it_is_made_of() -> None:
    """Every kind of message that there is has a template, and every message's template a kind."""
    kinds = {
        name.partition(".")[0] for name in SHIPPED if re.fullmatch(r"\w+\.(sms\.txt|subject\.txt|email\.\w+)\.j2", name)
    }
    assert kinds == KINDS
    assert kinds_with("why") == ("page",)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pages.sms.txt.j2", 'did you mean "page.sms.txt.j2"?'),
        ("page.sms.j2", 'did you mean "page.sms.txt.j2"?'),
        ("de/page.email.txt.j2.j2", 'did you mean "de/page.email.txt.j2"?'),
        ("de/closing.mail.txt.j2", 'did you mean "de/closing.email.txt.j2"?'),
        ("brand/colours.j2", "a message's is called KIND.PART.j2"),
        ("de/at/page.sms.txt.j2", 'did you mean "de/at/page.sms.txt.j2"?'),
        ("fr/page.sms.txt.j2", "nobody's `language` is fr"),
        ("fr/layout.html.j2", "nobody's `language` is fr"),
        ("de/layout.html.j2", "a message's is called KIND.PART.j2"),
    ],
)
def test_a_file_that_nothing_uses(name: str, says: str) -> None:
    """It is named, with what may be meant."""
    ((file, line, why),) = found({name: "x"}, "en", "de")
    assert (file, line) == (name, 1)
    assert why.startswith("no message uses this template")
    if name != "de/at/page.sms.txt.j2":
        assert says in why


def test_a_translation_of_a_sentence_that_nobody_says() -> None:
    """It is misspelt, or an upgrade changed it: its words would go in silence. Those of templates of one's own count."""
    own = {
        "page.sms.txt.j2": '{{ _("Call the desk.") }}',
        "de/messages.po": """msgid "Next updat by {time}."
msgstr "{time}"

msgid "Next update by {time}."
msgstr "Bis {time}."

msgid "Call the desk."
msgstr "Ruf an."
""",
    }
    why = 'no message says "Next updat by {time}."; did you mean "Next update by {time}."?'
    assert found(own, "en", "de") == [("de/messages.po", 1, why)]


@pytest.mark.parametrize(
    "name", ["page.sms.txt.j2", "de/page.sms.txt.j2", "pt/page.sms.txt.j2", "pt-BR/page.sms.txt.j2"]
)
def test_a_file_of_a_language_that_somebody_reads(name: str) -> None:
    """The language itself, and what it falls back to."""
    assert found({name: "x"}, "en", "de", "pt-BR") == []


def test_a_file_that_another_one_names() -> None:
    """By include, import, extends, or words put together; not if what names it is used by nothing."""
    for text in (
        '{% include "brand.html.j2" %}',
        '{% import "brand.html.j2" as brand %}',
        "{% include 'brand.' ~ 'html.j2' %}",
    ):
        assert found({"page.email.html.j2": text, "brand.html.j2": "x"}) == []
    assert [name for name, _, _ in found({"other.j2": '{% include "brand.html.j2" %}', "brand.html.j2": "x"})] == [
        "brand.html.j2",
        "other.j2",
    ]


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("page.sms.txt.j2", "x\n{% if drill and external %}{{ titel }}{% endif %}", 2, "'titel' is undefined; did you mean \"title\"?"),
        ("page.sms.txt.j2", "{{ told_as }}", 1, "told_as is always empty here (page): it is for update"),
        ("update.email.txt.j2", "{{ why }}", 1, "why is always empty here (update): it is for page"),
        ("bundle.sms.txt.j2", "{{ count }}{{ summary }}", 1, "'summary' is undefined; the names there are stand in docs/templates.md"),
    ],
)  # fmt: skip
def test_a_name_that_says_nothing(name: str, text: str, line: int, why: str) -> None:
    """Also where no sample comes by; one of another kind of message is empty, or not there."""
    assert found({name: text}) == [(name, line, why)]


@pytest.mark.parametrize(
    "text",
    [
        "{% set brand = title %}{{ brand }}",
        "{% for role, holder in holders %}{{ role }} {{ holder }} {{ loop.index }}{% endfor %}",
        "{% macro shout(words) %}{{ words | upper }} {{ caller() }}{% endmacro %}{% call shout(title) %}x{% endcall %}",
        "{% if later is defined %}{{ later }}{% endif %}{{ soon | default('') }}",
        '{{ _("Since {time}.", time=since) }} {{ n_("{number} page", "{number} pages", 2) }}',
    ],
)
def test_a_name_that_a_template_gives_itself(text: str) -> None:
    """Set, looped over, a macro's, asked for first, or ours."""
    assert found({"page.sms.txt.j2": text}) == []


def test_a_name_that_one_template_gives_another() -> None:
    """What is set where a file is named is there in it; what is set in another message is not."""
    own = {"page.sms.txt.j2": '{% set accent = "red" %}{% include "brand.txt.j2" %}', "brand.txt.j2": "{{ accent }}"}
    assert found(own) == []
    assert len(found({**own, "closing.sms.txt.j2": "{{ accent }}"})) == 1


def test_a_file_of_several_kinds_has_the_names_of_them_all() -> None:
    """What one of them fills is no mistake."""
    own = {
        "brand.txt.j2": "{{ why }} {{ told_as }} {{ groups }}",
        **{f"{kind}.sms.txt.j2": '{% include "brand.txt.j2" %}' for kind in ("page", "update")},
    }
    assert found(own) == [("brand.txt.j2", 1, "groups is always empty here (page, update): it is for reminder")]


def test_what_cannot_be_read_is_told_elsewhere() -> None:
    """A template that Jinja refuses is an error, and no further advice comes of it."""
    assert found({"page.sms.txt.j2": "{% if %}", "closing.sms.txt.j2": "{{ title | nofilter }}"}) == []
