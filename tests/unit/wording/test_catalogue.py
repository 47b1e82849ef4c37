"""Catalogues: what a translators' file says, and what of it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.wording.language.catalogue import CatalogueFault, read_catalogue, sentences_of
from tocsin.wording.language.language import ENGLISH, Translation
from tocsin.wording.language.languages import Languages, canonical
from tocsin.wording.language.placeholders import placeholders

GERMAN = """\
# German
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#, fuzzy
msgid "Somebody passed it on."
msgstr "Jemand hat weitergegeben."

msgid "Next update by {time}."
msgstr ""
"Nächste Meldung "
"bis {time}."

msgid "Stand down."
msgstr ""

msgid "{number} page for {name}"
msgid_plural "{number} pages for {name}"
msgstr[0] "Ein Alarm für {name}"
msgstr[1] "{number} Alarme für {name}"

#~ msgid "Gone."
#~ msgstr "Weg."
"""


def test_what_a_catalogue_says() -> None:
    """What is fuzzy, empty or obsolete is not translated; a count has its forms."""
    words, faults = read_catalogue(GERMAN, "de")
    assert faults == ()
    assert words == {
        "Next update by {time}.": Translation(("Nächste Meldung bis {time}.",)),
        "{number} page for {name}": Translation(("Ein Alarm für {name}", "{number} Alarme für {name}")),
    }
    assert [words["{number} page for {name}"].which(number) for number in (0, 1, 2)] == [1, 0, 1]
    assert sentences_of(GERMAN) == (
        "Somebody passed it on.",
        "Next update by {time}.",
        "Stand down.",
        "{number} page for {name}",
    )


def test_a_file_with_other_line_ends() -> None:
    """An editor on another system changes nothing."""
    assert read_catalogue(GERMAN.replace("\n", "\r\n"), "de") == read_catalogue(GERMAN, "de")


HEADER = 'msgid ""\nmsgstr "Plural-Forms: {}\\n"\n'
ENTRY = 'msgid "{}"\nmsgstr "{}"\n'
COUNT = 'msgid "a page for {name}"\nmsgid_plural "{number} pages for {name}"\n'


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ('msgid "x\nmsgstr "y"', 1, "this is no line of a catalogue"),
        ("one\n" + ENTRY, 1, "this is no line of a catalogue"),
        ('\nmsgid "x"\n\nmsgid "y"\nmsgstr "z"', 4, "this is no catalogue: missing msgstr for msgid 'x'"),
        ('\n"x"', 2, "this is no catalogue: Got line starting with"),
        (ENTRY.format("By {time}.", "Bis {zeit}."), 1, '{time} is missing in "Bis {zeit}."'),
        (
            ENTRY.format("By {time}.", "Bis {time}, {ort}."),
            1,
            '"Bis {time}, {ort}." has {ort}, which the sentence has not',
        ),
        (
            ENTRY.format("Stop.", "Halt {title}."),
            1,
            '"Halt {title}." has {title}, which the sentence has not; it has none',
        ),
        ("\n" + COUNT + 'msgstr[0] "ein"\nmsgstr[1] "{number} {name}"', 2, '{name} is missing in "ein"'),
        (COUNT + 'msgstr[0] "{name}"', 1, "msgstr[1] is missing"),
        (COUNT + 'msgstr[0] "{name}"\nmsgstr[2] "{name}"', 4, "this is no catalogue: msg has more translations"),
        (ENTRY.format("a", "b") + "\n" + ENTRY.format("a", "c"), 4, '"a" is translated in line 1 already'),
        ('msgctxt "mail"\n' + ENTRY.format("a", "b"), 2, "this has a msgctxt"),
        (ENTRY.format("a", "b" * 500), 1, '"' + "b" * 57 + '..." is over 20 times as long'),
        (HEADER.format("nplurals=99999999; plural=0;"), 2, "nplurals is over 6"),
        (HEADER.format("nplurals=2; plural=n**9;"), 2, "Plural-Forms cannot be understood"),
        (HEADER.format("nplurals=2; plural=__import__;"), 2, "Plural-Forms cannot be understood"),
        ('msgid ""\nmsgstr "PO-Revision-Date: soon\\n"', 2, "this is no catalogue: time data 'soon'"),
    ],
)
def test_what_could_mislead_is_refused(text: str, line: int, why: str) -> None:
    """With its line, and what is wrong."""
    _, faults = read_catalogue(text, "de")
    assert [(fault.line, fault.why.startswith(why)) for fault in faults] == [(line, True)], faults


def test_a_rule_that_divides_by_nothing_gives_a_form() -> None:
    """Whatever a catalogue's rule does, some form is said."""
    text = HEADER.format("nplurals=2; plural=(n / (n - 3) > 1000 ? 9 : n == 7);") + COUNT
    words, faults = read_catalogue(text + 'msgstr[0] "ein {name}"\nmsgstr[1] "{number} {name}"', "de")
    assert faults == ()
    which = words["a page for {name}"].which
    assert all(which(number) in (0, 1) for number in range(10))


@given(st.text(), st.integers(0, len(GERMAN)), st.integers(0, len(GERMAN)))
def test_reading_never_fails(text: str, start: int, end: int) -> None:
    """Whatever stands in the file it gives words or faults; each word's names are those of its sentence."""
    for source in (text, GERMAN[:start] + text + GERMAN[end:]):
        words, faults = read_catalogue(source, "de")
        assert all(fault.line >= 1 and fault.why for fault in faults)
        for sentence, translation in words.items():
            known = placeholders(sentence) | {"name", "number"}
            assert faults or all(placeholders(form) <= known for form in translation.forms)


def po(**words: str) -> str:
    return "\n".join(ENTRY.format(sentence, text) for sentence, text in words.items())


def test_a_user_is_asked_before_the_shipped_word_by_word() -> None:
    """Then the language of a country, then the language, then English; a language without words is English."""
    own = {"pt/messages.po": po(a="own pt a"), "en/messages.po": po(d="own en d"), "it/page.sms.txt.j2": "Ciao"}
    shipped = {"pt/messages.po": po(a="pt a", b="pt b"), "pt-BR/messages.po": po(b="br b"), "page.sms.txt.j2": "Hi"}
    languages = Languages(own, shipped)
    brazil = languages.of("pt-br")
    assert [brazil.say(word) for word in "abcd"] == ["own pt a", "br b", "c", "own en d"]
    assert brazil.code == "pt-BR"
    assert [languages.of("pt-PT").say(word) for word in "ab"] == ["own pt a", "pt b"]
    assert languages.of("it").code == "it"
    assert languages.of("nl").code == "en"
    assert languages.of("nl").say("d") == "own en d"
    assert Languages(shipped).of("nl") == ENGLISH


def test_where_templates_of_a_language_are() -> None:
    """By the folder's own name, whatever its case, the nearest first."""
    languages = Languages({"pt_br/page.sms.txt.j2": "", "pt/page.sms.txt.j2": "", "page.sms.txt.j2": ""})
    assert languages.paths(languages.of("pt-BR"), "page.sms.txt.j2") == (
        "pt_br/page.sms.txt.j2",
        "pt/page.sms.txt.j2",
        "page.sms.txt.j2",
    )


def test_codes_have_one_writing() -> None:
    """As they are mostly written."""
    assert [canonical(code) for code in ("PT_br", "zh-hant-tw", "de", "EN")] == ["pt-BR", "zh-Hant-TW", "de", "en"]


def test_faults_of_one_file_have_an_end() -> None:
    """Twenty are told."""
    _, faults = read_catalogue("\n".join(ENTRY.format(f"a{number}", "{b}") for number in range(50)), "de")
    assert len(faults) == 20
    assert faults[0] == CatalogueFault(1, '"{b}" has {b}, which the sentence has not; it has none')
