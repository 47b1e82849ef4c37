"""Catalogues beside templates: whose words count, what is judged, and which way a message is read."""

from dataclasses import replace
from pathlib import Path

import pytest
from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.judging import judge_templates
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.notification import Kind, Reason, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem
from tocsin.text.gsm import fold, segments
from tocsin.wording.language.languages import Languages
from tocsin.wording.message.wording import wording

from tests.unit.adapters.test_jinja import INCIDENT, POLICY, SHIPPED, history, notification

PAGE = '{{ _("Hello {name}, it is {title}.", name=name, title=title) }} {{ acknowledge }}'
ENTRY = 'msgid "Hello {{name}}, it is {{title}}."\nmsgstr "{}"\n'


def reading(language: str) -> object:
    return replace(POLICY, people={"bo": replace(POLICY.people["bo"], language=language)})


def sms(renderer: JinjaRenderer, language: str) -> str:
    page = notification(Kind.PAGE, Channel.SMS)
    return renderer.render(page, INCIDENT, history(), reading(language)).text  # type: ignore[arg-type]


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_po", ".po").replace("_j2", ".j2")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.sms.txt.j2").write_text(PAGE)
    return tmp_path


def test_a_folder_is_a_language(folder: Path) -> None:
    """One file of words is enough; whoever reads the language gets them, others English."""
    write(folder, it__messages_po=ENTRY.format("Ciao {name}, è {title}."))
    told: list[Problem] = []
    renderer = JinjaRenderer(SHIPPED, told.append)
    assert renderer.load(folder) == ()
    assert sms(renderer, "it-CH").startswith("Ciao Bo Lindqvist, è Card payments fail at checkout.")
    assert sms(renderer, "nl").startswith("Hello Bo Lindqvist, it is Card payments")
    assert told == []
    assert renderer.check() == ()


def test_a_broken_catalogue_leaves_the_last_good_set(folder: Path) -> None:
    """It is told with file and line, as a template is (P8); at a first start the others count without it."""
    write(folder, it__messages_po=ENTRY.format("Ciao {name}, è {title}."))
    renderer = JinjaRenderer(SHIPPED, lambda _: None)
    renderer.load(folder)
    write(folder, it__messages_po="\n" + ENTRY.format("Ciao {nome}."))
    (problem,) = renderer.load(folder)
    assert str(problem) == (
        f'{folder}/it/messages.po:2:1: error: {{name}} is missing in "Ciao {{nome}}."; the last good templates go on'
    )
    assert sms(renderer, "it").startswith("Ciao Bo")
    first = JinjaRenderer(SHIPPED, lambda _: None)
    (problem,) = first.load(folder)
    assert problem.message.endswith("the shipped text is used instead")
    assert sms(first, "it").startswith("Hello Bo")


def test_a_catalogue_beside_no_language_is_told(tmp_path: Path) -> None:
    """It stands in the folder of its language."""
    (tmp_path / "messages.po").write_text("")
    renderer = JinjaRenderer(SHIPPED, lambda _: None)
    (problem,) = renderer.load(tmp_path)
    assert "put it there" in problem.message


def test_a_catalogue_is_no_template(folder: Path) -> None:
    """No template can print it."""
    write(folder, it__messages_po=ENTRY.format("Ciao {name}, è {title}."), page_email_txt="")
    (folder / "page.email.txt.j2").write_text("{% include 'it/messages.po' %}")
    told: list[Problem] = []
    renderer = JinjaRenderer(SHIPPED, told.append)
    renderer.load(folder)
    renderer.render(notification(Kind.PAGE, Channel.EMAIL), INCIDENT, history(), POLICY)
    assert [problem.message.partition(";")[0] for problem in told] == ["there is no template it/messages.po"]


def test_a_catalogue_may_be_longer_than_a_template(tmp_path: Path) -> None:
    """Four times as long, with an end."""
    for size, good in ((200, True), (300, False)):
        write(tmp_path, it__messages_po="# " + "x" * 1024 * size)
        files = sources.read(tmp_path)
        assert bool(files.texts) is good
        assert bool(files.problems) is not good


@pytest.mark.parametrize(
    ("language", "word", "direction"), [("ar", "مرحبا", "rtl"), ("he", "שלום", "rtl"), ("de", "Hallo", "ltr")]
)
def test_a_message_knows_which_way_it_is_read(language: str, word: str, direction: str, folder: Path) -> None:
    """By its language, once there are words in it."""
    (folder / "page.email.txt.j2").write_text(PAGE)
    (folder / "page.email.html.j2").write_text('<body lang="{{ language }}" dir="{{ direction }}">{{ name }}</body>')
    write(folder, **{f"{language}__messages_po": ENTRY.format(word + " {name}, {title}.")})
    renderer = JinjaRenderer(SHIPPED, lambda _: None)
    assert renderer.load(folder) == ()
    page = notification(Kind.PAGE, Channel.EMAIL)
    html = renderer.render(page, INCIDENT, history(), reading(language)).html  # type: ignore[arg-type]
    assert html.startswith(f'<body lang="{language}" dir="{direction}">')
    text = renderer.render(page, INCIDENT, history(), reading(language)).text  # type: ignore[arg-type]
    assert text.startswith(word)


def test_a_file_with_a_byte_order_mark_is_read(folder: Path) -> None:
    """As editors on Windows write it; nobody sees it there."""
    write(folder, it__messages_po='\ufeffmsgid "Hi"\nmsgstr "Ciao"\n')
    files = sources.read(folder)
    assert files.texts["it/messages.po"].startswith('msgid "Hi"')
    assert judge_templates(files.texts, lambda _: None, ("en",)).faults == ()


def test_templates_are_judged_in_the_languages_in_use(folder: Path) -> None:
    """One that fits in English alone is found, and so are the words that a language lacks."""
    (folder / "page.sms.txt.j2").write_text('{{ _("Hi") }} {{ acknowledge }} {{ _("Bye {name}", name=name) }}')
    write(folder, it__messages_po='msgid "Hi"\nmsgstr "' + "Buongiorno, " * 5 + '"\n', de__page_sms_txt_j2="")
    (folder / "de" / "page.sms.txt.j2").unlink(missing_ok=True)
    verdict = judge_templates(sources.read(folder).texts, lambda _: None, ("en", "it", "nl"))
    (missing,) = [words for words in verdict.missing if words.language == "it"]
    assert missing.count == missing.of - 1
    assert missing.first
    assert [fault.name for fault in verdict.faults] == []
    write(folder, it__messages_po='msgid "Hi"\nmsgstr "' + "".join(chr(0x4E00 + i) for i in range(40)) * 2 + '"\n')
    long = judge_templates(sources.read(folder).texts, lambda _: None, ("en", "it"))
    assert [(fault.name, fault.why) for fault in long.faults] == [
        ("page.sms.txt.j2", "the text does not fit, however short its words; say less")
    ]


COMES_AGAIN = (
    *(Reason.ESCALATED, Reason.REPEATED, Reason.LAST_RESORT, Reason.ASSIGNED, Reason.SEVERITY_RAISED),
    *(Reason.REOPENED, Reason.DECLINED, Reason.REACH, Reason.STILL_THERE),
)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pt"])
def test_a_page_fits_one_sms_in_every_language(language: str) -> None:
    """R42: in a drill, with the longest host there may be, why it comes now and the way to answer stand whole, in the
    words of the template, and some of the title.
    """
    told: list[Problem] = []
    renderer = JinjaRenderer(SHIPPED, told.append)
    spoken = Languages(sources.read(SHIPPED).texts).of(language)
    link = f"https://{'h' * 40}/a/Ab3dEf6hIj9lMn2p"
    people = {"bo": replace(POLICY.people["bo"], language=language), "chen": POLICY.people["chen"]}
    policy = replace(POLICY, organisation="Acme Incorporated", people=people)
    incident = replace(INCIDENT, title="Card payments fail at checkout for customers in all of Europe", drill=True)
    for reason in COMES_AGAIN:
        page = notification(Kind.PAGE, Channel.SMS, reason=reason, roles=("technical_lead", "scribe"))
        why = wording(page, incident, history(incident), policy, language=spoken).why_short
        assert why
        for offer, answer in ((ReplyOffer("", link), link), (ReplyOffer("K7"), "ok K7 / pass K7")):
            text = renderer.render(page, incident, history(incident), policy, offer).text
            assert segments(text) == 1
            assert text.endswith(answer)
            assert fold(why) in text
            assert "SEV1 " in text
            assert "Card payments" in text
    assert told == []
