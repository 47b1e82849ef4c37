"""What the daemon says by itself: answers to SMS, notices to operators, tests, and the marks of drills. Each is a
template, in the reader's language, one segment by SMS; and each leaves whatever the templates are.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.delivery import Content
from tocsin.domain.people import Channel, Person
from tocsin.domain.problem import Problem
from tocsin.ports.renderer import OwnWords
from tocsin.text.gsm import segments
from tocsin.wording.answer.answer_wording import BUILT_IN, LAST, STANDS, AnswerWording
from tocsin.wording.answer.samples import answer_samples
from tocsin.wording.answer.sign_in_wording import SIGN_INS
from tocsin.wording.operator.notice import operator_wording
from tocsin.wording.operator.samples import AT, BACK, LOST, REFUSED, TESTS, notice_samples
from tocsin.wording.operator.send_test import send_test_wording

from tests.builders.policies import paging_policy

SMS, EMAIL = Channel.SMS, Channel.EMAIL
GERMAN = """\
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "You are {roles} of {title} ({tag})."
msgstr "Du bist {roles} bei {title} ({tag})."

msgid "The config was refused"
msgstr "Die Konfiguration wurde abgelehnt"

msgid "Nothing to do."
msgstr "Nichts zu tun."

msgid "DRILL"
msgstr "ÜBUNG"
"""
ACCEPTED = AnswerWording("accepted", title="Card payments fail", tag="SEV1", roles="Scribe")
NOTICE = partial(operator_wording, (REFUSED, BACK), "pager1.example.com", "Example", "3f2a9c1", "UTC", AT)


@pytest.fixture
def told() -> list[Problem]:
    return []


@pytest.fixture
def renderer(told: list[Problem]) -> JinjaRenderer:
    return JinjaRenderer(shipped_folder(), told.append)


def said(renderer: JinjaRenderer, words: OwnWords, via: Channel = SMS, language: str = "en") -> Content:
    """What becomes of words that are there already."""
    return renderer.render_own(lambda _language: words, via, language)


def every() -> Iterator[OwnWords]:
    yield from answer_samples()
    yield from notice_samples()
    yield from TESTS
    yield from SIGN_INS


def test_every_sms_is_one_segment(renderer: JinjaRenderer, told: list[Problem]) -> None:
    """Whatever is said, in every language that is shipped."""
    languages = {path.parent.name for path in shipped_folder().glob("*/messages.po")} | {"en"}
    for language in languages:
        for words in every():
            content = said(renderer, words, language=language)
            assert segments(content.text) == 1, content.text
            assert content.text != BUILT_IN
    assert not told


@pytest.mark.parametrize("title", ["x" * 400, "数据库" * 40, "~[]{}€" * 30, "", "a\nb", "{{ 7 * 7 }} {title}"])
def test_what_is_said_behind_an_answer_is_never_cut(renderer: JinjaRenderer, title: str) -> None:
    """Whatever the title: it is read that this was the last answer, and what becomes of the next `ok`."""
    for words in answer_samples():
        text = said(renderer, replace(words, title=title, after=(STANDS, LAST))).text
        assert segments(text) == 1
        assert text.endswith("and is answered then. No more answers for now; what you write counts.")
        assert "49" not in text


def test_who_writes_stands_first(renderer: JinjaRenderer) -> None:
    """Cut where it is long, behind the mark of a drill; it never takes the place of what is true."""
    assert said(renderer, replace(ACCEPTED, organisation="Acme")).text == (
        "Acme: You are Scribe of Card payments fail (SEV1)."
    )
    text = said(renderer, replace(ACCEPTED, organisation="A very long name of a company", drill=True)).text
    assert text == "DRILL A very long: You are Scribe of Card payments fail (SEV1)."
    text = said(renderer, replace(ACCEPTED, organisation="Acme", roles="x" * 140, title="数据库" * 9, id="pay")).text
    assert text == f"Acme: You are {'x' * 47}... of pay (SEV1)."


def test_a_status_leaves_out_roles_before_its_title_says_nothing(renderer: JinjaRenderer) -> None:
    """Who writes and which incident it is stand there; how many roles have no room is said."""
    holders = tuple((role, "Ana Maria Souza") for role in ("Incident Commander", "Technical Lead", "Communications"))
    status = AnswerWording("status", title="Card payments fail at checkout", tag="SEV2", organisation="Acme",
                           status="looking for the cause", next="22:43 UTC+08", holders=holders, id="card")  # fmt: skip
    assert said(renderer, status).text == (
        "Acme: SEV2 Card payments fail at checkout: looking for the cause. Next update by 22:43 UTC+08. "
        "Incident Commander: Ana Maria Souza +2 more."
    )
    assert said(renderer, replace(status, holders=holders[:1])).text.endswith("Incident Commander: Ana Maria Souza.")


def test_an_answer_to_all_counts_before_it_names_the_worst(renderer: JinjaRenderer) -> None:
    """In letters of which only 70 fit the title gives way, not the severities."""
    title = "تسجيل الدخول لا يعمل في كل المناطق"
    passed = AnswerWording("passed_all", title=title, tag="SEV1", code="D4", count=5, others=5,
                           tally="2 SEV1, 3 SEV2", organisation="Acme")  # fmt: skip
    assert said(renderer, passed).text == "Acme: You passed on 5: 2 SEV1, 3 SEV2. Worst: SEV1 (D4). Others are asked."
    assert "SEV1 تسجيل" in said(renderer, replace(passed, tally="", others=0)).text


def test_whoever_accepted_reads_where_people_meet(renderer: JinjaRenderer) -> None:
    """Where there is room for it beside what is true."""
    place = "https://meet.example.com/ops"
    text = said(renderer, replace(ACCEPTED, bridge=place)).text
    assert text == f"You are Scribe of Card payments fail (SEV1). Meet: {place}"
    text = said(renderer, replace(ACCEPTED, bridge=place, roles="x" * 90, title="y" * 60)).text
    assert text == f"You are {'x' * 90} of {'y' * 39}... (SEV1)."


def test_the_readers_language(renderer: JinjaRenderer, tmp_path: Path) -> None:
    """The grammar of what people write stays; whatever has no translation is said in English."""
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "messages.po").write_text(GERMAN.replace("Language: de", "Language: xx"))
    assert not renderer.load(tmp_path)
    assert said(renderer, ACCEPTED, language="xx").text == "Du bist Scribe bei Card payments fail (SEV1)."
    assert "Die Konfiguration wurde abgelehnt" in renderer.render_own(NOTICE, SMS, "xx").text
    assert renderer.render_own(NOTICE, EMAIL, "xx").subject.startswith(
        "tocsin on pager1.example.com: Die Konfiguration wurde abgelehnt"
    )
    test = partial(send_test_wording, Person("ana", "Ana"), paging_policy(), "Bo", SMS, AT, False)
    assert "Nichts zu tun." in renderer.render_own(test, SMS, "xx").text
    drill = said(renderer, replace(ACCEPTED, drill=True), language="xx").text
    assert drill == "DRILL ÜBUNG Du bist Scribe bei Card payments fail (SEV1)."


def test_a_template_of_ones_own(renderer: JinjaRenderer, tmp_path: Path) -> None:
    """It stands in for the shipped one."""
    (tmp_path / "answer.sms.txt.j2").write_text("{{ answer }}: {{ title }}{{ after | length }}")
    assert not renderer.load(tmp_path)
    assert said(renderer, replace(ACCEPTED, after=(LAST,))).text == "accepted: Card payments fail1 last: 0"


BROKEN = {"syntax": "{% if %}", "unknown name": "{{ nothing_of_the_kind }}", "empty": ""}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_template_keeps_nothing_from_leaving(
    renderer: JinjaRenderer, told: list[Problem], tmp_path: Path, text: str
) -> None:
    """The shipped text goes instead, in the reader's language, and it is told once."""
    names = ("answer.sms.txt", "operator.sms.txt", "operator.subject.txt", "test.sms.txt")
    for name in names:
        (tmp_path / f"{name}.j2").write_text(text)
    renderer.load(tmp_path)
    for _ in range(2):
        assert said(renderer, ACCEPTED).text == "You are Scribe of Card payments fail (SEV1)."
        for via in Channel:
            assert "The config was refused" in renderer.render_own(NOTICE, via, "en").text
        assert segments(said(renderer, TESTS[0]).text) == 1
    assert len(told) == (0 if text == BROKEN["syntax"] else len(names))


def test_without_any_template_the_built_in_text_leaves(told: list[Problem], tmp_path: Path) -> None:
    """A notice says what is wrong, an answer nothing untrue, a test that it is one."""
    renderer = JinjaRenderer(tmp_path, told.append)
    assert said(renderer, ACCEPTED).text == BUILT_IN
    assert segments(BUILT_IN) == 1
    lost = partial(operator_wording, (LOST, REFUSED), "pager1", "", "", "UTC", AT)
    mail, sms = renderer.render_own(lost, EMAIL, "de"), renderer.render_own(lost, SMS, "de")
    assert mail.subject == "tocsin on pager1: A page reached nobody"
    assert (
        mail.text
        == f"On pager1.\n\nA page reached nobody.\n- {LOST.text}\n\nThe config was refused.\n- {REFUSED.text}\n"
    )
    assert sms.text.startswith("tocsin pager1: A page reached nobody: incident pay: call ana")
    assert segments(sms.text) == 1
    assert said(renderer, TESTS[0]).text == "Example: a test. Nothing is wrong, and there is nothing to do."
    assert told


@pytest.mark.parametrize(
    ("text", "mark"),
    [("EXERCISE", "DRILL EXERCISE"), ("{{ wrong }}", "DRILL"), ("", "DRILL"), ("{# DRILL #}", "DRILL")],
)
def test_a_drill_is_marked_whatever_the_mark_says(
    renderer: JinjaRenderer, told: list[Problem], tmp_path: Path, text: str, mark: str
) -> None:
    """Rule 28: the word stands in every text and subject."""
    for part in ("sms.txt", "subject.txt", "email.txt", "email.html"):
        (tmp_path / f"drill.{part}.j2").write_text(text)
    renderer.load(tmp_path)
    assert said(renderer, replace(ACCEPTED, drill=True)).text == f"{mark} You are Scribe of Card payments fail (SEV1)."
    content = said(renderer, replace(TESTS[0], drill=True), EMAIL)
    assert content.subject.startswith(f"{mark} ")
    assert content.text.startswith("DRILL: this is an exercise.")
    assert content.html.index("DRILL: this is an exercise") < content.html.index("display:none")
    assert bool(told) == (mark == "DRILL")


def test_check_tries_them(renderer: JinjaRenderer, tmp_path: Path) -> None:
    """A fault in any branch of theirs is found before it counts."""
    (tmp_path / "answer.sms.txt.j2").write_text("{% if answer == 'stands' %}\n{{ wrong }}{% endif %}x")
    (tmp_path / "operator.email.txt.j2").write_text("{% if over %}\n\n{{ wrong }}{% endif %}x")
    (tmp_path / "test.subject.txt.j2").write_text("{{ wrong }}")
    (tmp_path / "drill.sms.txt.j2").write_text("{{ wrong }}")
    assert not renderer.load(tmp_path)
    assert sorted(f"{Path(problem.file).name}:{problem.line}" for problem in renderer.check()) == [
        "answer.sms.txt.j2:2", "drill.sms.txt.j2:1", "operator.email.txt.j2:3", "test.subject.txt.j2:1",
    ]  # fmt: skip


def test_a_test_says_what_the_carriers_want_to_read(renderer: JinjaRenderer) -> None:
    """Who writes, that it is a test, who sent it, that nothing is to be done, how a page begins; and, only where it can
    be answered, HELP and STOP.
    """
    ana, policy = Person("ana", "Ana Souza", timezone="Europe/Berlin"), replace(paging_policy(), organisation="Acme")

    def text(via: Channel, answers: bool, sender: str = "Bo Lindqvist") -> str:
        return renderer.render_own(partial(send_test_wording, ana, policy, sender, via, AT, answers), via, "en").text

    assert text(SMS, True) == (
        "Acme: a test, sent by Bo Lindqvist at 11:00 CET. Nothing to do. "
        'A page begins "Acme SEV1" and says how to answer. Reply HELP for help, STOP to end.'
    )
    assert "STOP" not in text(SMS, False)
    long = text(SMS, True, "A very long name of somebody who sends a test message to somebody else, and more")
    assert segments(long) == 1
    assert long.startswith("Acme: a test")
    assert long.endswith("Nothing to do. Reply HELP for help, STOP to end.")
    mail = text(EMAIL, True)
    assert "STOP" not in mail
    assert "Sent by Bo Lindqvist, Mon 23 Nov 2026, 11:00 CET." in mail
