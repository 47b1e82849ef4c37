"""The built-in texts, word for word: what readers get when a template is broken (P2)."""

from dataclasses import replace

import pytest
from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.wording.language.languages import Languages
from tocsin.wording.message.builtin import builtin_content
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

WORDS = Wording(
    kind="",
    reason="declared",
    drill=False,
    external=False,
    title="Cards fail",
    subject_title="As it began",
    status="identified",
    id="card",
    tag="SEV1",
    summary="The summary.",
    impact="The impact.",
    your_role="Scribe",
    why="You were assigned.",
    why_short="Assigned to you.",
    acknowledge="tocsin ack card --as bo",
    changes=("We have found the cause and are working on it.",),
    news=(News("One."), News("Two.")),
    standing="We know the cause.",
    next="Mon, 11:30 CET",
    next_short="11:30 CET",
    due_short="11:20 CET",
    duration="5 minutes",
    ended_short="11:05 CET",
    resolution="Rolled back.",
    review_file="reviews/card.md",
    review_due="Sat 28 Nov 2026, 11:00 CET",
)
BODIES = {
    Kind.PAGE: ("You were assigned.", "You: Scribe.", "Accept: tocsin ack card --as bo"),
    Kind.STAND_DOWN: ("stand down. You are no longer needed as Scribe. Nothing for you to do.",),
    Kind.UPDATE: ("We have found the cause and are working on it.", "One.", "Two.", "Next update by 11:30 CET."),
    Kind.CLOSING: ("resolved at 11:05 CET after 5 minutes.", "Rolled back."),
    Kind.REMINDER: ("update due 11:20 CET.", "tocsin update card TEXT"),
    Kind.VERIFY: ("resolved. Is it healthy? If not, open it again. If so: tocsin ack card --as bo",),
    Kind.REVIEW: ("please finish the review by Sat 28 Nov 2026, 11:00 CET.", "Draft: reviews/card.md"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_each_kind_word_for_word(kind: Kind) -> None:
    """An email has its reader's own subject, then all there is to say and what is known; an SMS the same in one
    line, without what would not fit it.
    """
    words = replace(WORDS, kind=kind.value)
    mail = builtin_content(words, Channel.EMAIL)
    assert mail.subject == "As it began"
    assert mail.text.split("\n\n") == ["SEV1: Cards fail", *BODIES[kind], "The impact.", "The summary.\n"]
    sms = builtin_content(words, Channel.SMS)
    said = ("Assigned to you.", *BODIES[kind][1:]) if kind is Kind.PAGE else BODIES[kind]
    assert sms.text == f"SEV1 Cards fail{'.' if kind is Kind.PAGE else ':'} {' '.join(said)}"
    assert sms.subject == sms.html == mail.html == ""


def test_a_drill_says_so_first() -> None:
    """In the subject, in the mail and in the SMS, whatever the kind."""
    for kind in BODIES:
        words = replace(WORDS, kind=kind.value, drill=True)
        mail = builtin_content(words, Channel.EMAIL)
        assert mail.subject.startswith("DRILL ")
        assert mail.text.startswith("DRILL SEV1")
        assert builtin_content(words, Channel.SMS).text.startswith("DRILL SEV1 ")


def test_where_little_is_known() -> None:
    """Without news the standing sentence speaks, without a promise the next word comes with the next change; a page by a
    file that cannot be read says that; without a severity the title stands alone.
    """
    bare = replace(WORDS, tag="", news=(), changes=(), next="", duration="", your_role="", why="", why_short="")

    def text(kind: Kind) -> str:
        return builtin_content(replace(bare, kind=kind.value, unreadable=True), Channel.SMS).text

    assert text(Kind.UPDATE) == "Cards fail: We know the cause. We will write again when something changes."
    assert text(Kind.CLOSING) == "Cards fail: resolved. Rolled back."
    assert text(Kind.PAGE) == "Cards fail. The incident file cannot be read. Accept: tocsin ack card --as bo"


def test_the_shortest_way_to_answer() -> None:
    """A code by SMS, else the link, else the command; only a page can be passed on."""
    page, verify = (replace(WORDS, kind=kind.value, answer_url="https://x/1") for kind in (Kind.PAGE, Kind.VERIFY))
    assert builtin_content(page, Channel.SMS).text.endswith("Accept: https://x/1")
    assert builtin_content(verify, Channel.SMS).text.endswith("If so: https://x/1")
    assert builtin_content(replace(page, code="K7"), Channel.SMS).text.endswith("ok K7 / pass K7")
    assert builtin_content(replace(verify, code="K7"), Channel.SMS).text.endswith("If so: ok K7")


def test_it_is_said_in_the_readers_language() -> None:
    """A broken template costs its look, not its language."""
    german = Languages(sources.read(shipped_folder()).texts).of("de")
    page = replace(WORDS, kind=Kind.PAGE.value, why_short="Letzte Instanz.", code="K7", organisation="ACME")
    assert builtin_content(page, Channel.SMS, german).text == (
        "ACME SEV1 Cards fail. Letzte Instanz. Rolle: Scribe. ok K7 / pass K7"
    )
    for kind in BODIES:
        english = builtin_content(replace(WORDS, kind=kind.value), Channel.SMS).text
        assert builtin_content(replace(WORDS, kind=kind.value), Channel.SMS, german).text != english
