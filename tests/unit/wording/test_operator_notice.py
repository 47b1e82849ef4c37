"""What operators read: the machine, the headline, since when, what tocsin does meanwhile, what to do (rule 39)."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

import pytest
from tocsin.domain.operator_notice import OperatorNotice, OperatorWord, Recovery, Trouble
from tocsin.domain.people import Channel
from tocsin.text.gsm import segments
from tocsin.wording.operator.advice import ADVICE
from tocsin.wording.operator.notice import MOST, operator_wording

from tests.builders.daemon_parts import shipped_words
from tests.builders.instants import MINUTE, T0
from tests.unit.domain.test_operator_notice import sections

REFUSED = OperatorNotice(
    Trouble.CONFIG_REFUSED, 'config/all.yaml:7:3: error: unknown key "chans"', aspect="a", since=T0
)
CHAIN = OperatorNotice(Trouble.CONFIG_REFUSED, "config/all.yaml:9:1: error: chain is missing", aspect="b", since=T0)
FOLDER = OperatorNotice(Trouble.FOLDER_UNREADABLE, "incidents: no such folder", since=T0 - MINUTE)


def words(*told: OperatorWord, via: Channel = Channel.EMAIL, host: str = "web-1.example.com") -> tuple[str, str]:
    """Subject and text."""
    words_in = partial(operator_wording, told, host, "", "", "Europe/Berlin", T0)
    content = shipped_words().render_own(words_in, via, "en")
    return content.subject, content.text


def test_one_trouble_by_email() -> None:
    """Subject and first line fit the cause; each place on a line; then what goes on, what to do, and where more is."""
    subject, text = words(replace(REFUSED, since=T0 + MINUTE), CHAIN)
    assert subject == "tocsin on web-1.example.com: The config was refused"
    assert text.splitlines()[:-4] == [
        "tocsin on web-1.example.com",
        "The config was refused",
        "",
        "Since Mon 23 Nov, 11:00 CET (10:00 UTC).",
        '- config/all.yaml:7:3: error: unknown key "chans"',
        "- config/all.yaml:9:1: error: chain is missing",
        "",
        f"What you do: {ADVICE[Trouble.CONFIG_REFUSED].act}",
        f"Meanwhile: {ADVICE[Trouble.CONFIG_REFUSED].meanwhile}",
        "More: docs/operators.md, section “config-refused”",
    ]


def test_several_troubles_by_email() -> None:
    """The subject counts them, the first line names them, each has its own part."""
    lost = [OperatorNotice(Trouble.PAGE_LOST, f"page {number}", about=f"{number}", since=T0) for number in range(2)]
    subject, text = words(REFUSED, FOLDER, *lost)
    assert subject == "tocsin on web-1.example.com: A page reached nobody (and 2 more)"
    assert text.startswith(
        "tocsin on web-1.example.com\nA page reached nobody\n\n"
        "Also: The config was refused; The incident folder cannot be read\n\n"
    )
    assert [part for part in text.split("\n\n") if part.startswith("The")] == [
        "The config was refused",
        "The incident folder cannot be read",
    ]
    assert "Since Mon 23 Nov, 10:59 CET" in text
    assert "\n\nAt Mon 23 Nov, 11:00 CET (10:00 UTC).\n- page 0\n- page 1\n\nWhat you do: " in text


def test_what_is_minor_comes_last() -> None:
    """The headline is that of the graver one, whichever came first; a page that nobody got is the gravest."""
    lost = OperatorNotice(Trouble.PAGE_LOST, "a page", about="pay")
    assert words(FOLDER, lost)[0].endswith(": A page reached nobody (and 1 more)")
    minor = OperatorNotice(Trouble.FILE_FAULTY, "eta", about="pay.yaml", minor=True)
    assert words(minor, FOLDER)[0] == "tocsin on web-1.example.com: The incident folder cannot be read (and 1 more)"


def test_a_flood_is_counted() -> None:
    """So many in one mail, the rest as a number; in the first line three headlines."""
    told = [OperatorNotice(Trouble.FILE_FAULTY, f"trouble {n}", about=f"{n}.yaml") for n in range(MOST + 3)]
    subject, text = words(*told)
    assert subject.endswith(f": Problems in 0.yaml (and {MOST + 2} more)")
    assert text.count("\n- trouble") == MOST
    assert "\n\nAnd 3 more; the log has them.\n" in text
    assert f"\nProblems in 0.yaml\n\nAlso: Problems in 1.yaml; Problems in 2.yaml; and {MOST} more\n" in text


def test_a_notice_of_several_lines_stays_one_item() -> None:
    """Its further lines are indented."""
    assert "- a\n  b\n" in words(OperatorNotice(Trouble.FILE_FAULTY, "a\nb", about="pay.yaml"))[1]


@pytest.mark.parametrize(
    ("since", "when"),
    [
        (T0 - timedelta(seconds=72), "Over since Mon 23 Nov, 11:00 CET (10:00 UTC); it lasted 1m12s."),
        (None, "Over since Mon 23 Nov, 11:00 CET (10:00 UTC)."),
    ],
)
def test_the_end_by_email(since: object, when: str) -> None:
    """That it is over is the headline; since when, and for how long it was, where this process saw it begin."""
    over = Recovery(Trouble.FOLDER_UNREADABLE, "new files count again", since=since, until=T0)  # type: ignore[arg-type]
    subject, text = words(over)
    assert subject == "tocsin on web-1.example.com: The incident folder is back"
    assert text.splitlines()[:5] == [
        "tocsin on web-1.example.com",
        "The incident folder is back",
        "",
        when,
        "- new files count again",
    ]
    assert "What you do" not in text


def test_one_trouble_by_sms() -> None:
    """One segment: machine, headline, since when, what fits of the sentence, and the word to look up."""
    _, text = words(REFUSED, via=Channel.SMS)
    assert text == (
        "tocsin web-1: The config was refused (since 11:00 CET):"
        ' config/all.yaml:7:3: error: unknown key "chans". See config-refused'
    )
    assert words(FOLDER, via=Channel.SMS)[1].startswith(
        "tocsin web-1: The incident folder cannot be read (since 10:59 CET): incidents: no such folder."
    )


LOST = "incident pay: call ana, or name somebody with tocsin assign; the page to ana reached nobody: not delivered"


def test_several_troubles_by_sms() -> None:
    """The first one's sentence (which incident, what to do) comes before other headlines, and what is not named is
    counted.
    """
    text = words(REFUSED, FOLDER, via=Channel.SMS)[1]
    assert text == (
        "tocsin web-1: The config was refused (since 11:00 CET): config/all.yaml:7:3: error: unknown key "
        '"chans"; The incident folder cannot be read. See config-refused'
    )
    lost = [OperatorNotice(Trouble.PAGE_LOST, LOST, about=f"pay:{name}", since=T0) for name in ("ana", "bo")]
    text = words(REFUSED, FOLDER, *lost, via=Channel.SMS)[1]
    assert text.startswith(
        "tocsin web-1: A page reached nobody (11:00 CET): incident pay: call ana, or name somebody with"
    )
    assert text.endswith("assign...; The config was refused; +2 more. See page-lost"), "bo's page as well"
    assert segments(text) == 1


def test_what_is_named_by_sms_is_not_counted() -> None:
    """Two ends, and both are named: nothing more is."""
    ends = [
        Recovery(Trouble.ANSWERS_UNREAD, "the provider answers", until=T0, about="SMS"),
        Recovery(Trouble.PROVIDER_REFUSES, "the mail server takes messages again", until=T0, about="email"),
    ]
    assert words(*ends, via=Channel.SMS)[1] == (
        "tocsin web-1: Answers by SMS come in again (since 11:00 CET): the provider answers; "
        "Messages by email leave again. See answers-unread"
    )
    people = [OperatorNotice(Trouble.ADDRESS_REFUSED, "no such mailbox", about=f"{n}'s address") for n in ("ana", "bo")]
    assert words(*people, via=Channel.SMS)[1] == (
        "tocsin web-1: ana's address is refused: no such mailbox; bo's address is refused. See address-refused"
    )


def test_the_end_by_sms() -> None:
    """With when it ended."""
    text = words(Recovery(Trouble.LEDGER_UNWRITABLE, "all is in it", until=T0), via=Channel.SMS)[1]
    assert text == (
        "tocsin web-1: The ledger can be written again (since 11:00 CET): all is in it. See ledger-unwritable"
    )


HOSTS = ("h", "a-machine-with-a-very-long-name.example.com")


@pytest.mark.parametrize("text", ["x" * 400, "кириллица " * 40, "漢字" * 60, "", "~[]{}" * 60, "a\nb"])
def test_an_sms_is_one_segment(text: str) -> None:
    """Whatever the sentence, of every trouble on any machine: it is cut, the headline and the word stay."""
    about = "incidents/2026-11-25-card-payments.yaml"
    for trouble, host in product(Trouble, HOSTS):
        notice = OperatorNotice(trouble, text, about=about, since=T0)
        sms = words(notice, via=Channel.SMS, host=host)[1]
        assert segments(sms) == 1, (trouble, host)
        assert notice.headline in sms
        assert sms.endswith(f" See {trouble}")


def test_a_long_name_of_the_machine_is_cut_by_sms() -> None:
    """Its domain goes first, then what is over twenty letters."""
    assert words(FOLDER, via=Channel.SMS, host="a" * 30)[1].startswith(f"tocsin {'a' * 20}: ")


def test_even_an_endless_name_is_one_segment() -> None:
    """The headline is cut."""
    notice = OperatorNotice(Trouble.FILE_VANISHED, "gone", about="x" * 300, since=T0)
    assert segments(words(notice, via=Channel.SMS)[1]) == 1


def test_the_advice_is_that_of_the_page() -> None:
    """Messages and docs/operators.md say the same, for each trouble."""
    assert set(ADVICE) == set(Trouble), "copy Meanwhile and What you do of docs/operators.md"
    for trouble, body in sections().items():
        items = dict(re.findall(r"^- \*\*([^*]+)\*\*: (.*?)(?=\n- \*\*|\n\n|\Z)", body, re.MULTILINE | re.DOTALL))
        advice = ADVICE[Trouble(trouble)]
        assert (" ".join(items["Meanwhile"].split()), " ".join(items["What you do"].split())) == (
            advice.meanwhile,
            advice.act,
        )
